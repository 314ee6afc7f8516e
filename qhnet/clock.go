package qhnet

import (
	"fmt"
	"math"
)

// Clock is the independent variable of a flow. The path of gradient flow does
// not depend on the speed at which it is traced; the cost of tracing it does.
// With g = -∇ log L, every clock c is dθ/dc = σ g:
//
//	Time         σ = L         the definition; useless late
//	Scaled       σ = 1         s with ds = L dt, gradient flow of -log L
//	LogLoss      σ = 1/‖g‖²    log(1/L)
//	LogLogLoss   σ = c/‖g‖²    log log(1/L), uniform progress late
//	ArcLength    σ = 1/‖g‖
type Clock int

// The clocks. Automatic is Scaled until the points are separated and L ≤ 1/e,
// and LogLogLoss from then on.
const (
	Automatic Clock = iota
	Time
	Scaled
	LogLoss
	LogLogLoss
	ArcLength
)

// String returns the name of the clock.
func (c Clock) String() string {
	names := [...]string{"automatic", "time t", "scaled time s", "log(1/L)", "log log(1/L)", "arc length"}
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("Clock(%d)", int(c))
	}
	return names[c]
}

// speed returns σ at the value c of the clock, and the power p for which
// ∇σ = -p σ H g/‖g‖² (with H the Jacobian of g) when L itself is not involved.
func (c Clock) speed(value, logLoss, g2 float64) (sigma, power float64) {
	switch c {
	case Time:
		return math.Exp(logLoss), 0
	case Scaled:
		return 1, 0
	case LogLoss:
		return 1 / g2, 2
	case LogLogLoss:
		return math.Exp(value) / g2, 2
	case ArcLength:
		return 1 / math.Sqrt(g2), 1
	}
	panic(fmt.Sprintf("qhnet: %v is not a clock to integrate in", c))
}

// reading returns the value of the clock at a state where it has an absolute
// meaning, and 0 where it counts from the start of the flow.
func (c Clock) reading(logLoss float64) float64 {
	switch c {
	case LogLoss:
		return -logLoss
	case LogLogLoss:
		return math.Log(-logLoss)
	}
	return 0
}

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
