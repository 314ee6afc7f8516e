package nn

import (
	"fmt"
	"slices"

	"qhlab/qhnet"
)

// Layer is one part of a network: a description without parameters or memory. The same value
// may appear several times, and is a part of its own each time. All layers are made by the
// functions of this package: for a function of your own there is [Activation], for anything
// else a [qhnet.Model].
//
// At a kink the derivative of a piecewise linear layer is that usual in automatic
// differentiation: [ReLU], [ReLUPower] and [AbsPower] have slope 0 at 0, [LeakyReLU] its slope
// for negative values, [MaxPool] passes the derivative to the first of equal entries.
type Layer struct {
	stem      string // begins the automatic name: "dense" gives "dense1"
	name      string // replaces the automatic name
	kind      Kind
	text      string  // what the layer does, with all its options
	lipschitz float64 // see [Part]
	inside    []Layer // of a sequence, or branches
	role      role
	shape     qhnet.Shape // of an [Input]

	// attach adds the layer's parameters, rules and operators to the plan.
	attach func(p *plan, l Layer, in wire) (wire, error)
}

// role marks layers that others treat in a way of their own.
type role int

const (
	ordinary role = iota
	inputRole
	chainRole
	projectionRole
)

// Kind is what a [Part] of a network does, whatever it is called.
type Kind int

const (
	Other         Kind = iota // pooling, activation, and all that has no parameters
	Matrix                    // [Dense]
	Kernels                   // [Conv]
	Addition                  // [Bias]
	Scaling                   // [Scale]
	Normalization             // [BatchNorm], [LayerNorm], [RMSNorm], [GroupNorm]
	Sequence                  // [Chain], the body of a [Residual], and its [Projection]
	Total                     // [Sum] and [Residual]
	Gating                    // [Gate]
	Joining                   // [Concat]
)

// Part describes one layer as it stands in a network.
type Part struct {
	Name       string // "" for the body of a [Residual]
	Kind       Kind
	Shape      qhnet.Shape // of what it gives for one point
	Parameters int         // with those inside

	// Lipschitz bounds ‖z(h) - z(h')‖₂/‖h - h'‖₂ for a layer of known slopes without matrices;
	// 0 if no bound is known.
	Lipschitz float64

	// Inside are the parts of a sequence, in order, or the branches of a sum, gate or
	// concatenation. The body and the skip of a [Residual] are nameless sequences.
	Inside []Part

	text string // what the layer does, with all its options
	wire int
}

// all yields a part's descendants and then the part itself.
func (part Part) all(yield func(Part) bool) bool {
	for _, inner := range part.Inside {
		if !inner.all(yield) {
			return false
		}
	}
	return part.Name == "" || yield(part)
}

// Named gives a layer a name in place of its automatic one. It panics if the name is empty.
func Named(name string, l Layer) Layer {
	if name == "" {
		panic("qhnet: Named without a name; give one, or leave Named out for an automatic one")
	}
	l.name = name
	return l
}

// Option changes a layer from its default. [New] fails if the layer does not know it.
type Option struct {
	name  string
	apply func(*settings)
}

// settings collects the options of one layer.
type settings struct {
	given           []string
	noBias          bool
	scale, shift    bool
	scalar, entries bool
	epsilon         float64
	stride, padding int
}

// NoBias leaves the bias of [Dense] or [Conv] out.
func NoBias() Option { return Option{"NoBias", func(s *settings) { s.noBias = true }} }

// Affine follows a normalization with a trainable scale γ and shift β, z = γ ĥ + β.
func Affine() Option {
	return Option{"Affine", func(s *settings) { s.scale, s.shift = true, true }}
}

// WithScale follows a normalization with a trainable scale γ only, z = γ ĥ.
func WithScale() Option { return Option{"WithScale", func(s *settings) { s.scale = true }} }

// WithShift follows a normalization with a trainable shift β, z = ĥ + β or z = γ ĥ + β.
func WithShift() Option { return Option{"WithShift", func(s *settings) { s.shift = true }} }

// Elementwise gives a scale, bias or normalization one trainable number for each entry of an
// image, not for each channel.
func Elementwise() Option { return Option{"Elementwise", func(s *settings) { s.entries = true }} }

// Scalar gives a [Scale] a single trainable number for all entries.
func Scalar() Option { return Option{"Scalar", func(s *settings) { s.scalar = true }} }

// Epsilon adds ε to the variance of a normalization. The default, 0, keeps a network
// quasi-homogeneous; with ε > 0 it is so only in the limit of large values.
func Epsilon(epsilon float64) Option {
	return Option{"Epsilon", func(s *settings) { s.epsilon = epsilon }}
}

// Stride sets the step between windows of [Conv] (default 1) or a pooling (default its side).
func Stride(stride int) Option { return Option{"Stride", func(s *settings) { s.stride = stride }} }

// Padding surrounds an image, with zeros for [Conv], with entries that never win for [MaxPool].
func Padding(padding int) Option {
	return Option{"Padding", func(s *settings) { s.padding = padding }}
}

func configure(options []Option) settings {
	var s settings
	for _, o := range options {
		if o.apply == nil {
			panic("qhnet: a zero Option; make options by their functions, such as NoBias")
		}
		o.apply(&s)
		s.given = append(s.given, o.name)
	}
	return s
}

// check rejects options that the layer being attached does not know.
func (s settings) check(p *plan, known ...string) error {
	for _, name := range s.given {
		if !slices.Contains(known, name) {
			return p.fail("the option %s does not apply to it", name)
		}
	}
	return nil
}

// text adds the options for trainable numbers to a description.
func (s settings) text(what string) string {
	for _, option := range []struct {
		given bool
		words string
	}{{s.noBias, "no bias"}, {s.scale, "scale"}, {s.shift, "shift"}, {s.scalar, "one number"}, {s.entries, "elementwise"}} {
		if option.given {
			what += ", " + option.words
		}
	}
	return what
}

// windowText describes a square window with what differs from the default stride.
func (s settings) windowText(side, stride int) string {
	text := fmt.Sprintf("%d×%d", side, side)
	if s.strideOr(stride) != stride {
		text += fmt.Sprintf(", stride %d", s.stride)
	}
	if s.padding != 0 {
		text += fmt.Sprintf(", padding %d", s.padding)
	}
	return text
}

// strideOr returns the stride given, or the default.
func (s settings) strideOr(stride int) int {
	if slices.Contains(s.given, "Stride") {
		return s.stride
	}
	return stride
}

// numbers returns the shape of a block of scales or shifts for values of a shape.
func (s settings) numbers(shape qhnet.Shape) []int {
	switch {
	case s.scalar:
		return []int{1}
	case s.entries:
		return shape
	}
	return shape[:1]
}
