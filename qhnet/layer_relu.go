package qhnet

import (
	"fmt"
	"math"

	"qhlab/qhnet/internal/kernel"
)

// rectifier is h for h > 0 and leak·h otherwise.
type rectifier struct {
	name string
	leak float64
}

func (l rectifier) kind() string { return l.name }

func (l rectifier) text() string {
	if l.leak == 0 {
		return l.name
	}
	return fmt.Sprintf("%s with slope %g", l.name, l.leak)
}

func (l rectifier) attach(p *plan, in wire) (wire, error) {
	if math.IsNaN(l.leak) || math.IsInf(l.leak, 0) {
		return wire{}, p.fail("has slope %v for negative values; it must be finite", l.leak)
	}
	trainable := p.trainable(in)
	out := p.wire(in.shape, trainable, in.exponent)
	p.kinks = true
	if p.kinkWidth > 0 {
		p.stage(trainable, func(b *binding) operator {
			return newRoundedOperator(b.signals[in.id], b.signals[out.id], l.leak, p.kinkWidth)
		})
		return out, nil
	}
	if p.wires[in.id].fresh && l.leak == 0 {
		p.wires[in.id].rectified = true
		p.wires[out.id].valueOf = in.id
	}
	p.stage(trainable, func(b *binding) operator {
		return &rectifierOperator{
			in: b.signals[in.id], out: b.signals[out.id], leak: l.leak,
			done: p.wires[in.id].rectified, gated: p.wires[out.id].gated,
		}
	})
	return out, nil
}

// rectifierOperator passes everything on where its input is positive, and leak
// times as much elsewhere. Being piecewise linear, it passes derivatives on like
// values.
//
// Where a matrix product makes its input, the product rectifies its own result,
// and the two share memory: positive entries are the same before and after. Where
// another reads its output, that one masks the adjoints.
type rectifierOperator struct {
	in, out     *signal
	leak        float64
	done, gated bool
}

func (o *rectifierOperator) forward(_ []float64, points span) error {
	switch {
	case o.done:
		return nil
	case o.leak == 0:
		kernel.Rectify(points.of(o.out.value, o.out.width), points.of(o.in.value, o.in.width))
		return nil
	}
	o.pass(o.out.value, o.in.value, points)
	return nil
}

func (o *rectifierOperator) tangent(_, _ []float64, points span) {
	o.pass(o.out.derivative, o.in.derivative, points)
}

func (o *rectifierOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil && !o.gated {
		o.pass(o.in.adjoint, o.out.adjoint, points)
	}
}

func (o *rectifierOperator) reverseTangent(_, _ []float64, points span) {
	if o.gated {
		return
	}
	o.pass(o.in.adjointTangent, o.out.adjointTangent, points)
}

func (o *rectifierOperator) pass(dst, src []float64, points span) {
	h := points.of(o.in.value, o.in.width)
	d, s := points.of(dst, o.in.width)[:len(h)], points.of(src, o.in.width)[:len(h)]
	if o.leak == 0 {
		kernel.Gate(d, s, h)
		return
	}
	for i, h := range h {
		v := s[i]
		if h <= 0 {
			v *= o.leak
		}
		d[i] = v
	}
}
