package nn

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"qhlab/qhnet"
)

// plan is a network under construction, in the order of evaluation.
type plan struct {
	blocks   []qhnet.Block
	rules    []qhnet.ScalingRule
	stages   []stage
	wires    []wireSpec
	matrices []qhnet.Block // that an evaluation keeps transposed too
	parts    []Part        // of the chain, branch or network being attached

	layer  string                // name of the layer being attached
	scope  string                // prefix of names: "" or "block2."
	counts map[string]int        // automatic names given so far
	named  map[string]bool       // all names given so far
	frozen map[string]statistics // of batch normalizations in evaluation mode

	huge      string  // what has more than mostNumbers numbers
	kinkWidth float64 // of rounded rectifiers; see Margins.RoundKinks
	kinks     bool    // whether there are rectifiers
}

// wire is the end of the network so far: what the next layer starts from.
type wire struct {
	id       int
	shape    qhnet.Shape // of one point: {features} or {channels, height, width}
	exponent exponent    // the value scales like e^{α·exponent}
}

// wireSpec is what an evaluation needs to know about a wire to give it memory.
type wireSpec struct {
	width     int
	trainable bool
	valueOf   int // the wire whose value and tangent it shares, or itself
	adjointOf int // the wire whose adjoint it shares, or itself
	summands  int // the wire whose entries were averaged to make it, or itself

	fresh     bool // a product made it, and does not need it any more
	rectified bool // a ReLU has taken its place in memory
	gated     bool // its reader masks the adjoint of the wire whose place it took
}

// stage makes an operator when the network is bound to data.
type stage struct {
	layer     string
	trainable bool // whether derivatives with respect to θ pass through it
	coupled   bool // whether the next stage waits until all points have passed it, as in batch normalization
	work      int  // multiplications a point, as far as matrix products do them
	bind      func(b *binding) operator
}

// binding holds the signals of one evaluation, indexed like the plan's wires.
type binding struct {
	points    int
	shards    int
	signals   []*signal
	at, along *point     // θ and v
	norm      *batchNorm // the batch normalization whose stages are being bound
}

// add names a layer, attaches it and records it.
func (p *plan) add(l Layer, in wire) (wire, error) {
	if l.attach == nil {
		return wire{}, fmt.Errorf("qhnet: a zero Layer follows %s; make layers by their functions, such as Dense", p.last())
	}
	name, err := p.name(l)
	if err != nil {
		return wire{}, err
	}
	outer, before, beside := p.layer, p.parameters(), p.parts
	p.layer, p.parts = name, nil
	defer func() { p.layer = outer }()
	out, err := l.attach(p, l, in)
	if err != nil {
		return wire{}, err
	}
	if p.huge != "" {
		return wire{}, p.fail("%s", p.huge)
	}
	p.parts = append(beside, Part{
		Name: name, Kind: l.kind, Shape: out.shape, Parameters: p.parameters() - before, Lipschitz: l.lipschitz,
		Inside: p.parts, text: l.text, wire: out.id,
	})
	return out, nil
}

// last returns the name of the layer attached last, or of the one around it.
func (p *plan) last() string {
	if len(p.parts) == 0 {
		return "the start of " + p.layer
	}
	return p.parts[len(p.parts)-1].Name
}

// sequence makes one nameless sequence of the parts attached by a function.
func (p *plan) sequence(attach func() (wire, error)) (wire, error) {
	beside := p.parts
	p.parts = nil
	out, err := attach()
	p.parts = append(beside, Part{Kind: Sequence, Shape: out.shape, Inside: p.parts})
	return out, err
}

// name returns the layer's own name or the next automatic one.
func (p *plan) name(l Layer) (string, error) {
	name := p.scope + l.name
	if l.name == "" {
		key := p.scope + l.stem
		p.counts[key]++
		name = key + strconv.Itoa(p.counts[key])
	}
	if p.named[name] {
		return "", fmt.Errorf("qhnet: two layers are called %q; names must differ", name)
	}
	p.named[name] = true
	return name, nil
}

// within attaches something with names inside the scope of the current layer.
func (p *plan) within(attach func() (wire, error)) (wire, error) {
	outer := p.scope
	p.scope = p.layer + "."
	defer func() { p.scope = outer }()
	return attach()
}

// chain attaches layers one after another.
func (p *plan) chain(layers []Layer, in wire) (out wire, err error) {
	for _, l := range layers {
		if in, err = p.add(l, in); err != nil {
			return wire{}, err
		}
	}
	return in, nil
}

// fail returns an error that names the layer being attached.
func (p *plan) fail(format string, args ...any) error {
	return fmt.Errorf("qhnet: %s: %s", p.layer, fmt.Sprintf(format, args...))
}

// parameters returns the number of parameters so far.
func (p *plan) parameters() int {
	if len(p.blocks) == 0 {
		return 0
	}
	last := p.blocks[len(p.blocks)-1]
	return last.Offset + last.Len()
}

// mostNumbers is the largest size of a block, and of a value at one point: 8 GiB.
const mostNumbers = 1 << 30

// limit notes a shape that is too large, without a product of integers that overflows.
func (p *plan) limit(what string, shape qhnet.Shape) {
	size := 1.0
	for _, side := range shape {
		size *= float64(side)
	}
	if size > mostNumbers {
		p.huge = fmt.Sprintf("%s of shape %s has more than 2³⁰ numbers; make it smaller", what, shape)
	}
}

// block adds a parameter block of the layer being attached.
func (p *plan) block(kind string, shape ...int) (qhnet.Block, exponent) {
	p.limit("its "+kind, shape)
	b := qhnet.Block{Name: p.layer + "." + kind, Layer: p.layer, Kind: kind, Shape: slices.Clone(shape), Offset: p.parameters()}
	p.blocks = append(p.blocks, b)
	rate := make(exponent, len(p.blocks))
	rate[len(p.blocks)-1] = 1
	return b, rate
}

// require adds the rule that two exponents agree, unless they do anyway.
func (p *plan) require(a, b exponent, reason string, args ...any) {
	difference := a.plus(b.times(-1))
	for i, c := range difference[:len(a)] {
		if math.Abs(c) <= 1e-12*math.Abs(a[i]) { // degrees multiply to others up to rounding
			difference[i] = 0
		}
	}
	if difference.isZero() {
		return
	}
	reason = p.layer + " " + fmt.Sprintf(reason, args...)
	p.rules = append(p.rules, qhnet.ScalingRule{Layer: p.layer, Reason: reason, Coefficients: difference})
}

// wire adds a wire with memory of its own.
func (p *plan) wire(shape qhnet.Shape, trainable bool, e exponent) wire {
	p.limit("its value", shape)
	id := len(p.wires)
	p.wires = append(p.wires, wireSpec{width: shape.Size(), trainable: trainable, valueOf: id, adjointOf: id, summands: id})
	return wire{id: id, shape: slices.Clone(shape), exponent: e}
}

// trainable tells whether one of some wires depends on parameters so far.
func (p *plan) trainable(wires ...wire) bool {
	return slices.ContainsFunc(wires, func(w wire) bool { return p.wires[w.id].trainable })
}

// view adds a wire that shares the values of in.
func (p *plan) view(in wire, shape qhnet.Shape) wire {
	out := p.wire(shape, p.trainable(in), in.exponent)
	p.wires[out.id].valueOf, p.wires[out.id].summands = in.id, p.wires[in.id].summands
	return out
}

// alias adds a wire that shares the adjoints as well.
func (p *plan) alias(in wire, shape qhnet.Shape) wire {
	out := p.view(in, shape)
	p.wires[in.id].adjointOf = out.id
	return out
}

// stage adds a stage of the layer being attached, as trainable as its output.
func (p *plan) stage(out wire, bind func(b *binding) operator) *stage {
	p.stages = append(p.stages, stage{layer: p.layer, trainable: p.trainable(out), bind: bind})
	return &p.stages[len(p.stages)-1]
}

// entrywise adds an operator between values of the same shape.
func (p *plan) entrywise(in wire, e exponent, bind func(in, out *signal) operator) wire {
	out := p.wire(in.shape, p.trainable(in), e)
	p.stage(out, func(b *binding) operator { return bind(b.signals[in.id], b.signals[out.id]) })
	return out
}

// exponent is a linear expression Σ_b c_b λ_b in the rates of the first blocks.
type exponent []float64

func (e exponent) plus(f exponent) exponent {
	sum := make(exponent, max(len(e), len(f)))
	copy(sum, e)
	for i, c := range f {
		sum[i] += c
	}
	return sum
}

func (e exponent) times(c float64) exponent {
	product := make(exponent, len(e))
	for i := range e {
		product[i] = c * e[i]
	}
	return product
}

func (e exponent) isZero() bool {
	return !slices.ContainsFunc(e, func(c float64) bool { return c != 0 })
}
