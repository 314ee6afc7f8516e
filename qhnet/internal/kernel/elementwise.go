package kernel

// Rectify sets dst to max(0, x). A NaN stays one. The slices have one length
// and may be the same.
func Rectify(dst, x []float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		rectifyAVX512(&dst[0], &x[0], len(dst))
	case active == avx2:
		rectifyAVX2(&dst[0], &x[0], len(dst))
	default:
		for i, v := range x {
			if v < 0 {
				v = 0
			}
			dst[i] = v
		}
	}
}

// Gate sets dst to x where gate > 0 and to 0 elsewhere: the derivative of
// [Rectify] at gate, or at its value there, times x. The slices have one length and
// dst and x may be the same.
func Gate(dst, x, gate []float64) {
	x, gate = x[:len(dst)], gate[:len(dst)]
	read(x)
	read(gate)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		gateAVX512(&dst[0], &x[0], &gate[0], len(dst))
	case active == avx2:
		gateAVX2(&dst[0], &x[0], &gate[0], len(dst))
	default:
		for i, v := range x {
			if !(gate[i] > 0) {
				v = 0
			}
			dst[i] = v
		}
	}
}

// AddScaled adds c x to dst, of the same length.
func AddScaled(dst []float64, c float64, x []float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		addScaledAVX512(&dst[0], &x[0], len(dst), c)
	case active == avx2:
		addScaledAVX2(&dst[0], &x[0], len(dst), c)
	default:
		for i, v := range x {
			dst[i] += c * v
		}
	}
}
