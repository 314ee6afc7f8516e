package ode_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/ode"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	solve := func(change func(p *ode.Problem, o *ode.Options)) (any, error) {
		p, o := oscillator(1), ode.Options{Control: &ode.Control{Relative: 1e-6, Absolute: 1e-9}}
		p.Initial = []float64{1, 1} // none is 0, where an absolute tolerance of 1e-320 would count
		p.Jacobian = func(dst *mat.Dense, _ float64, _ []float64) error {
			dst.SetRow(0, []float64{0, 1})
			dst.SetRow(1, []float64{-1, 0})
			return nil
		}
		change(&p, &o)
		solution, err := ode.Solve(context.Background(), p, o)
		if solution == nil {
			return nil, err
		}
		return solution.Y, err
	}
	forever := func(p *ode.Problem, o *ode.Options) { p.End, o.Stop.MaxSteps = math.Inf(1), 100 }

	b.Float("Problem.Start", func(v float64) (any, error) { return solve(func(p *ode.Problem, _ *ode.Options) { p.Start = v }) }, -1, 0, 1e-320)
	b.Float("Problem.End", func(v float64) (any, error) {
		return solve(func(p *ode.Problem, o *ode.Options) { p.End, o.Stop.MaxSteps = v, 100 })
	}, -1, 1e-320)
	b.Vector("Problem.Initial", []float64{1, 0}, func(v []float64) (any, error) {
		if len(v) == 1 || len(v) == 3 {
			v = nil // the problem is what it is of any size
		}
		return solve(func(p *ode.Problem, _ *ode.Options) { p.Initial = v })
	})
	b.Refuse("Problem.Derivative nil", func() (any, error) { return solve(func(p *ode.Problem, _ *ode.Options) { p.Derivative = nil }) })
	b.Refuse("no context", func() (any, error) {
		return ode.Solve(badinput.NoContext, oscillator(1), ode.Options{})
	})
	for name, set := range map[string]func(c *ode.Control, v float64){
		"Relative": func(c *ode.Control, v float64) { c.Relative = v },
		"Absolute": func(c *ode.Control, v float64) { c.Absolute = v },
		"First":    func(c *ode.Control, v float64) { c.First = v },
		"Max":      func(c *ode.Control, v float64) { c.Max = v },
	} {
		fine := map[string][]float64{"Relative": {0, 1e-320, 1e300}, "Absolute": {0, 1e-320, 1e300}, "First": {0, 1e-320, 1e300}, "Max": {0, 1e300}}[name]
		b.Float("Control."+name, func(v float64) (any, error) {
			return solve(func(_ *ode.Problem, o *ode.Options) { set(o.Control, v); o.Stop.MaxSteps = 1000 })
		}, fine...)
	}
	b.Float("Recording.At", func(v float64) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) { o.Record.At = []float64{v} })
	}, 0, 1e-320)
	b.Int("Stopping.MaxSteps", func(n int) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) { o.Stop.MaxSteps = n })
	}, 0, badinput.Far, math.MaxInt)
	b.Int("RadauIIA.Iterations", func(n int) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) { o.Method = ode.RadauIIA{Iterations: n} })
	}, 0, 1, badinput.Far, math.MaxInt)
	b.Int("Event.Direction", func(n int) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Events = []ode.Event{{Direction: ode.Direction(n), Value: func(float64, []float64) float64 { return 1 }}}
		})
	}, 0, 1)
	b.Refuse("Event.Value nil", func() (any, error) { return solve(func(_ *ode.Problem, o *ode.Options) { o.Events = []ode.Event{{}} }) })
	for name, bad := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1)} {
		b.Refuse("Event.Value = "+name, func() (any, error) {
			return solve(func(_ *ode.Problem, o *ode.Options) {
				o.Events = []ode.Event{{Value: func(float64, []float64) float64 { return bad }}}
			})
		})
		b.Refuse("Derivative = "+name, func() (any, error) {
			return solve(func(p *ode.Problem, _ *ode.Options) {
				p.Derivative = func(dst []float64, _ float64, _ []float64) error { dst[0], dst[1] = bad, bad; return nil }
			})
		})
		b.Refuse("Jacobian = "+name, func() (any, error) {
			return solve(func(p *ode.Problem, o *ode.Options) {
				o.Method = ode.RadauIIA{}
				p.Jacobian = func(dst *mat.Dense, _ float64, _ []float64) error { dst.Set(0, 0, bad); return nil }
			})
		})
	}
	failure := errors.New("a failure on purpose")
	b.Refuse("Derivative that fails", func() (any, error) {
		return solve(func(p *ode.Problem, _ *ode.Options) {
			p.Derivative = func([]float64, float64, []float64) error { return failure }
		})
	})
	b.Refuse("Jacobian that fails", func() (any, error) {
		return solve(func(p *ode.Problem, o *ode.Options) {
			o.Method = ode.RadauIIA{}
			p.Jacobian = func(*mat.Dense, float64, []float64) error { return failure }
		})
	})
	b.Refuse("Visit that fails", func() (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Record = ode.Recording{At: []float64{0.5}, Visit: func(float64, []float64) error { return failure }}
		})
	})
	b.Refuse("OnStep that fails", func() (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) { o.OnStep = func(*ode.Stretch) error { return failure } })
	})
	b.Int("Checkpoint.Every", func(n int) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Checkpoint = ode.Checkpoint{Every: n, Save: func(*ode.State) error { return nil }}
		})
	}, 0, 1, badinput.Far, math.MaxInt)
	b.Accept("Checkpoint.Save nil", func() (any, error) { return solve(func(_ *ode.Problem, o *ode.Options) { o.Checkpoint.Every = 1 }) })
	b.Accept("Clone of no State", func() (any, error) { return (*ode.State)(nil).Clone(), nil })
	b.Refuse("Resume from a zero State", func() (any, error) { return solve(func(_ *ode.Problem, o *ode.Options) { o.Resume = &ode.State{} }) })
	b.Refuse("Resume from a State of another problem", func() (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Method = ode.DormandPrince{}
			o.Resume = &ode.State{Y: []float64{1}, Step: 1, Method: o.Method.String(), Active: o.Method.String()}
		})
	})
	b.Float("Resume.Step", func(v float64) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Method = ode.DormandPrince{}
			o.Resume = &ode.State{Y: []float64{1, 0}, Step: v, Method: o.Method.String(), Active: o.Method.String()}
		})
	}, 1e-320, 1e300)
	b.Int("Progress.Every", func(n int) (any, error) {
		return solve(func(_ *ode.Problem, o *ode.Options) {
			o.Progress = ode.Progress{Every: time.Duration(n), Report: func(ode.Report) {}}
		})
	}, 0, 1, badinput.Far, math.MaxInt)
	b.Refuse("an end that is never reached", func() (any, error) { return solve(forever) })
	b.Int("Status.String", func(n int) (any, error) { return ode.Status(n).String(), nil }, math.MinInt, -1, 0, 1, badinput.Far, math.MaxInt)
	b.Refuse("the text of a zero Failure", func() (any, error) { return nil, errors.New((&ode.Failure{}).Error()) })
}
