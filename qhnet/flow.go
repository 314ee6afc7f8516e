package qhnet

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/vector"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/progress"
)

// Flow is gradient flow of a loss of margins,
//
//	dθ/dt = -∇L(q(θ)),
//
// from Start until log(1/L) = Until. The zero values of the fields below Until
// are good choices.
type Flow struct {
	Margins *Margins
	Start   []float64 // θ(0), not changed
	Until   float64   // log(1/L) to reach

	Loss      Loss  // nil means Exponential
	Clock     Clock // Automatic switches to log log(1/L) at separability
	PerDecade int   // recorded points in a decade of log(1/L); 0 means 20

	// Tolerance is relative, of a step. 0 means min(1e-8, max(1e-4/Until, 1e-12)), but
	// 1e-8 for balls, 1e-6 for RKC and for models that are likely to need it, and 1e-11
	// where log L > 1e4 at the start.
	Tolerance float64

	// KinkWidth is the width to which the kinks of rectifiers are rounded; 0 means
	// 1e-3. See [Margins.RoundKinks]. Margins keep theirs: the flow walks on a copy,
	// [Trajectory.Margins], to which certificates of its end belong.
	KinkWidth float64

	// Method is the solver. nil means [ode.Auto], which measures what is cheapest,
	// but RadauIIA for balls, and for small models where log L > 1e4 at the start. RKC
	// is fit for flows as the Jacobian of gradient flow in s is symmetric, so that its
	// stiff spectrum is real.
	Method ode.Method

	// MaxSteps bounds the attempted steps of each phase. 0 means as many in all as cost the
	// time of 300,000 gradients: some seconds for a small network.
	MaxSteps int

	// Checkpoint, if not empty, is a file that the run is saved to about once a second,
	// atomically, and resumed from, to the same bits; a finished one is not repeated. Its
	// steps differ a little from those of a run without a checkpoint, and depend on Until.
	Checkpoint string

	// Stop, if not nil, is asked after every record, in clocks other than LogLoss and LogLogLoss
	// at the end of the step, and ends the flow if true; before an ended one goes on, it is
	// asked again.
	Stop func(*Trajectory) bool
}

// Run follows the flow. If it is interrupted or fails, it returns what was recorded so far
// with the error; with a Checkpoint the next call goes on from there.
func (f Flow) Run(ctx context.Context) (*Trajectory, error) {
	checkContext(ctx)
	if err := f.validate(); err != nil {
		return nil, err
	}
	ctx, task := progress.Begin(ctx, "flow")
	defer task.End()
	r := newFlowRun(&f)
	defer r.field.margins.run()()
	r.task = task
	path, err := r.run(ctx)
	if path != nil && len(path.Points) > 0 {
		task.Say("ended at log(1/L) = %.4g of %.4g", path.Last().LogInverse(), r.Until)
	}
	return path, err
}

func (f *Flow) validate() error {
	if f.Margins == nil {
		panic("qhnet: Flow.Margins is nil")
	}
	vector.CheckLength("Flow.Start", len(f.Start), NumParameters(f.Margins.Model()))
	if err := CheckParameters(f.Margins.Model(), f.Start); err != nil {
		return fmt.Errorf("qhnet: the flow cannot start: %w", err)
	}
	if b, ok := f.Margins.mapping.(*ballMap); ok {
		if err := b.checkApart(); err != nil {
			return err
		}
	}
	if f.Loss == nil {
		f.Loss = Exponential{}
	}
	switch {
	case !(f.Until > 0) || math.IsInf(f.Until, 0):
		return fmt.Errorf("qhnet: Flow.Until = %v; it is the log(1/L) to reach and must be finite and positive", f.Until)
	case f.Tolerance < 0 || f.Tolerance >= 1 || math.IsNaN(f.Tolerance):
		return fmt.Errorf("qhnet: Flow.Tolerance = %v; use a relative tolerance such as 1e-8", f.Tolerance)
	case f.KinkWidth < 0 || f.KinkWidth > 1 || math.IsNaN(f.KinkWidth):
		return fmt.Errorf("qhnet: Flow.KinkWidth = %v; use a width in (0, 1], such as 1e-3", f.KinkWidth)
	case f.MaxSteps < 0:
		return fmt.Errorf("qhnet: Flow.MaxSteps = %d; use at least 1, or 0 for as many as cost 300,000 gradients", f.MaxSteps)
	case f.Clock < 0 || f.Clock > ArcLength:
		return fmt.Errorf("qhnet: Flow.Clock is %v; use one of the clocks of this package", f.Clock)
	}
	return checkPerDecade("Flow", &f.PerDecade)
}

func checkContext(ctx context.Context) {
	if ctx == nil {
		panic("qhnet: the context is nil; use context.Background()")
	}
}

// checkPerDecade sets the default of a number of records, each of which holds θ.
func checkPerDecade(what string, n *int) error {
	if *n < 0 || *n > 1e6 {
		return fmt.Errorf("qhnet: %s.PerDecade = %d; use 1 to a million, or 0 for 20", what, *n)
	}
	*n = cmp.Or(*n, 20)
	return nil
}

// NotSeparatedError is the error of a flow that ended before all points were
// classified correctly: at rest, or at its limit of steps.
type NotSeparatedError struct {
	SmallestNL float64 // the smallest n·L reached
	Violated   []int   // the points with a margin ≤ 0 at the end
	Cause      error   // of the solver that ran out of steps; nil at rest
}

// Error says how far the flow came and what to look at.
func (e *NotSeparatedError) Error() string {
	where := fmt.Sprintf("before it separated the data: the smallest nL is %.6g", e.SmallestNL)
	if n := len(e.Violated); n > 0 {
		where += fmt.Sprintf(" and %d point(s) have a margin ≤ 0, the first of them %v", n, e.Violated[:min(n, 5)])
	}
	if e.Cause != nil {
		return fmt.Sprintf("qhnet: the flow ran out of steps %s; raise Flow.MaxSteps, or start elsewhere: %v", where, e.Cause)
	}
	return fmt.Sprintf("qhnet: the flow came to rest %s; check the labels, use a richer model, or start elsewhere", where)
}

// Unwrap returns the cause.
func (e *NotSeparatedError) Unwrap() error { return e.Cause }

// SingularError is the error of a flow that has come, in finite time, to where a deviation
// that a normalization divides by is zero, and the gradient has no limit.
type SingularError struct {
	Whose      string  // the layer and its point, or its feature over the batch
	Share      float64 // the deviation over the largest of that layer
	LogInverse float64 // u = log(1/L) there
}

// Error says whose deviation vanishes, and what helps.
func (e *SingularError) Error() string {
	return fmt.Sprintf("qhnet: the flow comes to a singularity at log(1/L) = %.6g: the deviation that %s is divided by, now %.1e of the largest of the layer, goes to zero in finite time; start elsewhere, or give the layer an Epsilon", e.LogInverse, e.Whose, e.Share)
}

// stalled tells why a flow cannot go on, nil if it can: a deviation below a share of the
// largest of its layer goes to zero or, if log L is still, gradients cancel or vanish in every
// block though margins are negative: Euler's identity keeps gradients of positive ones.
func (r *flowRun) stalled(theta []float64, below float64, still bool) error {
	if r.field.at(theta) != nil {
		return nil
	}
	if d, ok := r.field.margins.outputs.(interface {
		VanishingDeviation(v []float64) (whose string, share float64)
	}); ok {
		if whose, share := d.VanishingDeviation(r.field.g); share < below {
			r.record(theta)
			return &SingularError{whose, share, -r.field.logLoss}
		}
	}
	if !still || r.trajectory.Separated != nil || floats.Min(r.field.q) > 0 {
		return nil
	}
	steepest := r.field.steepest()
	for b, block := range r.Margins.Model().Blocks() {
		if !(floats.Norm(block.Of(r.field.g), 2) <= 1e-5*steepest[b]) {
			return nil
		}
	}
	return r.notSeparated(theta, nil)
}

// stallSteps is how often a flow is checked for a singularity, and for rest.
const stallSteps = 64

// afterStep asks Stop, and ends a flow that has stalled.
func (r *flowRun) afterStep(_ float64, theta []float64) bool {
	if r.stopped() {
		return true
	}
	if r.steps++; r.steps < stallSteps {
		return false
	}
	moved := math.Abs(r.time.U - r.stallU)
	r.steps, r.stallU = 0, r.time.U
	r.ended = r.stalled(theta, 1e-6, moved <= 1e-7*max(1, math.Abs(r.time.U)))
	return r.ended != nil
}

// steepest returns for every block the largest ‖∂q_j/∂block‖, what that of g could be if
// gradients did not cancel. Of many margins it looks at 64, as each costs a gradient.
func (f *field) steepest() []float64 {
	const most = 64
	blocks, unit := f.margins.Model().Blocks(), make([]float64, len(f.weights))
	largest := make([]float64, len(blocks))
	for i := range min(most, len(unit)) {
		j := i * len(unit) / min(most, len(unit))
		unit[j] = 1
		f.margins.Gradient(f.hg, unit)
		unit[j] = 0
		for b, block := range blocks {
			largest[b] = max(largest[b], floats.Norm(block.Of(f.hg), 2))
		}
	}
	return largest
}

func (r *flowRun) notSeparated(theta []float64, cause error) error {
	if err := r.field.at(theta); err != nil {
		return err
	}
	r.record(theta)
	e := &NotSeparatedError{math.Inf(1), unseparated(r.field.q, r.Margins.PerPoint()), cause}
	logPoints := math.Log(float64(r.Margins.Points()))
	for _, p := range r.trajectory.Points {
		e.SmallestNL = min(e.SmallestNL, math.Exp(p.LogLoss+logPoints))
	}
	return e
}
