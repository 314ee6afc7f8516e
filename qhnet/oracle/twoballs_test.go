package oracle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

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
