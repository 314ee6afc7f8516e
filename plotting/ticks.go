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

// marks returns the ticks of an axis within its limits, at most n with labels.
func (a Axis) marks(s span, n int) []mark {
	n = max(n, 2)
	if a.Ticks != nil {
		return a.givenMarks(s)
	}
	switch {
	case a.Scale == LogLog:
		return doubleDecades(s, n)
	case a.Scale == Log && s.hi-s.lo >= 1.2:
		return decades(s, n)
	case a.Scale == Log:
		return withinDecade(s, n)
	}
	return roundNumbers(s, n)
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
			label = number(t.At, -1)
		}
		out = append(out, mark{u, label})
	}
	return out
}

// roundNumbers are multiples of 1, 2 or 5 times a power of ten, at least two of
// them.
func roundNumbers(s span, n int) []mark {
	step := roundStep((s.hi - s.lo) / float64(n))
	for multiples(s, step) < 2 {
		step = roundStep(step / 2.5)
	}
	exponent := int(math.Floor(math.Log10(step) + 1e-9))
	largest := math.Max(math.Abs(s.lo), math.Abs(s.hi))
	var shift int // a common power of ten, when plain digits would be too many
	if largest >= 1e6 || largest < 1e-3 {
		shift = int(math.Floor(math.Log10(largest)))
	}
	digits := max(0, shift-exponent)
	unit := math.Pow(10, float64(shift))
	var out []mark
	for k := math.Ceil(s.lo/step - 1e-9); k*step <= s.hi+1e-9*step; k++ {
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

// decades are powers of ten whose exponents are round numbers.
func decades(s span, n int) []mark {
	step := math.Max(1, roundStep((s.hi-s.lo)/float64(n)))
	first, last := math.Ceil((s.lo-s.slack())/step), math.Floor((s.hi+s.slack())/step)
	plain := step == 1 && first >= -2 && last <= 3
	var out []mark
	for k := first; k <= last; k++ {
		out = append(out, mark{s.clamp(k * step), power(int(k*step), plain)})
	}
	if step == 1 && s.hi-s.lo <= 4 {
		for k := math.Floor(s.lo); k <= s.hi; k++ {
			for m := 2.0; m < 10; m++ {
				if u := k + math.Log10(m); u >= s.lo && u <= s.hi {
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

func power(k int, plain bool) string {
	if plain {
		return number(math.Pow(10, float64(k)), max(0, -k))
	}
	return "10^{" + integer(k) + "}"
}

// withinDecade are 1, 2 and 5 times powers of ten, for a logarithmic axis so short
// that powers of ten alone would leave it bare, or round numbers where even those
// are fewer than two.
func withinDecade(s span, n int) []mark {
	var out []mark
	for k := math.Floor(s.lo); k <= s.hi; k++ {
		for _, m := range []float64{1, 2, 5} {
			if u := k + math.Log10(m); u >= s.lo-s.slack() && u <= s.hi+s.slack() {
				out = append(out, mark{s.clamp(u), multiple(m, int(k))})
			}
		}
	}
	if len(out) >= 2 {
		return out
	}
	out = nil
	for _, m := range roundNumbers(span{math.Pow(10, s.lo), math.Pow(10, s.hi), true}, n) {
		if m.u > 0 {
			out = append(out, mark{math.Log10(m.u), m.label})
		}
	}
	return out
}

// multiple writes m·10^k.
func multiple(m float64, k int) string {
	switch {
	case k >= -4 && k <= 4:
		return number(m*math.Pow(10, float64(k)), max(0, -k))
	case m == 1:
		return "10^{" + integer(k) + "}"
	}
	return number(m, 0) + "×10^{" + integer(k) + "}"
}

// doubleDecades are 10^1, 10^10, 10^100, 10^1000, 10^(10^4), … on an axis whose
// position is the logarithm of the exponent; short axes get 2 and 5 as well.
func doubleDecades(s span, n int) []mark {
	step := math.Max(1, roundStep((s.hi-s.lo)/float64(n)))
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

func doublePower(k int) string {
	switch {
	case k < 0:
		return "10^{" + number(math.Pow(10, float64(k)), -k) + "}"
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
