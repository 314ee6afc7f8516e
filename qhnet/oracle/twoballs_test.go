package oracle_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

// The direction is the flow's limit: Robustness is its distance by definition,
// and zero at r = m2 from both sides.
func TestTwoBallsDirectionAttainsRobustness(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 5))
	for trial := range 200 {
		b := randomBalls(rng, trial%2 == 0)
		beta := b.Direction(nil)
		if e := math.Abs(floats.Norm(beta, 2) - 1); e > 1e-14*float64(len(beta)) {
			t.Errorf("%+v: ‖β̂‖ is off by %v", b, e)
		}
		if e := math.Abs(b.RobustnessOf(beta) - b.Robustness()); e > 1e-13*floats.Norm(b.Center, 2) {
			t.Errorf("%+v: robustness is off by %v", b, e)
		}
		if b.Robustness() > b.BestRobustness() {
			t.Errorf("%+v: better than the best", b)
		}
	}
	for _, r := range []float64{0.6 - 1e-9, 0.6, 0.6 + 1e-9} {
		b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: r}
		// √(r²-m2²) at r = m2 + 1e-9 is 3.5e-5.
		if got := b.Robustness(); got < 0 || got > 1e-4 {
			t.Errorf("robustness at r = %v is %v, want nearly zero", r, got)
		}
	}
}

func TestTwoBallsSampleLiesOnTheBalls(t *testing.T) {
	b := oracle.TwoBalls{Center: []float64{1, 0.6, -0.2}, High: []int{2}, Radius: 0.7}
	set := b.Sample(20, rand.New(rand.NewPCG(10, 5)))
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	for k, label := range set.Labels {
		center := append([]float64(nil), b.Center...)
		floats.Scale(float64(2*label-1), center)
		if r := floats.Distance(set.X.RawRowView(k), center, 2); math.Abs(r-b.Radius) > 1e-14 {
			t.Errorf("point %d is at distance %v from its centre", k, r)
		}
	}
}

func ExampleTwoBalls() {
	fmt.Println("radius  asymmetric      best")
	for _, r := range []float64{0.3, 0.5, 0.7, 0.8, 0.9, 1.0} {
		b := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: r}
		fmt.Printf("%.1f       %.6f  %.6f\n", r, b.Robustness(), b.BestRobustness())
	}
	// Output:
	// radius  asymmetric      best
	// 0.3       0.300000  0.866190
	// 0.5       0.100000  0.666190
	// 0.7       0.329364  0.466190
	// 0.8       0.311438  0.366190
	// 0.9       0.245356  0.266190
	// 1.0       0.160000  0.166190
}

// ends follows the flow on exact balls of groups of the given depths to log(1/L) = 1e7
// and tells whether it approaches the closed form, slower than any trend would hide: the
// distance falls by a fifth in the last two decades, or is below 1e-6.
func ends(t *testing.T, b oracle.TwoBalls, high, rest int, size float64) (reaches bool, tr *qhnet.Trajectory) {
	t.Helper()
	model := nn.Groups(b.Groups(high, rest)...)
	tr, err := qhnet.Flow{Margins: bindBalls(t, model, b), Start: b.Start(model, size), Until: 1e7, PerDecade: 4}.Run(context.Background())
	if err != nil {
		t.Fatalf("%+v, depths %d, %d, size %v: %v", b, high, rest, size, err)
	}
	distance := func(p qhnet.Point) float64 {
		beta := model.Coefficients(nil, p.Theta)
		floats.Scale(1/floats.Norm(beta, 2), beta)
		return floats.Distance(beta, b.Direction(nil), 2)
	}
	end := distance(tr.Last())
	return end < 1e-6 || end < 0.8*distance(tr.Since(1e5).Points[0]), tr
}

// The table in the documentation of TwoBalls: of 20 flows for each pair of depths, how many
// approach the closed form. All others end with the rest frozen, at a KKT point.
func TestTwoBallsForAllDepths(t *testing.T) {
	source, err := os.ReadFile("twoballs.go")
	if err != nil {
		t.Fatal(err)
	}
	for high := 1; high <= 4; high++ {
		for rest := high + 1; rest <= 5; rest++ {
			var reached, tried [2]int // H needed, H not needed
			for setting := range 20 {
				if testing.Short() && setting%5 != 3 {
					continue
				}
				sin, cos := math.Sincos(math.Pi * float64(2*(setting%5)+1) / 20)
				b := oracle.TwoBalls{Center: []float64{cos, sin}, High: []int{0}, Radius: []float64{0.35, 0.8}[setting/5%2]}
				size := []float64{0.3, 2}[setting/10]
				reaches, tr := ends(t, b, high, rest, size)
				column := 0
				if b.Discards() {
					column = 1
				}
				tried[column]++
				if reaches {
					reached[column]++
				} else {
					checkFrozen(t, tr)
				}
				if high <= 2 && !reaches {
					t.Errorf("%+v, depths %d, %d, size %v: the flow does not approach the closed form", b, high, rest, size)
				}
			}
			line := fmt.Sprintf("//	%d, %d      %2d of %2d        %2d of %2d\n", high, rest, reached[0], tried[0], reached[1], tried[1])
			if !testing.Short() && !strings.Contains(string(source), line) {
				t.Errorf("the table in twoballs.go lacks the line\n%s", line)
			}
		}
	}
}

// checkFrozen checks that a flow has given up the rest, all its factors, and nothing else,
// and has come to a KKT point of what is left.
func checkFrozen(t *testing.T, tr *qhnet.Trajectory) {
	t.Helper()
	rates, err := qhnet.SurvivingRates(tr, 1)
	if err != nil {
		t.Fatal(err)
	}
	var rest []string
	for _, b := range tr.Model().Blocks() {
		if b.Layer == "R" {
			rest = append(rest, b.Name)
		}
	}
	if !slices.Equal(rates.Discarded(), rest) {
		t.Errorf("the flow has given up %q, want %q", rates.Discarded(), rest)
	}
	c, err := tr.Certify(rates, nil)
	// What is frozen of R counts less and less in the margins, like a power of log(1/L).
	if err != nil || c.Fitted.Stationarity > 1e-3 {
		t.Errorf("the frozen end is no KKT point: %v\n%v", err, c)
	}
}

func TestTwoBallsCheck(t *testing.T) {
	for _, b := range []oracle.TwoBalls{
		{Center: []float64{1, math.Inf(1)}, High: []int{0}, Radius: 0.5},
		{Center: []float64{1, math.NaN()}, High: []int{0}, Radius: 0.5},
		{Center: []float64{1e200, 1e200}, High: []int{0}, Radius: math.Inf(1)},
		{Center: []float64{1, 1}, High: []int{0}, Radius: math.NaN()},
		{Center: []float64{1, 1}, High: []int{0}, Radius: -1},
		{Center: []float64{1, 1}, High: []int{0}, Radius: 2},
		{Center: []float64{0, 0}, High: []int{0}},
		{Center: []float64{1, 1}, High: []int{2}, Radius: 0.5},
		{Center: []float64{1, 1}, High: []int{0, 0}, Radius: 0.5},
		{},
	} {
		if b.Check() == nil {
			t.Errorf("%+v passes", b)
		}
	}
}

func TestClosedFormsRefuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for want, call := range map[string]func(){
		"a sample of 0 points":          func() { exampleBall.Sample(0, rng) },
		"a sample of -1 points":         func() { exampleBall.Sample(-1, rng) },
		"at most 2³⁰ entries":           func() { exampleBall.Sample(math.MaxInt/2, rng) },
		"BiasOnLine(NaN, 1)":            func() { oracle.BiasOnLine(math.NaN(), 1) },
		"BiasOnLine(0, +Inf)":           func() { oracle.BiasOnLine(0, math.Inf(1)) },
		"BiasOnLine(2, 1): the classes": func() { oracle.BiasOnLine(2, 1) },
		"the radius 3 must be":          func() { oracle.TwoBalls{Center: []float64{1, 1}, Radius: 3}.Direction(nil) },
		"cascade: group1 has depth 0":   func() { cascade(t, exampleBall.Centers(), 0, false, nn.Group{Coordinates: []int{0, 1}}) },
		"group1 has depth -1":           func() { cascade(t, exampleBall.Centers(), 0, false, nn.Group{Coordinates: []int{0, 1}, Depth: -1}) },
		"the groups must hold each":     func() { cascade(t, exampleBall.Centers(), 0, false, nn.Group{Coordinates: []int{0, 0}, Depth: 1}) },
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.HasPrefix(r, "qhnet: ") || !strings.Contains(r, want) {
					t.Errorf("panic %v, want one with %q", r, want)
				}
			}()
			call()
		}()
	}
}

func TestTwoBallsStartSeparates(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 5))
	for trial := range 20 {
		b := randomBalls(rng, trial%2 == 0)
		model := nn.Groups(b.Groups(1+rng.IntN(3), 1+rng.IntN(3))...)
		beta := model.Coefficients(nil, b.Start(model, 0.7))
		if math.Abs(b.RobustnessOf(beta)-b.BestRobustness()) > 1e-13*floats.Norm(b.Center, 2) {
			t.Errorf("%+v: the start %v does not have the direction of μ", b, beta)
		}
		biased := model.WithBias()
		if beta := biased.Coefficients(nil, b.Start(biased, 0.7)); beta[len(beta)-1] != 0 {
			t.Errorf("%+v: the start has the bias %v", b, beta[len(beta)-1])
		}
	}
}

func TestBiasOnLineSolvesTheCascade(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	for range 50 {
		left := 2*rng.Float64() - 1.5
		right := left + 0.2 + rng.Float64()
		w, b := oracle.BiasOnLine(left, right)
		_, c := cascade(t, line(left, right), 0, true, nn.Group{Coordinates: []int{0}, Depth: 2})
		// The cascade settles to 1e-10 or better.
		if e := math.Hypot(c.Coefficients[0]-w, c.Coefficients[1]-b); e > 1e-9*math.Hypot(w, b) {
			t.Errorf("classes at %v and %v: (w, b) = (%v, %v), cascade %v", left, right, w, b, c.Coefficients)
		}
	}
}

func ExampleBiasOnLine() {
	w, b := oracle.BiasOnLine(1, 2)
	fmt.Printf("w = %g, b = %g, boundary %g\n", w, b, -b/w)
	// Output: w = 2, b = -3, boundary 1.5
}

// line is one point of each class.
func line(left, right float64) dataset.Set {
	return dataset.Set{Name: "line", X: mat.NewDense(2, 1, []float64{left, right}), Labels: []int{0, 1}, Classes: 2}
}
