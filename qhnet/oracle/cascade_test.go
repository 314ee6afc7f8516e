package oracle_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
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
		t.Fatalf("%v\n%v of %v", err, mat.Formatted(set.X), set.Labels)
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
		if _, err := qp.LeastDistance(beta, rows, one); err != nil {
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
	if len(c.Support) != d-1 { // a ball in 20 dimensions, then a vertex
		t.Errorf("%d margins are 1\n%v", len(c.Support), c)
	}
}

// bruteStage minimizes ‖x_S‖ subject to rows x ≥ right by trying every set of active
// rows, with 256 bits: the conditions of Karush, Kuhn and Tucker on one set are a linear
// system, and the solution that satisfies all of them is the optimum.
func bruteStage(rows *mat.Dense, right []float64, inside []bool) (value float64) {
	n, d := rows.Dims()
	value = math.Inf(1)
	for set := 1; set < 1<<n; set++ {
		var active []int
		for k := range n {
			if set>>k&1 == 1 {
				active = append(active, k)
			}
		}
		size := d + len(active)
		if size > 2*d {
			continue
		}
		system := make([][]*big.Float, size) // x, multipliers, right-hand side
		for i := range system {
			system[i] = make([]*big.Float, size+1)
			for j := range system[i] {
				system[i][j] = precise(0)
			}
		}
		for j := range d {
			if inside[j] {
				system[j][j] = precise(1)
			}
			for i, k := range active {
				system[j][d+i], system[d+i][j] = precise(-rows.At(k, j)), precise(rows.At(k, j))
				system[d+i][size] = precise(right[k])
			}
		}
		z, ok := solveExactly(system)
		if !ok {
			continue
		}
		x, norm := make([]float64, d), 0.0
		for j := range x {
			if x[j], _ = z[j].Float64(); inside[j] {
				norm = math.Hypot(norm, x[j])
			}
		}
		for i := range active {
			ok = ok && z[d+i].Sign() >= 0
		}
		for k := range n {
			row := rows.RawRowView(k)
			slack, terms := -right[k], math.Abs(right[k])
			for j := range x {
				slack, terms = slack+row[j]*x[j], terms+math.Abs(row[j]*x[j])
			}
			ok = ok && slack > -1e-12*(1+terms)
		}
		if ok {
			value = math.Min(value, norm)
		}
	}
	return value
}

func precise(v float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(v) }

// solveExactly is Gaussian elimination with complete pivoting. Unknowns without a pivot
// are 0.
func solveExactly(a [][]*big.Float) (z []*big.Float, ok bool) {
	n := len(a)
	column := make([]int, n) // of the pivot of a row
	rank := 0
	for ; rank < n; rank++ {
		row, col := rank, -1
		for i := rank; i < n; i++ {
			for j := range n {
				if !slices.Contains(column[:rank], j) && (col < 0 || precise(0).Abs(a[i][j]).Cmp(precise(0).Abs(a[row][col])) > 0) {
					row, col = i, j
				}
			}
		}
		if precise(0).Abs(a[row][col]).Cmp(precise(1e-40)) < 0 {
			break
		}
		a[rank], a[row] = a[row], a[rank]
		column[rank] = col
		for i := range n {
			if i == rank || a[i][col].Sign() == 0 {
				continue
			}
			factor := precise(0).Quo(a[i][col], a[rank][col])
			for j := range a[i] {
				a[i][j].Sub(a[i][j], precise(0).Mul(factor, a[rank][j]))
			}
		}
	}
	for _, row := range a[rank:] {
		if precise(0).Abs(row[n]).Cmp(precise(1e-30)) > 0 {
			return nil, false
		}
	}
	z = make([]*big.Float, n)
	for j := range z {
		z[j] = precise(0)
	}
	for i, col := range column[:rank] {
		z[col] = precise(0).Quo(a[i][n], a[i][col])
	}
	return z, true
}

// Units of the inputs must not matter: a column is multiplied by 1e±4 or 1e±5.
func TestCascadeOfScaledColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 5))
	worst, compared, trials := 0.0, 0, 400
	if testing.Short() {
		trials = 100 // the reference takes its time
	}
	for trial := range trials {
		d := 2 + rng.IntN(3)
		set := separable(rng, 4+rng.IntN(3), d)
		scale := []float64{1e-5, 1e-4, 1e4, 1e5}[trial%4]
		for k := range set.Labels {
			set.X.Set(k, trial%d, scale*set.X.At(k, trial%d))
		}
		order := rng.Perm(d)
		first := 1 + rng.IntN(d-1)
		bias := rng.IntN(2) == 0
		_, c := cascade(t, set, 0, bias, nn.Group{Coordinates: order[:first], Depth: 2}, nn.Group{Coordinates: order[first:], Depth: 3})

		width := len(c.Coefficients)
		rows, right := mat.NewDense(set.Len(), width, nil), make([]float64, set.Len())
		for k, label := range set.Labels {
			right[k] = 1
			for j := range width {
				rows.Set(k, j, float64(2*label-1))
				if j < d {
					rows.Set(k, j, rows.At(k, j)*set.X.At(k, j))
				}
			}
		}
		stages := [][]int{order[:first], order[first:]}
		if bias {
			stages = append([][]int{{d}}, stages...)
		}
		for i, coordinates := range stages {
			inside := make([]bool, width)
			for _, j := range coordinates {
				inside[j] = true
			}
			value := bruteStage(rows, right, inside)
			if math.IsInf(value, 1) {
				break // stages before have left no interior, which the enumeration's tolerance misses
			}
			size := 0.0 // of the widest margin's coefficients here: a discarded stage is zero beside it
			for _, j := range coordinates {
				size += 1 / mat.Norm(rows.ColView(j), 2)
			}
			e := math.Abs(c.Stages[i].Value-value) / math.Max(value, size)
			worst, compared = math.Max(worst, e), compared+1
			if e > 1e-8 {
				t.Errorf("trial %d, column %d times %g, stage %d: %.12g, every active set %.12g", trial, trial%d, scale, i+1, c.Stages[i].Value, value)
			}
			for k := range right { // the stage is settled: ℓ2 has one minimizer
				for _, j := range coordinates {
					right[k] -= rows.At(k, j) * c.Coefficients[j]
					rows.Set(k, j, 0)
				}
			}
		}
	}
	t.Logf("%d stages compared, the worst differs by %.1e", compared, worst)
	if compared < 2*trials {
		t.Errorf("only %d stages were compared", compared)
	}
}

// All columns of any size from 1e-2 to 1e2, ℓ1 and ℓ2 stages: the stages are solved, to a
// feasible point.
func TestCascadeOfColumnsOfAllSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(77, 1))
	for range 300 {
		d := 2 + rng.IntN(6)
		set := separable(rng, 4+rng.IntN(20), d)
		for j := range d {
			column := set.X.ColView(j).(*mat.VecDense)
			column.ScaleVec(math.Pow(10, 4*rng.Float64()-2), column)
		}
		order, first := rng.Perm(d), 1+rng.IntN(d-1)
		cascade(t, set, 0, rng.IntN(2) == 0,
			nn.Group{Coordinates: order[:first], Depth: 2, Elementwise: rng.IntN(2) == 0},
			nn.Group{Coordinates: order[first:], Depth: 3})
	}
}

// Two points that only a small coordinate tells apart keep all digits.
func TestCascadeOfASmallCoordinate(t *testing.T) {
	set := dataset.Set{Name: "small", X: mat.NewDense(2, 2, []float64{1e-5, 1, -1e-5, 1}), Labels: []int{1, 0}, Classes: 2}
	for _, depths := range [][2]int{{1, 2}, {2, 1}, {2, 2}} {
		_, c := cascade(t, set, 0, false, nn.Group{Coordinates: []int{0}, Depth: depths[0], Elementwise: true},
			nn.Group{Coordinates: []int{1}, Depth: depths[1], Elementwise: true})
		if e := math.Hypot(c.Coefficients[0]/1e5-1, c.Coefficients[1]); e > 1e-14 {
			t.Errorf("depths %v: coefficients %v, want [1e5 0]\n%v", depths, c.Coefficients, c)
		}
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
