package qhnet

import (
	"errors"
	"fmt"
	"slices"
)

// Network is a model made of layers. It holds no parameters and does not
// change: it is safe for use from several goroutines.
type Network struct {
	layers  []Layer
	inputs  []int
	outputs int
	plan    *plan
	output  wire
}

// NewNetwork connects layers one after another. The first is [Input]; the last
// must give a vector, one entry an output. Each layer gets a name from what it
// is and its position among its like, such as "dense1", "norm2" or
// "block3.conv1", unless it is [Named].
//
// An error names the layer that does not fit, with the shapes in question.
func NewNetwork(layers ...Layer) (*Network, error) {
	return newNetwork(slices.Clone(layers), nil, 0)
}

// newNetwork is NewNetwork with the statistics of frozen layers and the width of
// rounded kinks.
func newNetwork(layers []Layer, frozen map[string]statistics, kinkWidth float64) (*Network, error) {
	if len(layers) == 0 {
		return nil, errors.New("qhnet: a network needs layers; the first is Input")
	}
	shape, ok := layers[0].(input)
	if !ok {
		return nil, fmt.Errorf("qhnet: the first layer is a %s layer; it must be Input", layers[0].kind())
	}
	p := &plan{counts: map[string]int{}, named: map[string]bool{}, frozen: frozen, kinkWidth: kinkWidth}
	in, err := p.input(shape)
	if err != nil {
		return nil, err
	}
	out, err := p.chain(layers[1:], "", in)
	if err != nil {
		return nil, err
	}
	if len(out.shape) != 1 {
		return nil, fmt.Errorf("qhnet: %s gives %s, but outputs are a vector; end with Flatten or GlobalAveragePool and Dense", p.last(), shapeText(out.shape))
	}
	p.finish(out)
	return &Network{layers: layers, inputs: in.shape, outputs: out.shape[0], plan: p, output: out}, nil
}

// Input is the first layer of a network: the shape of one point, a number of
// features or channels, height and width.
func Input(shape ...int) Layer { return input(slices.Clone(shape)) }

type input []int

func (input) kind() string { return "input" }

func (input) text() string { return "input" }

func (input) attach(p *plan, _ wire) (wire, error) {
	return wire{}, p.fail("stands inside a network; Input comes first, and once")
}

// input adds the wire a network starts from.
func (p *plan) input(shape input) (wire, error) {
	if len(shape) != 1 && len(shape) != 3 {
		return wire{}, fmt.Errorf("qhnet: input has %d dimensions; a point is a number of features, or channels, height and width", len(shape))
	}
	if slices.Min(shape) < 1 {
		return wire{}, fmt.Errorf("qhnet: input has shape %s; every side must be at least 1", shapeText(shape))
	}
	in := p.wire(shape, false, nil)
	p.named["input"] = true
	p.records = append(p.records, record{name: "input", text: "input", wire: in.id, shape: shape})
	return in, nil
}

// last returns the name of the layer attached last.
func (p *plan) last() string { return p.records[len(p.records)-1].name }

// finish adds the rule of the output and gives every rule all blocks.
func (p *plan) finish(out wire) {
	p.rules = append(p.rules, ScalingRule{
		Layer:        p.last(),
		Reason:       p.last() + " gives the output, which must scale like e^α.",
		Coefficients: out.exponent,
		Total:        1,
	})
	for i := range p.rules {
		p.rules[i].Coefficients = exponent(p.rules[i].Coefficients).plus(make(exponent, len(p.blocks)))
	}
}

// Blocks implements [Model].
func (n *Network) Blocks() []Block { return slices.Clone(n.plan.blocks) }

// ScalingRules implements [Model]. Each layer takes a value that scales like
// e^{αa} to one that scales like e^{αa'}. With rates λ_W of weights, λ_b of a
// bias or shift, λ_γ of a scale:
//
//	input                          a' = 0
//	dense, convolution             a' = a + λ_W
//	bias, shift                    a' = a = λ_b
//	scale                          a' = a + λ_γ
//	ReLU, pooling, flatten         a' = a
//	power, activation of degree k  a' = k a
//	normalization, ε = 0           a' = 0
//	normalization, ε > 0           a' = a = 0
//	tanh, GELU, softplus           a' = a = 0
//	activation without degree      a' = a = 0
//	sum or concatenation           a' = a_1 = a_2 = …
//	product of branches            a' = a_1 + a_2
//	output                         a  = 1
//
// The equalities among them are the rules; all outputs share one exponent.
func (n *Network) ScalingRules() []ScalingRule { return slices.Clone(n.plan.rules) }

// Inputs returns the number of entries of one point.
func (n *Network) Inputs() int { return size(n.inputs) }

// Outputs implements [Model].
func (n *Network) Outputs() int { return n.outputs }
