package qhnet

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Conv is a two-dimensional convolution (a correlation, as usual) with a square
// window of the given side,
//
//	z_o(y, x) = Σ_{i,r,s} W_{o,i,r,s} h_i(y·stride + r - padding, x·stride + s - padding) + b_o,
//
// with [Stride] 1, [Padding] 0 and bias unless options say otherwise. W has the
// shape channels × input channels × side × side.
func Conv(channels, side int, options ...Option) Layer {
	return conv{channels, side, configure(options)}
}

type conv struct {
	channels, side int
	with           settings
}

func (conv) kind() string { return "conv" }

func (l conv) text() string {
	return l.with.text("convolution " + l.with.windowText(l.side, 1))
}

func (l conv) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "NoBias", "Stride", "Padding"); err != nil {
		return wire{}, err
	}
	if l.channels < 1 {
		return wire{}, p.fail("has %d channels; it needs at least 1", l.channels)
	}
	w, err := p.newWindow(in, l.side, l.with.strideOr(1), l.with.padding)
	if err != nil {
		return wire{}, err
	}
	weight, rate := p.block("weight", l.channels, w.channels, l.side, l.side)
	out := p.wire([]int{l.channels, w.outHeight, w.outWidth}, true, in.exponent.plus(rate))
	p.stage(true, func(b *binding) operator {
		return newConvOperator(b.signals[in.id], b.signals[out.id], weight, w)
	})
	if !l.with.noBias {
		out = p.shift("bias", out, true)
	}
	return out, nil
}

// convOperator is z = W U(h) for each point, where U unfolds an image to what
// the window sees, cells × positions, and W is channels × cells.
type convOperator struct {
	in, out  *signal
	weight   Block
	window   window
	unfolded []float64
}

func newConvOperator(in, out *signal, weight Block, w window) *convOperator {
	return &convOperator{in, out, weight, w, make([]float64, w.cells()*w.positions())}
}

// matrix views W, or anything indexed like it.
func (o *convOperator) matrix(theta []float64) blas64.General {
	return matrix(o.weight.Of(theta), o.weight.Shape[0], o.window.cells())
}

// unfold views U of one point's image.
func (o *convOperator) unfold(images []float64, k int) blas64.General {
	o.window.unfold(o.unfolded, row(images, k, o.in.width))
	return matrix(o.unfolded, o.window.cells(), o.window.positions())
}

// image views one point's image on the output side.
func (o *convOperator) image(images []float64, k int) blas64.General {
	return matrix(row(images, k, o.out.width), o.weight.Shape[0], o.window.positions())
}

func (o *convOperator) forward(theta []float64, points span) error {
	w := o.matrix(theta)
	for k := points.lo; k < points.hi; k++ {
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, w, o.unfold(o.in.value, k), 0, o.image(o.out.value, k))
	}
	return nil
}

func (o *convOperator) tangent(theta, v []float64, points span) {
	w, dw := o.matrix(theta), o.matrix(v)
	for k := points.lo; k < points.hi; k++ {
		dz := o.image(o.out.derivative, k)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, dw, o.unfold(o.in.value, k), 0, dz)
		if o.in.trainable {
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, w, o.unfold(o.in.derivative, k), 1, dz)
		}
	}
}

func (o *convOperator) reverse(theta []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	w, u := o.matrix(theta), matrix(o.unfolded, o.window.cells(), o.window.positions())
	for k := points.lo; k < points.hi; k++ {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, w, o.image(o.out.adjoint, k), 0, u)
		o.fold(o.in.adjoint, k)
	}
}

func (o *convOperator) reverseTangent(theta, v []float64, points span) {
	if !o.in.trainable {
		return
	}
	w, dw := o.matrix(theta), o.matrix(v)
	u := matrix(o.unfolded, o.window.cells(), o.window.positions())
	for k := points.lo; k < points.hi; k++ {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, w, o.image(o.out.adjointTangent, k), 0, u)
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, dw, o.image(o.out.adjoint, k), 1, u)
		o.fold(o.in.adjointTangent, k)
	}
}

// fold sets one point's image to Uᵀ of what is unfolded.
func (o *convOperator) fold(images []float64, k int) {
	image := row(images, k, o.in.width)
	clear(image)
	o.window.fold(image, o.unfolded)
}

func (o *convOperator) gradient(dst []float64, points span) {
	o.addProducts(dst, o.out.adjoint, o.in.value, points)
}

func (o *convOperator) gradientTangent(dst []float64, points span) {
	o.addProducts(dst, o.out.adjointTangent, o.in.value, points)
	if o.in.trainable {
		o.addProducts(dst, o.out.adjoint, o.in.derivative, points)
	}
}

// addProducts adds Σ_k z̄_k U(h_k)ᵀ to dst.
func (o *convOperator) addProducts(dst, adjoints, images []float64, points span) {
	w := o.matrix(dst)
	for k := points.lo; k < points.hi; k++ {
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, o.image(adjoints, k), o.unfold(images, k), 1, w)
	}
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
