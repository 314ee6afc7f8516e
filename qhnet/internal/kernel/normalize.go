package kernel

// Affine sets dst to factor·x + term. The slices have one length and may be the
// same, here and below.
func Affine(dst, x []float64, factor, term float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		affineAVX512(&dst[0], &x[0], len(dst), factor, term)
	case active == avx2:
		affineAVX2(&dst[0], &x[0], len(dst), factor, term)
	default:
		for i, v := range x {
			dst[i] = factor*v + term
		}
	}
}

// AffineBy sets dst to factors ⊙ x + terms, entry by entry.
func AffineBy(dst, x, factors, terms []float64) {
	x, factors, terms = x[:len(dst)], factors[:len(dst)], terms[:len(dst)]
	read(x)
	read(factors)
	read(terms)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		affineByAVX512(&dst[0], &x[0], &factors[0], &terms[0], len(dst))
	case active == avx2:
		affineByAVX2(&dst[0], &x[0], &factors[0], &terms[0], len(dst))
	default:
		for i, v := range x {
			dst[i] = factors[i]*v + terms[i]
		}
	}
}

// Project sets dst to (x - mean - dot·z)·scale: what a normalization with the
// result z makes of a derivative.
func Project(dst, x, z []float64, mean, dot, scale float64) {
	x, z = x[:len(dst)], z[:len(dst)]
	read(x)
	read(z)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		projectAVX512(&dst[0], &x[0], &z[0], len(dst), mean, dot, scale)
	case active == avx2:
		projectAVX2(&dst[0], &x[0], &z[0], len(dst), mean, dot, scale)
	default:
		for i, v := range x {
			dst[i] = (v - mean - dot*z[i]) * scale
		}
	}
}

// ProjectBy is [Project] with a mean, a dot and a scale for each entry.
func ProjectBy(dst, x, z, means, dots, scales []float64) {
	x, z = x[:len(dst)], z[:len(dst)]
	means, dots, scales = means[:len(dst)], dots[:len(dst)], scales[:len(dst)]
	read(x)
	read(z)
	read(means)
	read(dots)
	read(scales)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		projectByAVX512(&dst[0], &x[0], &z[0], &means[0], &dots[0], &scales[0], len(dst))
	case active == avx2:
		projectByAVX2(&dst[0], &x[0], &z[0], &means[0], &dots[0], &scales[0], len(dst))
	default:
		for i, v := range x {
			dst[i] = (v - means[i] - dots[i]*z[i]) * scales[i]
		}
	}
}

// Moments returns Σ x_i and Σ x_i z_i.
func Moments(x, z []float64) (sum, product float64) {
	z = z[:len(x)]
	read(x)
	read(z)
	switch {
	case len(x) == 0:
	case active == avx512:
		return momentsAVX512(&x[0], &z[0], len(x))
	case active == avx2:
		return momentsAVX2(&x[0], &z[0], len(x))
	default:
		for i, v := range x {
			sum += v
			product += v * z[i]
		}
	}
	return sum, product
}

// AddMoments adds x to sum and x ⊙ z to product.
func AddMoments(sum, product, x, z []float64) {
	product, x, z = product[:len(sum)], x[:len(sum)], z[:len(sum)]
	read(x)
	read(z)
	write(sum)
	write(product)
	switch {
	case len(sum) == 0:
	case active == avx512:
		addMomentsAVX512(&sum[0], &product[0], &x[0], &z[0], len(sum))
	case active == avx2:
		addMomentsAVX2(&sum[0], &product[0], &x[0], &z[0], len(sum))
	default:
		for i, v := range x {
			sum[i] += v
			product[i] += v * z[i]
		}
	}
}

// Multiply sets dst to x ⊙ y.
func Multiply(dst, x, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	read(x)
	read(y)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		multiplyAVX512(&dst[0], &x[0], &y[0], len(dst))
	case active == avx2:
		multiplyAVX2(&dst[0], &x[0], &y[0], len(dst))
	default:
		for i, v := range x {
			dst[i] = v * y[i]
		}
	}
}

// AddProducts adds x ⊙ y to dst.
func AddProducts(dst, x, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	read(x)
	read(y)
	write(dst)
	switch {
	case len(dst) == 0:
	case active == avx512:
		addProductsAVX512(&dst[0], &x[0], &y[0], len(dst))
	case active == avx2:
		addProductsAVX2(&dst[0], &x[0], &y[0], len(dst))
	default:
		for i, v := range x {
			dst[i] += v * y[i]
		}
	}
}
