package plotting

import (
	"fmt"
	"math"
)

// A Scale is how an axis maps numbers to positions.
type Scale int

// The scales.
const (
	Linear Scale = iota
	Log          // decades: v > 0
	LogLog       // decades of decades: v > 1; for time, which reaches 10^(10^6)
)

// Axis describes one axis of a panel. The zero Axis is linear, fits the data and
// has no label.
type Axis struct {
	Label string
	Scale Scale

	// Logged says that the data are natural logarithms of the quantity shown,
	// as in a flow that keeps log t because t itself overflows. It needs the
	// scale Log or LogLog.
	Logged bool

	// Min and Max are the limits, in the data's units. Both zero: the limits
	// are those of the data.
	Min, Max float64

	// Ticks are the marks to draw. Nil: round numbers.
	Ticks []Tick
}

// Tick is a mark on an axis. An empty Label is written from the value.
type Tick struct {
	At    float64
	Label string
}

// position maps a datum to the axis, in units in which it is linear.
func (a Axis) position(v float64) float64 {
	switch {
	case a.Scale == Log && a.Logged:
		return v / math.Ln10
	case a.Scale == Log:
		return math.Log10(v)
	case a.Scale == LogLog && a.Logged:
		return math.Log10(v / math.Ln10)
	case a.Scale == LogLog:
		return math.Log10(math.Log10(v))
	}
	return v
}

// value is the inverse of position.
func (a Axis) value(u float64) float64 {
	switch {
	case a.Scale == Log && a.Logged:
		return u * math.Ln10
	case a.Scale == Log:
		return math.Pow(10, u)
	case a.Scale == LogLog && a.Logged:
		return math.Pow(10, u) * math.Ln10
	case a.Scale == LogLog:
		return math.Pow(10, math.Pow(10, u))
	}
	return u
}

// reach is the greatest position an axis shows: differences of positions, and
// margins around them, must not overflow.
const reach = 1e300

// admits returns an error if the axis cannot show v.
func (a Axis) admits(v float64) error {
	switch {
	case math.IsNaN(v):
		return fmt.Errorf("is NaN")
	case math.IsInf(v, 0):
		return fmt.Errorf("is infinite")
	case math.Abs(a.position(v)) > reach && a.Scale == Linear:
		return fmt.Errorf("= %g is beyond ±%g", v, reach)
	case !(math.Abs(a.position(v)) <= reach):
		if a.Scale == LogLog && !a.Logged {
			return fmt.Errorf("= %g is not above 1, as a log-log axis needs; give its logarithm and set Logged", v)
		}
		return fmt.Errorf("= %g is not positive, as a logarithmic axis needs", v)
	}
	return nil
}

func (a Axis) check() error {
	switch {
	case a.Logged && a.Scale == Linear:
		return fmt.Errorf("the option Logged needs the scale Log or LogLog")
	case a.fixed() && !(a.Min < a.Max):
		return fmt.Errorf("limits [%g, %g] are empty; set both, Min below Max", a.Min, a.Max)
	case a.fixed():
		for _, v := range []float64{a.Min, a.Max} {
			if err := a.admits(v); err != nil {
				return fmt.Errorf("limit %w", err)
			}
		}
	}
	for i, t := range a.Ticks {
		if err := a.admits(t.At); err != nil {
			return fmt.Errorf("Ticks[%d].At %w", i, err)
		}
	}
	return nil
}

func (a Axis) fixed() bool { return a.Min != 0 || a.Max != 0 }

// span is an interval of positions; empty until extended.
type span struct {
	lo, hi float64
	seen   bool
}

func (s *span) add(u float64) {
	if !s.seen {
		s.lo, s.hi, s.seen = u, u, true
	}
	s.lo, s.hi = math.Min(s.lo, u), math.Max(s.hi, u)
}

func (s *span) join(t span) {
	if t.seen {
		s.add(t.lo)
		s.add(t.hi)
	}
}

// limits turns the data's span into the axis' limits: fixed ones as they are,
// others with a margin of the given share on both sides.
func (a Axis) limits(s span, margin float64) span {
	if a.fixed() {
		return span{a.position(a.Min), a.position(a.Max), true}
	}
	if !s.seen {
		return span{0, 1, true}
	}
	if a.constant(s) {
		half := math.Max(s.largest(), 1) / 2
		if a.Scale != Linear {
			half = math.Max(1e-6*s.largest(), 1) / 2
		}
		return span{s.lo - half, s.hi + half, true}
	}
	width := s.hi - s.lo
	return span{s.lo - margin*width, s.hi + margin*width, true}
}

// constant reports whether a span is nothing but rounding: a trillionth of its
// ends, or on a logarithmic axis 1e-10 decades, which is 1e5 roundings.
func (a Axis) constant(s span) bool {
	width := s.hi - s.lo
	return width <= 1e-12*s.largest() || a.Scale != Linear && width <= 1e-10
}

func (s span) largest() float64 { return math.Max(math.Abs(s.lo), math.Abs(s.hi)) }
