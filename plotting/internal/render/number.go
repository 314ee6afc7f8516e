package render

import (
	"math"
	"strconv"
)

// appendNumber writes x with two decimals and no trailing zeros: a hundredth of
// a point is finer than any printer.
func appendNumber(b []byte, x float64) []byte {
	return appendRounded(b, x, 100)
}

// appendRounded writes x rounded to multiples of 1/unit, unit a power of ten.
func appendRounded(b []byte, x, unit float64) []byte {
	k := int64(math.Round(x * unit))
	if k < 0 {
		b = append(b, '-')
		k = -k
	}
	u := int64(unit)
	b = strconv.AppendInt(b, k/u, 10)
	if k %= u; k == 0 {
		return b
	}
	b = append(b, '.')
	for k > 0 {
		u /= 10
		b = append(b, byte('0'+k/u))
		k %= u
	}
	return b
}

// rounded is x as appendNumber writes it.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }
