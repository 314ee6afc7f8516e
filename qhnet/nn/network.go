// Package nn builds quasi-homogeneous models: networks of layers, with biases, branches,
// convolution, pooling and normalization, and products of parameters. They implement
// qhnet.Model, and know their blocks, scaling rules and hidden units.
package nn

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"qhlab/qhnet"
)

// Network is a model made of layers. It does not change: several goroutines may share it.
type Network struct {
	layers  []Layer
	inputs  qhnet.Shape
	outputs int
	planned *plan
	output  wire
}

// plan returns what the network does, if an error of New was not ignored.
func (n *Network) plan() *plan {
	if n == nil || n.planned == nil {
		panic("qhnet: a nil or zero Network; make networks by New, and look at its error")
	}
	return n.planned
}

// New connects layers one after another, from [Input] to one that gives a vector, one entry an
// output. Each layer is called by what it is and its position among its like, such as "dense1",
// "norm2" or "block3.conv1", unless it is [Named]. An error names the layer that does not fit,
// with the shapes in question.
func New(layers ...Layer) (*Network, error) {
	return newNetwork(slices.Clone(layers), nil, 0)
}

// newNetwork is New with the statistics of frozen layers and the width of rounded kinks.
func newNetwork(layers []Layer, frozen map[string]statistics, kinkWidth float64) (*Network, error) {
	if len(layers) == 0 {
		return nil, errors.New("qhnet: a network needs layers; the first is Input")
	}
	if layers[0].role != inputRole {
		return nil, fmt.Errorf("qhnet: the first layer is %s; it must be Input", cmp.Or(layers[0].text, "a zero Layer"))
	}
	p := &plan{counts: map[string]int{}, named: map[string]bool{}, frozen: frozen, kinkWidth: kinkWidth}
	in, err := p.input(layers[0].shape)
	if err != nil {
		return nil, err
	}
	out, err := p.chain(layers[1:], in)
	if err != nil {
		return nil, err
	}
	if len(out.shape) != 1 {
		return nil, fmt.Errorf("qhnet: %s gives %s, but outputs are a vector; end with Flatten or GlobalAveragePool and Dense", p.last(), out.shape)
	}
	p.finish(out)
	return &Network{layers: layers, inputs: in.shape, outputs: out.shape[0], planned: p, output: out}, nil
}

// Input is the first layer of a network: the shape of one point, a number of features, or
// channels, height and width.
func Input(shape ...int) Layer {
	return Layer{stem: "input", text: "input", role: inputRole, shape: slices.Clone(shape), attach: func(p *plan, _ Layer, _ wire) (wire, error) {
		return wire{}, p.fail("stands inside a network; Input comes first, and once")
	}}
}

// input adds the wire a network starts from.
func (p *plan) input(shape qhnet.Shape) (wire, error) {
	if len(shape) != 1 && len(shape) != 3 {
		return wire{}, fmt.Errorf("qhnet: input has %d dimensions; a point is a number of features, or channels, height and width", len(shape))
	}
	if slices.Min(shape) < 1 {
		return wire{}, fmt.Errorf("qhnet: input has shape %s; every side must be at least 1", shape)
	}
	in := p.wire(shape, false, nil)
	if p.huge != "" {
		return wire{}, errors.New("qhnet: input: " + p.huge)
	}
	p.named["input"] = true
	p.parts = append(p.parts, Part{Name: "input", Shape: in.shape, text: "input", wire: in.id})
	return in, nil
}

// finish adds the rule of the output and gives every rule all blocks.
func (p *plan) finish(out wire) {
	reason := p.last() + " gives the output, which must scale like e^α."
	p.rules = append(p.rules, qhnet.ScalingRule{Layer: p.last(), Reason: reason, Coefficients: out.exponent, Total: 1})
	for i := range p.rules {
		p.rules[i].Coefficients = exponent(p.rules[i].Coefficients).plus(make(exponent, len(p.blocks)))
	}
}

// Blocks implements [qhnet.Model]. The slice belongs to the network.
func (n *Network) Blocks() []qhnet.Block { return n.plan().blocks }

// ScalingRules implements [qhnet.Model]. Each layer takes a value that scales like
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
//	attention                      a' = a_values,  a_queries + a_keys = 0
//	output                         a  = 1
//
// The equalities among them are the rules; all outputs share one exponent.
func (n *Network) ScalingRules() []qhnet.ScalingRule { return slices.Clone(n.plan().rules) }

// Inputs returns the number of entries of one point.
func (n *Network) Inputs() int { return n.plan().wires[0].width }

// Outputs implements [qhnet.Model].
func (n *Network) Outputs() int { return n.plan().wires[n.output.id].width }

// Parts describes the layers one after another. The slice belongs to the network.
func (n *Network) Parts() []Part { return n.plan().parts }

// all yields the named parts, those inside a part before it.
func (n *Network) all(yield func(Part) bool) {
	Part{Inside: n.plan().parts}.all(yield)
}

// Units lists the hidden units between neighbouring blocks, for [qhnet.ConservedUnits],
// but for those in branches, those with a concatenation or a branch's normalization
// between them, which mix units, and those of an elementwise scale or shift of an image.
func (n *Network) Units() []qhnet.Units {
	joins, joined := map[string]int{}, 0 // what mixes units before a layer that is in no branch
	for _, part := range n.plan().parts {
		if len(part.Inside) == 0 {
			joins[part.Name] = joined
		}
		part.all(func(inner Part) bool {
			if inner.Kind == Joining || inner.Kind == Normalization && len(part.Inside) > 0 {
				joined++
			}
			return true
		})
	}
	var all []qhnet.Units
	blocks := n.plan().blocks
	for start := 0; start < len(blocks); {
		u := qhnet.Units{In: []int{start}, Out: start + 1}
		for u.Out < len(blocks) && (blocks[u.Out].Kind == "bias" || blocks[u.Out].Kind == "shift") {
			u.In, u.Out = append(u.In, u.Out), u.Out+1
		}
		start = u.Out
		if u.Out < len(blocks) && beside(joins, blocks[u.In[0]:u.Out+1]) {
			all = append(all, u)
		}
	}
	return all
}

// beside tells whether blocks are in no branch, with nothing that mixes units between them.
func beside(joins map[string]int, blocks []qhnet.Block) bool {
	return !slices.ContainsFunc(blocks, func(b qhnet.Block) bool {
		count, ok := joins[b.Layer]
		perEntry := b.Kind != "weight" && len(b.Shape) > 1
		return !ok || count != joins[blocks[0].Layer] || perEntry
	})
}

// String returns a table of the layers, those inside a block before it.
func (n *Network) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "layer\tdoes\tgives\tparameters")
	for part := range n.all {
		parameters := fmt.Sprint(part.Parameters)
		if part.Parameters == 0 {
			parameters = ""
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", part.Name, part.text, part.Shape, parameters)
	}
	fmt.Fprintf(w, "total\t\t\t%d\n", n.plan().parameters())
	w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// ResNet18 returns the layers of the 18-layer residual network for 32×32 colour images, 11.2
// million parameters.
func ResNet18(classes int) []Layer {
	return ResNet(Input(3, 32, 32), []int{64, 128, 256, 512}, 2, classes)
}

// ResNet returns the layers of a residual network for small images, after K. He, X. Zhang,
// S. Ren and J. Sun (arXiv:1512.03385): a 3×3 convolution to the channels of the first
// stage; stages of blocks of two 3×3 convolutions, every stage after the first at half the
// resolution of the one before; the mean of each channel; a dense layer. Convolutions are
// without bias and followed by a batch normalization with scale and shift, as is the 1×1
// convolution that is the skip of a block that changes the shape.
func ResNet(input Layer, stages []int, blocks, classes int) []Layer {
	if len(stages) == 0 || blocks < 1 || blocks > 1000 {
		panic(fmt.Sprintf("qhnet: ResNet of %d stages of %d blocks; use at least 1 of each, and at most 1000 blocks", len(stages), blocks))
	}
	layers := []Layer{input, Conv(stages[0], 3, Padding(1), NoBias()), BatchNorm(Affine()), ReLU()}
	from := stages[0]
	for i, channels := range stages {
		for b := range blocks {
			stride := 1
			if i > 0 && b == 0 {
				stride = 2
			}
			layers = append(layers, basicBlock(from, channels, stride), ReLU())
			from = channels
		}
	}
	return append(layers, GlobalAveragePool(), Dense(classes))
}

// basicBlock is a residual block of two convolutions.
func basicBlock(from, channels, stride int) Layer {
	body := []Layer{
		Conv(channels, 3, Stride(stride), Padding(1), NoBias()), BatchNorm(Affine()), ReLU(),
		Conv(channels, 3, Padding(1), NoBias()), BatchNorm(Affine()),
	}
	if stride != 1 || from != channels {
		body = append(body, Projection(Conv(channels, 1, Stride(stride), NoBias()), BatchNorm(Affine())))
	}
	return Residual(body...)
}
