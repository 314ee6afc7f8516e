package qhnet_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
)

// TestFieldJacobian compares the exact Jacobian with differences of the field.
func TestFieldJacobian(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const value = 0.3
	for name, margins := range marginCases(t, rng) {
		for _, loss := range []qhnet.Loss{qhnet.Exponential{}, qhnet.Logistic{}} {
			for _, clock := range []qhnet.Clock{qhnet.Time, qhnet.Scaled, qhnet.LogLoss, qhnet.LogLogLoss, qhnet.ArcLength} {
				f := qhnet.NewField(margins, loss)
				m := qhnet.NumParameters(margins.Model())
				theta := randomVector(rng, m)
				exact := mat.NewDense(m, m, nil)
				if err := qhnet.FieldJacobian(f, exact, clock, value, theta); err != nil {
					t.Fatal(err)
				}
				up, down := make([]float64, m), make([]float64, m)
				for i := range theta {
					const h = 1e-6
					old := theta[i]
					theta[i] = old + h
					if err := qhnet.FieldDerivative(f, up, clock, value, theta); err != nil {
						t.Fatal(err)
					}
					theta[i] = old - h
					if err := qhnet.FieldDerivative(f, down, clock, value, theta); err != nil {
						t.Fatal(err)
					}
					theta[i] = old
					for r := range m {
						want := (up[r] - down[r]) / (2 * h)
						// Differences over h of values good to 1e-16 are good to 1e-10, but
						// for 1/‖g‖² and its powers of ten.
						if got := exact.At(r, i); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
							t.Fatalf("%s, %T, %v: Jacobian (%d,%d) is %v, differences give %v", name, loss, clock, r, i, got, want)
						}
					}
				}
			}
		}
	}
}

// TestFieldLowRank uses a model linear in θ, where the low-rank part leaves
// nothing out.
func TestFieldLowRank(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	model := nn.Diagonal(1, 1, 1, 1)
	points := bind(t, model, randomSet(rng, 3, 4))
	balls, err := qhnet.NewBallMargins(model, randomSet(rng, 3, 4), 0.3)
	if err != nil {
		t.Fatal(err)
	}
	theta := randomVector(rng, 4)
	for i, clock := range []qhnet.Clock{qhnet.Time, qhnet.Time, qhnet.Scaled, qhnet.Scaled, qhnet.LogLoss, qhnet.LogLoss, qhnet.LogLogLoss, qhnet.LogLogLoss, qhnet.ArcLength, qhnet.ArcLength} {
		margins := points
		if i%2 == 1 {
			margins = balls
		}
		f := qhnet.NewField(margins, qhnet.Exponential{})
		exact := mat.NewDense(4, 4, nil)
		if err := qhnet.FieldJacobian(f, exact, clock, 0.3, theta); err != nil {
			t.Fatal(err)
		}
		rank := qhnet.MarginsRank(margins)
		u, k := mat.NewDense(rank, 4, nil), mat.NewDense(rank, rank, nil)
		if err := qhnet.FieldLowRank(f, u, k, clock, 0.3, theta); err != nil {
			t.Fatal(err)
		}
		var ku, uku mat.Dense
		ku.Mul(k, u)
		uku.Mul(u.T(), &ku)
		if !mat.EqualApprox(exact, &uku, 1e-12*(1+mat.Norm(exact, 2))) {
			t.Errorf("%v: the low-rank form is\n%v, want\n%v", clock, mat.Formatted(&uku), mat.Formatted(exact))
		}
	}
}
