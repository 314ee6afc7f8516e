package kernel

import "math"

// Exp sets dst to e^{scale·x + shift} and returns the sum of it. The exponent
// is rounded once, so it is exact where scale·x + shift is, and e^y is within
// one unit in the last place. A NaN stays one. The slices have one length and
// may be the same.
//
// With scale 1 and shift -max x, dst/sum is softmax(x) and max x + log sum is
// log Σ e^x; with scale -1 and shift min x the same for -x. [Max] and [Min] give
// the shifts.
func Exp(dst, x []float64, scale, shift float64) (sum float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		return expAVX512(&dst[0], &x[0], len(dst), scale, shift)
	case active == avx2:
		return expAVX2(&dst[0], &x[0], len(dst), scale, shift)
	default:
		for i, v := range x {
			dst[i] = math.Exp(math.FMA(scale, v, shift))
			sum += dst[i]
		}
	}
	return sum
}
