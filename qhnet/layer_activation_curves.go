package qhnet

import "math"

// Tanh is the hyperbolic tangent. It is not homogeneous of any degree.
func Tanh() Layer { return smooth{"tanh", tanhCurve} }

// GELU is hΦ(h), Φ the normal distribution function (Hendrycks and Gimpel,
// arXiv:1606.08415). It is not homogeneous, but asymptotically of degree 1.
func GELU() Layer { return smooth{"gelu", geluCurve} }

// Softplus is log(1 + e^h). It is not homogeneous, but asymptotically of
// degree 1.
func Softplus() Layer { return smooth{"softplus", softplusCurve} }

// curve is a function of one variable with two derivatives.
type curve struct {
	value, slope, curvature func(h float64) float64
}

func absPowerCurve(k float64) curve {
	if k == 2 {
		return squareCurve
	}
	r := reluPowerCurve(k)
	return curve{
		value:     func(h float64) float64 { return r.value(math.Abs(h)) },
		slope:     func(h float64) float64 { return math.Copysign(r.slope(math.Abs(h)), h) },
		curvature: func(h float64) float64 { return r.curvature(math.Abs(h)) },
	}
}

// reluPowerCurve has curvature 0 at the kink, also where the limits from right
// and left differ or are infinite.
func reluPowerCurve(k float64) curve {
	return curve{
		value: func(h float64) float64 { return positivePower(h, k) },
		slope: func(h float64) float64 { return k * positivePower(h, k-1) },
		curvature: func(h float64) float64 {
			if k == 1 {
				return 0
			}
			return k * (k - 1) * positivePower(h, k-2)
		},
	}
}

// positivePower is h^k for h > 0 and otherwise 0.
func positivePower(h, k float64) float64 {
	switch {
	case h <= 0:
		return 0
	case k == 0:
		return 1
	case k == 1:
		return h
	case k == 2:
		return h * h
	}
	return math.Pow(h, k)
}

var squareCurve = curve{
	value:     func(h float64) float64 { return h * h },
	slope:     func(h float64) float64 { return 2 * h },
	curvature: func(float64) float64 { return 2 },
}

var tanhCurve = curve{
	value: math.Tanh,
	slope: func(h float64) float64 { t := math.Tanh(h); return (1 - t) * (1 + t) },
	curvature: func(h float64) float64 {
		t := math.Tanh(h)
		return -2 * t * (1 - t) * (1 + t)
	},
}

var geluCurve = curve{
	value:     func(h float64) float64 { return h * normalDistribution(h) },
	slope:     func(h float64) float64 { return normalDistribution(h) + h*normalDensity(h) },
	curvature: func(h float64) float64 { return (2 - h*h) * normalDensity(h) },
}

func normalDistribution(h float64) float64 { return math.Erfc(-h/math.Sqrt2) / 2 }

func normalDensity(h float64) float64 { return math.Exp(-h*h/2) / math.Sqrt(2*math.Pi) }

var softplusCurve = curve{
	value:     softplus,
	slope:     logisticFunction,
	curvature: func(h float64) float64 { return logisticFunction(h) * logisticFunction(-h) },
}

func logisticFunction(h float64) float64 { return 1 / (1 + math.Exp(-h)) }
