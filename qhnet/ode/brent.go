package ode

import "math"

// brent finds a root of f between a and b, where f has the values fa and fb of
// opposite sign, to the spacing of float64 at the root: inverse quadratic
// interpolation and secant steps, safeguarded by bisection. The result lies on
// the side of b: f has the sign of fb there, or is zero.
//
// R. P. Brent, Algorithms for Minimization without Derivatives, 1973, chapter 4.
func brent(f func(float64) float64, a, b, fa, fb float64) float64 {
	endSign := math.Signbit(fb)
	if fb == 0 {
		return b
	}
	c, fc := a, fa
	d, e := b-a, b-a
	for {
		if math.Abs(fc) < math.Abs(fb) {
			a, b, c = b, c, b
			fa, fb, fc = fb, fc, fb
		}
		tol := spacing(b)
		half := (c - b) / 2
		if fb == 0 || math.Abs(half) <= tol {
			if fb != 0 && math.Signbit(fb) != endSign {
				return c
			}
			return b
		}
		d, e = brentStep(a, b, c, fa, fb, fc, d, e, tol)
		a, fa = b, fb
		if math.Abs(d) > tol {
			b += d
		} else {
			b += math.Copysign(tol, half)
		}
		fb = f(b)
		if math.Signbit(fb) == math.Signbit(fc) {
			c, fc = a, fa
			d = b - a
			e = d
		}
	}
}

// brentStep returns the next correction d of b and the one before it, e.
func brentStep(a, b, c, fa, fb, fc, d, e, tol float64) (float64, float64) {
	half := (c - b) / 2
	if math.Abs(e) < tol || math.Abs(fa) <= math.Abs(fb) {
		return half, half
	}
	s := fb / fa
	var p, q float64
	if a == c {
		p, q = 2*half*s, 1-s
	} else {
		r, v := fb/fc, fa/fc
		p = s * (2*half*v*(v-r) - (b-a)*(r-1))
		q = (v - 1) * (r - 1) * (s - 1)
	}
	if p > 0 {
		q = -q
	}
	p = math.Abs(p)
	if 2*p < math.Min(3*half*q-math.Abs(tol*q), math.Abs(e*q)) {
		return p / q, d
	}
	return half, half
}

// spacing returns the distance of |x| to the next float64.
func spacing(x float64) float64 {
	x = math.Abs(x)
	return math.Nextafter(x, math.Inf(1)) - x
}
