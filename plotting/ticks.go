package plotting

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// Ticks are found in positions, and a tick's Value is one until a ticker hands it out:
// only so can an axis reach 10^(10^6).

// adaptive tickers draw as many ticks as fit.
type adaptive interface {
	marks(s span, n int) []plot.Tick
}

// ticker is what gonum's plotters see.
func (a Axis) ticker(m mapping) plot.Ticker {
	if a.Ticks != nil {
		return a.Ticks
	}
	return m.scale
}

// ticks returns the ticks of an axis, about n of them with labels, in positions.
func (a Axis) ticks(m mapping, n int) (inside []plot.Tick) {
	ticker := a.ticker(m)
	if t, ok := ticker.(adaptive); ok && m.other == nil {
		return t.marks(m.span, max(n, 2))
	}
	slack := 1e-9 * (m.hi - m.lo)
	for _, t := range ticker.Ticks(min(m.at(0), m.at(1)), max(m.at(0), m.at(1))) {
		if u := m.position(t.Value); u >= m.lo-slack && u <= m.hi+slack {
			inside = append(inside, plot.Tick{Value: u, Label: t.Label})
		}
	}
	return inside
}

// Counts is a ticker of whole numbers, for counts.
var Counts plot.Ticker = counts{}

type counts struct{}

func (c counts) Ticks(min, max float64) []plot.Tick { return c.marks(span{min, max, true}, 5) }

func (counts) marks(s span, n int) (out []plot.Tick) {
	for _, v := range multiples(s, tickStep(s, n, 1)) {
		out = append(out, plot.Tick{Value: v, Label: whole(v)})
	}
	return out
}

func (s Scale) marks(on span, n int) []plot.Tick {
	switch s &^ logged {
	case Log:
		return powers(on, n, false)
	case LogLog: // a logarithmic axis of exponents
		marks := powers(on, n, true)
		for i, m := range marks {
			if !m.IsMinor() {
				marks[i].Label = "10^{" + m.Label + "}"
			}
		}
		return marks
	}
	return roundNumbers(on, n)
}

// labelled counts: one number does not say how long the axis is.
func labelled(marks []plot.Tick) (n int) {
	for _, m := range marks {
		if !m.IsMinor() {
			n++
		}
	}
	return n
}

// roundNumbers are multiples of 1, 2 or 5 times a power of ten, at least two of
// them; on a span so short that its ends differ by roundings, the ends.
func roundNumbers(s span, n int) (out []plot.Tick) {
	width, largest := s.hi-s.lo, s.largest()
	if !(width > 1e-13*largest && width >= 1e-300 && width <= math.MaxFloat64) {
		return []plot.Tick{{Value: s.lo, Label: number(s.lo, -1)}, {Value: s.hi, Label: number(s.hi, -1)}}
	}
	step := tickStep(s, n, 0)
	exponent := int(math.Floor(math.Log10(step) + 1e-9))
	var shift int // a common power of ten, when plain digits would be too many
	if largest >= 1e6 || largest < 1e-3 {
		shift = int(math.Floor(math.Log10(largest)))
	}
	for _, v := range multiples(s, step) {
		label := number(v/math.Pow(10, float64(shift)), max(0, shift-exponent))
		switch {
		case v == 0:
			label = "0"
		case shift != 0:
			label += "×10^{" + whole(float64(shift)) + "}"
		}
		out = append(out, plot.Tick{Value: v, Label: label})
	}
	return out
}

func multiples(s span, step float64) (out []float64) {
	first := math.Ceil(s.lo/step - 1e-9)
	for i := range int(math.Floor(s.hi/step+1e-9)-first) + 1 {
		out = append(out, (first+float64(i))*step)
	}
	return out
}

// roundStep returns the smallest 1, 2 or 5 times a power of ten that is not below x.
func roundStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// tickStep is a round step for n multiples, of which at least two are in s, but at least a least one.
func tickStep(s span, n int, least float64) float64 {
	step := math.Max(least, roundStep((s.hi-s.lo)/float64(n)))
	for step > least && !math.IsInf(step, 1) && len(multiples(s, step)) < 2 {
		step = math.Max(least, roundStep(step/2.5))
	}
	return step
}

// powers are the ticks of a logarithmic axis: decades, or parts of them if it is short.
func powers(s span, n int, exponents bool) []plot.Tick {
	if marks := decades(s, n, exponents); s.hi-s.lo >= 1.2 && labelled(marks) >= 2 {
		return marks
	}
	return withinDecade(s, n)
}

// decades are powers of ten whose exponents are round numbers. Small ones are written with
// all digits if all of them are small, or if they are exponents themselves.
func decades(s span, n int, exponents bool) (out []plot.Tick) {
	wide := s.grown(s.slack())
	step := tickStep(wide, n, 1)
	powers := multiples(wide, step)
	plain := step == 1 && len(powers) > 0 && powers[0] >= -2 && powers[len(powers)-1] <= 3
	for _, k := range powers {
		label := "10^{" + whole(k) + "}"
		if plain || exponents && k >= -4 && k <= 3 {
			label = number(math.Pow(10, k), max(0, int(-k)))
		}
		out = append(out, plot.Tick{Value: s.clamp(k), Label: label})
	}
	for i := 0; step == 1 && s.hi-s.lo <= 4 && i < 6; i++ {
		for m := 2.0; m < 10; m++ {
			if u := math.Floor(s.lo) + float64(i) + math.Log10(m); u >= s.lo && u <= s.hi {
				out = append(out, plot.Tick{Value: u})
			}
		}
	}
	return out
}

// slack is how far outside the limits a power of ten still gets its tick, at the end of the axis:
// data that begin at 10.01 deserve the tick of 10.
func (s span) slack() float64 { return 0.003 * (s.hi - s.lo) }

func (s span) nearly(u float64) bool { return u >= s.lo-s.slack() && u <= s.hi+s.slack() }

func (s span) clamp(u float64) float64 { return math.Min(s.hi, math.Max(s.lo, u)) }

// whole writes a whole number, with all digits as long as they are certain.
func whole(k float64) string {
	if math.Abs(k) < 1e15 {
		return number(k, 0)
	}
	return number(k, -1)
}

// withinDecade are 1, 2 and 5 times powers of ten, for a short logarithmic axis, or round numbers
// where even those are fewer than two.
func withinDecade(s span, n int) (out []plot.Tick) {
	base := math.Floor(s.lo)
	add := func(u float64, label string) {
		if s.nearly(u) {
			out = append(out, plot.Tick{Value: s.clamp(u), Label: label})
		}
	}
	for k := base; k < base+4; k++ {
		for _, m := range []float64{1, 2, 5} {
			add(k+math.Log10(m), multiple(m, k))
		}
	}
	if len(out) >= 2 {
		return out
	}
	unit, power := 0.0, "" // a common power of ten, where plain digits would be too many
	if math.Abs(base) > 4 {
		unit, power = base, "×10^{"+whole(base)+"}"
	}
	out = nil
	for _, m := range roundNumbers(span{math.Pow(10, s.lo-unit), math.Pow(10, s.hi-unit), true}, n) {
		add(unit+math.Log10(m.Value), m.Label+power)
	}
	return out
}

// multiple writes m·10^k.
func multiple(m, k float64) string {
	switch {
	case k >= -4 && k <= 4:
		return number(m*math.Pow(10, k), max(0, int(-k)))
	case m == 1:
		return "10^{" + whole(k) + "}"
	}
	return number(m, 0) + "×10^{" + whole(k) + "}"
}

// number writes v with a true minus sign; digits < 0 means as many as needed.
func number(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if a := math.Abs(v); digits < 0 && (a >= 1e6 || a < 1e-4) && a > 0 {
		s = strconv.FormatFloat(v, 'g', 4, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok {
			k, _ := strconv.Atoi(exponent)
			s = mantissa + "×10^{" + whole(float64(k)) + "}"
		}
	}
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}
