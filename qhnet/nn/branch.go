package nn

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// Chain is a sequence of layers as one layer, such as a branch; an empty one is the identity.
func Chain(layers ...Layer) Layer {
	return Layer{stem: "chain", kind: Sequence, text: "chain", inside: layers, role: chainRole, attach: attachChain}
}

func attachChain(p *plan, l Layer, in wire) (wire, error) {
	return p.within(func() (wire, error) { return p.chain(l.inside, in) })
}

// Sum adds branches that start from the same value,
//
//	z = f_1(h) + f_2(h) + … .
func Sum(branches ...Layer) Layer {
	text := fmt.Sprintf("sum of %d branches", len(branches))
	return join("sum", Total, text, branches, func(p *plan, ends []wire) (out wire, err error) {
		out = ends[0]
		for i, end := range ends[1:] {
			if out, err = p.sum(out, end, "the branches before", fmt.Sprintf("branch %d", i+2)); err != nil {
				return wire{}, err
			}
		}
		return out, nil
	})
}

// join is a layer of branches that all start from its input, whose ends a function joins.
func join(stem string, kind Kind, text string, branches []Layer, ends func(p *plan, ends []wire) (wire, error)) Layer {
	return Layer{stem: stem, kind: kind, text: text, inside: branches, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if len(branches) == 0 {
			return wire{}, p.fail("has no branches")
		}
		outs := p.fork(in, len(branches))
		for i, l := range branches {
			if l.role == chainRole && l.name == "" {
				l = Named(fmt.Sprintf("branch%d", i+1), l)
			}
			var err error
			if outs[i], err = p.within(func() (wire, error) { return p.add(l, outs[i]) }); err != nil {
				return wire{}, err
			}
		}
		return ends(p, outs)
	}}
}

// fork lets several branches start from one wire.
func (p *plan) fork(in wire, branches int) []wire {
	outs := make([]wire, branches)
	for i := range outs {
		outs[i] = p.view(in, in.shape)
	}
	p.stage(in, func(b *binding) operator { return linear{&forkMap{b.signals[in.id], b.all(outs)}} })
	return slices.Clone(outs)
}

// all returns the signals of some wires.
func (b *binding) all(wires []wire) []*signal {
	var signals []*signal
	for _, w := range wires {
		signals = append(signals, b.signals[w.id])
	}
	return signals
}

// forkMap gives the branches the input, in shared memory, and the input the sum of adjoints.
type forkMap struct {
	in   *signal
	outs []*signal
}

func (o *forkMap) apply(quantity, span) {}

func (o *forkMap) transpose(q quantity, points span) {
	if !o.in.has(q) {
		return
	}
	dst := o.in.rows(q, points)
	copy(dst, o.outs[0].rows(q, points))
	for _, out := range o.outs[1:] {
		kernel.AddScaled(dst, 1, out.rows(q, points))
	}
}

// sum adds two wires.
func (p *plan) sum(a, b wire, nameA, nameB string) (wire, error) {
	if !slices.Equal(a.shape, b.shape) {
		return wire{}, p.fail("cannot add %s, which gives %s, and %s, which gives %s", nameA, a.shape, nameB, b.shape)
	}
	p.require(b.exponent, a.exponent, "adds %s to %s, so both must scale alike.", nameB, nameA)
	out := p.wire(a.shape, p.trainable(a, b), a.exponent)
	p.wires[a.id].adjointOf = out.id
	p.wires[b.id].adjointOf = out.id
	p.stage(out, func(g *binding) operator {
		return linear{&sumMap{g.signals[a.id], g.signals[b.id], g.signals[out.id]}}
	})
	return out, nil
}

// sumMap is z = a + b. The summands share the sum's adjoint.
type sumMap struct{ a, b, out *signal }

func (o *sumMap) apply(q quantity, points span) {
	floats.AddTo(o.out.rows(q, points), o.a.rows(q, points), o.b.rows(q, points))
}

func (o *sumMap) transpose(quantity, span) {}

// Gate multiplies two branches that start from the same value, entry by entry,
//
//	z = f_1(h) ⊙ f_2(h).
func Gate(first, second Layer) Layer {
	return join("gate", Gating, "product of branches", []Layer{first, second}, func(p *plan, ends []wire) (wire, error) {
		a, b := ends[0], ends[1]
		if !slices.Equal(a.shape, b.shape) {
			return wire{}, p.fail("cannot multiply branches that give %s and %s", a.shape, b.shape)
		}
		out := p.wire(a.shape, p.trainable(a, b), a.exponent.plus(b.exponent))
		p.stage(out, func(g *binding) operator { return g.pairing(gateMap{}, a, b, out) })
		return out, nil
	})
}

// gateMap is z = a ⊙ b.
type gateMap struct{}

func (gateMap) apply(z, a, b []float64, add bool)  { multiply(z, a, b, add) }
func (gateMap) first(a, z, b []float64, add bool)  { multiply(a, z, b, add) }
func (gateMap) second(b, z, a []float64, add bool) { multiply(b, z, a, add) }

// multiply sets dst to the entrywise product of x and y, or adds it.
func multiply(dst, x, y []float64, add bool) {
	if add {
		kernel.AddProducts(dst, x, y)
	} else {
		kernel.Multiply(dst, x, y)
	}
}

// Concat puts the values of branches that start from the same value one after another,
//
//	z = (f_1(h), f_2(h), …).
func Concat(branches ...Layer) Layer {
	return join("concat", Joining, fmt.Sprintf("concatenation of %d branches", len(branches)), branches, concatenate)
}

func concatenate(p *plan, ends []wire) (wire, error) {
	shape := slices.Clone(ends[0].shape)
	for i, end := range ends[1:] {
		if !slices.Equal(end.shape[1:], shape[1:]) {
			return wire{}, p.fail("cannot put branch %d, which gives %s, after branches that give %s", i+2, end.shape, shape)
		}
		p.require(end.exponent, ends[0].exponent, "puts branch %d after the first, so both must scale alike.", i+2)
		shape[0] += end.shape[0]
	}
	out := p.wire(shape, p.trainable(ends...), ends[0].exponent)
	p.stage(out, func(b *binding) operator {
		return linear{&concatMap{b.all(ends), b.signals[out.id]}}
	})
	return out, nil
}

// concatMap is z = (a, b, …) for each point.
type concatMap struct {
	parts []*signal
	out   *signal
}

func (o *concatMap) apply(q quantity, points span) {
	for k := points.lo; k < points.hi; k++ {
		whole := o.out.row(q, k)
		for _, part := range o.parts {
			whole = whole[copy(whole, part.row(q, k)):]
		}
	}
}

func (o *concatMap) transpose(q quantity, points span) {
	for k := points.lo; k < points.hi; k++ {
		whole := o.out.row(q, k)
		for _, part := range o.parts {
			if part.has(q) {
				copy(part.row(q, k), whole)
			}
			whole = whole[part.width:]
		}
	}
}

// Residual adds the end of a body of layers to its start,
//
//	z = h + f(h),
//
// or to a projection of the start, if one of the layers is a [Projection].
func Residual(body ...Layer) Layer {
	return Layer{stem: "block", kind: Total, text: "residual block", inside: body, attach: attachResidual}
}

// Projection is the skip of a [Residual] whose body changes the shape. Without layers it is a
// [Dense] layer for vectors or a 1×1 [Conv] for images, without bias.
func Projection(layers ...Layer) Layer {
	return Layer{stem: "projection", kind: Sequence, text: "projection", inside: layers, role: projectionRole,
		attach: func(p *plan, _ Layer, _ wire) (wire, error) {
			return wire{}, p.fail("stands outside a Residual; a projection is the skip of one")
		}}
}

func attachResidual(p *plan, l Layer, in wire) (wire, error) {
	var body, skips []Layer
	for _, inner := range l.inside {
		if inner.role == projectionRole {
			skips = append(skips, inner)
		} else {
			body = append(body, inner)
		}
	}
	if len(skips) > 1 {
		return wire{}, p.fail("has two projections")
	}
	ends := p.fork(in, 2)
	end, err := p.sequence(func() (wire, error) { return attachChain(p, Layer{inside: body}, ends[0]) })
	if err != nil {
		return wire{}, err
	}
	start := ends[1]
	if len(skips) == 1 {
		start, err = p.project(skips[0].inside, start, end.shape)
	} else {
		start, err = p.sequence(func() (wire, error) { return start, nil })
	}
	if err != nil {
		return wire{}, err
	}
	return p.sum(start, end, "the skip", "the body")
}

// project attaches the projection of a residual block.
func (p *plan) project(layers []Layer, in wire, shape qhnet.Shape) (wire, error) {
	if len(layers) == 0 {
		layers = defaultProjection(in.shape, shape)
	}
	if layers == nil {
		return wire{}, p.fail("has no default projection from %s to %s; give Projection its layers", in.shape, shape)
	}
	return p.within(func() (wire, error) { return p.add(Named("projection", Chain(layers...)), in) })
}

// defaultProjection is the matrix that takes one shape to another, nil if there is none.
func defaultProjection(from, to qhnet.Shape) []Layer {
	switch {
	case len(from) != len(to):
		return nil
	case len(from) == 1:
		return []Layer{Dense(to[0], NoBias())}
	}
	for stride := 1; stride <= max(from[1], from[2]); stride++ {
		if (from[1]-1)/stride+1 == to[1] && (from[2]-1)/stride+1 == to[2] {
			return []Layer{Conv(to[0], 1, Stride(stride), NoBias())}
		}
	}
	return nil
}
