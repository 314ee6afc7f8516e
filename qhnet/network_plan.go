package qhnet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// plan is a network under construction: layers add blocks, rules and stages
// to it in the order of evaluation.
type plan struct {
	blocks  []Block
	rules   []ScalingRule
	stages  []stage
	wires   []wireSpec
	records []record

	layer  string                // name of the layer being attached
	scope  string                // prefix of names: "" or "block2."
	counts map[string]int        // automatic names given so far
	named  map[string]bool       // all names given so far
	frozen map[string]statistics // of batch normalizations in evaluation mode

	kinkWidth float64 // of rounded rectifiers; see Margins.RoundKinks
	kinks     bool    // whether there are rectifiers
}

// wire is the end of the network so far: what the next layer starts from.
type wire struct {
	id       int
	shape    []int    // of one point: {features} or {channels, height, width}
	exponent exponent // the value scales like e^{α·exponent}
}

// wireSpec is what an evaluation needs to know about a wire to give it memory.
type wireSpec struct {
	width     int
	trainable bool
	valueOf   int // the wire whose value and derivative it shares, or itself
	adjointOf int // the wire whose adjoint it shares, or itself

	fresh     bool // a matrix product made it, and does not need it any more
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
	points  int
	shards  int
	signals []*signal
	norm    *batchNorm // the batch normalization whose stages are being bound
}

// record describes an attached layer in summaries, files and messages.
type record struct {
	name       string
	text       string // what the layer does, such as "dense"
	wire       int
	shape      []int
	parameters int
}

// add names a layer, attaches it and records it.
func (p *plan) add(l Layer, in wire) (wire, error) {
	name, err := p.name(l)
	if err != nil {
		return wire{}, err
	}
	outer, before := p.layer, p.parameters()
	p.layer = name
	defer func() { p.layer = outer }()
	out, err := l.attach(p, in)
	if err != nil {
		return wire{}, err
	}
	p.records = append(p.records, record{
		name:       name,
		text:       l.text(),
		wire:       out.id,
		shape:      out.shape,
		parameters: p.parameters() - before,
	})
	return out, nil
}

// name returns the layer's own name or the next automatic one.
func (p *plan) name(l Layer) (string, error) {
	var name string
	if n, ok := l.(named); ok {
		name = p.scope + n.name
	} else {
		key := p.scope + l.kind()
		p.counts[key]++
		name = key + strconv.Itoa(p.counts[key])
	}
	if p.named[name] {
		return "", fmt.Errorf("qhnet: two layers are called %q; names must differ", name)
	}
	p.named[name] = true
	return name, nil
}

// chain attaches layers one after another, with names inside the given scope.
func (p *plan) chain(layers []Layer, scope string, in wire) (wire, error) {
	outer := p.scope
	p.scope = scope
	defer func() { p.scope = outer }()
	var err error
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

// block adds a parameter block of the layer being attached.
func (p *plan) block(kind string, shape ...int) (Block, exponent) {
	b := Block{Name: p.layer + "." + kind, Layer: p.layer, Kind: kind, Shape: shape, Offset: p.parameters()}
	p.blocks = append(p.blocks, b)
	rate := make(exponent, len(p.blocks))
	rate[len(p.blocks)-1] = 1
	return b, rate
}

// require adds the rule that two exponents agree, unless they do anyway.
func (p *plan) require(a, b exponent, reason string, args ...any) {
	difference := a.plus(b.times(-1))
	if difference.isZero() {
		return
	}
	reason = p.layer + " " + fmt.Sprintf(reason, args...)
	p.rules = append(p.rules, ScalingRule{Layer: p.layer, Reason: reason, Coefficients: difference})
}

// wire adds a wire with memory of its own.
func (p *plan) wire(shape []int, trainable bool, e exponent) wire {
	id := len(p.wires)
	p.wires = append(p.wires, wireSpec{width: size(shape), trainable: trainable, valueOf: id, adjointOf: id})
	return wire{id: id, shape: slices.Clone(shape), exponent: e}
}

// trainable tells whether a wire depends on parameters so far.
func (p *plan) trainable(w wire) bool { return p.wires[w.id].trainable }

// alias adds a wire that is another view of in.
func (p *plan) alias(in wire, shape []int) wire {
	out := p.wire(shape, p.trainable(in), in.exponent)
	p.wires[out.id].valueOf = in.id
	p.wires[in.id].adjointOf = out.id
	return out
}

// stage adds a stage of the layer being attached.
func (p *plan) stage(trainable bool, bind func(b *binding) operator) {
	p.stages = append(p.stages, stage{layer: p.layer, trainable: trainable, bind: bind})
}

// exponent is a linear expression Σ_b c_b λ_b in the rates of the blocks;
// blocks beyond its length have coefficient 0.
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

// size returns the number of entries of an array of this shape.
func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// shapeText writes a shape as 8×28×28.
func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, s := range shape {
		parts[i] = strconv.Itoa(s)
	}
	return strings.Join(parts, "×")
}
