package kernel

import (
	"sync"
	"unsafe"
)

// A buffer holds a block of A and one of B, cut into the panels that tiles
// read: contiguous, in the order of reading.
type buffer struct {
	a, b []float64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// slack is how much a gather may write beyond its last row.
const slack = 16

// grown returns a slice of at least n values, x itself if it is long enough.
func grown(x []float64, n int) []float64 {
	if len(x) < n+slack {
		return make([]float64, n+slack)
	}
	return x
}

// packA copies the block of A whose corner is src, rows×depth, in panels as
// high as a tile.
func (w *buffer) packA(p *product, l level, src unsafe.Pointer, rows, depth int) {
	w.a = grown(w.a, rows*depth)
	most, _ := l.size()
	for i := 0; i < rows; i += most {
		high := min(most, rows-i)
		dst, from := unsafe.Pointer(&w.a[i*depth]), unsafe.Add(src, i*p.leftRow)
		if p.leftRow == word {
			gather(l, dst, from, high*word, p.leftStep, high, depth)
		} else {
			transpose(l, dst, from, high*word, p.leftRow, high, depth)
		}
	}
}

// packB copies the block of B whose corner is src, depth×cols, in panels as
// wide as a tile.
func (w *buffer) packB(p *product, l level, src unsafe.Pointer, depth, cols int) {
	_, width := l.size()
	w.b = grown(w.b, (cols+width-1)/width*width*depth)
	for j := 0; j < cols; j += width {
		wide := min(width, cols-j)
		dst, from := unsafe.Pointer(&w.b[j*depth]), unsafe.Add(src, j*p.rightCol)
		if p.rightCol == word {
			gather(l, dst, from, width*word, p.rightStep, wide, depth)
		} else {
			transpose(l, dst, from, width*word, p.rightCol, wide, depth)
		}
	}
}

// gather copies rows of cols values, at most the width of a tile. It may write
// a tile's width from the start of the last row.
func gather(l level, dst, src unsafe.Pointer, dstStride, srcStride, cols, rows int) {
	if l == avx512 {
		gatherAVX512((*float64)(dst), (*float64)(src), dstStride, srcStride, cols, rows)
	} else {
		gatherAVX2((*float64)(dst), (*float64)(src), dstStride, srcStride, cols, rows)
	}
}

// transpose writes the rows of src, each of the given length, as columns.
func transpose(l level, dst, src unsafe.Pointer, dstStride, srcStride, rows, length int) {
	lanes := 8
	if l != avx512 {
		lanes = 4
	}
	for row := 0; row < rows; row += lanes {
		for lanes > 1 && (rows-row < lanes || length < lanes) {
			lanes /= 2
		}
		d, s := unsafe.Add(dst, row*word), unsafe.Add(src, row*srcStride)
		transposeBlocks(lanes, d, s, dstStride, srcStride, length/lanes)
		for i := range lanes {
			transposeRow(unsafe.Add(d, i*word), unsafe.Add(s, i*srcStride), dstStride, length/lanes*lanes, length)
		}
	}
}

func transposeBlocks(lanes int, dst, src unsafe.Pointer, dstStride, srcStride, blocks int) {
	d, s := (*float64)(dst), (*float64)(src)
	switch lanes {
	case 8:
		transposeAVX512(d, s, dstStride, srcStride, blocks)
	case 4:
		transposeAVX2(d, s, dstStride, srcStride, blocks)
	case 2:
		transposeAVX(d, s, dstStride, srcStride, blocks)
	case 1:
		transposeRow(dst, src, dstStride, 0, blocks)
	}
}

// transposeRow writes the values from, …, length-1 of a row as a column.
func transposeRow(dst, src unsafe.Pointer, dstStride, from, length int) {
	for i, v := range unsafe.Slice((*float64)(src), length)[from:] {
		*(*float64)(unsafe.Add(dst, (from+i)*dstStride)) = v
	}
}
