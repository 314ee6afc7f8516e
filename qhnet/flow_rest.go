package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// NotSeparatedError is the error of a flow that ended before all points were
// classified correctly: at rest, or at its limit of steps.
type NotSeparatedError struct {
	SmallestNL float64 // the smallest n·L reached
	Violated   []int   // the points with a margin ≤ 0 at the end
	Cause      error   // of the solver that ran out of steps; nil at rest
}

// Error says how far the flow came and what to look at.
func (e *NotSeparatedError) Error() string {
	where := fmt.Sprintf("before it separated the data: the smallest nL is %.6g and %d point(s) have a margin ≤ 0, the first of them %v",
		e.SmallestNL, len(e.Violated), e.Violated[:min(len(e.Violated), 5)])
	if e.Cause != nil {
		return fmt.Sprintf("qhnet: the flow ran out of steps %s; raise Flow.MaxSteps, or start elsewhere: %v", where, e.Cause)
	}
	return fmt.Sprintf("qhnet: the flow came to rest %s; check the labels, use a richer model, or start elsewhere", where)
}

// Unwrap returns the cause.
func (e *NotSeparatedError) Unwrap() error { return e.Cause }

// stallSteps is how often an unseparated flow is checked for rest.
const stallSteps = 64

// afterStep asks Stop, and ends a flow that has come to rest before separation:
// log L has not moved, and the gradients of the margins cancel each other or vanish
// where they are needed.
func (r *flowRun) afterStep(_ float64, theta []float64) bool {
	if r.stopped() {
		return true
	}
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
// cancel and those of the violated margins did not vanish. Of many margins it looks
// at 64, evenly spread, as each costs a gradient.
func (f *field) steepest() float64 {
	const most = 64
	unit := make([]float64, len(f.weights))
	largest := 0.0
	for i := range min(most, len(unit)) {
		j := i * len(unit) / min(most, len(unit))
		unit[j] = 1
		f.margins.Gradient(f.hg, unit)
		unit[j] = 0
		largest = max(largest, floats.Norm(f.hg, 2))
	}
	return largest
}

func (r *flowRun) notSeparated(theta []float64, cause error) error {
	if err := r.field.at(theta); err != nil {
		return err
	}
	r.record(theta)
	e := &NotSeparatedError{SmallestNL: math.Inf(1), Cause: cause}
	logPoints := math.Log(float64(r.Margins.Points()))
	for _, p := range r.trajectory.Points {
		e.SmallestNL = min(e.SmallestNL, math.Exp(p.LogLoss+logPoints))
	}
	for j, q := range r.field.q {
		k := j / r.Margins.PerPoint()
		if q <= 0 && (len(e.Violated) == 0 || e.Violated[len(e.Violated)-1] != k) {
			e.Violated = append(e.Violated, k)
		}
	}
	return e
}
