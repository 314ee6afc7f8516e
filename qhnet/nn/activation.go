package nn

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
)

// ReLU is max(h, 0).
func ReLU() Layer { return rectifier("relu", "relu", 0) }

// LeakyReLU is h for h > 0 and slope·h otherwise.
func LeakyReLU(slope float64) Layer {
	return rectifier("leakyrelu", fmt.Sprintf("leakyrelu with slope %g", slope), slope)
}

// rectifier is h for h > 0 and leak·h otherwise.
func rectifier(stem, text string, leak float64) Layer {
	return Layer{stem: stem, text: text, lipschitz: math.Max(1, math.Abs(leak)), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if math.IsNaN(leak) || math.IsInf(leak, 0) {
			return wire{}, p.fail("has slope %v for negative values; it must be finite", leak)
		}
		p.kinks = true
		switch {
		case p.kinkWidth > 0:
			return p.activate(in, in.exponent, rounded(leak, p.kinkWidth)), nil
		case leak != 0:
			return p.activate(in, in.exponent, leaky(leak).rows), nil
		}
		return p.rectify(in), nil
	}}
}

// rectify adds a ReLU. Where a matrix product makes its input, the product rectifies its
// own result, and the two share memory: positive entries are the same before and
// after. Where another reads its output, that one masks the adjoints.
func (p *plan) rectify(in wire) wire {
	out := p.wire(in.shape, p.trainable(in), in.exponent)
	p.wires[out.id].summands = p.wires[in.id].summands
	if p.wires[in.id].fresh {
		p.wires[in.id].rectified = true
		p.wires[out.id].valueOf = in.id
	}
	p.stage(out, func(b *binding) operator {
		return linear{&rectifierMap{b.signals[in.id], b.signals[out.id], p.wires[in.id].rectified, p.wires[out.id].gated}}
	})
	return out
}

// rectifierMap passes everything on where its input is positive.
type rectifierMap struct {
	in, out     *signal
	done, gated bool
}

func (o *rectifierMap) apply(q quantity, points span) {
	switch {
	case q != values:
		kernel.Gate(o.out.rows(q, points), o.in.rows(q, points), o.in.rows(values, points))
	case !o.done:
		kernel.Rectify(o.out.rows(values, points), o.in.rows(values, points))
	}
}

func (o *rectifierMap) transpose(q quantity, points span) {
	if o.in.has(q) && !o.gated {
		kernel.Gate(o.in.rows(q, points), o.out.rows(q, points), o.in.rows(values, points))
	}
}

// activation applies a function to each entry. The derivatives that it needs are
// stored with the values, as one Forward serves many products with the Jacobian and
// the Hessian.
type activation struct {
	in, out  *signal
	function function
	at       jet
}

// function sets a jet to its values and derivatives at the entries h of one point.
type function func(to jet, h []float64)

// jet holds what an activation gives, and what multiplies tangents and adjoints there;
// the last two are the same but for rounded kinks.
type jet struct{ value, slope, bend, adjointSlope []float64 }

// activate adds a function applied to each entry, with the given exponent.
func (p *plan) activate(in wire, e exponent, f function) wire {
	out := p.wire(in.shape, p.trainable(in), e)
	p.stage(out, func(b *binding) operator {
		o := &activation{in: b.signals[in.id], out: b.signals[out.id], function: f}
		n := len(o.in.data[values])
		o.at = jet{slope: make([]float64, n), bend: make([]float64, n)}
		o.at.adjointSlope = o.at.slope
		if p.kinkWidth > 0 {
			o.at.adjointSlope = make([]float64, n)
		}
		return o
	})
	return out
}

func (o *activation) forward(points span) error {
	for k := points.lo; k < points.hi; k++ {
		width := o.in.width
		o.function(jet{
			o.out.row(values, k), row(o.at.slope, k, width), row(o.at.bend, k, width), row(o.at.adjointSlope, k, width),
		}, o.in.row(values, k))
	}
	return nil
}

// of returns what is stored at the points of a span.
func (o *activation) of(stored []float64, points span) []float64 {
	return stored[points.lo*o.in.width : points.hi*o.in.width]
}

func (o *activation) tangent(points span) {
	kernel.Multiply(o.out.rows(tangents, points), o.of(o.at.slope, points), o.in.rows(tangents, points))
}

func (o *activation) reverse(points span) {
	if o.in.has(adjoints) {
		kernel.Multiply(o.in.rows(adjoints, points), o.of(o.at.adjointSlope, points), o.out.rows(adjoints, points))
	}
}

// reverseTangent is s dz̄ + s' ḣ z̄, where s is the slope that adjoints see.
func (o *activation) reverseTangent(points span) {
	d := o.in.rows(adjointTangents, points)
	kernel.Multiply(d, o.of(o.at.adjointSlope, points), o.out.rows(adjointTangents, points))
	adjoint, bend := o.out.rows(adjoints, points)[:len(d)], o.of(o.at.bend, points)[:len(d)]
	for i, moving := range o.in.rows(tangents, points)[:len(d)] {
		d[i] += bend[i] * moving * adjoint[i]
	}
}

// rounded returns the function of a rectifier whose kink is rounded to a width: its
// input h times a slope α(h). Adjoints see the same slope α; tangents, those of the
// value and of the adjoint as they are computed, see α + α'h and α', so that
// Hessian-vector products are the exact derivatives of Gradient, at which Newton's
// method aims. α' makes sliding along a kink stiff.
func rounded(leak, width float64) function {
	return func(to jet, h []float64) {
		reach := width * floats.Norm(h, 2) / math.Sqrt(float64(len(h)))
		ramp(to, h, leak, reach)
	}
}

// ramp is rounded with a given δ.
func ramp(to jet, h []float64, leak, reach float64) {
	for i, h := range h {
		slope, bend := leak, 0.0 // α and α', taking δ as fixed
		switch {
		case h > 0 && h >= reach:
			slope = 1
		case h > -reach:
			slope, bend = leak+(1-leak)*(1+h/reach)/2, (1-leak)/(2*reach)
		}
		to.value[i], to.adjointSlope[i] = slope*h, slope
		to.slope[i], to.bend[i] = slope+bend*h, bend
	}
}

// curve is a function of one variable, given by its value and two derivatives.
type curve func(h float64) (value, slope, curvature float64)

// rows is the function that applies a curve to each entry.
func (c curve) rows(to jet, h []float64) {
	for i, h := range h {
		to.value[i], to.slope[i], to.bend[i] = c(h)
		to.adjointSlope[i] = to.slope[i]
	}
}

func leaky(leak float64) curve {
	return func(h float64) (value, slope, curvature float64) {
		if h > 0 {
			return h, 1, 0
		}
		return leak * h, leak, 0
	}
}

// Linear is the identity.
func Linear() Layer {
	return Layer{stem: "linear", text: "identity", lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.alias(in, in.shape), nil
	}}
}

// AbsPower is |h|^k, positively homogeneous of degree k ≥ 1.
func AbsPower(k float64) Layer {
	return power("abspower", k, func(h float64) (value, slope, curvature float64) {
		value, slope, curvature = positivePower(math.Abs(h), k)
		if h == 0 && k == 2 {
			curvature = 2 // no kink
		}
		return value, math.Copysign(slope, h), curvature
	})
}

// ReLUPower is max(h, 0)^k, positively homogeneous of degree k ≥ 1.
func ReLUPower(k float64) Layer {
	return power("relupower", k, func(h float64) (value, slope, curvature float64) { return positivePower(h, k) })
}

func power(stem string, degree float64, c curve) Layer {
	return Layer{stem: stem, text: fmt.Sprintf("%s of degree %g", stem, degree), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if !(degree >= 1) || math.IsInf(degree, 1) {
			return wire{}, p.fail("has degree %v; it needs a finite degree ≥ 1 to have a derivative at 0", degree)
		}
		return p.activate(in, in.exponent.times(degree), c.rows), nil
	}}
}

// positivePower is h^k for h > 0 and otherwise 0. It has curvature 0 at the kink, also
// where the limits from right and left differ or are infinite.
func positivePower(h, k float64) (value, slope, curvature float64) {
	switch {
	case !(h > 0):
		return max(h, 0), 0, 0 // max keeps a NaN
	case k == 1:
		return h, 1, 0
	case k == 2:
		return h * h, 2 * h, 2
	case k == 3:
		return h * h * h, 3 * h * h, 6 * h
	}
	power := math.Pow(h, k-1)
	return power * h, k * power, k * (k - 1) * power / h
}

// Tanh is the hyperbolic tangent. It is not homogeneous of any degree.
func Tanh() Layer { return smooth("tanh", tanh) }

func tanh(to jet, h []float64) {
	exponentials(to.bend, h, -2)
	for i, h := range h {
		e := to.bend[i]
		t := math.Copysign((1-e)/(1+e), h)
		if math.Abs(h) < 0.5 {
			t = math.Tanh(h) // 1 - e has lost digits
		}
		slope := 4 * e / ((1 + e) * (1 + e))
		to.value[i], to.slope[i], to.adjointSlope[i], to.bend[i] = t, slope, slope, -2*t*slope
	}
}

// exponentials sets dst to e^{rate |h|}.
func exponentials(dst, h []float64, rate float64) {
	for i, h := range h {
		dst[i] = math.Abs(h)
	}
	kernel.Exp(dst, dst, rate, 0)
}

// GELU is hΦ(h), Φ the normal distribution function (Hendrycks and Gimpel,
// arXiv:1606.08415). It is not homogeneous, but asymptotically of degree 1.
func GELU() Layer {
	return smooth("gelu", curve(func(h float64) (value, slope, curvature float64) {
		distribution := math.Erfc(-h/math.Sqrt2) / 2
		density := math.Exp(-h*h/2) / math.Sqrt(2*math.Pi)
		return h * distribution, distribution + h*density, (2 - h*h) * density
	}).rows)
}

// Softplus is log(1 + e^h). It is not homogeneous, but asymptotically of
// degree 1.
func Softplus() Layer { return smooth("softplus", softplus) }

func softplus(to jet, h []float64) {
	exponentials(to.bend, h, -1)
	for i, h := range h {
		e := to.bend[i]
		slope := 1 / (1 + e)
		if h < 0 {
			slope = e / (1 + e)
		}
		to.value[i], to.slope[i], to.adjointSlope[i], to.bend[i] = max(h, 0)+math.Log1p(e), slope, slope, e/((1+e)*(1+e))
	}
}

// smooth is a function that is homogeneous of no degree.
func smooth(stem string, f function) Layer {
	return Layer{stem: stem, text: stem, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.smooth(in, f), nil
	}}
}

func (p *plan) smooth(in wire, f function) wire {
	p.require(in.exponent, nil, "bends differently at every size of its input, so its input must not scale at all.")
	return p.activate(in, nil, f)
}

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
	c := custom{degree, value, slope, curvature}
	f := curve(c.curve).rows
	text := name
	if degree != 0 {
		text = fmt.Sprintf("%s of degree %g", name, degree)
	}
	return Layer{stem: name, text: text, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if name == "" || strings.Contains(name, ".") {
			return wire{}, p.fail("is an Activation called %q; use a name without dots", name)
		}
		if err := c.check(); err != nil {
			return wire{}, p.fail("%v", err)
		}
		if degree == 0 {
			return p.smooth(in, f), nil
		}
		return p.activate(in, in.exponent.times(degree), f), nil
	}}
}

// custom is the function of an [Activation].
type custom struct {
	degree                  float64
	value, slope, curvature func(h float64) float64
}

func (c custom) curve(h float64) (value, slope, curvature float64) {
	return c.value(h), c.slope(h), c.curvature(h)
}

// check compares the functions with each other at numbers of both signs.
func (c custom) check() error {
	if c.degree != 0 && !(c.degree >= 1 && !math.IsInf(c.degree, 1)) {
		return fmt.Errorf("has degree %v; use a finite degree ≥ 1, or 0 if the function is not homogeneous", c.degree)
	}
	// Central differences of size 1e-6 have errors of about 1e-10.
	const step, tolerance = 1e-6, 1e-6
	for _, h := range []float64{-1.3, -0.7, 0.7, 1.3} {
		difference := func(f func(float64) float64) float64 { return (f(h+step) - f(h-step)) / (2 * step) }
		for _, pair := range []struct {
			what       string
			have, want float64
		}{
			{"has slope %v at %v, but differences of its values give %v", c.slope(h), difference(c.value)},
			{"has curvature %v at %v, but differences of its slope give %v", c.curvature(h), difference(c.slope)},
		} {
			if !(math.Abs(pair.have-pair.want) <= tolerance*(1+math.Abs(pair.want))) {
				return fmt.Errorf(pair.what, pair.have, h, pair.want)
			}
		}
		if have, want := c.value(2*h), math.Pow(2, c.degree)*c.value(h); c.degree != 0 && !(math.Abs(have-want) <= 1e-9*math.Abs(have)) {
			return fmt.Errorf("has the value %v at %v; of degree %v it would be %v, after its value at %v", have, 2*h, c.degree, want, h)
		}
	}
	return nil
}
