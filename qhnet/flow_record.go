package qhnet

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/ode"
)

// level is the event log(1/L) = u.
func (r *flowRun) level(name string, u float64, terminal bool) ode.Event {
	return r.event(name, terminal, func() float64 { return -r.field.logLoss - u })
}

// separation is the event from which on the loss, or else the margins themselves,
// show that all points are classified correctly.
func (r *flowRun) separation() ode.Event {
	const name = "separated"
	if u, known := r.field.separation(); known {
		return r.level(name, u, false)
	}
	return r.event(name, false, func() float64 { return floats.Min(r.field.q) })
}

// event is a zero of a function of the margins.
func (r *flowRun) event(name string, terminal bool, value func() float64) ode.Event {
	return ode.Event{
		Name: name, Direction: ode.Rising, Terminal: terminal,
		Value: func(_ float64, theta []float64) float64 {
			if err := r.field.marginsAt(theta); err != nil {
				return math.NaN()
			}
			return value()
		},
	}
}

// grid returns the values of the clock at which log(1/L) is a whole power of
// 10^(1/PerDecade), up to the end.
func (r *flowRun) grid(clock Clock, p ode.Problem) []float64 {
	reading := func(i int) float64 {
		u := math.Pow(10, float64(i)/float64(r.PerDecade))
		return clock.reading(-u)
	}
	start := max(r.trajectory.Last().LogInverse(), 1e-3)
	var at []float64
	for i := int(math.Ceil(math.Log10(start) * float64(r.PerDecade))); reading(i) < p.End*(1-1e-12); i++ {
		if reading(i) > p.Start {
			at = append(at, reading(i))
		}
	}
	return append(at, p.End)
}

// onStretch keeps the time along a piece of the path and, in clocks that have
// no grid, records points as time or loss progress.
func (r *flowRun) onStretch(clock Clock, s *ode.Stretch) error {
	s.At(r.middle, (s.T0+s.T1)/2)
	if err := r.field.at(r.middle); err != nil {
		return err
	}
	um, logHm := -r.field.logLoss, -math.Log(r.field.g2)
	if err := r.field.at(s.Y1); err != nil {
		return err
	}
	r.time.advance(um, logHm, -r.field.logLoss, -math.Log(r.field.g2))
	switch {
	case r.trajectory.Separated == nil && r.field.separated():
		r.record(s.Y1)
		point := r.trajectory.Last()
		r.trajectory.Separated = &point
	case clock != LogLoss && clock != LogLogLoss && r.due():
		r.record(s.Y1)
	}
	return nil
}

// due reports whether log t or log(1/L) has moved by a grid's width since the
// last record.
func (r *flowRun) due() bool {
	width := math.Ln10 / float64(r.PerDecade)
	last := r.trajectory.Last()
	u := last.LogInverse()
	return math.Abs(r.time.U-u) >= width*max(1, math.Abs(u)) || r.time.LogTime-last.LogTime >= width
}

// visit records a grid point, where onStretch has just left the field.
func (r *flowRun) visit(_ float64, theta []float64) error {
	r.record(theta)
	return nil
}

// stopped asks Stop about records that it has not seen.
func (r *flowRun) stopped() bool {
	news := r.news
	r.news = false
	return news && r.Stop != nil && r.Stop(r.trajectory)
}

// record appends the field's current point.
func (r *flowRun) record(theta []float64) {
	r.news = true
	r.trajectory.Points = append(r.trajectory.Points, Point{
		LogLoss: r.field.logLoss, LogTime: r.time.LogTime, Scaled: r.time.Scaled,
		Slope: math.Sqrt(r.field.g2), Margin: floats.Min(r.field.q),
		Theta: append([]float64(nil), theta...),
	})
}
