package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// NotSeparatedError is the error of a flow that stopped making progress before
// all points were classified correctly.
type NotSeparatedError struct {
	SmallestNL float64 // the smallest n·L reached
	Violated   []int   // the points with a margin ≤ 0 there
}

// Error says how far the flow came and what to look at.
func (e *NotSeparatedError) Error() string {
	return fmt.Sprintf("qhnet: the flow came to rest before it separated the data: the smallest nL is %.6g (separated means nL < 1) and %d point(s) have a margin ≤ 0, the first of them %v; check the labels, use a richer model, or start elsewhere",
		e.SmallestNL, len(e.Violated), e.Violated[:min(len(e.Violated), 5)])
}

// stallSteps is how often an unseparated flow is checked for rest.
const stallSteps = 64

// afterStep ends a flow that has come to rest before separation: log L has not
// moved, and the gradients of the margins cancel each other or vanish where they
// are needed.
func (r *flowRun) afterStep(_ float64, theta []float64) bool {
	if r.trajectory.Separated != nil {
		return false
	}
	if r.steps++; r.steps < stallSteps {
		return false
	}
	moved := math.Abs(r.time.U - r.stallU)
	r.steps, r.stallU = 0, r.time.U
	if moved > 1e-7*max(1, math.Abs(r.time.U)) || r.field.at(theta) != nil {
		return false
	}
	// With all margins positive, Euler's identity keeps the gradient away from zero.
	r.rested = floats.Min(r.field.q) <= 0 && math.Sqrt(r.field.g2) <= 1e-5*r.field.steepest()
	return r.rested
}

// steepest returns the largest ‖∇q_j‖, what ‖g‖ could be if the gradients did not
// cancel and those of the violated margins did not vanish.
func (f *field) steepest() float64 {
	unit := make([]float64, len(f.weights))
	largest := 0.0
	for j := range unit {
		unit[j] = 1
		f.margins.Gradient(f.hg, unit)
		unit[j] = 0
		largest = max(largest, floats.Norm(f.hg, 2))
	}
	return largest
}

func (r *flowRun) notSeparated(theta []float64) error {
	if err := r.field.at(theta); err != nil {
		return err
	}
	r.record(theta)
	e := &NotSeparatedError{SmallestNL: math.Inf(1)}
	for _, p := range r.trajectory.Points {
		e.SmallestNL = min(e.SmallestNL, math.Exp(p.LogLoss+r.logPoints))
	}
	for j, q := range r.field.q {
		k := j / r.Margins.PerPoint()
		if q <= 0 && (len(e.Violated) == 0 || e.Violated[len(e.Violated)-1] != k) {
			e.Violated = append(e.Violated, k)
		}
	}
	return e
}
