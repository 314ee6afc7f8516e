package qhnet

import "math"

// timekeeper integrates physical time along a flow from the path alone. With
// u = log(1/L) and h(u) = ds/du = 1/‖g‖²,
//
//	t = ∫ e^u h(u) du,   s = ∫ h(u) du,
//
// where u soon passes the largest exponent of float64, so t is kept as log t.
// Between the two ends and the middle of a stretch, log h is a quadratic in u.
type timekeeper struct {
	LogTime float64 // log t, -∞ at the start
	Scaled  float64 // s
	U, LogH float64 // at the end of the last stretch
}

func newTimekeeper(u, g2 float64) timekeeper {
	return timekeeper{LogTime: math.Inf(-1), U: u, LogH: -math.Log(g2)}
}

// advance adds a stretch from the last end over the point (um, log hm) to (u1, log h1).
func (k *timekeeper) advance(um, logHm, u1, logH1 float64) {
	width := u1 - k.U
	if !(width > 0) {
		k.U, k.LogH = u1, logH1
		return
	}
	p := parabola(-width, k.LogH, um-u1, logHm, logH1)
	k.Scaled += integrateExp(-width, func(x float64) float64 { return p(x) })
	// Below -45, e^x is under the spacing of float64 at 1.
	grown := integrateExp(max(-width, -45), func(x float64) float64 { return x + p(x) })
	k.LogTime = logAdd(k.LogTime, u1+math.Log(grown))
	k.U, k.LogH = u1, logH1
}

// parabola returns the quadratic through (a, fa), (b, fb) and (0, f0), or the
// line through the outer two if b is not clearly between them.
func parabola(a, fa, b, fb, f0 float64) func(x float64) float64 {
	slope := (f0 - fa) / -a
	bend := 0.0
	if b > 0.99*a && b < 0.01*a {
		bend = (fb - f0 - slope*b) / (b * (b - a))
	}
	return func(x float64) float64 { return f0 + slope*x + bend*x*(x-a) }
}

// gauss holds the nodes and weights of the 4-point Gauss-Legendre rule on
// [-1, 1] (Abramowitz and Stegun, table 25.4).
var gauss = [...]struct{ x, w float64 }{
	{-0.861136311594052575, 0.347854845137453857},
	{-0.339981043584856265, 0.652145154862546143},
	{0.339981043584856265, 0.652145154862546143},
	{0.861136311594052575, 0.347854845137453857},
}

// integrateExp returns ∫_a^0 e^{f(x)} dx by panels of width at most 1, or by 64
// panels if that is fewer.
func integrateExp(a float64, f func(x float64) float64) float64 {
	panels := min(math.Ceil(-a), 64)
	half := -a / panels / 2
	sum := 0.0
	for centre := a + half; centre < 0; centre += 2 * half {
		for _, g := range gauss {
			sum += g.w * math.Exp(f(centre+half*g.x))
		}
	}
	return sum * half
}

// logAdd returns log(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
