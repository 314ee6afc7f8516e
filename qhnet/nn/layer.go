package nn

import (
	"fmt"
	"slices"
)

// Layer is one part of a network. Layers are descriptions without parameters or
// memory: the same value may appear in several networks, or several times in
// one, and is a part of its own each time. All layers are made by this package:
// for a function of your own there is [Activation], for anything else a [qhnet.Model].
//
// At a kink the derivative of a piecewise linear layer is a fixed choice, the
// usual one of automatic differentiation: [ReLU], [ReLUPower] and [AbsPower]
// have slope 0 at 0, [LeakyReLU] its slope for negative values, [MaxPool] passes
// the derivative to the first of equal entries.
type Layer interface {
	// stem begins the layer's automatic name: "dense" gives "dense1".
	stem() string

	// kind is what the layer does, for whoever looks at a network's parts.
	kind() Kind

	// text says in words what the layer does, with all its options.
	text() string

	// attach adds the layer's parameters, rules and operators to the plan.
	attach(p *plan, in wire) (wire, error)
}

// operator computes one value of the network from earlier ones, and carries
// derivatives through, for the points of a span. It is bound to its values,
// and reads and writes them in place.
type operator interface {
	// forward computes the output's value from the inputs' values.
	forward(theta []float64, points span) error

	// tangent computes the output's derivative when θ moves along v.
	tangent(theta, v []float64, points span)

	// reverse computes the inputs' adjoints from the output's.
	reverse(theta []float64, points span)

	// reverseTangent computes the derivative of reverse when θ moves along v.
	reverseTangent(theta, v []float64, points span)
}

// learner is an operator with parameters. Its gradient may be taken before reverse
// and after it; gradientTangent follows reverseTangent.
type learner interface {
	operator

	// gradient adds the output's adjoint, carried to the parameters, to dst.
	gradient(dst []float64, points span)

	// gradientTangent adds the derivative of gradient when θ moves along v.
	gradientTangent(dst []float64, points span)
}

// gatherer is an operator that takes something from all points. When they have
// passed it, and before any goes on, gather puts together what the shards hold.
type gatherer interface{ gather(p pass) error }

// preparer is an operator with work to do once for all points: before forward on
// θ, before tangent on the direction v.
type preparer interface {
	prepare(theta []float64)
	prepareTangent(v []float64)
}

// span is the range of points lo, …, hi-1, worked on together as a shard. Spans
// of different shards may be worked on at the same time.
type span struct{ lo, hi, shard int }

// len returns the number of points in the span.
func (s span) len() int { return s.hi - s.lo }

// of returns the span's rows of a matrix of the given width.
func (s span) of(data []float64, width int) []float64 {
	return data[s.lo*width : s.hi*width]
}

// signal is one value of the network at all bound points, with derivatives:
// matrices of n rows. Every signal is read by exactly one operator, so that
// each adjoint is written once and never summed; a fork makes copies.
type signal struct {
	width          int
	trainable      bool      // whether it depends on parameters
	value          []float64 // z
	derivative     []float64 // ż along the direction v; zero unless trainable
	adjoint        []float64 // z̄, of the weighted sum of outputs; nil unless needed
	idle           []float64 // memory of an adjoint that only the input's gradient needs
	adjointTangent []float64 // derivative of z̄ along v; nil unless trainable
}

// Option changes a layer from its default. A layer that does not know an option
// makes [New] fail.
type Option struct {
	name  string
	apply func(*settings)
}

// settings collects the options of one layer.
type settings struct {
	given           []string
	noBias          bool
	scale, shift    bool
	epsilon         float64
	stride, padding int
}

// NoBias leaves the bias of [Dense] or [Conv] out.
func NoBias() Option { return Option{"NoBias", func(s *settings) { s.noBias = true }} }

// Affine follows a normalization with a trainable scale γ and shift β,
// z = γ ĥ + β.
func Affine() Option {
	return Option{"Affine", func(s *settings) { s.scale, s.shift = true, true }}
}

// WithScale follows a normalization with a trainable scale γ only, z = γ ĥ.
func WithScale() Option { return Option{"WithScale", func(s *settings) { s.scale = true }} }

// WithShift follows a normalization with a trainable shift β, z = ĥ + β; with
// [WithScale], z = γ ĥ + β.
func WithShift() Option { return Option{"WithShift", func(s *settings) { s.shift = true }} }

// Epsilon adds ε to the variance of a normalization. The default, 0, keeps a
// network quasi-homogeneous; with ε > 0 it is so only in the limit of large
// values.
func Epsilon(epsilon float64) Option {
	return Option{"Epsilon", func(s *settings) { s.epsilon = epsilon }}
}

// Stride sets the step between neighbouring windows of [Conv] (default 1) or of
// a pooling (default the window's side).
func Stride(stride int) Option { return Option{"Stride", func(s *settings) { s.stride = stride }} }

// Padding surrounds an image with rows and columns: of zeros for [Conv], of
// entries that never win for [MaxPool].
func Padding(padding int) Option {
	return Option{"Padding", func(s *settings) { s.padding = padding }}
}

func configure(options []Option) settings {
	var s settings
	for _, o := range options {
		o.apply(&s)
		s.given = append(s.given, o.name)
	}
	return s
}

// text adds to a description what these options leave out of the layer.
func (s settings) text(what string) string {
	if s.noBias {
		what += ", no bias"
	}
	return what
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

// Named gives a layer a name in place of its automatic one.
func Named(name string, l Layer) Layer { return named{l, name} }

type named struct {
	Layer
	name string
}

// windowText describes a square window with what differs from the default
// stride.
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
	if s.has("Stride") {
		return s.stride
	}
	return stride
}

// has tells whether an option was given.
func (s settings) has(name string) bool { return slices.Contains(s.given, name) }
