package qhnet

import (
	"fmt"
	"slices"
)

// Option changes a layer from its default. A layer that does not know an option
// makes [NewNetwork] fail.
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
