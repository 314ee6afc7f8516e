package nn

import (
	"slices"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
	"qhlab/qhnet/internal/vector"
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

// product adds the stage of a matrix product. Only the next layer reads what it makes, so a
// ReLU may take its place.
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

// gate lets the matrix product that reads a rectified wire mask the adjoints it writes.
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

// Bias adds one trainable number to each feature, or to each channel of an image,
//
//	z = h + b,
//
// or with [Elementwise] to each entry.
func Bias(options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "bias", kind: Addition, text: with.text("bias"), lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.affine(with, in, "", "bias"), with.check(p, "Elementwise")
	}}
}

// Scale multiplies each feature, or each channel of an image, by one trainable number,
//
//	z = γ h,
//
// with [Elementwise] each entry, with [Scalar] all entries by the same one. A scalar
// at the end of the body of a [Residual], started at 0 by the caller, makes ReZero
// (Bachlechner et al., arXiv:2003.04887).
func Scale(options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "scale", kind: Scaling, text: with.text("scale"), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.affine(with, in, "scale", ""), with.check(p, "Elementwise", "Scalar")
	}}
}

// affine multiplies a wire by a block of the kind scale and adds one of the kind shift, either
// "" for none.
func (p *plan) affine(with settings, in wire, scale, shift string) wire {
	o, numbers := affineMap{}, with.numbers(in.shape)
	out := in.exponent
	if scale != "" {
		block, rate := p.block(scale, numbers...)
		out, o.factors = out.plus(rate), []qhnet.Block{block}
	}
	if shift != "" {
		block, rate := p.block(shift, numbers...)
		p.require(rate, out, "adds a trainable %s to its value, so both must scale alike.", shift)
		o.terms = []qhnet.Block{block}
	}
	z := p.wire(in.shape, true, out)
	p.stage(z, func(b *binding) operator {
		o, count := o, qhnet.Shape(numbers).Size()
		o.in, o.out, o.rectified = b.signals[in.id], b.signals[z.id], p.wires[z.id].rectified
		o.ones, o.zeros = make([]float64, count), make([]float64, count)
		vector.Fill(o.ones, 1)
		return b.bilinear(&o, in, z, append(slices.Clone(o.factors), o.terms...)...)
	})
	p.wires[z.id].fresh = scale != ""
	return z
}

// affineMap is z = γ h + b, or max(z, 0) if rectified, each one number a feature, channel,
// entry or point.
type affineMap struct {
	rectified      bool
	in, out        *signal
	factors, terms []qhnet.Block // none or one each
	ones, zeros    []float64
}

// factorsOf returns γ of θ, or its part of v.
func (o *affineMap) factorsOf(p *point, direction bool) []float64 {
	if len(o.factors) > 0 {
		return o.factors[0].Of(p.theta)
	}
	if direction {
		return o.zeros
	}
	return o.ones
}

func (o *affineMap) apply(p *point, out, in quantity, add bool, points span) {
	terms := o.zeros
	if len(o.terms) > 0 && in == values {
		terms = o.terms[0].Of(p.theta)
	}
	factors, rectify := o.factorsOf(p, in != out), o.rectified && out == values
	for k := points.lo; k < points.hi; k++ {
		z := o.out.row(out, k)
		affine(z, o.in.row(in, k), factors, terms, o.in.width, add)
		if rectify {
			kernel.Rectify(z, z)
		}
	}
}

func (o *affineMap) transpose(p *point, in, out quantity, add bool, points span) {
	affine(o.in.rows(in, points), o.out.rows(out, points), o.factorsOf(p, in != out), o.zeros, o.in.width, add)
}

func (o *affineMap) outer(dst []float64, out, in quantity, points span) {
	if len(o.factors) > 0 {
		addChannelProducts(o.factors[0].Of(dst), o.out.rows(out, points), o.in.rows(in, points), o.in.width)
	}
	if len(o.terms) > 0 && in == values {
		addChannelSums(o.terms[0].Of(dst), o.out.rows(out, points), o.in.width)
	}
}

// affine sets rows of dst to those of src times one factor a channel, plus one term or, with
// add, what is there.
func affine(dst, src, factors, terms []float64, width int, add bool) {
	area := width / len(factors)
	for at := 0; at < len(dst); at += width {
		y, x := dst[at:at+width], src[at:at+width]
		switch {
		case area > 1:
			affineChannels(y, x, factors, terms, area, add)
		case add:
			kernel.AddProducts(y, factors, x)
		default:
			kernel.AffineBy(y, x, factors, terms)
		}
	}
}

func affineChannels(y, x, factors, terms []float64, area int, add bool) {
	for c, f := range factors {
		if add {
			kernel.AddScaled(row(y, c, area), f, row(x, c, area))
		} else {
			kernel.Affine(row(y, c, area), row(x, c, area), f, terms[c])
		}
	}
}

// addChannelSums adds the sum of each channel of some rows to dst.
func addChannelSums(dst, rows []float64, width int) {
	if len(dst) == width {
		kernel.SumRows(dst, rows)
		return
	}
	area := width / len(dst)
	for c := range len(rows) / area {
		dst[c%len(dst)] += kernel.Sum(row(rows, c, area))
	}
}

// addChannelProducts adds the inner product of each channel of rows x and y to dst.
func addChannelProducts(dst, x, y []float64, width int) {
	if len(dst) == width {
		for k := range len(x) / width {
			kernel.AddProducts(dst, row(x, k, width), row(y, k, width))
		}
		return
	}
	area := width / len(dst)
	for c := range len(x) / area {
		_, product := kernel.Moments(row(x, c, area), row(y, c, area))
		dst[c%len(dst)] += product
	}
}

// Flatten takes an image as a vector, channel by channel and row by row.
func Flatten() Layer {
	return Layer{stem: "flatten", text: "flatten", lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.alias(in, []int{in.shape.Size()}), nil
	}}
}
