package kernel

import (
	"math/bits"
	"unsafe"
)

// A product is a matrix product in the terms of its tiles, strides in bytes:
//
//	A[i,p] at left + i·leftRow + p·leftStep
//	B[p,j] at right + p·rightStep + j·rightCol
//	C[i,j] at out + i·cRow + j·word
type product struct {
	tile    // the tiles at work
	m, n, k int

	left, right, out    unsafe.Pointer
	leftRow, leftStep   int
	rightStep, rightCol int

	factor float64 // beta
	last   step    // what is done with the sums of the last block of k

	biases    unsafe.Pointer // n values
	rowBiases unsafe.Pointer // m values
	gates     unsafe.Pointer // m×n values
}

const word = int(unsafe.Sizeof(float64(0)))

// set takes the arguments of a Gemm that are in order.
func (p *product) set(transA, transB bool, m, n, k int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	readRows(transA, a, lda, m, k)
	readRows(transB, b, ldb, k, n)
	writeRows(c, ldc, m, n)
	p.m, p.n, p.k = m, n, k
	p.left, p.right, p.out = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	p.leftRow, p.leftStep = lda*word, word
	if transA {
		p.leftRow, p.leftStep = word, lda*word
	}
	p.rightStep, p.rightCol = ldb*word, word
	if transB {
		p.rightStep, p.rightCol = word, ldb*word
	}
	p.cRow = ldc * word
}

// The blocks worked on at a time: a panel of B, blockDepth×16, stays in the
// first cache, a block of A, blockRows×blockDepth, in the second. Found by trial
// on a processor with 48 KiB and 2 MiB; the times change little around them.
const (
	blockDepth = 256
	blockRows  = 120
	blockCols  = 1024
)

// Copying A pays from this many columns of B on, copying B from this many rows of A
// on, more if it is only spread over pages. Found by trial.
const (
	copyAFrom      = 100
	copyBFrom      = 40
	copySpreadFrom = 200
)

// run computes the product block by block.
func (p *product) run() {
	l := active
	packA, packB := p.packs()
	if !packA && !packB {
		if p.k <= blockDepth && p.m <= blockRows {
			p.only(l)
		} else {
			p.blocks(l, nil, nil)
		}
		return
	}
	w := buffers.Get().(*buffer)
	var a, b *buffer
	if packA {
		a = w
	}
	if packB {
		b = w
	}
	p.blocks(l, a, b)
	buffers.Put(w)
}

// packs tells whether it pays to copy blocks of A and B in the order in which
// tiles read them. Columns of B must be contiguous. Otherwise a copy pays if what a
// tile reads again and again is far apart and read often enough.
func (p *product) packs() (a, b bool) {
	depth := min(p.k, blockDepth)
	b = p.rightCol != word || pays(p.m, copyBFrom, crowded(p.rightStep, depth), spread(p.rightStep, depth))
	if p.leftRow == word {
		a = pays(p.n, copyAFrom, crowded(p.leftStep, depth), spread(p.leftStep, depth))
	} else {
		a = pays(p.n, copyAFrom, p.leftRow%page == 0, spread(p.leftRow, min(p.m, blockRows)))
	}
	return a, b
}

// pays tells whether a copy that is read so many times pays.
func pays(times, from int, crowded, spread bool) bool {
	return crowded && times >= from || spread && times >= copySpreadFrom
}

const page = 4096

// crowded reports whether count accesses at a stride share few of the 64 sets of a
// first-level cache, more than 4 on one, which holds 8 to 12 lines of 64 bytes.
func crowded(stride, count int) bool {
	shared := bits.TrailingZeros64(uint64(stride)|64*64) - 6
	return shared > 0 && count > 4*64>>shared
}

// spread reports whether they are on more pages than the processor finds at once.
func spread(stride, count int) bool { return stride*count > 128*page }

// begin sets what tiles do with the sums over a part of k: the first multiplies C
// by beta, the others add to it, the last takes the steps that follow.
func (p *product) begin(k span) {
	p.depth, p.do, p.beta = k.length, p.last, p.factor
	if !k.last() {
		p.do &^= addBias | addRowBias | rectify | applyGate
	}
	if k.start > 0 {
		p.beta = 1
	}
	if p.beta != 0 {
		p.do |= accumulate
	}
}

// only computes a product that is a single block, which should cost little
// more than its tiles.
func (p *product) only(l level) {
	p.begin(span{length: p.k})
	p.aRow, p.aStep, p.bStep = p.leftRow, p.leftStep, p.rightStep
	_, width := l.size()
	for j := 0; j < p.n; j += width {
		p.cols, p.b = min(width, p.n-j), unsafe.Add(p.right, j*word)
		p.column(l, p.left, p.m, 0, j)
	}
}

// blocks computes block after block. wa and wb take copies of blocks of A and B;
// nil means that tiles read them in place.
func (p *product) blocks(l level, wa, wb *buffer) {
	for k := cut(p.k, blockDepth); k.next(); {
		p.begin(k)
		for j := cut(p.n, blockCols); j.next(); {
			b := unsafe.Add(p.right, k.start*p.rightStep+j.start*p.rightCol)
			if wb != nil {
				wb.packB(p, l, b, k.length, j.length)
			}
			for i := cut(p.m, blockRows); i.next(); {
				a := unsafe.Add(p.left, i.start*p.leftRow+k.start*p.leftStep)
				if wa != nil {
					wa.packA(p, l, a, i.length, k.length)
				}
				p.block(l, wa, wb, a, b, i, j)
			}
		}
	}
}

// block computes the tiles of block i, j of C. a and b are the corners of the
// blocks of A and B, wa and wb hold their copies if there are any.
func (p *product) block(l level, wa, wb *buffer, a, b unsafe.Pointer, i, j span) {
	_, width := l.size()
	for col := 0; col < j.length; col += width {
		p.cols = min(width, j.length-col)
		if wb != nil {
			p.b, p.bStep = unsafe.Add(unsafe.Pointer(&wb.b[0]), col/width*panelSize(width, p.depth)), width*word
		} else {
			p.b, p.bStep = unsafe.Add(b, col*word), p.rightStep
		}
		if wa != nil {
			p.panels(l, unsafe.Pointer(&wa.a[0]), i.length, i.start, j.start+col)
			continue
		}
		p.aRow, p.aStep = p.leftRow, p.leftStep
		p.column(l, a, i.length, i.start, j.start+col)
	}
}

// column computes tiles one below the other, from C[i,j] on.
func (p *product) column(l level, a unsafe.Pointer, rows, i, j int) {
	low, taller, others := even(rows, l.rowsFor(p.cols))
	if taller > 0 {
		p.aNext = (low + 1) * p.aRow
		p.stack(l, a, low+1, taller, i, j)
	}
	done := taller * (low + 1)
	p.aNext = low * p.aRow
	p.stack(l, unsafe.Add(a, done*p.aRow), low, others, i+done, j)
}

// even cuts rows into the fewest tiles of at most some height, as even as they can
// be: taller of low+1 rows, and then others of low.
func even(rows, most int) (low, taller, others int) {
	tiles := (rows + most - 1) / most
	return rows / tiles, rows % tiles, tiles - rows%tiles
}

// panels is column where A is a copy made by packA.
func (p *product) panels(l level, a unsafe.Pointer, rows, i, j int) {
	high, _ := l.size()
	low, taller, others := even(rows, high)
	if taller > 0 {
		p.panelsOf(l, a, low+1, taller, i, j)
	}
	p.panelsOf(l, unsafe.Add(a, taller*panelSize(low+1, p.depth)), low, others, i+taller*(low+1), j)
}

// panelsOf computes tiles, or columns of lower ones, from panels of the same
// number of rows.
func (p *product) panelsOf(l level, a unsafe.Pointer, rows, count, i, j int) {
	p.aRow, p.aStep = word, rows*word
	size := panelSize(rows, p.depth)
	if rows <= l.rowsFor(p.cols) {
		p.aNext = size
		p.stack(l, a, rows, count, i, j)
		return
	}
	for n := range count {
		p.column(l, unsafe.Add(a, n*size), rows, i+n*rows, j)
	}
}

// stack computes count tiles of the same number of rows.
func (p *product) stack(l level, a unsafe.Pointer, rows, count, i, j int) {
	p.a, p.rows, p.count = a, rows, count
	p.c = unsafe.Add(p.out, i*p.cRow+j*word)
	if p.biases != nil {
		p.bias = unsafe.Add(p.biases, j*word)
	}
	if p.gates != nil {
		p.gate = unsafe.Add(p.gates, i*p.gateRow+j*word)
	}
	if p.rowBiases != nil {
		p.rowBias = unsafe.Add(p.rowBiases, i*word)
	}
	p.compute()
}

// A span walks over 0, …, n-1 in the fewest pieces of at most some length, as
// even as they can be: 13 by 12 is 7 and 6.
type span struct {
	start, length int // of the piece
	n, pieces     int // of all, and to come
}

func cut(n, most int) span { return span{n: n, pieces: (n + most - 1) / most} }

// next moves to the next piece and reports whether there is one.
func (s *span) next() bool {
	if s.pieces == 0 {
		return false
	}
	s.start += s.length
	s.length = (s.n - s.start + s.pieces - 1) / s.pieces
	s.pieces--
	return true
}

// last reports whether the piece ends at n.
func (s *span) last() bool { return s.pieces == 0 }
