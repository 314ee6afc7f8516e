package nn

import (
	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// Dense is a fully connected layer with the given number of units,
//
//	z = W h + b,   W units×inputs,
//
// without b under [NoBias]. It takes points that are vectors.
func Dense(units int, options ...Option) Layer {
	return dense{units, configure(options)}
}

type dense struct {
	units int
	with  settings
}

func (dense) stem() string { return "dense" }

func (dense) kind() Kind { return Matrix }

func (l dense) text() string { return l.with.text("dense") }

func (l dense) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "NoBias"); err != nil {
		return wire{}, err
	}
	if l.units < 1 {
		return wire{}, p.fail("has %d units; it needs at least 1", l.units)
	}
	if len(in.shape) != 1 {
		return wire{}, p.fail("takes vectors, its input is %s; put Flatten or GlobalAveragePool before it", in.shape)
	}
	weight, rate := p.block("weight", l.units, in.shape[0])
	out := p.wire([]int{l.units}, true, in.exponent.plus(rate))
	bias := p.biasOf(out, l.with)
	p.gate(in)
	p.product(out, weight.Len(), func(b *binding) operator {
		return &denseOperator{
			in: b.signals[in.id], out: b.signals[out.id], weight: weight, bias: bias,
			gated: p.wires[in.id].gated, rectified: p.wires[out.id].rectified,
		}
	})
	return out, nil
}

// product adds the stage of a matrix product. Nobody but the next layer reads
// what it makes, so a ReLU may take its place.
func (p *plan) product(out wire, work int, bind func(b *binding) operator) {
	p.stage(true, bind)
	p.stages[len(p.stages)-1].work = work
	p.wires[out.id].fresh = true
}

// biasOf adds the bias of a matrix product, if it has one.
func (p *plan) biasOf(out wire, with settings) *qhnet.Block {
	if with.noBias {
		return nil
	}
	b, rate := p.block("bias", out.shape[0])
	p.require(rate, out.exponent, "adds a trainable bias to its value, so both must scale alike.")
	return &b
}

// gate lets the matrix product that reads a rectified wire apply the rectifier's
// mask to the adjoints it writes.
func (p *plan) gate(in wire) {
	w := &p.wires[in.id]
	if w.valueOf != in.id && p.wires[w.valueOf].rectified {
		w.gated = true
		p.wires[w.valueOf].adjointOf = in.id
	}
}

// denseOperator is z = h Wᵀ + b for rows h, z, or max(z, 0) if rectified. It
// writes the adjoint of h, or if gated of what was rectified to h.
type denseOperator struct {
	in, out          *signal
	weight           qhnet.Block
	bias             *qhnet.Block
	gated, rectified bool

	transposed, transposedTangent []float64 // Wᵀ of θ and of v
}

func (o *denseOperator) prepare(theta []float64) { o.transposed = o.transpose(o.transposed, theta) }

func (o *denseOperator) prepareTangent(v []float64) {
	o.transposedTangent = o.transpose(o.transposedTangent, v)
}

func (o *denseOperator) transpose(dst, theta []float64) []float64 {
	w := o.weight.Of(theta)
	if dst == nil {
		dst = make([]float64, len(w))
	}
	kernel.Transpose(dst, w, o.out.width, o.in.width)
	return dst
}

// inputs views Wᵀ.
func (o *denseOperator) inputs(transposed []float64) matrix {
	return matrixOf(transposed, o.in.width, o.out.width)
}

// weights views W, or anything indexed like it.
func (o *denseOperator) weights(theta []float64) matrix {
	return matrixOf(o.weight.Of(theta), o.out.width, o.in.width)
}

// biases views b, or anything indexed like it; nil if there is none.
func (o *denseOperator) biases(theta []float64) []float64 {
	if o.bias == nil {
		return nil
	}
	return o.bias.Of(theta)
}

// inner and outer view rows of matrices on the two sides of the layer.
func (o *denseOperator) inner(data []float64, points span) matrix {
	return matrixOf(points.of(data, o.in.width), points.len(), o.in.width)
}

func (o *denseOperator) outer(data []float64, points span) matrix {
	return matrixOf(points.of(data, o.out.width), points.len(), o.out.width)
}

func (o *denseOperator) forward(theta []float64, points span) error {
	o.affine(o.out.value, o.transposed, theta, points, o.rectified)
	return nil
}

func (o *denseOperator) result() *signal { return o.out }

// unrectified computes z where a rectifier has taken its place.
func (o *denseOperator) unrectified(dst, theta []float64, points span) {
	o.affine(dst, o.transposed, theta, points, false)
}

// affine sets dst to h Wᵀ + b.
func (o *denseOperator) affine(dst, transposed, theta []float64, points span, rectified bool) {
	setAffine(o.outer(dst, points), o.inner(o.in.value, points), o.inputs(transposed), o.biases(theta), rectified)
}

func (o *denseOperator) tangent(theta, v []float64, points span) {
	o.affine(o.out.derivative, o.transposedTangent, v, points, false)
	if o.in.trainable {
		addProduct(o.outer(o.out.derivative, points), o.inner(o.in.derivative, points), o.inputs(o.transposed), matrix{})
	}
}

func (o *denseOperator) reverse(theta []float64, points span) {
	if o.in.adjoint != nil {
		setProduct(o.inner(o.in.adjoint, points), o.outer(o.out.adjoint, points), o.weights(theta), o.mask(points))
	}
}

func (o *denseOperator) reverseTangent(theta, v []float64, points span) {
	if !o.in.trainable {
		return
	}
	dh := o.inner(o.in.adjointTangent, points)
	setProduct(dh, o.outer(o.out.adjointTangent, points), o.weights(theta), matrix{})
	addProduct(dh, o.outer(o.out.adjoint, points), o.weights(v), o.mask(points))
}

// mask returns the rectified values, 0 where adjoints do not pass.
func (o *denseOperator) mask(points span) matrix {
	if !o.gated {
		return matrix{}
	}
	return o.inner(o.in.value, points)
}

func (o *denseOperator) gradient(dst []float64, points span) {
	g := o.outer(o.out.adjoint, points)
	addTProduct(o.weights(dst), g, o.inner(o.in.value, points))
	addColumnSums(o.biases(dst), g)
}

func (o *denseOperator) gradientTangent(dst []float64, points span) {
	dg := o.outer(o.out.adjointTangent, points)
	addTProduct(o.weights(dst), dg, o.inner(o.in.value, points))
	addColumnSums(o.biases(dst), dg)
	if o.in.trainable {
		addTProduct(o.weights(dst), o.outer(o.out.adjoint, points), o.inner(o.in.derivative, points))
	}
}

// Bias adds one trainable number to each feature, or to each channel of an
// image,
//
//	z = h + b.
func Bias() Layer { return bias{} }

type bias struct{}

func (bias) stem() string { return "bias" }

func (bias) kind() Kind { return Addition }

func (bias) lipschitz() float64 { return 1 }

func (bias) text() string { return "bias" }

func (bias) attach(p *plan, in wire) (wire, error) {
	return p.shift("bias", in, false), nil
}

// shift adds a trainable vector to a wire. With inPlace the sum takes the place
// of the wire's value, which no other operator may need then.
func (p *plan) shift(kind string, in wire, inPlace bool) wire {
	block, rate := p.block(kind, in.shape[0])
	p.require(rate, in.exponent, "adds a trainable %s to its value, so both must scale alike.", kind)
	out := p.wire(in.shape, true, in.exponent)
	if inPlace {
		p.wires[out.id].valueOf = in.id
	}
	if p.trainable(in) {
		p.wires[in.id].adjointOf = out.id
	}
	p.stage(true, func(b *binding) operator {
		return &shiftOperator{b.signals[in.id], b.signals[out.id], block}
	})
	return out
}

// shiftOperator is z = h + b, b one number a feature or channel.
type shiftOperator struct {
	in, out *signal
	bias    qhnet.Block
}

func (o *shiftOperator) forward(theta []float64, points span) error {
	o.add(o.out.value, o.in.value, o.bias.Of(theta), points)
	return nil
}

func (o *shiftOperator) tangent(_, v []float64, points span) {
	o.add(o.out.derivative, o.in.derivative, o.bias.Of(v), points)
}

// add sets dst to src plus b, in each channel.
func (o *shiftOperator) add(dst, src, b []float64, points span) {
	area := o.out.width / len(b)
	if area == 1 {
		y, x := points.of(dst, o.out.width), points.of(src, o.out.width)
		if &y[0] != &x[0] {
			copy(y, x)
		}
		kernel.AddRow(y, b)
		return
	}
	for k := points.lo; k < points.hi; k++ {
		y, x := row(dst, k, o.out.width), row(src, k, o.out.width)
		for c, v := range b {
			kernel.Affine(y[c*area:(c+1)*area], x[c*area:(c+1)*area], 1, v)
		}
	}
}

func (o *shiftOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil && !o.in.trainable {
		copy(points.of(o.in.adjoint, o.in.width), points.of(o.out.adjoint, o.out.width))
	}
}

// reverseTangent has nothing to do: the input shares the output's adjoint.
func (o *shiftOperator) reverseTangent(_, _ []float64, _ span) {}

func (o *shiftOperator) gradient(dst []float64, points span) {
	addChannelSums(o.bias.Of(dst), o.out.adjoint, o.out.width, points)
}

func (o *shiftOperator) gradientTangent(dst []float64, points span) {
	addChannelSums(o.bias.Of(dst), o.out.adjointTangent, o.out.width, points)
}

// addChannelSums adds the sum of each channel of src over the points to dst.
func addChannelSums(dst, src []float64, width int, points span) {
	area := width / len(dst)
	if area == 1 {
		kernel.SumRows(dst, points.of(src, width))
		return
	}
	for k := points.lo; k < points.hi; k++ {
		x := row(src, k, width)
		for c := range dst {
			dst[c] += kernel.Sum(x[c*area : (c+1)*area])
		}
	}
}

// row returns row k of a matrix of the given width.
func row(data []float64, k, width int) []float64 {
	return data[k*width : (k+1)*width : (k+1)*width]
}

// Flatten takes an image as a vector, channel by channel and row by row.
func Flatten() Layer { return flatten{} }

type flatten struct{}

func (flatten) stem() string { return "flatten" }

func (flatten) kind() Kind { return Other }

func (flatten) lipschitz() float64 { return 1 }

func (flatten) text() string { return "flatten" }

func (flatten) attach(p *plan, in wire) (wire, error) {
	return p.alias(in, []int{in.shape.Size()}), nil
}

// matrix is a dense matrix, row by row without gaps.
type matrix struct {
	data       []float64
	rows, cols int
}

// matrixOf views a slice as a matrix.
func matrixOf(data []float64, rows, cols int) matrix { return matrix{data, rows, cols} }

// setAffine sets dst to X W, plus b in each row unless b is nil, and then to its
// positive part if rectified.
func setAffine(dst, x, w matrix, b []float64, rectified bool) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, x.cols, x.data, x.cols, w.data, w.cols, 0, dst.data, dst.cols,
		kernel.Epilogue{Bias: b, Rectify: rectified})
}

// setProduct sets dst to G W, and to 0 where a mask is not positive; an empty
// mask lets all pass.
func setProduct(dst, g, w, mask matrix) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, g.cols, g.data, g.cols, w.data, w.cols, 0, dst.data, dst.cols,
		kernel.Epilogue{Mask: mask.data})
}

// addProduct adds G W to dst, and sets it to 0 where a mask is not positive.
func addProduct(dst, g, w, mask matrix) {
	kernel.GemmEpilogue(false, false, dst.rows, dst.cols, g.cols, g.data, g.cols, w.data, w.cols, 1, dst.data, dst.cols,
		kernel.Epilogue{Mask: mask.data})
}

// addProductT adds X Wᵀ to dst.
func addProductT(dst, x, w matrix) {
	kernel.Gemm(false, true, dst.rows, dst.cols, x.cols, 1, x.data, x.cols, w.data, w.cols, 1, dst.data, dst.cols)
}

// addTProduct adds GᵀX to dst. One point's outer product, a row of a Jacobian,
// is too small a matrix for a general product to pay.
func addTProduct(dst, g, x matrix) {
	if g.rows > 1 {
		kernel.Gemm(true, false, dst.rows, dst.cols, g.rows, 1, g.data, g.cols, x.data, x.cols, 1, dst.data, dst.cols)
		return
	}
	for i, c := range g.data {
		if c != 0 {
			kernel.AddScaled(row(dst.data, i, dst.cols), c, x.data)
		}
	}
}

// setTProduct sets dst to GᵀX.
func setTProduct(dst, g, x matrix) {
	kernel.Gemm(true, false, dst.rows, dst.cols, g.rows, 1, g.data, g.cols, x.data, x.cols, 0, dst.data, dst.cols)
}

// addColumnSums adds the sum of each column of g to dst, unless dst is nil.
func addColumnSums(dst []float64, g matrix) {
	if dst != nil {
		kernel.SumRows(dst, g.data)
	}
}
