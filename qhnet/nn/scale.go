package nn

import (
	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// Scale multiplies each feature, or each channel of an image, by one trainable
// number,
//
//	z = γ h.
func Scale() Layer { return scale{} }

type scale struct{}

func (scale) stem() string { return "scale" }

func (scale) kind() Kind { return Scaling }

func (scale) text() string { return "scale" }

func (scale) attach(p *plan, in wire) (wire, error) { return p.scale(in), nil }

// scale multiplies a wire by a trainable vector.
func (p *plan) scale(in wire) wire {
	block, rate := p.block("scale", in.shape[0])
	out := p.wire(in.shape, true, in.exponent.plus(rate))
	p.stage(true, func(b *binding) operator {
		return &scaleOperator{b.signals[in.id], b.signals[out.id], block}
	})
	return out
}

// scaleOperator is z = γ h, γ one number a feature or channel.
type scaleOperator struct {
	in, out *signal
	factors qhnet.Block
}

func (o *scaleOperator) forward(theta []float64, points span) error {
	setScaled(o.out.value, o.in.value, o.factors.Of(theta), o.in.width, points)
	return nil
}

func (o *scaleOperator) tangent(theta, v []float64, points span) {
	setScaled(o.out.derivative, o.in.value, o.factors.Of(v), o.in.width, points)
	if o.in.trainable {
		addScaledChannels(o.out.derivative, o.in.derivative, o.factors.Of(theta), o.in.width, points)
	}
}

func (o *scaleOperator) reverse(theta []float64, points span) {
	if o.in.adjoint != nil {
		setScaled(o.in.adjoint, o.out.adjoint, o.factors.Of(theta), o.in.width, points)
	}
}

func (o *scaleOperator) reverseTangent(theta, v []float64, points span) {
	if o.in.trainable {
		setScaled(o.in.adjointTangent, o.out.adjointTangent, o.factors.Of(theta), o.in.width, points)
		addScaledChannels(o.in.adjointTangent, o.out.adjoint, o.factors.Of(v), o.in.width, points)
	}
}

func (o *scaleOperator) gradient(dst []float64, points span) {
	addChannelProducts(o.factors.Of(dst), o.out.adjoint, o.in.value, o.in.width, points)
}

func (o *scaleOperator) gradientTangent(dst []float64, points span) {
	addChannelProducts(o.factors.Of(dst), o.out.adjointTangent, o.in.value, o.in.width, points)
	if o.in.trainable {
		addChannelProducts(o.factors.Of(dst), o.out.adjoint, o.in.derivative, o.in.width, points)
	}
}

// setScaled sets dst to src times one factor a channel.
func setScaled(dst, src, factors []float64, width int, points span) {
	area := width / len(factors)
	for k := points.lo; k < points.hi; k++ {
		y, x := row(dst, k, width), row(src, k, width)
		if area == 1 {
			kernel.Multiply(y, factors, x)
			continue
		}
		for c, f := range factors {
			kernel.Affine(y[c*area:(c+1)*area], x[c*area:(c+1)*area], f, 0)
		}
	}
}

// addScaledChannels adds src times one factor a channel to dst.
func addScaledChannels(dst, src, factors []float64, width int, points span) {
	area := width / len(factors)
	for k := points.lo; k < points.hi; k++ {
		y, x := row(dst, k, width), row(src, k, width)
		if area == 1 {
			kernel.AddProducts(y, factors, x)
			continue
		}
		for c, f := range factors {
			kernel.AddScaled(y[c*area:(c+1)*area], f, x[c*area:(c+1)*area])
		}
	}
}

// addChannelProducts adds the inner product of a and b in each channel to dst.
func addChannelProducts(dst, a, b []float64, width int, points span) {
	area := width / len(dst)
	for k := points.lo; k < points.hi; k++ {
		x, y := row(a, k, width), row(b, k, width)
		if area == 1 {
			kernel.AddProducts(dst, x, y)
			continue
		}
		for c := range dst {
			_, product := kernel.Moments(x[c*area:(c+1)*area], y[c*area:(c+1)*area])
			dst[c] += product
		}
	}
}
