package kernel

import "math"

// Softplus returns log(1 + e^z).
func Softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }

// Sigmoid returns 1/(1 + e^{-z}), the slope of Softplus.
func Sigmoid(z float64) float64 { return math.Exp(min(z, 0)) / (1 + math.Exp(-math.Abs(z))) }
