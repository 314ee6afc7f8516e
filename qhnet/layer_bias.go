package qhnet

import "qhlab/qhnet/internal/kernel"

// Bias adds one trainable number to each feature, or to each channel of an
// image,
//
//	z = h + b.
func Bias() Layer { return bias{} }

type bias struct{}

func (bias) kind() string { return "bias" }

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
	bias    Block
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
