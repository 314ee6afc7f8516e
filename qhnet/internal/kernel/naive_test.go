package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// eachLevel runs a test with every set of instructions of this processor.
func eachLevel(t *testing.T, test func(t *testing.T)) {
	highest := active
	defer func() { active = highest }()
	for l := portable; l <= highest; l++ {
		active = l
		t.Run(l.String(), test)
	}
}

// A call holds the arguments of a Gemm.
type call struct {
	transA, transB bool
	m, n, k        int
	alpha          float64
	a              []float64
	lda            int
	b              []float64
	ldb            int
	beta           float64
	c              []float64
	ldc            int
}

func (g call) run() {
	Gemm(g.transA, g.transB, g.m, g.n, g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, g.c, g.ldc)
}

// left returns op(A)[i,p] and right op(B)[p,j].
func (g call) left(i, p int) float64 {
	if g.transA {
		return g.a[p*g.lda+i]
	}
	return g.a[i*g.lda+p]
}

func (g call) right(p, j int) float64 {
	if g.transB {
		return g.b[j*g.ldb+p]
	}
	return g.b[p*g.ldb+j]
}

// element returns an element of the result by the definition, and the sum of the
// sizes of what it sums.
func (g call) element(i, j int) (sum, size float64) {
	for p := range g.k {
		v := g.left(i, p) * g.right(p, j)
		sum, size = sum+v, size+math.Abs(v)
	}
	sum, size = g.alpha*sum, math.Abs(g.alpha)*size
	if g.beta != 0 {
		v := g.beta * g.c[i*g.ldc+j]
		sum, size = sum+v, size+math.Abs(v)
	}
	return sum, size
}

// close reports whether v is element i, j up to rounding. Summed in any order,
// k products are wrong by at most k ε times the sum of their sizes (Higham,
// Accuracy and Stability of Numerical Algorithms, section 3.1); both sides are.
func (g call) close(v float64, i, j int) bool {
	sum, size := g.element(i, j)
	const epsilon = 0x1p-52
	return math.Abs(v-sum) <= float64(g.k+4)*epsilon*size
}

// canary fills what lies between the rows of a matrix.
const canary = 12345.678

// matrixOf returns rows×cols values with a stride, and canaries between them.
func matrixOf(rows, cols, stride int, value func() float64) []float64 {
	x := make([]float64, max(0, (rows-1)*stride+cols))
	for i := range x {
		x[i] = canary
		if i%stride < cols {
			x[i] = value()
		}
	}
	return x
}

// randomCall draws shapes, strides, transposes and factors.
func randomCall(rnd *rand.Rand, m, n, k int, value func() float64) call {
	pick := func(v ...float64) float64 { return v[rnd.IntN(len(v))] }
	g := call{m: m, n: n, k: k, transA: rnd.IntN(2) == 0, transB: rnd.IntN(2) == 0}
	g.alpha, g.beta = pick(1, 1, -0.5, 0, 3.7), pick(0, 0, 1, -0.3)
	stride := func(cols int) int {
		switch rnd.IntN(4) {
		case 0:
			return max(1, cols)
		case 1:
			return (cols + 255) / 256 * 256 // shares sets of the cache
		}
		return cols + 1 + rnd.IntN(5)
	}
	rows, cols := m, k
	if g.transA {
		rows, cols = k, m
	}
	g.lda = max(1, stride(cols))
	g.a = matrixOf(rows, cols, g.lda, value)
	rows, cols = k, n
	if g.transB {
		rows, cols = n, k
	}
	g.ldb = max(1, stride(cols))
	g.b = matrixOf(rows, cols, g.ldb, value)
	g.ldc = max(1, stride(n))
	g.c = matrixOf(m, n, g.ldc, value)
	return g
}

// side draws a length: often 0 or 1, sometimes long, mostly short.
func side(rnd *rand.Rand, long int) int {
	switch rnd.IntN(12) {
	case 0:
		return rnd.IntN(2)
	case 1:
		return 1 + rnd.IntN(long)
	}
	return 1 + rnd.IntN(50)
}
