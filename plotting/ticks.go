package plotting

import (
	"math"
	"strconv"
	"strings"
)

// mark is a tick at a position; one without a label is minor.
type mark struct {
	u     float64
	label string
}

// marks returns the ticks of an axis within its limits, about n with labels and
// at least two.
func (a Axis) marks(s span, n int) []mark {
	n = max(n, 2)
	if a.Ticks != nil {
		return a.givenMarks(s)
	}
	switch a.Scale {
	case LogLog:
		return atLeastTwo(doubleDecades(s, n), func() []mark { return exponents(s, n) })
	case Log:
		if s.hi-s.lo < 1.2 {
			return withinDecade(s, n)
		}
		return atLeastTwo(decades(s, n), func() []mark { return withinDecade(s, n) })
	}
	return roundNumbers(s, n)
}

// atLeastTwo returns the marks, or others if fewer than two have labels: one
// number does not say how long the axis is.
func atLeastTwo(marks []mark, others func() []mark) []mark {
	labels := 0
	for _, m := range marks {
		if m.label != "" {
			labels++
		}
	}
	if labels < 2 {
		return others()
	}
	return marks
}

func (a Axis) givenMarks(s span) []mark {
	var out []mark
	for _, t := range a.Ticks {
		u := a.position(t.At)
		if u < s.lo-1e-9*(s.hi-s.lo) || u > s.hi+1e-9*(s.hi-s.lo) {
			continue
		}
		label := t.Label
		if label == "" {
			label = a.written(t.At)
		}
		out = append(out, mark{u, label})
	}
	return out
}

// written writes a datum: the number itself, of which Logged data are the natural
// logarithm.
func (a Axis) written(v float64) string {
	if !a.Logged {
		return number(v, -1)
	}
	if decimal := v / math.Ln10; math.Abs(decimal) >= 6 {
		return "10^{" + number(rounded(decimal), -1) + "}"
	}
	return number(rounded(math.Exp(v)), -1)
}

// rounded returns v to four digits.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return r
}

// roundNumbers are multiples of 1, 2 or 5 times a power of ten, at least two of
// them; on a span so short that its ends differ by roundings, the ends.
func roundNumbers(s span, n int) []mark {
	width := s.hi - s.lo
	if !(width > 1e-13*s.largest() && width >= 1e-300 && width <= math.MaxFloat64) {
		return []mark{{s.lo, number(s.lo, -1)}, {s.hi, number(s.hi, -1)}}
	}
	step := roundStep(width / float64(n))
	for multiples(s, step) < 2 {
		step = roundStep(step / 2.5)
	}
	exponent := int(math.Floor(math.Log10(step) + 1e-9))
	largest := s.largest()
	var shift int // a common power of ten, when plain digits would be too many
	if largest >= 1e6 || largest < 1e-3 {
		shift = int(math.Floor(math.Log10(largest)))
	}
	digits := max(0, shift-exponent)
	unit := math.Pow(10, float64(shift))
	var out []mark
	first := math.Ceil(s.lo/step - 1e-9)
	for i := range multiples(s, step) {
		k := first + float64(i)
		v := k * step
		label := number(v/unit, digits)
		if shift != 0 && k != 0 {
			label += "×10^{" + integer(shift) + "}"
		} else if k == 0 {
			label = "0"
		}
		out = append(out, mark{v, label})
	}
	return out
}

// multiples returns how many multiples of step are in s.
func multiples(s span, step float64) int {
	return int(math.Floor(s.hi/step+1e-9)-math.Ceil(s.lo/step-1e-9)) + 1
}

// roundStep returns the smallest 1, 2 or 5 times a power of ten that is not
// below x.
func roundStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// wholeStep is a round step of at least 1, with at least two multiples if 1 has.
func wholeStep(s span, n int) float64 {
	step := math.Max(1, roundStep((s.hi-s.lo)/float64(n)))
	for step > 1 && multiples(s, step) < 2 {
		step = math.Max(1, roundStep(step/2.5))
	}
	return step
}

// decades are powers of ten whose exponents are round numbers.
func decades(s span, n int) []mark {
	wide := span{s.lo - s.slack(), s.hi + s.slack(), true}
	step := wholeStep(wide, n)
	first := math.Ceil(wide.lo/step - 1e-9)
	count := multiples(wide, step)
	plain := step == 1 && first >= -2 && first+float64(count) <= 4
	var out []mark
	for i := range count {
		k := (first + float64(i)) * step
		out = append(out, mark{s.clamp(k), power(k, plain)})
	}
	if step == 1 && s.hi-s.lo <= 4 {
		for i := range 6 {
			for m := 2.0; m < 10; m++ {
				if u := math.Floor(s.lo) + float64(i) + math.Log10(m); u >= s.lo && u <= s.hi {
					out = append(out, mark{u: u})
				}
			}
		}
	}
	return out
}

// slack is how far outside the limits a power of ten still gets its tick, at the
// end of the axis: data that begin at 10.01 deserve the tick of 10, a point of
// print away at most.
func (s span) slack() float64 { return 0.003 * (s.hi - s.lo) }

func (s span) clamp(u float64) float64 { return math.Min(s.hi, math.Max(s.lo, u)) }

func power(k float64, plain bool) string {
	if plain {
		return number(math.Pow(10, k), max(0, int(-k)))
	}
	return "10^{" + exponent(k) + "}"
}

// exponent writes a whole number, with all digits as long as they are certain.
func exponent(k float64) string {
	if math.Abs(k) < 1e15 {
		return number(k, 0)
	}
	return number(k, -1)
}

// withinDecade are 1, 2 and 5 times powers of ten, for a logarithmic axis so short
// that powers of ten alone would leave it bare, or round numbers where even those
// are fewer than two.
func withinDecade(s span, n int) []mark {
	var out []mark
	base := math.Floor(s.lo)
	for i := range 4 {
		for _, m := range []float64{1, 2, 5} {
			k := base + float64(i)
			if u := k + math.Log10(m); u >= s.lo-s.slack() && u <= s.hi+s.slack() {
				out = append(out, mark{s.clamp(u), multiple(m, k)})
			}
		}
	}
	if len(out) >= 2 {
		return out
	}
	unit := 0.0 // a common power of ten, where plain digits would be too many
	if math.Abs(base) > 4 {
		unit = base
	}
	out = nil
	for _, m := range roundNumbers(span{math.Pow(10, s.lo-unit), math.Pow(10, s.hi-unit), true}, n) {
		if u := unit + math.Log10(m.u); u >= s.lo-s.slack() && u <= s.hi+s.slack() {
			if unit != 0 {
				m.label += "×10^{" + exponent(unit) + "}"
			}
			out = append(out, mark{s.clamp(u), m.label})
		}
	}
	return out
}

// multiple writes m·10^k.
func multiple(m, k float64) string {
	switch {
	case k >= -4 && k <= 4:
		return number(m*math.Pow(10, k), max(0, int(-k)))
	case m == 1:
		return "10^{" + exponent(k) + "}"
	}
	return number(m, 0) + "×10^{" + exponent(k) + "}"
}

// doubleDecades are 10^1, 10^10, 10^100, 10^1000, 10^(10^4), … on an axis whose
// position is the logarithm of the exponent; short axes get 2 and 5 as well.
func doubleDecades(s span, n int) []mark {
	step := wholeStep(s, n)
	var out []mark
	for k := math.Ceil(s.lo/step - 1e-9); k*step <= s.hi+1e-9; k++ {
		out = append(out, mark{k * step, doublePower(int(k * step))})
	}
	if 3*(s.hi-s.lo) > float64(n+1) || s.hi-s.lo > 3 {
		return out
	}
	for k := math.Floor(s.lo); k <= s.hi; k++ {
		for _, m := range []float64{2, 5} {
			u := k + math.Log10(m)
			if u >= s.lo && u <= s.hi && k >= 0 && k <= 3 {
				out = append(out, mark{u, "10^{" + integer(int(m*math.Pow(10, k))) + "}"})
			}
		}
	}
	return out
}

// exponents are powers of ten with round exponents, for a log-log axis shorter
// than a decade of the exponent.
func exponents(s span, n int) []mark {
	var out []mark
	for _, m := range roundNumbers(span{math.Pow(10, s.lo), math.Pow(10, s.hi), true}, n) {
		if u := math.Log10(m.u); u >= s.lo-s.slack() && u <= s.hi+s.slack() {
			out = append(out, mark{s.clamp(u), "10^{" + m.label + "}"})
		}
	}
	return out
}

func doublePower(k int) string {
	switch {
	case k < 0:
		return "10^{" + number(rounded(math.Pow(10, float64(k))), -1) + "}"
	case k <= 3:
		return "10^{" + integer(int(math.Pow(10, float64(k)))) + "}"
	}
	return "10^{10^{" + integer(k) + "}}"
}

// number writes v with a true minus sign; digits < 0 means as many as needed.
func number(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if a := math.Abs(v); digits < 0 && (a >= 1e6 || a < 1e-4) && a > 0 {
		s = strconv.FormatFloat(v, 'g', 4, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok {
			k, _ := strconv.Atoi(exponent)
			s = mantissa + "×10^{" + integer(k) + "}"
		}
	}
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

func integer(k int) string { return strings.Replace(strconv.Itoa(k), "-", "−", 1) }
