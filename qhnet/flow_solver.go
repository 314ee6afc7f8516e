package qhnet

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

// problem is the flow as an initial value problem in one clock.
func (r *flowRun) problem(clock Clock) (ode.Problem, error) {
	last := r.trajectory.Last()
	p := ode.Problem{
		Start: clock.reading(last.LogLoss), End: math.Inf(1), Initial: last.Theta,
		Derivative: func(dst []float64, c float64, theta []float64) error {
			return r.field.derivative(dst, clock, c, theta)
		},
		Jacobian: func(dst *mat.Dense, c float64, theta []float64) error {
			return r.field.jacobian(dst, clock, c, theta)
		},
		Linearization: r.linearization(clock, r.method(clock)),
	}
	switch clock {
	case LogLoss:
		p.End = r.Until
	case LogLogLoss:
		if last.LogLoss >= 0 {
			return p, fmt.Errorf("qhnet: the clock %v needs L < 1, but log L = %.6g at the start; use the clock Automatic, which begins with %v", clock, last.LogLoss, Scaled)
		}
		p.End = math.Log(r.Until)
	}
	return p, nil
}

// options says how to walk the problem.
func (r *flowRun) options(clock Clock, p ode.Problem) ode.Options {
	method := r.method(clock)
	tolerance := r.tolerance(method)
	o := ode.Options{
		Method:  method,
		Control: &ode.Control{Relative: tolerance, Absolute: tolerance * 1e-3 * r.scale},
		OnStep:  func(s *ode.Stretch) error { return r.onStretch(clock, s) },
		Stop:    ode.Stopping{MaxSteps: r.MaxSteps, AfterStep: r.afterStep},

		Checkpoint: r.checkpointing(clock),
	}
	if clock == LogLoss || clock == LogLogLoss {
		o.Record = ode.Recording{At: r.grid(clock, p), Visit: r.visit}
	} else {
		o.Events = append(o.Events, r.level("log(1/L) reached", r.Until, true))
		if r.Clock == Automatic {
			o.Events[0] = r.level("clocks switch", min(r.switchLevel(), r.Until), true)
		}
	}
	if r.trajectory.Separated == nil {
		o.Events = append(o.Events, r.separation())
	}
	o.Stop.AfterRecord = func(float64, []float64) bool { return r.stopped() }
	o.Progress.Report = func(report ode.Report) {
		r.task.Report(r.share(), "log(1/L) = %.3g of %.3g", r.time.U, r.Until)
		if r.Progress != nil {
			r.Progress(FlowProgress{LogInverse: r.time.U, Until: r.Until, Report: report})
		}
	}
	return o
}

// share is how much of the flow is done, as most of its steps are equal in log u.
func (r *flowRun) share() float64 {
	start := r.trajectory.Points[0].LogInverse()
	return math.Log1p(max(r.time.U-start, 0)) / math.Log1p(r.Until-start)
}

// method is the caller's, or the default for the problem. Before separability
// the flow in s is not stiff.
func (r *flowRun) method(clock Clock) ode.Method {
	switch {
	case clock == Scaled && r.Clock == Automatic:
		return ode.DormandPrince{}
	case r.Method != nil:
		return r.Method
	case r.implicit():
		return ode.RadauIIA{Iterations: 20}
	}
	return ode.RKC{}
}

// implicit reports whether Radau's method is the default: with few parameters,
// for balls, for directions, and for smooth models with few outputs, whose stiff
// part is that of the outputs.
func (r *flowRun) implicit() bool {
	return len(r.Start) <= denseParameters || r.balls() || r.directions() || !r.kinks && r.lowRank()
}

// lowRank reports whether factorizations of the size of the outputs are the
// cheaper ones.
func (r *flowRun) lowRank() bool {
	const most = 400 // outputs; one gradient each a step, and dense systems of that size
	return r.Margins.rank() <= min(len(r.Start), most)
}

// findDirections reports whether a model of moderate size has a block of rate 0, as
// below a normalization, where only directions matter. They relax faster than
// anything else, by the curvature of the outputs, which a linearization of the
// outputs leaves out: the exact Jacobian is needed.
func (r *flowRun) findDirections() bool {
	const moderate = 512 // parameters; the dense factorization takes some 0.1 s
	if len(r.Start) > moderate {
		return false
	}
	rates, err := RatesOf(r.Margins.Model())
	return err == nil && slices.Contains(rates.chosen, 0)
}

// denseParameters bounds the problems whose exact Jacobians are cheaper than the
// stages that a stabilized method needs late in the flow.
const denseParameters = 128

func (r *flowRun) balls() bool {
	_, ok := r.Margins.mapping.(*ballMap)
	return ok
}

// tolerance is the caller's, or a default that suits the order of the method.
// Several margins of size u compete by differences of order one, which an
// implicit method must resolve: with a looser tolerance it takes more steps, not
// fewer, because its Newton iterations start too far from the solution.
func (r *flowRun) tolerance(m ode.Method) float64 {
	_, second := m.(ode.RKC)
	switch {
	case r.Tolerance > 0:
		return r.Tolerance
	case second:
		return 1e-6
	case r.balls():
		return 1e-8
	}
	return min(1e-8, max(1e-4/r.Until, 1e-12))
}

// linearization is that of the outputs where an implicit method meets many
// parameters, and for balls, where a dense matrix would lose the neutral directions
// beside stiff ones: their ratio grows like log(1/L). Explicit methods have none.
func (r *flowRun) linearization(clock Clock, method ode.Method) ode.Linearization {
	switch method.(type) {
	case ode.DormandPrince, ode.RKC:
		return nil
	}
	m, rank := len(r.Start), r.field.margins.rank()
	if !r.lowRank() || m <= denseParameters && !r.balls() || r.directions() {
		return nil
	}
	return ode.NewLowRank(rank, m, func(u, c *mat.Dense, value float64, theta []float64) error {
		return r.field.lowRank(u, c, clock, value, theta)
	})
}
