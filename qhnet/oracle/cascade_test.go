package oracle_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/qp"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

func gaussian(rng *rand.Rand, m, n int) *mat.Dense {
	a := mat.NewDense(m, n, nil)
	for i := range a.RawMatrix().Data {
		a.RawMatrix().Data[i] = rng.NormFloat64()
	}
	return a
}

// separable draws n points, of both classes, whose labels a random linear
// function gives, kept at a distance from its boundary.
func separable(rng *rand.Rand, n, d int) dataset.Set {
	normal := mat.Col(nil, 0, gaussian(rng, d, 1))
	set := dataset.Set{Name: "separable", X: mat.NewDense(n, d, nil), Labels: make([]int, n), Classes: 2}
	for k := 0; k < n; {
		x := mat.Col(nil, 0, gaussian(rng, d, 1))
		s := floats.Dot(x, normal) / floats.Norm(normal, 2)
		if math.Abs(s) > 0.2 && (k > 1 || s > 0 == (k == 1)) {
			set.X.SetRow(k, x)
			if s > 0 {
				set.Labels[k] = 1
			}
			k++
		}
	}
	return set
}

func cascade(t *testing.T, set dataset.Set, radius float64, bias bool, groups ...nn.Group) (*oracle.LinearMargins, *oracle.Cascade) {
	t.Helper()
	l, err := oracle.NewLinearMargins(set, radius, bias)
	if err != nil {
		t.Fatal(err)
	}
	c, err := oracle.SolveCascade(l, groups...)
	if err != nil {
		t.Fatal(err)
	}
	if q := floats.Min(l.Of(nil, c.Coefficients)); math.Abs(q-1) > 1e-9 {
		t.Errorf("the smallest margin is %v, want 1", q)
	}
	return l, c
}

// randomBalls draws two balls on a chosen side of r = m2.
func randomBalls(rng *rand.Rand, discard bool) oracle.TwoBalls {
	for {
		d := 2 + rng.IntN(5)
		b := oracle.TwoBalls{Center: mat.Col(nil, 0, gaussian(rng, d, 1))}
		b.High = rng.Perm(d)[:1+rng.IntN(d-1)]
		b.Radius = floats.Norm(b.Center, 2) * (0.05 + 0.9*rng.Float64())
		if b.Discards() == discard {
			return b
		}
	}
}

func TestCascadeOnExactBalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 5))
	for trial := range 200 {
		b := randomBalls(rng, trial%2 == 0)
		_, c := cascade(t, b.Centers(), b.Radius, false, b.Groups(1+rng.IntN(2), 3)...)
		// Newton's method on a smooth problem: nearly all digits, fewer where
		// r is close to m2 and β_H to the square root of zero.
		if e := floats.Distance(c.Direction(), b.Direction(nil), 2); e > 1e-8 {
			t.Errorf("trial %d, %+v: direction is off by %.1e", trial, b, e)
		}
		if e := math.Abs(b.RobustnessOf(c.Coefficients) - b.Robustness()); e > 1e-8 {
			t.Errorf("trial %d, %+v: robustness is off by %.1e", trial, b, e)
		}
		if c.Stages[0].Discarded != b.Discards() {
			t.Errorf("trial %d, %+v: discarded is %v", trial, b, c.Stages[0].Discarded)
		}
	}
}

// With ℓ2 groups the cascade is the limit of one weighted problem,
// min ‖β_1‖² + δ²‖β_2‖² + δ⁴‖β_3‖², at distance O(δ²).
func TestCascadeIsTheLimitOfWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 5))
	stages := 0
	for trial := range 60 {
		d := 3 + rng.IntN(3)
		set := separable(rng, 4+rng.IntN(10), d)
		sizes := []int{1 + rng.IntN(d-2)}
		sizes = append(sizes, 1+rng.IntN(d-sizes[0]-1))
		sizes = append(sizes, d-sizes[0]-sizes[1])
		var groups []nn.Group
		weights := make([]float64, d)
		const delta = 1e-3
		for next, g := 0, 0; g < 3; g++ {
			group := nn.Group{Depth: g + 1}
			for range sizes[g] {
				group.Coordinates = append(group.Coordinates, next)
				weights[next] = math.Pow(delta, float64(g))
				next++
			}
			groups = append(groups, group)
		}
		l, c := cascade(t, set, 0, false, groups...)
		for _, s := range c.Stages {
			if !s.Discarded {
				stages++
			}
		}
		if floats.Norm(c.Coefficients, 2) > 10 {
			continue // nearly inseparable at some stage: δ is not small beside its multipliers
		}
		rows := mat.NewDense(set.Len(), d, nil)
		for k, label := range set.Labels {
			for j := range d {
				rows.Set(k, j, float64(2*label-1)*set.X.At(k, j)/weights[j])
			}
		}
		beta := make([]float64, d)
		one := make([]float64, set.Len())
		for k := range one {
			one[k] = 1
		}
		if _, err := qp.LeastDistance(beta, rows, one, 0); err != nil {
			t.Fatal(err)
		}
		floats.Div(beta, weights)
		if e := floats.Distance(beta, c.Coefficients, 2); e > 1e-3*(1+floats.Norm(beta, 2)) {
			t.Errorf("trial %d: cascade %.6f, weighted %.6f, margins %.4f\n%v", trial, c.Coefficients, beta, l.Of(nil, c.Coefficients), c)
		}
	}
	if stages < 60 {
		t.Errorf("only %d stages of 180 had work to do", stages)
	}
}

// With ℓ1 norms and absolute values the weighted problem is a linear program,
// whose solution is the cascade's already at a small positive δ.
func TestCascadeAgainstLinearProgramming(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 5))
	for trial := range 60 {
		const d = 5
		set := separable(rng, 5+rng.IntN(8), d)
		weights := []float64{1, 1e-3, 1e-3, 1e-3, 1e-6}
		_, c := cascade(t, set, 0, false,
			nn.Group{Coordinates: []int{0}, Depth: 1},
			nn.Group{Coordinates: []int{1, 2, 3}, Depth: 2, Elementwise: true},
			nn.Group{Coordinates: []int{4}, Depth: 3})
		n := set.Len()
		a := mat.NewDense(n, 2*d+n, nil)
		cost := make([]float64, 2*d+n)
		one := make([]float64, n)
		for k, label := range set.Labels {
			one[k] = 1
			a.Set(k, 2*d+k, -1)
			for j := range d {
				v := float64(2*label-1) * set.X.At(k, j)
				a.Set(k, j, v)
				a.Set(k, d+j, -v)
				cost[j], cost[d+j] = weights[j], weights[j]
			}
		}
		_, z, err := lp.Simplex(cost, a, one, 1e-11, nil)
		if err != nil {
			t.Fatalf("trial %d: gonum's simplex: %v", trial, err)
		}
		beta := make([]float64, d)
		floats.SubTo(beta, z[:d], z[d:2*d])
		// The simplex method stops at reduced costs of 1e-11 while the last
		// weight is 1e-6.
		if e := floats.Distance(beta, c.Coefficients, 2); e > 1e-8*(1+floats.Norm(beta, 2)) {
			t.Errorf("trial %d: cascade %.9f, simplex %.9f\n%v", trial, c.Coefficients, beta, c)
		}
	}
}

// Two stages settle the balls; a third coordinate, in which the centres do not
// differ, is zero all the same.
func TestCascadeDiscardsAfterTheLastChoice(t *testing.T) {
	b := oracle.TwoBalls{Center: []float64{1, 0.6, 0}, High: []int{0}, Radius: 0.8}
	_, c := cascade(t, b.Centers(), b.Radius, false,
		nn.Group{Coordinates: []int{0}, Depth: 1}, nn.Group{Coordinates: []int{1}, Depth: 2}, nn.Group{Coordinates: []int{2}, Depth: 3})
	for i, want := range []bool{false, false, true} {
		if c.Stages[i].Discarded != want {
			t.Errorf("stage %d: discarded is %v\n%v", i+1, c.Stages[i].Discarded, c)
		}
	}
}

// With many variables the steps settle at a higher floor of rounding errors.
func TestCascadeOfManyVariables(t *testing.T) {
	const d = 40
	shallow, deep := nn.Group{Depth: 1}, nn.Group{Depth: 2, Elementwise: true}
	for j := 0; j < d; j += 2 {
		shallow.Coordinates = append(shallow.Coordinates, j)
		deep.Coordinates = append(deep.Coordinates, j+1)
	}
	_, c := cascade(t, separable(rand.New(rand.NewPCG(1, 1)), 200, d), 0, false, shallow, deep)
	if !c.Unique || len(c.Support) != d-1 { // a ball in 20 dimensions, then a vertex
		t.Errorf("%d margins are 1, unique is %v\n%v", len(c.Support), c.Unique, c)
	}
}

func TestCascadeRefuses(t *testing.T) {
	set := dataset.Set{Name: "xor", X: mat.NewDense(4, 2, []float64{1, 1, -1, -1, 1, -1, -1, 1}), Labels: []int{1, 1, 0, 0}, Classes: 2}
	l, err := oracle.NewLinearMargins(set, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oracle.SolveCascade(l, nn.Group{Coordinates: []int{0, 1}, Depth: 1}); !errors.Is(err, qp.ErrInfeasible) {
		t.Errorf("XOR: %v", err)
	}
	set.X.SetRow(2, []float64{1, 1})
	if _, err := oracle.NewLinearMargins(set, 0, true); !errors.Is(err, qp.ErrInfeasible) || !strings.Contains(err.Error(), "points 0 and 2") {
		t.Errorf("a repeated point with both labels: %v", err)
	}
	b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	l, err = oracle.NewLinearMargins(b.Centers(), 1.2, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oracle.SolveCascade(l, b.Groups(1, 2)...); !errors.Is(err, qp.ErrInfeasible) {
		t.Errorf("balls that overlap: %v", err)
	}
	if _, err := oracle.SolveCascade(l, nn.Group{Coordinates: []int{0, 1}, Depth: 3, Elementwise: true}); err == nil || !strings.Contains(err.Error(), "not convex") {
		t.Errorf("two coordinates of depth 3: %v", err)
	}
}

func ExampleSolveCascade() {
	b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	margins, _ := oracle.NewLinearMargins(b.Centers(), b.Radius, false)
	c, _ := oracle.SolveCascade(margins, b.Groups(1, 2)...)
	fmt.Print(c)
	fmt.Printf("robustness %.6f\n", b.RobustnessOf(c.Coefficients))
	// Output:
	// groups                    rate  norm              minimum
	// H                        1.000  ℓ2            2.123819809
	// R                        0.500  ℓ2            2.408185304
	// robustness 0.311438
}
