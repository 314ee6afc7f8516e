package main

import (
	"context"
	"math"
	"syscall"

	"qhlab/qhnet/ode"
)

// result is one measured run.
type result struct {
	tolerance   float64
	seconds     float64 // of processor time
	evaluations int
	steps       int
	theta       []float64
	err         float64 // largest relative error of θ
	version     string
}

// repeats is how often a program in Go or C runs in one round.
const repeats = 15

// bench measures on one flow.
type bench struct {
	ctx    context.Context
	flow   *productFlow
	peers  *peers
	rounds int
}

// ours runs a method of package ode, the best of many times.
func (b *bench) ours(m ode.Method, end, tolerance float64) (result, error) {
	r := result{tolerance: tolerance, seconds: math.Inf(1)}
	for range repeats {
		began := processorTime()
		sol, err := ode.Solve(b.ctx, b.flow.problem(end), ode.Options{
			Method:  m,
			Control: &ode.Control{Relative: tolerance, Absolute: tolerance},
		})
		r.seconds = min(r.seconds, processorTime()-began)
		if err != nil {
			return r, err
		}
		r.evaluations, r.steps, r.theta = sol.Statistics.Evaluations, sol.Statistics.Steps, sol.Y
	}
	return r, nil
}

// processorTime returns the seconds that this program has kept processors busy.
// On an idle machine it passes like wall time; unlike that, it does not count the
// time that other programs take.
func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// keep merges a measurement into the best one so far.
func (r *result) keep(next result, tolerance float64) {
	if r.theta != nil {
		next.seconds = min(next.seconds, r.seconds)
	}
	*r = next
	r.tolerance = tolerance
}

// compare sets the error of the results relative to the reference.
func compare(reference []float64, results []result) {
	for i := range results {
		r := &results[i]
		for j, v := range reference {
			r.err = max(r.err, math.Abs(r.theta[j]/v-1))
		}
	}
}

// explicitComparison is Dormand-Prince against SciPy's RK45 to u = 1e3.
type explicitComparison struct{ ours, scipy result }

func (b *bench) explicit() (c explicitComparison, err error) {
	const end, tolerance = 1e3, 1e-8
	for range b.rounds {
		scipy, err := b.peers.scipy("RK45", end, tolerance)
		if err != nil {
			return c, err
		}
		c.scipy.keep(scipy, tolerance)
		ours, err := b.ours(ode.DormandPrince{}, end, tolerance)
		if err != nil {
			return c, err
		}
		c.ours.keep(ours, tolerance)
	}
	return c, nil
}

// stiffComparison is RadauIIA against CVODE and SciPy's Radau to u = 1e6.
type stiffComparison struct {
	ours, cvode, scipy []result
	agreement          float64 // of the references of RadauIIA and CVODE
}

const (
	stiffEnd           = 1e6
	referenceTolerance = 1e-13
)

func (b *bench) stiff() (c stiffComparison, err error) {
	ladder := []float64{1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12}
	programs := []struct {
		results    *[]result
		tolerances []float64
		run        func(tolerance float64) (result, error)
	}{
		{&c.cvode, ladder, func(tol float64) (result, error) { return b.peers.cvode(stiffEnd, tol) }},
		{&c.ours, append(ladder, 3e-13), func(tol float64) (result, error) { return b.ours(ode.RadauIIA{}, stiffEnd, tol) }},
		{&c.scipy, []float64{1e-7, 1e-8}, func(tol float64) (result, error) { return b.peers.scipy("Radau", stiffEnd, tol) }},
	}
	for range b.rounds {
		for _, p := range programs {
			if *p.results == nil {
				*p.results = make([]result, len(p.tolerances))
			}
			for i, tolerance := range p.tolerances {
				r, err := p.run(tolerance)
				if err != nil {
					return c, err
				}
				(*p.results)[i].keep(r, tolerance)
			}
		}
	}
	return c, b.reference(&c)
}

// reference computes all errors against a run with the tightest tolerance, and how
// well CVODE agrees with it at the same one.
func (b *bench) reference(c *stiffComparison) error {
	ours, err := b.ours(ode.RadauIIA{}, stiffEnd, referenceTolerance)
	if err != nil {
		return err
	}
	cvode, err := b.peers.cvode(stiffEnd, referenceTolerance)
	if err != nil {
		return err
	}
	both := []result{cvode}
	for _, results := range [][]result{c.ours, c.cvode, c.scipy, both} {
		compare(ours.theta, results)
	}
	c.agreement = both[0].err
	return nil
}

// cheapest returns the fastest result with at most the given error, and whether
// there is one.
func cheapest(results []result, err float64) (best result, ok bool) {
	best.seconds = math.Inf(1)
	for _, r := range results {
		if r.err <= err && r.seconds < best.seconds {
			best, ok = r, true
		}
	}
	return best, ok
}
