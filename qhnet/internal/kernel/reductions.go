package kernel

import "math"

// Sum returns Σ x_i.
func Sum(x []float64) (sum float64) {
	read(x)
	switch {
	case len(x) == 0:
	case active == avx512:
		return sumAVX512(&x[0], len(x))
	case active == avx2:
		return sumAVX2(&x[0], len(x))
	default:
		for _, v := range x {
			sum += v
		}
	}
	return sum
}

// Max returns the largest value, NaN if one of them is, -Inf if there is none.
func Max(x []float64) float64 {
	read(x)
	if active == avx512 && len(x) >= 8 {
		if v, ok := largestAVX512(&x[0], len(x)); ok {
			return v
		}
	} else if active == avx2 && len(x) >= 4 {
		if v, ok := largestAVX2(&x[0], len(x)); ok {
			return v
		}
	}
	largest := math.Inf(-1)
	for _, v := range x {
		largest = max(largest, v)
	}
	return largest
}

// Min returns the smallest value, NaN if one of them is, +Inf if there is none.
func Min(x []float64) float64 {
	read(x)
	if active == avx512 && len(x) >= 8 {
		if v, ok := smallestAVX512(&x[0], len(x)); ok {
			return v
		}
	} else if active == avx2 && len(x) >= 4 {
		if v, ok := smallestAVX2(&x[0], len(x)); ok {
			return v
		}
	}
	smallest := math.Inf(1)
	for _, v := range x {
		smallest = min(smallest, v)
	}
	return smallest
}
