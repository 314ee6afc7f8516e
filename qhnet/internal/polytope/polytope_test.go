package polytope

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

func rationals(v ...int64) []*big.Rat {
	r := make([]*big.Rat, len(v))
	for i := range v {
		r[i] = big.NewRat(v[i], 1)
	}
	return r
}

func text(x []*big.Rat) string {
	var words []string
	for _, v := range x {
		words = append(words, v.RatString())
	}
	return fmt.Sprint(words)
}

// A deep network with biases: W1..WL, b1..bL with b_l = W1+…+W_l and b_L = 1.
func biasedNetwork(depth int) (a [][]*big.Rat, b []*big.Rat) {
	for l := range depth {
		row := rationals(make([]int64, 2*depth)...)
		for i := range l + 1 {
			row[i].SetInt64(1)
		}
		row[depth+l].SetInt64(-1)
		a, b = append(a, row), append(b, new(big.Rat))
	}
	last := rationals(make([]int64, 2*depth)...)
	last[2*depth-1].SetInt64(1)
	return append(a, last), append(b, big.NewRat(1, 1))
}

func TestLexicographicMinMax(t *testing.T) {
	a3, b3 := biasedNetwork(3)
	for _, test := range []struct {
		name string
		n    int
		a    [][]*big.Rat
		b    []*big.Rat
		want string
	}{
		{"no equations", 2, nil, nil, "[0 0]"},
		{"sum of three", 3, [][]*big.Rat{rationals(1, 1, 1)}, rationals(1), "[1/3 1/3 1/3]"},
		{"two products", 4, [][]*big.Rat{rationals(1, 0, 0, 0), rationals(0, 1, 1, 0)}, rationals(1, 1), "[1 1/2 1/2 0]"},
		{"dependent rows", 2, [][]*big.Rat{rationals(1, 1), rationals(2, 2)}, rationals(1, 2), "[1/2 1/2]"},
		{"weights 1 and 2", 2, [][]*big.Rat{rationals(1, 2)}, rationals(1), "[1/3 1/3]"},
		{"3 layers with biases", 6, a3, b3, "[1/4 1/4 1/2 1/4 1/2 1]"},
		{"pinned", 3, [][]*big.Rat{rationals(1, 1, 0), rationals(0, 0, 1)}, rationals(0, 1), "[0 0 1]"},
	} {
		p, err := New(test.n, test.a, test.b)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := text(p.LexicographicMinMax()); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, test := range []struct {
		a [][]*big.Rat
		b []*big.Rat
	}{
		{[][]*big.Rat{rationals(0, 0)}, rationals(1)},
		{[][]*big.Rat{rationals(1, 1)}, rationals(-1)},
		{[][]*big.Rat{rationals(1, 1), rationals(1, 1)}, rationals(1, 2)},
		{[][]*big.Rat{rationals(1, -1), rationals(1, 1), rationals(0, 1)}, rationals(3, 1, -1)},
	} {
		if _, err := New(2, test.a, test.b); !errors.Is(err, ErrEmpty) {
			t.Errorf("%v = %v: error %v, want ErrEmpty", test.a, test.b, err)
		}
	}
}

func TestUnbounded(t *testing.T) {
	p, err := New(3, [][]*big.Rat{rationals(1, -1, 0)}, rationals(1))
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.Minimize(rationals(0, -1, 0))
	if !errors.Is(err, ErrUnbounded) {
		t.Fatalf("error %v, want ErrUnbounded", err)
	}
	if got := text(x); got != "[2 1 0]" {
		t.Errorf("the point after the ray is %s, want [2 1 0]", got)
	}
	if _, err := p.Minimize(rationals(1, 1, 1)); err != nil {
		t.Errorf("a function bounded below: %v", err)
	}
}

// TestMinimizeAgainstGonum compares with gonum's floating-point simplex on
// random small systems with full row rank, made feasible by construction.
// Entries are integers up to 3 in size, so values agree to about 1e-10.
func TestMinimizeAgainstGonum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 300 {
		rows, n := 1+rng.IntN(3), 4+rng.IntN(4)
		a, b, c := randomSystem(rng, rows, n)
		p, err := New(n, a, b)
		if err != nil {
			t.Fatalf("a feasible system gave %v", err)
		}
		x, exactErr := p.Minimize(c)
		want, _, err := lp.Simplex(floatsOf(c), dense(a), floatsOf(b), 1e-10, nil)
		switch {
		case errors.Is(err, lp.ErrUnbounded):
			if !errors.Is(exactErr, ErrUnbounded) {
				t.Errorf("gonum finds no bound, we find %v", text(x))
			}
		case err == nil:
			compared++
			if got := value(c, x); math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
				t.Errorf("minimum %v, gonum finds %v", got, want)
			}
		}
		checkSolution(t, a, b, x)
	}
	if compared < 100 {
		t.Errorf("only %d bounded programs were compared", compared)
	}
}

// TestLexicographicAgainstSamples checks the defining property: no other
// solution has a lexicographically smaller sorted vector. It compares with all
// points on segments to random vertices.
func TestLexicographicAgainstSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		rows := 1 + rng.IntN(8)
		n := rows + 2 + rng.IntN(5)
		a, b, _ := randomSystem(rng, rows, n)
		p, err := New(n, a, b)
		if err != nil {
			t.Fatal(err)
		}
		best := p.LexicographicMinMax()
		checkSolution(t, a, b, best)
		for range 10 {
			_, _, c := randomSystem(rng, 1, n)
			vertex, _ := p.Minimize(c)
			for _, step := range []int64{1, 100, 10000} {
				if s := between(best, vertex, big.NewRat(1, step)); compareSorted(s, best) < 0 {
					t.Fatalf("%s is lexicographically below %s", text(s), text(best))
				}
			}
		}
	}
}

// The rates of a residual convolutional network: at a level, slacks whose sum is 0
// everywhere can cancel in it.
func TestLexicographicMinMaxWhereSlacksCancel(t *testing.T) {
	a := [][]*big.Rat{
		rationals(-1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		rationals(-1, 0, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		rationals(-1, 0, -1, 0, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
		rationals(0, 0, 1, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0, 0),
		rationals(-1, 0, 0, 0, 0, 0, -1, -1, 1, 0, 0, 0, 0, 0),
		rationals(-1, 0, 0, 0, 0, 0, -1, -1, 0, -1, 1, 0, 0, 0),
		rationals(0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, -1, 0, 0),
		rationals(-1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, -1, 1),
		rationals(1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0),
	}
	b := rationals(0, 0, 0, 0, 0, 0, 0, 0, 1)
	p, err := New(14, a, b)
	if err != nil {
		t.Fatal(err)
	}
	checkSolution(t, a, b, p.LexicographicMinMax())
}

func randomSystem(rng *rand.Rand, rows, n int) (a [][]*big.Rat, b, c []*big.Rat) {
	solution := rationals(make([]int64, n)...)
	c = rationals(make([]int64, n)...)
	for v := range n {
		solution[v].SetInt64(int64(rng.IntN(3)))
		c[v].SetInt64(int64(rng.IntN(7) - 3))
	}
	for i := range rows {
		row := rationals(make([]int64, n)...)
		row[i].SetInt64(1) // full row rank
		for v := rows; v < n; v++ {
			row[v].SetInt64(int64(rng.IntN(5) - 2))
		}
		a = append(a, row)
		b = append(b, exactValue(row, solution))
	}
	return a, b, c
}

func exactValue(c, x []*big.Rat) *big.Rat {
	sum := new(big.Rat)
	for i := range c {
		sum.Add(sum, new(big.Rat).Mul(c[i], x[i]))
	}
	return sum
}

func value(c, x []*big.Rat) float64 {
	v, _ := exactValue(c, x).Float64()
	return v
}

func checkSolution(t *testing.T, a [][]*big.Rat, b, x []*big.Rat) {
	t.Helper()
	for i := range a {
		if exactValue(a[i], x).Cmp(b[i]) != 0 {
			t.Fatalf("%s does not solve equation %d", text(x), i)
		}
	}
	for _, v := range x {
		if v.Sign() < 0 {
			t.Fatalf("%s has a negative entry", text(x))
		}
	}
}

func between(x, y []*big.Rat, step *big.Rat) []*big.Rat {
	z := make([]*big.Rat, len(x))
	for i := range x {
		z[i] = new(big.Rat).Sub(y[i], x[i])
		z[i].Mul(z[i], step)
		z[i].Add(z[i], x[i])
	}
	return z
}

func compareSorted(x, y []*big.Rat) int {
	descending := func(v []*big.Rat) []*big.Rat {
		v = slices.Clone(v)
		slices.SortFunc(v, func(a, b *big.Rat) int { return b.Cmp(a) })
		return v
	}
	return slices.CompareFunc(descending(x), descending(y), (*big.Rat).Cmp)
}

func floatsOf(x []*big.Rat) []float64 {
	f := make([]float64, len(x))
	for i := range x {
		f[i], _ = x[i].Float64()
	}
	return f
}

func dense(a [][]*big.Rat) *mat.Dense {
	m := mat.NewDense(len(a), len(a[0]), nil)
	for i := range a {
		m.SetRow(i, floatsOf(a[i]))
	}
	return m
}

func TestNullSpace(t *testing.T) {
	a, _ := biasedNetwork(3)
	basis := NullSpace(6, a, []int{2, 1, 0, 3, 4, 5})
	if len(basis) != 2 || nonZeros(basis) != 6 {
		t.Fatalf("basis %v, want two vectors of three entries", basis)
	}
	for _, v := range basis {
		for i := range a {
			sum := new(big.Rat)
			for j := range v {
				sum.Add(sum, new(big.Rat).Mul(a[i][j], new(big.Rat).SetInt(v[j])))
			}
			if sum.Sign() != 0 {
				t.Errorf("%v is not in the null space", v)
			}
		}
	}
}

func BenchmarkLexicographicMinMax(b *testing.B) {
	for _, depth := range []int{3, 10, 30} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			rows, totals := biasedNetwork(depth)
			for b.Loop() {
				p, err := New(2*depth, rows, totals)
				if err != nil {
					b.Fatal(err)
				}
				p.LexicographicMinMax()
			}
		})
	}
}
