package qhnet

import (
	"fmt"
	"slices"
)

// Concat puts the values of branches that start from the same value one after
// another, feature by feature or channel by channel,
//
//	z = (f_1(h), f_2(h), …).
func Concat(branches ...Layer) Layer { return concat(branches) }

type concat []Layer

func (concat) kind() string { return "concat" }

func (l concat) text() string { return fmt.Sprintf("concatenation of %d branches", len(l)) }

func (l concat) attach(p *plan, in wire) (wire, error) {
	ends, err := p.branches(l, in)
	if err != nil {
		return wire{}, err
	}
	shape, trainable := slices.Clone(ends[0].shape), p.trainable(ends[0])
	for i, end := range ends[1:] {
		if !slices.Equal(end.shape[1:], shape[1:]) {
			return wire{}, p.fail("cannot put branch %d, which gives %s, after branches that give %s", i+2, shapeText(end.shape), shapeText(shape))
		}
		p.require(end.exponent, ends[0].exponent, "puts branch %d after the first, so both must scale alike.", i+2)
		shape[0] += end.shape[0]
		trainable = trainable || p.trainable(end)
	}
	out := p.wire(shape, trainable, ends[0].exponent)
	p.stage(trainable, func(b *binding) operator {
		o := &concatOperator{out: b.signals[out.id]}
		for _, end := range ends {
			o.parts = append(o.parts, b.signals[end.id])
		}
		return o
	})
	return out, nil
}

// concatOperator is z = (a, b, …) for each point.
type concatOperator struct {
	parts []*signal
	out   *signal
}

func (o *concatOperator) forward(_ []float64, points span) error {
	at := 0
	for _, part := range o.parts {
		o.join(part.value, o.out.value, at, part.width, points)
		at += part.width
	}
	return nil
}

func (o *concatOperator) tangent(_, _ []float64, points span) {
	at := 0
	for _, part := range o.parts {
		o.join(part.derivative, o.out.derivative, at, part.width, points)
		at += part.width
	}
}

func (o *concatOperator) reverse(_ []float64, points span) {
	at := 0
	for _, part := range o.parts {
		if part.adjoint != nil {
			o.split(part.adjoint, o.out.adjoint, at, part.width, points)
		}
		at += part.width
	}
}

func (o *concatOperator) reverseTangent(_, _ []float64, points span) {
	at := 0
	for _, part := range o.parts {
		if part.trainable {
			o.split(part.adjointTangent, o.out.adjointTangent, at, part.width, points)
		}
		at += part.width
	}
}

// join copies a part to its place in each row of the whole.
func (o *concatOperator) join(part, whole []float64, at, width int, points span) {
	for k := points.lo; k < points.hi; k++ {
		copy(row(whole, k, o.out.width)[at:], row(part, k, width))
	}
}

// split copies a part back from each row of the whole.
func (o *concatOperator) split(part, whole []float64, at, width int, points span) {
	for k := points.lo; k < points.hi; k++ {
		copy(row(part, k, width), row(whole, k, o.out.width)[at:])
	}
}
