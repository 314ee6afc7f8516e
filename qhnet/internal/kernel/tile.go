package kernel

import "unsafe"

// A tile is a part of C small enough for its sums to stay in registers from
// the first step of the product to the last:
//
//	C[i,j] = steps(Σ_p A[i,p] B[p,j]),   i < rows, j < cols, p < depth.
//
// A is read at a + i·aRow + p·aStep, so a matrix, its transpose and a packed
// panel are all the same to it; the rows of B and C are contiguous. Strides
// are in bytes. The assembly knows the fields by their order: eight bytes each.
type tile struct {
	a           unsafe.Pointer
	aRow, aStep int
	b           unsafe.Pointer
	bStep       int
	depth       int
	c           unsafe.Pointer
	cRow        int
	rows, cols  int
	alpha, beta float64
	do          step
	bias        unsafe.Pointer // cols values, added to each row
	gate        unsafe.Pointer // rows×cols values
	gateRow     int
	rowBias     unsafe.Pointer // rows values, added to each column
	rowBiasStep int            // the size of a value, or 0 without any
	count       int            // tiles of this size, one below the other
	aNext       int            // from a tile's A to that of the one below
}

// A step is something done to the sums before they are stored, in the order
// of the bits, except that check comes first.
type step int

const (
	scale      step = 1 << iota // multiply by alpha
	accumulate                  // add beta C
	addBias                     // add the bias to each row
	addRowBias                  // add one value to each row
	rectify                     // max(0, ·)
	applyGate                   // keep where the gate is positive, 0 elsewhere
	check                       // refuse, storing nothing, if a sum is NaN
)

// size returns the rows of a full tile and the columns of one, two vectors.
func (l level) size() (rows, cols int) {
	if l == avx512 {
		return 12, 16
	}
	return 6, 8
}

// rowsFor returns how many rows a tile with the given columns may have. Masks
// take registers away from the sums with AVX2.
func (l level) rowsFor(cols int) int {
	rows, full := l.size()
	if l == avx2 && full/2 < cols && cols < full {
		return 4
	}
	return rows
}

// compute computes count tiles and leaves the pointers at the last of them. The
// assembly stops at a tile that it refuses.
func (t *tile) compute() {
	for !tilesAsm(t) {
		t.skipZeros()
		if t.count--; t.count == 0 {
			return
		}
		t.a = unsafe.Add(t.a, t.aNext)
		t.c = unsafe.Add(t.c, t.rows*t.cRow)
		t.gate = unsafe.Add(t.gate, t.rows*t.gateRow)
		t.rowBias = unsafe.Add(t.rowBias, t.rows*t.rowBiasStep)
	}
}

// skipZeros computes a tile as gonum does, which leaves out the products with
// a zero of alpha·A: there 0·Inf and 0·NaN are 0.
func (t *tile) skipZeros() {
	for i := range t.rows {
		row := unsafe.Slice((*float64)(unsafe.Add(t.c, i*t.cRow)), t.cols)
		for j := range row {
			if t.do&accumulate != 0 {
				row[j] *= t.beta
			} else {
				row[j] = 0
			}
		}
		for p := range t.depth {
			v := t.alpha * *(*float64)(unsafe.Add(t.a, i*t.aRow+p*t.aStep))
			if v == 0 {
				continue
			}
			for j, b := range unsafe.Slice((*float64)(unsafe.Add(t.b, p*t.bStep)), t.cols) {
				row[j] += v * b
			}
		}
	}
}
