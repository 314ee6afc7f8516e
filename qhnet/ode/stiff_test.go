package ode_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

// stiffProblem is a standard problem with a published solution at its end.
type stiffProblem struct {
	name     string
	problem  ode.Problem
	absolute float64
	want     []float64
}

// vanDerPol has μ = 1e6 in the scaling of Hairer and Wanner II, section IV.10:
// ε y2' = (1 - y1²) y2 - y1 with ε = 1e-6. The values at t = 2 are those of the
// Test Set for IVP Solvers (F. Mazzia, C. Magherini, release 2.4, 2008), problem VDPOL.
func vanDerPol() stiffProblem {
	const eps = 1e-6
	return stiffProblem{
		name: "van der Pol",
		problem: ode.Problem{
			Derivative: func(dst []float64, _ float64, y []float64) error {
				dst[0] = y[1]
				dst[1] = ((1-y[0]*y[0])*y[1] - y[0]) / eps
				return nil
			},
			Jacobian: func(dst *mat.Dense, _ float64, y []float64) error {
				dst.Set(0, 1, 1)
				dst.Set(1, 0, (-2*y[0]*y[1]-1)/eps)
				dst.Set(1, 1, (1-y[0]*y[0])/eps)
				return nil
			},
			End: 2, Initial: []float64{2, 0},
		},
		absolute: 1e-9,
		want:     []float64{0.1706167732170483e1, -0.8928097010247975},
	}
}

// robertson is the kinetics of three species at t = 1e11; the values are those of the
// Test Set for IVP Solvers, problem ROBER.
func robertson() stiffProblem {
	return stiffProblem{
		name: "Robertson",
		problem: ode.Problem{
			Derivative: func(dst []float64, _ float64, y []float64) error {
				a, b := 0.04*y[0]-1e4*y[1]*y[2], 3e7*y[1]*y[1]
				dst[0], dst[1], dst[2] = -a, a-b, b
				return nil
			},
			Jacobian: func(dst *mat.Dense, _ float64, y []float64) error {
				dst.SetRow(0, []float64{-0.04, 1e4 * y[2], 1e4 * y[1]})
				dst.SetRow(1, []float64{0.04, -1e4*y[2] - 6e7*y[1], -1e4 * y[1]})
				dst.Set(2, 1, 6e7*y[1])
				return nil
			},
			End: 1e11, Initial: []float64{1, 0, 0},
		},
		absolute: 1e-20, // the solution's second component falls below 1e-13
		want:     []float64{0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050},
	}
}

// hires is the photomorphogenesis problem of Schäfer at t = 321.8122; the values are
// those of the Test Set for IVP Solvers, problem HIRES.
func hires() stiffProblem {
	return stiffProblem{
		name: "HIRES",
		problem: ode.Problem{
			Derivative: func(dst []float64, _ float64, y []float64) error {
				dst[0] = -1.71*y[0] + 0.43*y[1] + 8.32*y[2] + 0.0007
				dst[1] = 1.71*y[0] - 8.75*y[1]
				dst[2] = -10.03*y[2] + 0.43*y[3] + 0.035*y[4]
				dst[3] = 8.32*y[1] + 1.71*y[2] - 1.12*y[3]
				dst[4] = -1.745*y[4] + 0.43*(y[5]+y[6])
				dst[5] = -280*y[5]*y[7] + 0.69*y[3] + 1.71*y[4] - 0.43*y[5] + 0.69*y[6]
				dst[6] = 280*y[5]*y[7] - 1.81*y[6]
				dst[7] = -dst[6]
				return nil
			},
			End: 321.8122, Initial: []float64{1, 0, 0, 0, 0, 0, 0, 0.0057},
		},
		absolute: 1e-12,
		want: []float64{
			0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
			0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2,
		},
	}
}

func TestStiffProblemsToSixDigits(t *testing.T) {
	for _, p := range []stiffProblem{vanDerPol(), robertson(), hires()} {
		for _, differences := range []bool{false, true} {
			if differences {
				p.problem.Jacobian = nil
			}
			sol := solve(t, p.problem, ode.Options{
				Method:  ode.RadauIIA{},
				Control: &ode.Control{Relative: 1e-8, Absolute: p.absolute},
				Stop:    ode.Stopping{MaxSteps: 1500},
			})
			worst := 0.0
			for i, w := range p.want {
				worst = max(worst, math.Abs(sol.Y[i]/w-1))
			}
			t.Logf("%s: error %.1e, %+v", p.name, worst, sol.Statistics)
			if worst > 5e-7 { // six digits
				t.Errorf("%s, differences %v: relative error %.2g, want six digits", p.name, differences, worst)
			}
		}
	}
}
