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

// gatherPanels panels are written side by side, as each may be on a page of its own.
const gatherPanels = 16

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

// packA copies the block of A whose corner is src, rows×depth, in panels as high as a
// tile, column by column, with slack behind each.
func (w *buffer) packA(p *product, l level, src unsafe.Pointer, rows, depth int) {
	high, _ := l.size()
	panels := cut(rows, high)
	w.a = grown(w.a, rows*depth+panels.pieces*slack)
	if p.leftRow != word {
		dst := unsafe.Pointer(&w.a[0])
		for i := panels; i.next(); {
			transpose(l, dst, unsafe.Add(src, i.start*p.leftRow), i.length*word, p.leftRow, i.length, depth)
			dst = unsafe.Add(dst, panelSize(i.length, depth))
		}
		return
	}
	low, taller, others := even(rows, high)
	size := panelSize(low+1, depth)
	gather(unsafe.Pointer(&w.a[0]), src, (low+1)*word, p.leftStep, low+1, depth, taller, size)
	gather(unsafe.Add(unsafe.Pointer(&w.a[0]), taller*size), unsafe.Add(src, taller*(low+1)*word),
		low*word, p.leftStep, low, depth, others, panelSize(low, depth))
}

// panelSize returns the bytes from one panel to the next, of A of so many rows, of B of so many columns.
func panelSize(side, depth int) int { return (side*depth + slack) * word }

// packB copies the block of B whose corner is src, depth×cols, in panels as
// wide as a tile, with slack behind each.
func (w *buffer) packB(p *product, l level, src unsafe.Pointer, depth, cols int) {
	_, width := l.size()
	size := panelSize(width, depth)
	w.b = grown(w.b, (cols+width-1)/width*size/word)
	dst := unsafe.Pointer(&w.b[0])
	if p.rightCol != word {
		for j := 0; j < cols; j += width {
			transpose(l, unsafe.Add(dst, j/width*size), unsafe.Add(src, j*p.rightCol),
				width*word, p.rightCol, min(width, cols-j), depth)
		}
		return
	}
	for j := cut(cols/width, gatherPanels); j.next(); {
		gather(unsafe.Add(dst, j.start*size), unsafe.Add(src, j.start*width*word),
			width*word, p.rightStep, width, depth, j.length, size)
	}
	if rest := cols % width; rest > 0 {
		gather(unsafe.Add(dst, cols/width*size), unsafe.Add(src, (cols-rest)*word),
			width*word, p.rightStep, rest, depth, 1, 0)
	}
}

// Transpose sets dst, cols×rows, to the transpose of src, rows×cols, both row by
// row without gaps.
func Transpose(dst, src []float64, rows, cols int) {
	if len(src) != rows*cols || len(dst) != len(src) {
		panic("qhnet: a matrix to transpose has not rows·cols values")
	}
	if len(src) == 0 {
		return
	}
	read(src)
	write(dst)
	if active == portable {
		for i := range rows {
			transposeRow(unsafe.Pointer(&dst[i]), unsafe.Pointer(&src[i*cols]), rows*word, 0, cols)
		}
		return
	}
	transpose(active, unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), rows*word, cols*word, rows, cols)
}

// gather copies rows of panels·cols values, cols of each row to each panel, at most the width of a
// tile. Panels are across bytes apart, and a tile's width may be written from their last row on.
func gather(dst, src unsafe.Pointer, dstStride, srcStride, cols, rows, panels, across int) {
	if panels > 0 {
		gatherAsm((*float64)(dst), (*float64)(src), dstStride, srcStride, cols, rows, panels, across)
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
