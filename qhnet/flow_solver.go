package qhnet

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/vector"
	"qhlab/qhnet/ode"
)

// problem is the flow as an initial value problem in one clock.
func (r *flowRun) problem(clock Clock) (ode.Problem, error) {
	last := r.trajectory.Last()
	p := ode.Problem{
		Start: clock.reading(last.LogLoss), End: math.Inf(1), Initial: last.Theta, Linearization: r.linearization(clock),
		Derivative: func(dst []float64, c float64, theta []float64) error {
			return r.field.derivative(dst, clock, c, theta)
		},
		Jacobian: func(dst *mat.Dense, c float64, theta []float64) error {
			return r.field.jacobian(dst, clock, c, theta)
		},
	}
	p.Price = r.price(p.Linearization)
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
	o := ode.Options{
		Method: r.method(), Control: r.control(clock, r.tolerance()), Checkpoint: r.checkpointing(clock),
		OnStep: func(s *ode.Stretch) error { return r.onStretch(clock, s) }, OnAttempt: r.limitedBy(),
		Stop: ode.Stopping{
			MaxSteps: r.MaxSteps, AfterStep: r.afterStep,
			AfterRecord: func(float64, []float64) bool { return r.stopped() },
		},
	}
	if clock == LogLoss || clock == LogLogLoss {
		o.Record = ode.Recording{At: r.grid(clock, p), Visit: func(_ float64, theta []float64) error {
			r.record(theta) // onStretch has just left the field there
			return nil
		}}
	} else {
		o.Events = append(o.Events, r.level("log(1/L) reached", r.Until, true))
		if r.Clock == Automatic {
			o.Events[0] = r.level("clocks switch", r.switchLevel(), true)
		}
	}
	if r.trajectory.Separated == nil {
		o.Events = append(o.Events, r.separation())
	}
	o.Progress.Report = func(ode.Report) {
		r.task.Report(r.share(), "log(1/L) = %.3g of %.3g", r.time.U, r.Until)
	}
	if r.MaxSteps == 0 {
		o.Stop.MaxWork = max(1, 300_000-p.Price.Work(r.trajectory.Work.Statistics))
	}
	return o
}

// limitedBy counts attempted steps for the blocks of the components with the worst error.
func (r *flowRun) limitedBy() func(worst int) {
	blocks := r.Margins.Model().Blocks()
	return func(worst int) {
		for b, block := range blocks {
			if i := worst - block.Offset; i >= 0 && i < block.Len() {
				r.trajectory.Work.Limited[b]++
			}
		}
	}
}

// slow says which block has limited most steps, and what at the start makes flows stiff.
func (r *flowRun) slow() string {
	blocks, limited := r.Margins.Model().Blocks(), make([]float64, len(r.slopes))
	for b, n := range r.trajectory.Work.Limited {
		limited[b] = float64(n)
	}
	b, steep, flat := floats.MaxIdx(limited), floats.MaxIdx(r.slopes), floats.MinIdx(r.slopes)
	text := fmt.Sprintf("%.0f%% of the steps were limited by %s", 100*limited[b]/max(floats.Sum(limited), 1), blocks[b].Name)
	switch ratio := r.slopes[steep] / r.slopes[flat]; {
	case r.huge:
		text += fmt.Sprintf(" (from log L = %.1e, margins of that size compete by differences of one; standardize the data, or shrink the start)", r.trajectory.Points[0].LogLoss)
	case ratio > 1e3 && !math.IsInf(ratio, 1):
		text += fmt.Sprintf(" (at the start, %s moves margins %.0e times as far as %s does; standardize the data, or scale the start)", blocks[steep].Name, ratio, blocks[flat].Name)
	}
	return text
}

// share is how much of the flow is done, as most of its steps are equal in log u.
func (r *flowRun) share() float64 {
	start := r.trajectory.Points[0].LogInverse()
	return math.Log1p(max(r.time.U-start, 0)) / math.Log1p(r.Until-start)
}

// method is the caller's, or the one that measures. For balls, whose limits are needed to many
// digits, it is implicit, and from starts of huge losses: margins compete by differences of
// order one.
func (r *flowRun) method() ode.Method {
	implicit := ode.RadauIIA{Iterations: 20}
	if r.Method != nil {
		return r.Method
	}
	if r.balls() || r.implicit() && r.huge {
		return implicit
	}
	return ode.Auto{Implicit: implicit}
}

// price is what the linear algebra of a step costs beside a gradient, which takes about 6nm
// multiplications of a network of m parameters at n points, and as long as 30,000 more:
// Hessian-vector products as many as columns, or gradients as many as outputs, factorizations
// of 5/3 k³ multiplications of a k×k matrix, and slow substitutions, about as 13 k².
func (r *flowRun) price(l ode.Linearization) ode.Price {
	m, n, k := float64(len(r.Start)), float64(r.Margins.Points()), float64(r.Margins.rank())
	work := 6*n*m + 30_000
	if l == nil {
		return ode.Price{Refresh: 1.3 * m, Factor: 1 + 5*m*m*m/(3*work), Solve: 1 + 13*m*m/work}
	}
	return ode.Price{Refresh: 2 + k/n + m*k*k/work, Factor: 1 + 5*k*k*k/(3*work), Solve: 1 + 13*k*k/work}
}

// lowRank reports whether factorizations of the size of the outputs are the cheaper ones.
func (r *flowRun) lowRank() bool {
	const most = 400 // outputs; one gradient each a step, and dense systems of that size
	return r.Margins.rank() <= min(len(r.Start), most)
}

// directions reports whether a model of moderate size has a block of rate 0, as below a
// normalization, where only directions matter. They relax faster than anything else, by
// the curvature of the outputs, and need the exact Jacobian.
func (r *flowRun) directions() bool {
	const moderate = 512 // parameters; the dense factorization takes some 0.1 s
	return len(r.Start) <= moderate && slices.Contains(r.rates(), 0)
}

// control allows errors relative to each parameter, and for parameters near zero errors
// relative to the size that their block would have if it had grown from the start by its rate,
// but no more than all have: a bias that is given up need not be more accurate than the
// rounding of the weights beside it. A thousandth of the tolerance is enough while
// log(1/L) = u is small; later the direction of the gradient is known to some ten times εu,
// and parameters of rate 0 are at rest where it vanishes. Before separation margins as large
// as u are known to errors in proportion.
func (r *flowRun) control(clock Clock, tolerance float64) *ode.Control {
	c := &ode.Control{Relative: tolerance, Absolute: tolerance * 1e-3 * r.scale}
	if r.balls() {
		return c
	}
	const epsilon, noise = 0x1p-52, 30
	rates, blocks := r.rates(), r.Margins.Model().Blocks()
	c.Each = func(dst []float64, t float64, theta []float64) {
		u, early := max(1, t), false
		switch clock {
		case LogLoss:
		case LogLogLoss:
			u = math.Exp(t)
		default:
			u, early = max(1, math.Abs(r.time.U)), true
		}
		rounding, most := noise*epsilon*u, max(1, rms(theta)/r.scale)
		for b, block := range blocks {
			least, grown := min(tolerance, max(1e-3*tolerance, rounding)), 1.0
			switch {
			case early:
				least, grown = 1e-3*tolerance, min(u, r.scale/r.unit(b))
			case rates != nil && rates[b] == 0:
				least = max(least, rounding)
			case rates != nil:
				grown = min(most, math.Pow(u, rates[b]))
			}
			vector.Fill(block.Of(dst), least*grown*r.unit(b))
		}
	}
	return c
}

// unit is the error in a parameter of a block that absolute tolerances are relative to:
// the size of the start's, or less where a thousandth of that moves margins by more than one.
func (r *flowRun) unit(b int) float64 { return min(r.scale, 1e3/r.slopes[b]) }

// denseParameters bounds the problems whose exact Jacobians are cheaper than RKC's stages.
const denseParameters = 128

func (r *flowRun) balls() bool {
	_, ok := r.Margins.mapping.(*ballMap)
	return ok
}

// tolerance is the caller's, or a default: where only RKC is left for stiff stretches, for its
// order. Margins of size u compete by differences of order one: with a looser tolerance,
// implicit methods take more steps, as their Newton iterations start far from the solution.
func (r *flowRun) tolerance() float64 {
	_, second := r.method().(ode.RKC)
	second = second || r.Method == nil && !r.balls() && !r.implicit()
	switch {
	case r.Tolerance > 0:
		return r.Tolerance
	case second:
		return 1e-6
	case r.balls():
		return 1e-8
	case r.huge:
		return 1e-11
	}
	return min(1e-8, max(1e-4/r.Until, 1e-12))
}

// implicit reports whether an implicit method is likely to be the cheapest late in the flow:
// with few parameters, for directions, and for smooth models with few outputs.
func (r *flowRun) implicit() bool {
	return len(r.Start) <= denseParameters || r.directions() || !r.kinks && r.lowRank()
}

// linearization is that of the outputs where an implicit method meets many
// parameters, and for balls, where a dense matrix would lose the neutral directions
// beside stiff ones: their ratio grows like log(1/L). Explicit methods have none.
func (r *flowRun) linearization(clock Clock) ode.Linearization {
	switch r.method().(type) {
	case ode.DormandPrince, ode.RKC:
		return nil
	}
	m, rank := len(r.Start), r.field.margins.rank()
	if !r.lowRank() || m <= denseParameters && !r.balls() || r.directions() || r.kinks && r.Method == nil {
		return nil
	}
	return ode.NewLowRank(rank, m, func(u, c *mat.Dense, value float64, theta []float64) error {
		return r.field.lowRank(u, c, clock, value, theta)
	})
}
