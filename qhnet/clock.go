package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Clock is the independent variable of a flow. The speed at which the path of gradient flow
// is traced decides what that costs. With g = -∇ log L, every clock c is dθ/dc = σ g:
//
//	Time         σ = L         the definition; useless late
//	Scaled       σ = 1         s with ds = L dt, gradient flow of -log L
//	LogLoss      σ = 1/‖g‖²    log(1/L)
//	LogLogLoss   σ = c/‖g‖²    log log(1/L), uniform progress late
//	ArcLength    σ = 1/‖g‖
type Clock int

// Automatic is Scaled until the points are separated and L ≤ 1/e, and LogLogLoss from then on.
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

// steering is how fast errors of a clock that tells u decay, in log log(1/L). It must not make
// the flow stiff.
const steering = 10

// speed returns σ at the value c of the clock, and what makes up its gradient,
//
//	∇σ = -power σ H g/‖g‖² - steer g,
//
// with H the Jacobian of g. A clock that tells u = log(1/L) runs faster where the loss shows
// that it is late, and slower where it is ahead; the exact flow never is either.
func (c Clock) speed(value, logLoss, g2 float64) (sigma, power, steer float64) {
	switch c {
	case Time:
		return math.Exp(logLoss), 0, math.Exp(logLoss)
	case Scaled:
		return 1, 0, 0
	case LogLoss:
		steer = steering / max(1, math.Abs(value))
		return (1 + steer*(value+logLoss)) / g2, 2, steer / g2
	case LogLogLoss:
		u := math.Exp(value)
		return (u + steering*(u+logLoss)) / g2, 2, steering / g2
	case ArcLength:
		return 1 / math.Sqrt(g2), 1, 0
	}
	panic(fmt.Sprintf("qhnet: %v is not a clock to integrate in", c))
}

// reading returns the value of a clock that has an absolute meaning, and 0 otherwise.
func (c Clock) reading(logLoss float64) float64 {
	switch c {
	case LogLoss:
		return -logLoss
	case LogLogLoss:
		return math.Log(-logLoss)
	}
	return 0
}

// timekeeper integrates physical time along a flow from the path alone. With u = log(1/L) and
// h(u) = ds/du = 1/‖g‖²,
//
//	t = ∫ e^u h(u) du,   s = ∫ h(u) du,
//
// and log t is kept, good to 1e-4 or so, as t soon overflows. Along a stretch, log h is a
// quadratic in u: through its two ends and its middle or, if it is narrow, the end before.
type timekeeper struct {
	LogTime float64    // log t, -∞ at the start
	Scaled  float64    // s
	U, LogH float64    // at the end of the last stretch
	Third   [2]float64 // u and log h at its start, or in the middle of the one to come
}

func newTimekeeper(u, g2 float64) timekeeper {
	logH := -math.Log(g2)
	return timekeeper{LogTime: math.Inf(-1), U: u, LogH: logH, Third: [2]float64{u, logH}}
}

// narrow reports whether a stretch to u needs no point in its middle.
func (k *timekeeper) narrow(u float64) bool {
	width := u - k.U
	return width < 0.01*max(1, math.Abs(u)) && k.U-k.Third[0] > 0.1*width
}

// advance adds a stretch from the last end to (u, log h).
func (k *timekeeper) advance(u, logH float64) {
	width := u - k.U
	if width > 0 {
		p := parabola(-width, k.LogH, k.Third[0]-u, k.Third[1], logH)
		k.Scaled += integrateExp(-width, math.Abs(logH-k.LogH), p)
		// Below -45, e^x is under the spacing of float64 at 1.
		from := max(-width, -45)
		added := u + math.Log(integrateExp(from, -from, func(x float64) float64 { return x + p(x) }))
		k.LogTime = floats.LogSumExp([]float64{k.LogTime, added})
	}
	k.Third, k.U, k.LogH = [2]float64{k.U, k.LogH}, u, logH
}

// parabola returns the quadratic through (a, fa), (b, fb) and (0, f0), or the
// line through the first and last if b is too close to one of them.
func parabola(a, fa, b, fb, f0 float64) func(x float64) float64 {
	slope := (f0 - fa) / -a
	bend := 0.0
	if b > 0.99*a && b < 0.01*a || b < 1.1*a {
		bend = (fb - f0 - slope*b) / (b * (b - a))
	}
	return func(x float64) float64 { return f0 + slope*x + bend*x*(x-a) }
}

// gauss is the 4-point Gauss-Legendre rule on [-1, 1] (Abramowitz and Stegun, table 25.4).
var gauss = [...]struct{ x, w float64 }{
	{-0.861136311594052575, 0.347854845137453857},
	{-0.339981043584856265, 0.652145154862546143},
	{0.339981043584856265, 0.652145154862546143},
	{0.861136311594052575, 0.347854845137453857},
}

// integrateExp returns ∫_a^0 e^{f(x)} dx, with a panel for each unit by which f changes.
func integrateExp(a, change float64, f func(x float64) float64) float64 {
	panels := min(max(math.Ceil(change), 1), 64)
	half := -a / panels / 2
	sum := 0.0
	for centre := a + half; centre < 0; centre += 2 * half {
		for _, g := range gauss {
			sum += g.w * math.Exp(f(centre+half*g.x))
		}
	}
	return sum * half
}
