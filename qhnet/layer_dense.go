package qhnet

import "qhlab/qhnet/internal/kernel"

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

func (dense) kind() string { return "dense" }

func (l dense) text() string { return l.with.text("dense") }

func (l dense) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "NoBias"); err != nil {
		return wire{}, err
	}
	if l.units < 1 {
		return wire{}, p.fail("has %d units; it needs at least 1", l.units)
	}
	if len(in.shape) != 1 {
		return wire{}, p.fail("takes vectors, its input is %s; put Flatten or GlobalAveragePool before it", shapeText(in.shape))
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
func (p *plan) biasOf(out wire, with settings) *Block {
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
	weight           Block
	bias             *Block
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
