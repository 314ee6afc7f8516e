package oracle_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/qp"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/oracle"
)

var exampleBall = oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}

func bind(t *testing.T, m qhnet.Model, set dataset.Set) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewMargins(m, set)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func bindBalls(t *testing.T, m qhnet.Model, b oracle.TwoBalls) *qhnet.Margins {
	t.Helper()
	margins, err := qhnet.NewBallMargins(m, b.Centers(), b.Radius)
	if err != nil {
		t.Fatal(err)
	}
	return margins
}

func mustRates(t *testing.T, m qhnet.Model) *qhnet.Rates {
	t.Helper()
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return rates
}

// Where (P) is convex in β, the direct solver has to find the oracle's value.
func TestDirectAgainstTheCascade(t *testing.T) {
	rng := rand.New(rand.NewPCG(60, 5))
	for trial := range 10 {
		set := separable(rng, 10, 4)
		groups := []nn.Group{{Coordinates: []int{0, 1, 2}, Depth: 1}, {Coordinates: []int{3}, Depth: 2}}
		_, c := cascade(t, set, 0, false, groups...)
		if c.Stages[0].Discarded {
			continue // the minimum of (P) is zero and says nothing
		}
		model := nn.Groups(groups...)
		start := make([]float64, qhnet.NumParameters(model))
		for i := range start {
			start[i] = rng.NormFloat64()
		}
		direct, err := oracle.SolveDirect(context.Background(), bind(t, model, set), mustRates(t, model), start)
		if err != nil {
			t.Errorf("trial %d: %v", trial, err)
			continue
		}
		want := c.Stages[0].Value * c.Stages[0].Value / 2
		if math.Abs(direct.Objective-want) > 1e-7*want || direct.Fitted.Stationarity > 1e-4 {
			t.Errorf("trial %d: objective %.9f, the cascade says %.9f\n%v", trial, direct.Objective, want, direct)
		}
	}
}

// On a homogeneous ReLU net the flow and direct solutions from other starts find
// one optimal value.
func TestDirectOnANetwork(t *testing.T) {
	n, err := nn.New(nn.Input(2), nn.Dense(6, nn.NoBias()), nn.ReLU(), nn.Dense(6, nn.NoBias()), nn.ReLU(), nn.Dense(1, nn.NoBias()))
	if err != nil {
		t.Fatal(err)
	}
	margins, rates := bind(t, n, separable(rand.New(rand.NewPCG(50, 5)), 8, 2)), mustRates(t, n)
	start := n.Start(rand.New(rand.NewPCG(51, 5)), nn.He)
	tr, err := qhnet.Flow{Margins: margins, Start: start, Until: 1e6, PerDecade: 2, Method: ode.RadauIIA{}}.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	flow, err := qhnet.Certify(margins, rates, tr.Last().Theta, nil)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		direct, err := oracle.SolveDirect(context.Background(), margins, rates, n.Start(rand.New(rand.NewPCG(seed, 61)), nn.He))
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		// The flow still carries frozen weights: a share of 1e-2 in θ̃ and of its
		// square in the objective.
		if excess := flow.Objective/direct.Objective - 1; excess < -1e-5 || excess > 1e-3 {
			t.Errorf("seed %d: the flow's objective %.9f, directly %.9f", seed, flow.Objective, direct.Objective)
		}
	}
}

func TestDirectRefusesInseparableData(t *testing.T) {
	set := dataset.Set{Name: "xor", X: mat.NewDense(4, 2, []float64{1, 1, -1, -1, 1, -1, -1, 1}), Labels: []int{1, 1, 0, 0}, Classes: 2}
	model := nn.Diagonal(1, 2)
	if _, err := oracle.SolveDirect(context.Background(), bind(t, model, set), mustRates(t, model), []float64{1, 1, 1}); !errors.Is(err, qp.ErrInfeasible) {
		t.Errorf("XOR by a linear function: %v", err)
	}
}

func TestDirectChecksFirst(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins := bindBalls(t, model, exampleBall)
	for want, call := range map[string]func() (*qhnet.Certificate, error){
		"the rates belong to a model with the blocks [x1.factor1 x2.factor1 x2.factor2], not to one with [H.weight R.weight R.scale1]": func() (*qhnet.Certificate, error) {
			return oracle.SolveDirect(context.Background(), margins, mustRates(t, nn.Diagonal(1, 2)), []float64{1, 1, 1})
		},
		"parameter 0 of R.weight is NaN": func() (*qhnet.Certificate, error) {
			return oracle.SolveDirect(context.Background(), margins, mustRates(t, model), []float64{1, math.NaN(), 1})
		},
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// Below r = m2 the rest alone separates the balls, and the minimum of (P) is 0.
func TestDirectSaysWhatIsNotNeeded(t *testing.T) {
	for _, depths := range [][2]int{{1, 2}, {2, 3}, {1, 3}} {
		for _, radius := range []float64{0.3, 0.59, 0.61, 0.8} {
			b := exampleBall
			b.Radius = radius
			model := nn.Groups(b.Groups(depths[0], depths[1])...)
			margins := bindBalls(t, model, b)
			_, err := oracle.SolveDirect(context.Background(), margins, mustRates(t, model), b.Start(model, 1))
			if (err != nil) != b.Discards() || err != nil && !strings.Contains(err.Error(), "pass the rates Without") {
				t.Errorf("depths %v, radius %v: %v", depths, radius, err)
			}
		}
	}
}

func TestDirectStops(t *testing.T) {
	model := nn.Groups(exampleBall.Groups(1, 2)...)
	margins := bindBalls(t, model, exampleBall)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := []float64{1, 1, 1} // separates the balls
	c, err := oracle.SolveDirect(ctx, margins, mustRates(t, model), start)
	if !errors.Is(err, context.Canceled) || c == nil || math.Abs(c.Infeasibility()) > 1e-12 { // a few roundings
		t.Errorf("a cancelled solution: %v\n%v", err, c)
	}
	start = []float64{-1, -1, 1}
	if c, err := oracle.SolveDirect(ctx, margins, mustRates(t, model), start); !errors.Is(err, context.Canceled) || c != nil {
		t.Errorf("a cancelled solution that does not separate: %v\n%v", err, c)
	}
}

func ExampleSolveDirect() {
	// (P) of w·x + a(v·x) on two balls of radius 0.8 around ±(1, 0.6).
	ball := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	model := nn.Groups(ball.Groups(1, 2)...)
	margins, _ := qhnet.NewBallMargins(model, ball.Centers(), ball.Radius)
	rates, _ := qhnet.RatesOf(model)
	c, _ := oracle.SolveDirect(context.Background(), margins, rates, []float64{1, 1, 1})
	fmt.Printf("½‖θ̃‖² = %.6f, robustness %.6f\n", c.Objective, ball.RobustnessOf(model.Coefficients(nil, c.Theta)))
	// Output: ½‖θ̃‖² = 2.255305, robustness 0.311438
}
