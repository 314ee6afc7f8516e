package qhnet

import (
	"fmt"
	"math"

	"qhlab/qhnet/internal/kernel"
)

// batchNormOperator normalizes each channel over all points; a feature is a
// channel of one entry:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian is that of [pointNormOperator]. What belongs to a channel is kept
// for each of its entries in a row, so that passes are over rows.
type batchNormOperator struct {
	spec     norm
	layer    string
	in, out  *signal
	points   int
	channels int

	mean, inverse    []float64 // μ and 1/σ
	stretch          []float64 // dσ along v, which is mean(ẑ ḣ)
	pull             []float64 // mean(ẑ z̄)
	average, product []float64 // scratch
}

func newBatchNormOperator(l norm, layer string, points, channels int, in, out *signal) *batchNormOperator {
	o := &batchNormOperator{spec: l, layer: layer, in: in, out: out, points: points, channels: channels}
	for _, s := range []*[]float64{&o.mean, &o.inverse, &o.stretch, &o.pull, &o.average, &o.product} {
		*s = make([]float64, in.width)
	}
	return o
}

func (o *batchNormOperator) forward(_ []float64, points span) error {
	clear(o.mean)
	kernel.SumRows(o.mean, o.in.value)
	o.share(o.mean)
	for k := range o.points {
		h, z := row(o.in.value, k, o.in.width), row(o.out.value, k, o.in.width)
		for j, mean := range o.mean {
			z[j] = h[j] - mean
		}
	}
	o.moments(o.average, o.product, o.out.value, o.out.value) // average is what rounding left of the mean
	if err := o.deviations(); err != nil {
		return err
	}
	for k := range o.points {
		z := row(o.out.value, k, o.in.width)
		for j, rest := range o.average {
			z[j] = (z[j] - rest) * o.inverse[j]
		}
	}
	return nil
}

// deviations sets the inverse deviations, and completes the means.
func (o *batchNormOperator) deviations() error {
	for j := range o.mean {
		variance := o.product[j] - o.average[j]*o.average[j]
		if o.spec.vanishes(variance, o.mean[j]) {
			return o.zeroVariance(j * o.channels / o.in.width)
		}
		o.mean[j] += o.average[j]
		o.inverse[j] = 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
	}
	return nil
}

// moments sets mean and product to the means of u and z⊙u in each channel.
func (o *batchNormOperator) moments(mean, product, z, u []float64) {
	clear(mean)
	clear(product)
	for k := range o.points {
		x, y := row(u, k, o.in.width), row(z, k, o.in.width)
		m, p := mean[:len(x)], product[:len(x)]
		for j, v := range x {
			m[j] += v
			p[j] += v * y[j]
		}
	}
	o.share(mean)
	o.share(product)
}

// share replaces sums of columns by means of channels.
func (o *batchNormOperator) share(sums []float64) {
	area := o.in.width / o.channels
	for c := range o.channels {
		channel := sums[c*area : (c+1)*area]
		fill(channel, average(channel)/float64(o.points))
	}
}

func (o *batchNormOperator) tangent(_, _ []float64, points span) {
	o.apply(o.out.derivative, o.in.derivative, o.stretch)
}

func (o *batchNormOperator) reverse(_ []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	o.apply(o.in.adjoint, o.out.adjoint, o.pull)
	if o.spec.with.epsilon == 0 {
		o.cleanse(o.in.adjoint)
	}
}

// apply sets dst to J src and dots to mean(ẑ src).
func (o *batchNormOperator) apply(dst, src, dots []float64) {
	o.moments(o.average, dots, o.out.value, src)
	for k := range o.points {
		u, z := row(src, k, o.in.width), row(o.out.value, k, o.in.width)
		d, mean, dots, inverse := row(dst, k, o.in.width), o.average[:len(u)], dots[:len(u)], o.inverse[:len(u)]
		for j, v := range u {
			d[j] = (v - mean[j] - z[j]*dots[j]) * inverse[j]
		}
	}
}

// cleanse does what it does in [pointNormOperator].
func (o *batchNormOperator) cleanse(adjoint []float64) {
	o.moments(o.average, o.product, o.out.value, adjoint)
	for k := range o.points {
		h, z := row(adjoint, k, o.in.width), row(o.out.value, k, o.in.width)
		mean, product := o.average[:len(h)], o.product[:len(h)]
		for j := range h {
			h[j] -= mean[j] + z[j]*product[j]
		}
	}
}

// reverseTangent is that of [pointNormOperator].
func (o *batchNormOperator) reverseTangent(_, _ []float64, points span) {
	o.apply(o.in.adjointTangent, o.out.adjointTangent, o.product)
	o.moments(o.average, o.product, o.out.derivative, o.out.adjoint)
	for k := range o.points {
		z, dz := row(o.out.value, k, o.in.width), row(o.out.derivative, k, o.in.width)
		h, dh := row(o.in.adjoint, k, o.in.width), row(o.in.adjointTangent, k, o.in.width)
		for j := range dh {
			dh[j] -= (dz[j]*o.pull[j] + z[j]*o.product[j] + h[j]*o.stretch[j]) * o.inverse[j]
		}
	}
}

// zeroVariance explains which channel has no direction.
func (o *batchNormOperator) zeroVariance(channel int) error {
	what := "feature"
	if o.in.width > o.channels {
		what = "channel"
	}
	return o.spec.undefined(o.layer, fmt.Sprintf("%s %d over the batch of %d points", what, channel, o.points), "zero variance")
}
