package kernel

import (
	"sync"
	"unsafe"
)

// A buffer holds a block of B in panels as wide as a tile, each of them
// contiguous, row by row.
type buffer struct {
	b []float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer  { return buffers.Get().(*buffer) }
func giveBuffer(w *buffer) { buffers.Put(w) }

// panel returns the panel that starts at column j.
func (w *buffer) panel(depth, width, j int) unsafe.Pointer {
	return unsafe.Pointer(&w.b[j*depth])
}

// packB copies B[k0:k0+kn, j0:j0+jn].
func (w *buffer) packB(p *product, l level, k0, kn, j0, jn int) {
	_, width := l.size()
	if need := (jn + width - 1) / width * width * kn; len(w.b) < need {
		w.b = make([]float64, need)
	}
	for j := 0; j < jn; j += width {
		cols := min(width, jn-j)
		dst := w.b[j*kn : (j+width)*kn]
		if p.bTransposed {
			packTransposed(l, dst, width, unsafe.Add(p.b, (j0+j)*p.bStep+k0*word), p.bStep, cols, kn)
			continue
		}
		src := unsafe.Add(p.b, k0*p.bStep+(j0+j)*word)
		for i := range kn {
			copy(dst[i*width:i*width+cols], unsafe.Slice((*float64)(unsafe.Add(src, i*p.bStep)), cols))
		}
	}
}

// packTransposed sets dst[i*width+j] to element i of row j of src, i < length,
// j < rows.
func packTransposed(l level, dst []float64, width int, src unsafe.Pointer, stride, rows, length int) {
	row, col := 0, 0
	for lanes := 8; lanes >= 4; lanes /= 2 {
		if lanes == 8 && l != avx512 {
			continue
		}
		for rows-row >= lanes && length >= lanes {
			d, s := &dst[row], (*float64)(unsafe.Add(src, row*stride))
			if lanes == 8 {
				transposeAVX512(d, s, width*word, stride, length/lanes)
			} else {
				transposeAVX2(d, s, width*word, stride, length/lanes)
			}
			col = length / lanes * lanes
			for r := row; r < row+lanes; r++ {
				packScalar(dst, width, src, stride, r, col, length)
			}
			row += lanes
		}
	}
	for ; row < rows; row++ {
		packScalar(dst, width, src, stride, row, 0, length)
	}
}

func packScalar(dst []float64, width int, src unsafe.Pointer, stride, row, from, length int) {
	line := unsafe.Slice((*float64)(unsafe.Add(src, row*stride)), length)
	for i := from; i < length; i++ {
		dst[i*width+row] = line[i]
	}
}
