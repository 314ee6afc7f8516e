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
