package plotting

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/plot"
)

// A Scale is how an axis maps numbers to positions. It is a normalizer and a ticker
// for the axes of gonum/plot as well:
//
//	p.X.Scale, p.X.Tick.Marker = plotting.LogLog, plotting.LogLog
type Scale int

const (
	Linear Scale = iota
	Log          // decades: v > 0
	LogLog       // decades of decades: v > 1; for time, which reaches 10^(10^6)

	logged Scale = 1 << 4 // the data are natural logarithms
)

// Normalize returns where v is between min and max, as a share.
func (s Scale) Normalize(min, max, v float64) float64 {
	return span{s.position(min), s.position(max), true}.share(s.position(v))
}

// Ticks returns about five labelled ticks between min and max. It panics at a number that the
// axis cannot show.
func (s Scale) Ticks(min, max float64) []plot.Tick {
	const n = 5
	for _, v := range []float64{min, max} {
		if err := (mapping{scale: s}).admits(v); err != nil {
			panic(fmt.Sprintf("plotting: an axis' limit %v", err))
		}
	}
	ticks := s.marks(span{s.position(min), s.position(max), true}, n)
	for i := range ticks {
		ticks[i].Value = s.value(ticks[i].Value)
	}
	return ticks
}

// position maps a datum to the axis, in units in which it is linear.
func (s Scale) position(v float64) float64 {
	switch {
	case s == Linear:
		return v
	case s&logged != 0:
		v /= math.Ln10
	default:
		v = math.Log10(v)
	}
	if s&^logged == LogLog {
		return math.Log10(v)
	}
	return v
}

// value is the inverse of position.
func (s Scale) value(u float64) float64 {
	if s&^logged == LogLog {
		u = math.Pow(10, u)
	}
	switch {
	case s == Linear:
		return u
	case s&logged != 0:
		return u * math.Ln10
	}
	return math.Pow(10, u)
}

// Axis describes one axis of a panel. The zero Axis is linear, fits the data and has no label.
type Axis struct {
	Label string

	// Scale is Linear, Log, LogLog or any of gonum's, such as plot.InvertedScale. Nil: Linear.
	Scale plot.Normalizer

	// Logged says that the data are natural logarithms of the quantity shown, as in a
	// flow that keeps log t because t itself overflows. It needs the scale Log or LogLog.
	Logged bool

	// Min and Max are the limits, in the data's units. Both zero: the limits are those of the data.
	Min, Max float64

	// Ticks are the marks to draw: Counts, or any of gonum's. Nil: round numbers.
	Ticks plot.Ticker
}

// mapping places data on an axis: positions are linear along it, from lo to hi. It is
// the normalizer that gonum's plotters see in a panel.
type mapping struct {
	scale Scale
	other plot.Normalizer // instead of the scale; nil if there is none
	span
}

// mapping returns that of an axis, before its limits are known.
func (a Axis) mapping() mapping {
	m := mappingOf(a.Scale)
	if a.Logged {
		m.scale |= logged
	}
	return m
}

func mappingOf(n plot.Normalizer) mapping {
	switch s := n.(type) {
	case Scale:
		return mapping{scale: s}
	case plot.LogScale:
		return mapping{scale: Log}
	case nil, plot.LinearScale:
		return mapping{}
	}
	return mapping{other: n}
}

// within returns the mapping between two limits in the data's units.
func (m mapping) within(min, max float64) mapping {
	m.span = span{} // positions of other scales are values until the limits are known
	lo, hi := m.position(min), m.position(max)
	m.add(lo)
	m.add(hi)
	return m
}

// Normalize returns where v is between the limits, as a share.
func (m mapping) Normalize(_, _, v float64) float64 { return m.share(m.position(v)) }

func (m mapping) position(v float64) float64 {
	switch {
	case m.other == nil:
		return m.scale.position(v)
	case m.seen:
		return m.lo + (m.hi-m.lo)*m.other.Normalize(m.lo, m.hi, v)
	}
	return v
}

// value is the inverse of position, for other scales by bisection.
func (m mapping) value(u float64) float64 {
	if m.other == nil {
		return m.scale.value(u)
	}
	const steps = 1 << 30
	at := func(k int) float64 { return m.lo + (m.hi-m.lo)*float64(k)/steps }
	sign := math.Copysign(1, m.position(m.hi)-m.position(m.lo))
	return at(sort.Search(steps, func(k int) bool { return sign*m.position(at(k)) >= sign*u }))
}

// at returns the value at a share of the way between the limits, or the last that the axis shows.
func (m mapping) at(share float64) float64 {
	least, most := -reach, reach
	switch m.scale {
	case Log:
		least, most = math.SmallestNonzeroFloat64, math.MaxFloat64
	case LogLog:
		least, most = math.Nextafter(1, 2), math.MaxFloat64
	case LogLog | logged:
		least = math.SmallestNonzeroFloat64
	}
	return math.Min(most, math.Max(least, m.value(m.lo+(m.hi-m.lo)*share)))
}

// describe sets an axis of gonum's to the mapping. A linear one has gonum's own scale, because
// plotter.Image warps its picture on any other.
func (m mapping) describe(a *plot.Axis) {
	a.Scale, a.Min, a.Max = m, m.at(0), m.at(1)
	if m.other == nil && m.scale == Linear {
		a.Scale = plot.LinearScale{}
	}
}

// reach is the greatest position an axis shows: differences of positions, and
// margins around them, must not overflow.
const reach = 1e300

// admits returns an error if the axis cannot show v.
func (m mapping) admits(v float64) error {
	switch {
	case math.IsNaN(v):
		return errors.New("is NaN")
	case math.IsInf(v, 0):
		return errors.New("is infinite")
	case m.other != nil || math.Abs(m.scale.position(v)) <= reach:
		return nil
	case m.scale == Linear:
		return fmt.Errorf("= %g is beyond ±%g", v, reach)
	case m.scale == LogLog:
		return fmt.Errorf("= %g is not above 1, as a log-log axis needs; give its logarithm and set Logged", v)
	}
	return fmt.Errorf("= %g is not positive, as a logarithmic axis needs", v)
}

func (a Axis) check() error {
	m := a.mapping()
	switch {
	case a.Logged && m.scale != Log|logged && m.scale != LogLog|logged:
		return errors.New("the option Logged needs the scale Log or LogLog")
	case m.scale&^logged < Linear || m.scale&^logged > LogLog:
		return fmt.Errorf("has the unknown Scale %d", m.scale)
	case a.fixed() && !(a.Min < a.Max):
		return fmt.Errorf("limits [%g, %g] are empty; set both, Min below Max", a.Min, a.Max)
	case a.fixed():
		for _, v := range []float64{a.Min, a.Max} {
			if err := m.admits(v); err != nil {
				return fmt.Errorf("limit %w", err)
			}
		}
	}
	if ticks, ok := a.Ticks.(plot.ConstantTicks); ok {
		for i, t := range ticks {
			if err := m.admits(t.Value); err != nil {
				return fmt.Errorf("tick %d %w", i, err)
			}
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

// share returns where u is between the ends.
func (s span) share(u float64) float64 { return (u - s.lo) / (s.hi - s.lo) }

// grown returns the interval with more at both ends.
func (s span) grown(by float64) span { return span{s.lo - by, s.hi + by, true} }

// ends are those of the interval, crossed if it is empty.
func (s span) ends() (lo, hi float64) {
	if !s.seen {
		return math.Inf(1), math.Inf(-1)
	}
	return s.lo, s.hi
}

// limits turns the data's span into the axis' limits: fixed ones as they are, others with a margin
// on both sides if it is wanted.
func (a Axis) limits(m mapping, margin bool) span {
	s := m.span
	switch {
	case a.fixed():
		return m.within(a.Min, a.Max).span
	case !s.seen:
		return span{0, 1, true}
	case m.other != nil && s.lo < s.hi:
		return s
	case m.constant(s):
		half := math.Max(s.largest(), 1) / 2
		if m.scale != Linear {
			half = math.Max(1e-6*s.largest(), 1) / 2
		}
		return s.grown(half)
	case margin:
		return s.grown(0.05 * (s.hi - s.lo))
	}
	return s
}

// constant reports whether a span is nothing but rounding: a trillionth of its
// ends, or on a logarithmic axis 1e-10 decades, which is 1e5 roundings.
func (m mapping) constant(s span) bool {
	width := s.hi - s.lo
	return width <= 1e-12*s.largest() || m.scale != Linear && width <= 1e-10
}

func (s span) largest() float64 { return math.Max(math.Abs(s.lo), math.Abs(s.hi)) }
