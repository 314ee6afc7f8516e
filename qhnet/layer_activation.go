package qhnet

import (
	"fmt"
	"math"
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

func (linear) kind() string { return "linear" }

func (linear) text() string { return "identity" }

func (linear) attach(p *plan, in wire) (wire, error) { return p.alias(in, in.shape), nil }

// activate adds a curve applied to each entry, with the given exponent.
func (p *plan) activate(in wire, e exponent, c curve) wire {
	trainable := p.trainable(in)
	out := p.wire(in.shape, trainable, e)
	p.stage(trainable, func(b *binding) operator {
		return &activation{b.signals[in.id], b.signals[out.id], c}
	})
	return out
}

type power struct {
	name     string
	degree   float64
	absolute bool
}

func (l power) kind() string { return l.name }

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

func (l smooth) kind() string { return l.name }

func (l smooth) text() string { return l.name }

func (l smooth) attach(p *plan, in wire) (wire, error) {
	p.require(in.exponent, nil, "bends differently at every size of its input, so its input must not scale at all.")
	return p.activate(in, nil, l.curve), nil
}

// activation applies a curve to each entry.
type activation struct {
	in, out *signal
	curve   curve
}

func (o *activation) forward(_ []float64, points span) error {
	y := points.of(o.out.value, o.out.width)
	for i, h := range points.of(o.in.value, o.in.width) {
		y[i] = o.curve.value(h)
	}
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
	d, s := points.of(dst, o.in.width), points.of(src, o.in.width)
	for i, h := range points.of(o.in.value, o.in.width) {
		d[i] = o.curve.slope(h) * s[i]
	}
}

func (o *activation) reverseTangent(_, _ []float64, points span) {
	d, s := points.of(o.in.adjointTangent, o.in.width), points.of(o.out.adjointTangent, o.in.width)
	g, dh := points.of(o.out.adjoint, o.in.width), points.of(o.in.derivative, o.in.width)
	for i, h := range points.of(o.in.value, o.in.width) {
		d[i] = o.curve.slope(h)*s[i] + o.curve.curvature(h)*dh[i]*g[i]
	}
}
