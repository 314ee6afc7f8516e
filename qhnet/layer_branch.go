package qhnet

import "fmt"

// Chain is a sequence of layers as one layer: a branch of [Sum],
// [Gate] or [Concat]. An empty chain is the identity.
func Chain(layers ...Layer) Layer { return chain(layers) }

type chain []Layer

func (chain) kind() string { return "chain" }

func (chain) text() string { return "chain" }

func (l chain) attach(p *plan, in wire) (wire, error) {
	return p.chain(l, p.layer+".", in)
}

// Sum adds branches that start from the same value,
//
//	z = f_1(h) + f_2(h) + … .
func Sum(branches ...Layer) Layer { return sum(branches) }

type sum []Layer

func (sum) kind() string { return "sum" }

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

func (gate) kind() string { return "gate" }

func (gate) text() string { return "product of branches" }

func (l gate) attach(p *plan, in wire) (wire, error) {
	ends, err := p.branches(l, in)
	if err != nil {
		return wire{}, err
	}
	a, b := ends[0], ends[1]
	if shapeText(a.shape) != shapeText(b.shape) {
		return wire{}, p.fail("cannot multiply branches that give %s and %s", shapeText(a.shape), shapeText(b.shape))
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
	if shapeText(a.shape) != shapeText(b.shape) {
		return wire{}, p.fail("cannot add %s, which gives %s, and %s, which gives %s", nameA, shapeText(a.shape), nameB, shapeText(b.shape))
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
