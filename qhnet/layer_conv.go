package qhnet

import (
	"qhlab/qhnet/internal/kernel"
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
	bias := p.biasOf(out, l.with)
	p.product(out, weight.Len()*w.positions(), func(b *binding) operator {
		o := &convOperator{in: b.signals[in.id], out: b.signals[out.id], weight: weight, bias: bias, window: w, rectified: p.wires[out.id].rectified}
		for range b.shards {
			o.unfolded = append(o.unfolded, make([]float64, w.cells()*w.positions()))
		}
		return o
	})
	return out, nil
}

// convOperator is z = W U(h) + b for each point, or max(z, 0) if rectified, where
// U unfolds an image to what the window sees, cells × positions, and W is
// channels × cells.
type convOperator struct {
	in, out   *signal
	weight    Block
	bias      *Block
	window    *window
	rectified bool
	unfolded  [][]float64 // for each shard
}

// weights views W, or anything indexed like it.
func (o *convOperator) weights(theta []float64) matrix {
	return matrixOf(o.weight.Of(theta), o.weight.Shape[0], o.window.cells())
}

// scratch views the shard's memory for U.
func (o *convOperator) scratch(points span) matrix {
	return matrixOf(o.unfolded[points.shard], o.window.cells(), o.window.positions())
}

// unfold views U of one point's image.
func (o *convOperator) unfold(images []float64, k int, points span) matrix {
	u := o.scratch(points)
	o.window.unfold(u.data, row(images, k, o.in.width))
	return u
}

// image views one point's image on the output side.
func (o *convOperator) image(images []float64, k int) matrix {
	return matrixOf(row(images, k, o.out.width), o.weight.Shape[0], o.window.positions())
}

func (o *convOperator) forward(theta []float64, points span) error {
	o.convolve(o.out.value, theta, points, o.rectified)
	return nil
}

func (o *convOperator) result() *signal { return o.out }

// unrectified computes z where a rectifier has taken its place.
func (o *convOperator) unrectified(dst, theta []float64, points span) {
	o.convolve(dst, theta, points, false)
}

// convolve sets dst to W U(h) + b.
func (o *convOperator) convolve(dst, theta []float64, points span, rectified bool) {
	w, after := o.weights(theta), kernel.Epilogue{Rectify: rectified}
	if o.bias != nil {
		after.RowBias = o.bias.Of(theta)
	}
	for k := points.lo; k < points.hi; k++ {
		z, u := o.image(dst, k), o.unfold(o.in.value, k, points)
		kernel.GemmEpilogue(false, false, z.rows, z.cols, u.rows, w.data, w.cols, u.data, u.cols, 0, z.data, z.cols, after)
	}
}

func (o *convOperator) tangent(theta, v []float64, points span) {
	o.convolve(o.out.derivative, v, points, false)
	if !o.in.trainable {
		return
	}
	for k := points.lo; k < points.hi; k++ {
		addProduct(o.image(o.out.derivative, k), o.weights(theta), o.unfold(o.in.derivative, k, points), matrix{})
	}
}

func (o *convOperator) reverse(theta []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	u := o.scratch(points)
	for k := points.lo; k < points.hi; k++ {
		setTProduct(u, o.weights(theta), o.image(o.out.adjoint, k))
		o.fold(o.in.adjoint, k, u)
	}
}

func (o *convOperator) reverseTangent(theta, v []float64, points span) {
	if !o.in.trainable {
		return
	}
	u := o.scratch(points)
	for k := points.lo; k < points.hi; k++ {
		setTProduct(u, o.weights(theta), o.image(o.out.adjointTangent, k))
		addTProduct(u, o.weights(v), o.image(o.out.adjoint, k))
		o.fold(o.in.adjointTangent, k, u)
	}
}

// fold sets one point's image to Uᵀ of what is unfolded.
func (o *convOperator) fold(images []float64, k int, u matrix) {
	image := row(images, k, o.in.width)
	clear(image)
	o.window.fold(image, u.data)
}

func (o *convOperator) gradient(dst []float64, points span) {
	o.addProducts(dst, o.out.adjoint, o.in.value, points)
	o.addBias(dst, o.out.adjoint, points)
}

func (o *convOperator) gradientTangent(dst []float64, points span) {
	o.addProducts(dst, o.out.adjointTangent, o.in.value, points)
	o.addBias(dst, o.out.adjointTangent, points)
	if o.in.trainable {
		o.addProducts(dst, o.out.adjoint, o.in.derivative, points)
	}
}

// addProducts adds Σ_k z̄_k U(h_k)ᵀ to the weights' part of dst.
func (o *convOperator) addProducts(dst, adjoints, images []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		addProductT(o.weights(dst), o.image(adjoints, k), o.unfold(images, k, points))
	}
}

// addBias adds the sums of the channels' adjoints to the bias's part of dst.
func (o *convOperator) addBias(dst, adjoints []float64, points span) {
	if o.bias != nil {
		addChannelSums(o.bias.Of(dst), adjoints, o.out.width, points)
	}
}
