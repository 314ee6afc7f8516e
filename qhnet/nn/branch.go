package nn

import (
	"fmt"
	"slices"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// Chain is a sequence of layers as one layer: a branch of [Sum],
// [Gate] or [Concat]. An empty chain is the identity.
func Chain(layers ...Layer) Layer { return chain(layers) }

type chain []Layer

func (chain) stem() string { return "chain" }

func (chain) kind() Kind { return Sequence }

func (chain) text() string { return "chain" }

func (l chain) attach(p *plan, in wire) (wire, error) {
	return p.chain(l, p.layer+".", in)
}

// Sum adds branches that start from the same value,
//
//	z = f_1(h) + f_2(h) + … .
func Sum(branches ...Layer) Layer { return sum(branches) }

type sum []Layer

func (sum) stem() string { return "sum" }

func (sum) kind() Kind { return Total }

func (l sum) text() string { return fmt.Sprintf("sum of %d branches", len(l)) }

func (l sum) attach(p *plan, in wire) (wire, error) {
	ends, err := p.branches(l, in)
	if err != nil {
		return wire{}, err
	}
	out := ends[0]
	for i, end := range ends[1:] {
		what := fmt.Sprintf("branch %d", i+2)
		if out, err = p.sum(out, end, "the branches before", what); err != nil {
			return wire{}, err
		}
	}
	return out, nil
}

// Gate multiplies two branches that start from the same value, entry by entry,
//
//	z = f_1(h) ⊙ f_2(h).
func Gate(first, second Layer) Layer { return gate{first, second} }

type gate []Layer

func (gate) stem() string { return "gate" }

func (gate) kind() Kind { return Gating }

func (gate) text() string { return "product of branches" }

func (l gate) attach(p *plan, in wire) (wire, error) {
	ends, err := p.branches(l, in)
	if err != nil {
		return wire{}, err
	}
	a, b := ends[0], ends[1]
	if !slices.Equal(a.shape, b.shape) {
		return wire{}, p.fail("cannot multiply branches that give %s and %s", a.shape, b.shape)
	}
	trainable := p.trainable(a) || p.trainable(b)
	out := p.wire(a.shape, trainable, a.exponent.plus(b.exponent))
	p.stage(trainable, func(g *binding) operator {
		return &gateOperator{g.signals[a.id], g.signals[b.id], g.signals[out.id]}
	})
	return out, nil
}

// branches attaches layers that all start from in.
func (p *plan) branches(layers []Layer, in wire) ([]wire, error) {
	if len(layers) == 0 {
		return nil, p.fail("has no branches")
	}
	starts, ends := p.fork(in, len(layers)), make([]wire, len(layers))
	outer := p.scope
	p.scope = p.layer + "."
	defer func() { p.scope = outer }()
	for i, l := range layers {
		if _, ok := l.(chain); ok {
			l = Named(fmt.Sprintf("branch%d", i+1), l)
		}
		var err error
		if ends[i], err = p.add(l, starts[i]); err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// fork lets several branches start from one wire.
func (p *plan) fork(in wire, branches int) []wire {
	outs := make([]wire, branches)
	for i := range outs {
		outs[i] = p.wire(in.shape, p.trainable(in), in.exponent)
		p.wires[outs[i].id].valueOf = in.id
	}
	p.stage(p.trainable(in), func(b *binding) operator {
		o := &forkOperator{in: b.signals[in.id]}
		for _, w := range outs {
			o.outs = append(o.outs, b.signals[w.id])
		}
		return o
	})
	return outs
}

// sum adds two wires.
func (p *plan) sum(a, b wire, nameA, nameB string) (wire, error) {
	if !slices.Equal(a.shape, b.shape) {
		return wire{}, p.fail("cannot add %s, which gives %s, and %s, which gives %s", nameA, a.shape, nameB, b.shape)
	}
	p.require(b.exponent, a.exponent, "adds %s to %s, so both must scale alike.", nameB, nameA)
	trainable := p.trainable(a) || p.trainable(b)
	out := p.wire(a.shape, trainable, a.exponent)
	p.wires[a.id].adjointOf = out.id
	p.wires[b.id].adjointOf = out.id
	p.stage(trainable, func(g *binding) operator {
		return &sumOperator{g.signals[a.id], g.signals[b.id], g.signals[out.id]}
	})
	return out, nil
}

// forkOperator gives each branch the input, and the input the sum of the
// branches' adjoints. The branches share the input's memory.
type forkOperator struct {
	in   *signal
	outs []*signal
}

func (o *forkOperator) forward(_ []float64, _ span) error { return nil }

func (o *forkOperator) tangent(_, _ []float64, _ span) {}

func (o *forkOperator) reverse(_ []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	dst := points.of(o.in.adjoint, o.in.width)
	copy(dst, points.of(o.outs[0].adjoint, o.in.width))
	for _, out := range o.outs[1:] {
		kernel.AddScaled(dst, 1, points.of(out.adjoint, o.in.width))
	}
}

func (o *forkOperator) reverseTangent(_, _ []float64, points span) {
	dst := points.of(o.in.adjointTangent, o.in.width)
	copy(dst, points.of(o.outs[0].adjointTangent, o.in.width))
	for _, out := range o.outs[1:] {
		kernel.AddScaled(dst, 1, points.of(out.adjointTangent, o.in.width))
	}
}

// sumOperator is z = a + b. The summands share the sum's adjoint.
type sumOperator struct{ a, b, out *signal }

func (o *sumOperator) forward(_ []float64, points span) error {
	setSum(o.out.value, o.a.value, o.b.value, o.out.width, points)
	return nil
}

func (o *sumOperator) tangent(_, _ []float64, points span) {
	setSum(o.out.derivative, o.a.derivative, o.b.derivative, o.out.width, points)
}

func (o *sumOperator) reverse(_ []float64, _ span) {}

func (o *sumOperator) reverseTangent(_, _ []float64, _ span) {}

// setSum sets dst to a + b.
func setSum(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] = x[i] + y[i]
	}
}

// gateOperator is z = a ⊙ b.
type gateOperator struct{ a, b, out *signal }

func (o *gateOperator) forward(_ []float64, points span) error {
	setEntrywise(o.out.value, o.a.value, o.b.value, o.out.width, points)
	return nil
}

func (o *gateOperator) tangent(_, _ []float64, points span) {
	setEntrywise(o.out.derivative, o.a.derivative, o.b.value, o.out.width, points)
	addEntrywise(o.out.derivative, o.a.value, o.b.derivative, o.out.width, points)
}

func (o *gateOperator) reverse(_ []float64, points span) {
	if o.a.adjoint != nil {
		setEntrywise(o.a.adjoint, o.out.adjoint, o.b.value, o.out.width, points)
	}
	if o.b.adjoint != nil {
		setEntrywise(o.b.adjoint, o.out.adjoint, o.a.value, o.out.width, points)
	}
}

func (o *gateOperator) reverseTangent(_, _ []float64, points span) {
	o.reverseTangentOf(o.a, o.b, points)
	o.reverseTangentOf(o.b, o.a, points)
}

// reverseTangentOf differentiates ā = z̄ ⊙ b.
func (o *gateOperator) reverseTangentOf(a, b *signal, points span) {
	if a.trainable {
		setEntrywise(a.adjointTangent, o.out.adjointTangent, b.value, o.out.width, points)
		addEntrywise(a.adjointTangent, o.out.adjoint, b.derivative, o.out.width, points)
	}
}

// setEntrywise sets dst to the entrywise product of a and b.
func setEntrywise(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] = x[i] * y[i]
	}
}

// addEntrywise adds the entrywise product of a and b to dst.
func addEntrywise(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] += x[i] * y[i]
	}
}

// Concat puts the values of branches that start from the same value one after
// another, feature by feature or channel by channel,
//
//	z = (f_1(h), f_2(h), …).
func Concat(branches ...Layer) Layer { return concat(branches) }

type concat []Layer

func (concat) stem() string { return "concat" }

func (concat) kind() Kind { return Joining }

func (l concat) text() string { return fmt.Sprintf("concatenation of %d branches", len(l)) }

func (l concat) attach(p *plan, in wire) (wire, error) {
	ends, err := p.branches(l, in)
	if err != nil {
		return wire{}, err
	}
	shape, trainable := slices.Clone(ends[0].shape), p.trainable(ends[0])
	for i, end := range ends[1:] {
		if !slices.Equal(end.shape[1:], shape[1:]) {
			return wire{}, p.fail("cannot put branch %d, which gives %s, after branches that give %s", i+2, end.shape, shape)
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

// Residual adds the end of a body of layers to its start,
//
//	z = h + f(h),
//
// or to a projection of the start, if one of the layers is a [Projection].
func Residual(body ...Layer) Layer { return residual(body) }

// Projection is the skip of a [Residual] whose body changes the shape. Without
// layers it is a single matrix without bias: a [Dense] layer for vectors, a 1×1
// [Conv] for images, with a stride if the body makes the image smaller.
func Projection(layers ...Layer) Layer { return projection(layers) }

type residual []Layer

func (residual) stem() string { return "block" }

func (residual) kind() Kind { return Total }

func (residual) text() string { return "residual block" }

func (l residual) attach(p *plan, in wire) (wire, error) {
	var body []Layer
	var skip *projection
	for _, part := range l {
		s, ok := part.(projection)
		switch {
		case !ok:
			body = append(body, part)
		case skip != nil:
			return wire{}, p.fail("has two projections")
		default:
			skip = &s
		}
	}
	ends := p.fork(in, 2)
	end, err := p.gather(func() (wire, error) { return p.chain(body, p.layer+".", ends[0]) })
	if err != nil {
		return wire{}, err
	}
	start := ends[1]
	if skip != nil {
		start, err = p.project(*skip, start, end.shape)
	} else {
		start, err = p.gather(func() (wire, error) { return start, nil })
	}
	if err != nil {
		return wire{}, err
	}
	return p.sum(start, end, "the skip", "the body")
}

// project attaches the projection of a residual block.
func (p *plan) project(layers projection, in wire, shape qhnet.Shape) (wire, error) {
	if len(layers) == 0 {
		l, err := p.defaultProjection(in.shape, shape)
		if err != nil {
			return wire{}, err
		}
		layers = projection{l}
	}
	outer := p.scope
	p.scope = p.layer + "."
	defer func() { p.scope = outer }()
	return p.add(Named("projection", Chain(layers...)), in)
}

// defaultProjection is the matrix that takes one shape to another.
func (p *plan) defaultProjection(from, to qhnet.Shape) (Layer, error) {
	if len(from) == 1 && len(to) == 1 {
		return Dense(to[0], NoBias()), nil
	}
	if len(from) == 3 && len(to) == 3 {
		for stride := 1; stride <= max(from[1], from[2]); stride++ {
			if (from[1]-1)/stride+1 == to[1] && (from[2]-1)/stride+1 == to[2] {
				return Conv(to[0], 1, Stride(stride), NoBias()), nil
			}
		}
	}
	return nil, p.fail("has no default projection from %s to %s; give Projection its layers", from, to)
}

type projection []Layer

func (projection) stem() string { return "projection" }

func (projection) kind() Kind { return Sequence }

func (projection) text() string { return "projection" }

func (projection) attach(p *plan, _ wire) (wire, error) {
	return wire{}, p.fail("stands outside a Residual; a projection is the skip of one")
}
