package kernel

import (
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Gemm computes
//
//	C = alpha op(A) op(B) + beta C
//
// with op(A) m×k, op(B) k×n and C m×n, row by row, strides lda, ldb and ldc;
// op transposes if transA or transB is true. If beta is zero C is not read.
// Arguments and panics are those of gonum's Dgemm, and so is the treatment of
// NaN and infinities. It runs in the calling goroutine and does not allocate.
func Gemm(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if !fast(transA, transB, m, n, k, alpha, a, lda, b, ldb, c, ldc) {
		gonum.Implementation{}.Dgemm(transpose(transA), transpose(transB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	p := newProduct(transA, transB, m, n, k, a, lda, b, ldb, c, ldc)
	p.alpha, p.beta = alpha, beta
	if alpha != 1 {
		p.last |= scale
	}
	if transA || !transB {
		p.last |= check
	}
	p.run()
}

func transpose(yes bool) blas.Transpose {
	if yes {
		return blas.Trans
	}
	return blas.NoTrans
}

// fast reports whether the assembly can be used: it is there, the arguments
// are in order, there is something to sum, and alpha is an ordinary number.
func fast(transA, transB bool, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) bool {
	if active == portable || m <= 0 || n <= 0 || k <= 0 || alpha == 0 || alpha-alpha != 0 {
		return false
	}
	return fits(a, lda, m, k, transA) && fits(b, ldb, k, n, transB) && fits(c, ldc, m, n, false)
}

// fits reports whether x can hold a rows×cols matrix, or its transpose.
func fits(x []float64, ld, rows, cols int, transposed bool) bool {
	if transposed {
		rows, cols = cols, rows
	}
	return ld >= cols && len(x) >= (rows-1)*ld+cols
}

// A product is a Gemm in the terms of its tiles, strides in bytes.
type product struct {
	tile        // a, b and c point to the corners of the matrices
	m, n, k     int
	bTransposed bool
	last        step // what the last block of k does
}

const word = int(unsafe.Sizeof(float64(0)))

func newProduct(transA, transB bool, m, n, k int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) product {
	p := product{m: m, n: n, k: k, bTransposed: transB}
	p.a, p.b, p.c = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	p.aRow, p.aStep = lda*word, word
	if transA {
		p.aRow, p.aStep = word, lda*word
	}
	p.bStep, p.cRow = ldb*word, ldc*word
	return p
}

// Sizes of the blocks that are worked on at a time: a panel of B, blockDepth×16, stays
// in the first cache while a block of A, blockRows×blockDepth, comes from the
// second one.
var (
	blockDepth = 256
	blockRows  = 240
	blockCols  = 1024
	packFrom   = 4
)

// run computes the product block by block.
func (p *product) run() {
	l := active
	if !p.packs(l) {
		p.blocks(l, nil)
		return
	}
	w := takeBuffer()
	p.blocks(l, w)
	giveBuffer(w)
}

func (p *product) packs(l level) bool {
	_, cols := l.size()
	return p.bTransposed || p.m > 12*packFrom && p.n > 2*cols
}

func (p *product) blocks(l level, w *buffer) {
	for k := cut(p.k, blockDepth); k.next(); {
		t := p.tile
		t.depth, t.do = k.length, p.last
		if !k.last() {
			t.do &^= addBias | rectify | applyGate
		}
		if k.start > 0 {
			t.beta = 1
		}
		if t.beta != 0 {
			t.do |= accumulate
		}
		t.a = unsafe.Add(p.a, k.start*p.aStep)
		for j := cut(p.n, blockCols); j.next(); {
			if w != nil {
				w.packB(p, l, k.start, k.length, j.start, j.length)
			} else {
				t.b = unsafe.Add(p.b, k.start*p.bStep)
			}
			for i := cut(p.m, blockRows); i.next(); {
				p.block(l, w, t, i, j)
			}
		}
	}
}

// block adds to the block i, j of C the product of the depth in t, whose
// pointers stand at the corners of A, B and C.
func (p *product) block(l level, w *buffer, t tile, i, j span) {
	_, width := l.size()
	a, b, c := t.a, t.b, t.c
	for col := 0; col < j.length; col += width {
		at := j.start + col
		t.cols = min(width, j.length-col)
		if w != nil {
			t.b, t.bStep = w.panel(t.depth, width, col), width*word
		} else {
			t.b = unsafe.Add(b, at*word)
		}
		if p.bias != nil {
			t.bias = unsafe.Add(p.bias, at*word)
		}
		for r := cut(i.length, l.rowsFor(t.cols)); r.next(); {
			row := i.start + r.start
			t.rows = r.length
			t.a = unsafe.Add(a, row*p.aRow)
			t.c = unsafe.Add(c, row*p.cRow+at*word)
			if p.gate != nil {
				t.gate = unsafe.Add(p.gate, row*p.gateRow+at*word)
			}
			t.compute(l)
		}
	}
}
