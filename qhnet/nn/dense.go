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
	with := configure(options)
	return Layer{stem: "dense", kind: Matrix, text: with.text("dense"), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := with.check(p, "NoBias"); err != nil {
			return wire{}, err
		}
		if units < 1 {
			return wire{}, p.fail("has %d units; it needs at least 1", units)
		}
		if len(in.shape) != 1 {
			return wire{}, p.fail("takes vectors, its input is %s; put Flatten or GlobalAveragePool before it", in.shape)
		}
		return p.dense(in, units, with), nil
	}}
}

func (p *plan) dense(in wire, units int, with settings) wire {
	weight, rate := p.block("weight", units, in.shape[0])
	out := p.wire([]int{units}, true, in.exponent.plus(rate))
	blocks := append([]qhnet.Block{weight}, p.biasOf(out, with)...)
	p.gate(in)
	number := len(p.matrices)
	p.matrices = append(p.matrices, weight)
	p.product(out, weight.Len(), func(b *binding) operator {
		return b.bilinear(&denseMap{
			in: b.signals[in.id], out: b.signals[out.id], weight: weight, number: number, bias: blocks[1:],
			gated: p.wires[in.id].gated, rectified: p.wires[out.id].rectified,
		}, in, out, blocks...)
	})
	return out
}

// product adds the stage of a matrix product. Nobody but the next layer reads
// what it makes, so a ReLU may take its place.
func (p *plan) product(out wire, work int, bind func(b *binding) operator) {
	p.stage(out, bind).work = work
	p.wires[out.id].fresh = true
}

// biasOf adds the bias of a matrix product, if it has one.
func (p *plan) biasOf(out wire, with settings) []qhnet.Block {
	if with.noBias {
		return nil
	}
	b, rate := p.block("bias", out.shape[0])
	p.require(rate, out.exponent, "adds a trainable bias to its value, so both must scale alike.")
	return []qhnet.Block{b}
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

// denseMap is z = h Wᵀ + b for rows h, z, or max(z, 0) if rectified. It
// writes the adjoint of h, or if gated of what was rectified to h.
type denseMap struct {
	in, out          *signal
	weight           qhnet.Block
	number           int           // of the weight among the plan's matrices
	bias             []qhnet.Block // none or one
	gated, rectified bool
}

func (o *denseMap) apply(p *point, out, in quantity, add bool, points span) {
	after := kernel.Epilogue{Rectify: o.rectified && out == values}
	if len(o.bias) > 0 && in == values {
		after.Bias = o.bias[0].Of(p.theta)
	}
	// The product of rows with Wᵀ is faster than the one with W taken by columns.
	kernel.GemmEpilogue(false, false, points.len(), o.out.width, o.in.width, o.in.rows(in, points), o.in.width,
		p.transposed[o.number], o.out.width, keep(add), o.out.rows(out, points), o.out.width, after)
}

func (o *denseMap) transpose(p *point, in, out quantity, add bool, points span) {
	var after kernel.Epilogue
	if o.gated {
		after.Mask = o.in.rows(values, points) // adjoints pass where the rectified value is positive
	}
	kernel.GemmEpilogue(false, false, points.len(), o.in.width, o.out.width, o.out.rows(out, points), o.out.width,
		o.weight.Of(p.theta), o.in.width, keep(add), o.in.rows(in, points), o.in.width, after)
}

func (o *denseMap) outer(dst []float64, out, in quantity, points span) {
	g, h, w := o.out.rows(out, points), o.in.rows(in, points), o.weight.Of(dst)
	if points.len() == 1 { // a row of a Jacobian, too small a matrix for a general product to pay
		for i, c := range g {
			if c != 0 {
				kernel.AddScaled(row(w, i, o.in.width), c, h)
			}
		}
	} else {
		kernel.Gemm(true, false, o.out.width, o.in.width, points.len(), 1, g, o.out.width, h, o.in.width, 1, w, o.in.width)
	}
	if len(o.bias) > 0 && in == values {
		kernel.SumRows(o.bias[0].Of(dst), g)
	}
}

// keep is the factor of what a matrix product finds where it writes.
func keep(add bool) float64 {
	if add {
		return 1
	}
	return 0
}

// Bias adds one trainable number to each feature, or to each channel of an
// image,
//
//	z = h + b,
//
// or with [Elementwise] to each entry.
func Bias(options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "bias", kind: Addition, text: with.text("bias"), lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.shift("bias", with, in, false), with.check(p, "Elementwise")
	}}
}

// shift adds trainable numbers to a wire. With inPlace the sum takes the place
// of the wire's value, which no other operator may need then.
func (p *plan) shift(kind string, with settings, in wire, inPlace bool) wire {
	block, rate := p.block(kind, with.numbers(in.shape)...)
	p.require(rate, in.exponent, "adds a trainable %s to its value, so both must scale alike.", kind)
	out := p.wire(in.shape, true, in.exponent)
	if inPlace {
		p.wires[out.id].valueOf = in.id
	}
	if p.trainable(in) {
		p.wires[in.id].adjointOf = out.id
	}
	p.stage(out, func(b *binding) operator {
		return &shift{b.signals[in.id], b.signals[out.id], block, b.at, b.along}
	})
	return out
}

// shift is z = h + b, b one number a feature, channel or entry. A trainable input
// shares the output's adjoints.
type shift struct {
	in, out   *signal
	bias      qhnet.Block
	at, along *point
}

func (o *shift) forward(points span) error {
	o.add(values, o.at, points)
	return nil
}

func (o *shift) tangent(points span) { o.add(tangents, o.along, points) }

// add sets a quantity of the output to that of the input plus b, in each channel.
func (o *shift) add(q quantity, p *point, points span) {
	b, y, x := o.bias.Of(p.theta), o.out.rows(q, points), o.in.rows(q, points)
	if len(b) == o.out.width {
		if &y[0] != &x[0] {
			copy(y, x)
		}
		kernel.AddRow(y, b)
		return
	}
	area := o.out.width / len(b)
	for at := 0; at < len(y); at += area {
		kernel.Affine(y[at:at+area], x[at:at+area], 1, b[at/area%len(b)])
	}
}

func (o *shift) reverse(points span) {
	if o.in.has(adjoints) && !o.in.trainable {
		copy(o.in.rows(adjoints, points), o.out.rows(adjoints, points))
	}
}

func (o *shift) reverseTangent(span) {}

func (o *shift) gradient(dst []float64, points span) {
	addChannelSums(o.bias.Of(dst), o.out.rows(adjoints, points), o.out.width)
}

func (o *shift) gradientTangent(dst []float64, points span) {
	addChannelSums(o.bias.Of(dst), o.out.rows(adjointTangents, points), o.out.width)
}

// addChannelSums adds the sum of each channel of some rows to dst.
func addChannelSums(dst, rows []float64, width int) {
	if len(dst) == width {
		kernel.SumRows(dst, rows)
		return
	}
	area := width / len(dst)
	for at := 0; at < len(rows); at += area {
		dst[at/area%len(dst)] += kernel.Sum(rows[at : at+area])
	}
}

// Scale multiplies each feature, or each channel of an image, by one trainable
// number,
//
//	z = γ h,
//
// with [Elementwise] each entry, with [Scalar] all entries by the same one. A scalar
// at the end of the body of a [Residual], started at 0 by the caller, makes ReZero
// (Bachlechner et al., arXiv:2003.04887).
func Scale(options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "scale", kind: Scaling, text: with.text("scale"), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.scale(with, in), with.check(p, "Elementwise", "Scalar")
	}}
}

// scale multiplies a wire by trainable numbers.
func (p *plan) scale(with settings, in wire) wire {
	block, rate := p.block("scale", with.numbers(in.shape)...)
	out := p.wire(in.shape, true, in.exponent.plus(rate))
	p.stage(out, func(b *binding) operator {
		return b.bilinear(&scaleMap{b.signals[in.id], b.signals[out.id], block}, in, out, block)
	})
	return out
}

// scaleMap is z = γ h, γ one number a feature, channel, entry or point.
type scaleMap struct {
	in, out *signal
	factors qhnet.Block
}

func (o *scaleMap) apply(p *point, out, in quantity, add bool, points span) {
	multiplyChannels(o.out.rows(out, points), o.in.rows(in, points), o.factors.Of(p.theta), o.in.width, add)
}

func (o *scaleMap) transpose(p *point, in, out quantity, add bool, points span) {
	multiplyChannels(o.in.rows(in, points), o.out.rows(out, points), o.factors.Of(p.theta), o.in.width, add)
}

func (o *scaleMap) outer(dst []float64, out, in quantity, points span) {
	g, h, sums := o.out.rows(out, points), o.in.rows(in, points), o.factors.Of(dst)
	area := o.in.width / len(sums)
	for at := 0; at < len(g); at += o.in.width {
		if area == 1 {
			kernel.AddProducts(sums, g[at:at+o.in.width], h[at:at+o.in.width])
			continue
		}
		for c := range sums {
			lo, hi := at+c*area, at+(c+1)*area
			_, product := kernel.Moments(g[lo:hi], h[lo:hi])
			sums[c] += product
		}
	}
}

// multiplyChannels sets dst to src times one factor a channel, or adds it.
func multiplyChannels(dst, src, factors []float64, width int, add bool) {
	area := width / len(factors)
	for at := 0; at < len(dst); at += width {
		if area == 1 {
			multiply(dst[at:at+width], src[at:at+width], factors, add)
			continue
		}
		for c, f := range factors {
			y, x := dst[at+c*area:at+(c+1)*area], src[at+c*area:at+(c+1)*area]
			if add {
				kernel.AddScaled(y, f, x)
			} else {
				kernel.Affine(y, x, f, 0)
			}
		}
	}
}

// multiply sets dst to the entrywise product of x and y, or adds it.
func multiply(dst, x, y []float64, add bool) {
	if add {
		kernel.AddProducts(dst, x, y)
	} else {
		kernel.Multiply(dst, x, y)
	}
}

// Flatten takes an image as a vector, channel by channel and row by row.
func Flatten() Layer {
	return Layer{stem: "flatten", text: "flatten", lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.alias(in, []int{in.shape.Size()}), nil
	}}
}
