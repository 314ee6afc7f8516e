package nn

import (
	"fmt"
	"math"
	"strings"

	"qhlab/qhnet/internal/kernel"
)

// ReLU is max(h, 0).
func ReLU() Layer { return rectifier{"relu", 0} }

// LeakyReLU is h for h > 0 and slope·h otherwise.
func LeakyReLU(slope float64) Layer { return rectifier{"leakyrelu", slope} }

// AbsPower is |h|^k, positively homogeneous of degree k ≥ 1.
func AbsPower(k float64) Layer { return power{"abspower", k, true} }

// ReLUPower is max(h, 0)^k, positively homogeneous of degree k ≥ 1.
func ReLUPower(k float64) Layer { return power{"relupower", k, false} }

// Linear is the identity.
func Linear() Layer { return linear{} }

type linear struct{}

func (linear) stem() string { return "linear" }

func (linear) kind() Kind { return Other }

func (linear) lipschitz() float64 { return 1 }

func (linear) text() string { return "identity" }

func (linear) attach(p *plan, in wire) (wire, error) { return p.alias(in, in.shape), nil }

// activate adds a curve applied to each entry, with the given exponent.
func (p *plan) activate(in wire, e exponent, c curve) wire {
	trainable := p.trainable(in)
	out := p.wire(in.shape, trainable, e)
	p.stage(trainable, func(b *binding) operator {
		n := len(b.signals[in.id].value)
		return &activation{b.signals[in.id], b.signals[out.id], c, make([]float64, n), make([]float64, n)}
	})
	return out
}

type power struct {
	name     string
	degree   float64
	absolute bool
}

func (l power) stem() string { return l.name }

func (power) kind() Kind { return Other }

func (l power) text() string { return fmt.Sprintf("%s of degree %g", l.name, l.degree) }

func (l power) attach(p *plan, in wire) (wire, error) {
	if !(l.degree >= 1) || math.IsInf(l.degree, 1) {
		return wire{}, p.fail("has degree %v; it needs a finite degree ≥ 1 to have a derivative at 0", l.degree)
	}
	c := reluPowerCurve(l.degree)
	if l.absolute {
		c = absPowerCurve(l.degree)
	}
	return p.activate(in, in.exponent.times(l.degree), c), nil
}

type smooth struct {
	name  string
	curve curve
}

func (l smooth) stem() string { return l.name }

func (smooth) kind() Kind { return Other }

func (l smooth) text() string { return l.name }

func (l smooth) attach(p *plan, in wire) (wire, error) {
	p.require(in.exponent, nil, "bends differently at every size of its input, so its input must not scale at all.")
	return p.activate(in, nil, l.curve), nil
}

// activation applies a curve to each entry. It keeps the slopes and curvatures of the
// last forward, as a Jacobian needs them once a column.
type activation struct {
	in, out          *signal
	curve            curve
	slope, curvature []float64
}

func (o *activation) forward(_ []float64, points span) error {
	width := o.in.width
	o.curve.all(points.of(o.out.value, width), points.of(o.slope, width), points.of(o.curvature, width), points.of(o.in.value, width))
	return nil
}

func (o *activation) tangent(_, _ []float64, points span) {
	o.multiply(o.out.derivative, o.in.derivative, points)
}

func (o *activation) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.multiply(o.in.adjoint, o.out.adjoint, points)
	}
}

// multiply sets dst to the slope at the input times src.
func (o *activation) multiply(dst, src []float64, points span) {
	width := o.in.width
	kernel.Multiply(points.of(dst, width), points.of(o.slope, width), points.of(src, width))
}

func (o *activation) reverseTangent(_, _ []float64, points span) {
	width := o.in.width
	d, s := points.of(o.in.adjointTangent, width), points.of(o.out.adjointTangent, width)
	g, dh := points.of(o.out.adjoint, width), points.of(o.in.derivative, width)
	slope, curvature := points.of(o.slope, width), points.of(o.curvature, width)
	for i, c := range curvature {
		d[i] = slope[i]*s[i] + c*dh[i]*g[i]
	}
}

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

	// vector, if not nil, sets all three for many h at once.
	vector func(value, slope, curvature, h []float64)
}

func (c *curve) all(value, slope, curvature, h []float64) {
	if c.vector != nil {
		c.vector(value, slope, curvature, h)
		return
	}
	for i, h := range h {
		value[i], slope[i], curvature[i] = c.value(h), c.slope(h), c.curvature(h)
	}
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

var tanhCurve = curve{vector: kernel.TanhCurve}

var geluCurve = curve{
	value:     func(h float64) float64 { return h * normalDistribution(h) },
	slope:     func(h float64) float64 { return normalDistribution(h) + h*normalDensity(h) },
	curvature: func(h float64) float64 { return (2 - h*h) * normalDensity(h) },
}

func normalDistribution(h float64) float64 { return math.Erfc(-h/math.Sqrt2) / 2 }

func normalDensity(h float64) float64 { return math.Exp(-h*h/2) / math.Sqrt(2*math.Pi) }

var softplusCurve = curve{vector: kernel.SoftplusCurve}

// Activation applies any function φ of one variable to each entry. It is given by
// its value, slope φ' and curvature φ”, and by the degree k of its homogeneity,
//
//	φ(s h) = s^k φ(h) for s > 0,   k ≥ 1,
//
// or 0 if it has none: then the input of the layer must not scale, as with
// [Tanh]. The name is the stem of the layer's automatic name. The functions are
// called from several goroutines at once.
//
// [New] compares the derivatives with differences and the values with the
// degree at a few numbers, and returns an error if they disagree. Where φ has a
// kink, give the derivatives of one side; [qhnet.Margins.RoundKinks] does not round it,
// so a flow that comes to rest on it cannot go on.
func Activation(name string, degree float64, value, slope, curvature func(h float64) float64) Layer {
	if value == nil || slope == nil || curvature == nil {
		panic(fmt.Sprintf("qhnet: Activation %q: value, slope and curvature must not be nil", name))
	}
	return custom{name, degree, curve{value: value, slope: slope, curvature: curvature}}
}

type custom struct {
	name   string
	degree float64
	curve  curve
}

func (l custom) stem() string { return l.name }

func (custom) kind() Kind { return Other }

func (l custom) text() string {
	if l.degree == 0 {
		return l.name
	}
	return fmt.Sprintf("%s of degree %g", l.name, l.degree)
}

func (l custom) attach(p *plan, in wire) (wire, error) {
	if l.name == "" || strings.Contains(l.name, ".") {
		return wire{}, p.fail("is an Activation called %q; use a name without dots", l.name)
	}
	if err := l.check(); err != nil {
		return wire{}, p.fail("%v", err)
	}
	if l.degree == 0 {
		return smooth{l.name, l.curve}.attach(p, in)
	}
	return p.activate(in, in.exponent.times(l.degree), l.curve), nil
}

// check compares the functions with each other at numbers of both signs.
func (l custom) check() error {
	if l.degree != 0 && !(l.degree >= 1 && !math.IsInf(l.degree, 1)) {
		return fmt.Errorf("has degree %v; use a finite degree ≥ 1, or 0 if the function is not homogeneous", l.degree)
	}
	// Central differences of size 1e-6 have errors of about 1e-10.
	const step, tolerance = 1e-6, 1e-6
	for _, h := range []float64{-1.3, -0.7, 0.7, 1.3} {
		difference := func(f func(float64) float64) float64 { return (f(h+step) - f(h-step)) / (2 * step) }
		for _, c := range []struct {
			what       string
			have, want float64
		}{
			{"has slope %v at %v, but differences of its values give %v", l.curve.slope(h), difference(l.curve.value)},
			{"has curvature %v at %v, but differences of its slope give %v", l.curve.curvature(h), difference(l.curve.slope)},
		} {
			if !(math.Abs(c.have-c.want) <= tolerance*(1+math.Abs(c.want))) {
				return fmt.Errorf(c.what, c.have, h, c.want)
			}
		}
		if have, want := l.curve.value(2*h), math.Pow(2, l.degree)*l.curve.value(h); l.degree != 0 && !(math.Abs(have-want) <= 1e-9*math.Abs(want)) {
			return fmt.Errorf("has the value %v at %v; of degree %v it would be %v, after its value at %v", have, 2*h, l.degree, want, h)
		}
	}
	return nil
}
