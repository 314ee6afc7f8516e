package ode

import "time"

// Progress reports on a long run. It does not influence the result.
type Progress struct {
	Every  time.Duration // zero means one second
	Report func(Report)
}

// Report says how far a run has come.
type Report struct {
	T          float64
	Fraction   float64       // of the interval walked; 0 if End is infinite
	Elapsed    time.Duration // since the call of Solve
	Statistics Statistics
}

// report tells the caller about the progress, if it is time.
func (r *run) report() {
	p := &r.options.Progress
	if p.Report == nil {
		return
	}
	every := p.Every
	if every == 0 {
		every = time.Second
	}
	now := time.Now()
	if now.Sub(r.lastReport) < every {
		return
	}
	r.lastReport = now
	fraction := (r.system.t - r.problem.Start) / (r.problem.End - r.problem.Start)
	p.Report(Report{T: r.system.t, Fraction: fraction, Elapsed: now.Sub(r.began), Statistics: r.system.statistics})
}
