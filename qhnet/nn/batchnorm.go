package nn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/kernel"
)

// batchNorm normalizes each channel over all points; a feature is a channel of
// one entry:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian is that of [pointNormOperator]. It takes three steps, as means
// over all points are needed between them: [batchMean], [batchCentre] and
// [batchScale], in this order forward and in the opposite order backward. What
// belongs to a channel is kept for each of its entries in a row, so that passes
// are over rows.
type batchNorm struct {
	spec     norm
	layer    string
	in, out  *signal
	points   int
	channels int

	mean, inverse []float64 // μ and 1/σ
	stretch       []float64 // dσ along v, which is mean(ẑ ḣ)
	pull          []float64 // mean(ẑ z̄)
	shift, ones   []float64 // what is added to each row, and factors that leave it

	value, slope moments // of the pass at work, and of its derivative along v
}

func newBatchNorm(l norm, layer string, channels int, b *binding, in, out *signal) *batchNorm {
	o := &batchNorm{spec: l, layer: layer, in: in, out: out, points: b.points, channels: channels,
		value: newMoments(in.width, b.shards), slope: newMoments(in.width, b.shards)}
	for _, s := range []*[]float64{&o.mean, &o.inverse, &o.stretch, &o.pull, &o.shift, &o.ones} {
		*s = make([]float64, in.width)
	}
	fill(o.ones, 1)
	return o
}

// moments are the means of u and of z⊙u over the points, for values u and z that
// change from pass to pass.
type moments struct {
	average, product []float64
	shards           []sums
}

// sums are what a shard has seen of moments.
type sums struct{ plain, product []float64 }

func newMoments(width, shards int) moments {
	m := moments{average: make([]float64, width), product: make([]float64, width)}
	for range shards {
		m.shards = append(m.shards, sums{make([]float64, width), make([]float64, width)})
	}
	return m
}

// reset forgets the sums that a failed pass has left.
func (m *moments) reset() {
	for _, s := range m.shards {
		clear(s.plain)
		clear(s.product)
	}
}

// add counts rows of u and z.
func (m *moments) add(u, z []float64, width int, points span) {
	s := m.shards[points.shard]
	for k := points.lo; k < points.hi; k++ {
		kernel.AddMoments(s.plain, s.product, row(u, k, width), row(z, k, width))
	}
}

// gather replaces the sums of all shards by the means in each channel.
func (m *moments) gather(points, channels int) {
	clear(m.average)
	clear(m.product)
	for _, s := range m.shards {
		kernel.AddScaled(m.average, 1, s.plain)
		kernel.AddScaled(m.product, 1, s.product)
	}
	m.reset()
	area := len(m.average) / channels
	for _, sum := range [][]float64{m.average, m.product} {
		for c := range channels {
			channel := sum[c*area : (c+1)*area]
			fill(channel, average(channel)/float64(points))
		}
	}
}

// batchNorm adds the three steps to the plan.
func (p *plan) batchNorm(l norm, channels int, trainable bool, in, out wire) {
	layer := p.layer
	p.stage(trainable, func(b *binding) operator {
		b.norm = newBatchNorm(l, layer, channels, b, b.signals[in.id], b.signals[out.id])
		return &batchMean{b.norm}
	})
	p.stages[len(p.stages)-1].coupled = true
	p.stage(trainable, func(b *binding) operator { return &batchCentre{b.norm} })
	p.stages[len(p.stages)-1].coupled = true
	p.stage(trainable, func(b *binding) operator { return &batchScale{b.norm} })
}

// batchMean finds the means of h, and those of ḣ and ẑ⊙ḣ. Backward it comes last
// and cleanses the adjoint, as [pointNormOperator] does.
type batchMean struct{ *batchNorm }

func (o *batchMean) prepare([]float64) { o.value.reset() }

func (o *batchMean) prepareTangent([]float64) {}

func (o *batchMean) forward(_ []float64, points span) error {
	kernel.SumRows(o.value.shards[points.shard].plain, points.of(o.in.value, o.in.width))
	return nil
}

func (o *batchMean) tangent(_, _ []float64, points span) {
	o.value.add(o.in.derivative, o.out.value, o.in.width, points)
}

func (o *batchMean) reverse(_ []float64, points span) {
	if o.in.adjoint != nil && o.spec.with.epsilon == 0 {
		o.project(o.in.adjoint, o.in.adjoint, &o.value, o.ones, points)
	}
}

func (o *batchMean) reverseTangent(_, _ []float64, _ span) {}

func (o *batchMean) gather(p pass) error {
	switch p {
	case forwardPass:
		o.value.gather(o.points, o.channels)
		copy(o.mean, o.value.average)
		kernel.Affine(o.shift, o.mean, -1, 0)
	case tangentPass:
		o.value.gather(o.points, o.channels)
		copy(o.stretch, o.value.product)
	}
	return nil
}

// batchCentre sets ẑ to h - μ and finds its second moments. Backward it sets the
// adjoint of h, and finds what rounding left of its mean and of its part along ẑ.
type batchCentre struct{ *batchNorm }

func (o *batchCentre) forward(_ []float64, points span) error {
	o.affine(o.in.value, o.ones, points)
	o.value.add(o.out.value, o.out.value, o.in.width, points)
	return nil
}

func (o *batchCentre) tangent(_, _ []float64, _ span) {}

func (o *batchCentre) reverse(_ []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	o.project(o.in.adjoint, o.out.adjoint, &o.value, o.inverse, points)
	if o.spec.with.epsilon == 0 {
		o.value.add(o.in.adjoint, o.out.value, o.in.width, points)
	}
}

// reverseTangent is that of [pointNormOperator].
func (o *batchCentre) reverseTangent(_, _ []float64, points span) {
	o.project(o.in.adjointTangent, o.out.adjointTangent, &o.slope, o.inverse, points)
	for k := points.lo; k < points.hi; k++ {
		dz, h, dh := row(o.out.derivative, k, o.in.width), row(o.in.adjoint, k, o.in.width), row(o.in.adjointTangent, k, o.in.width)
		for j := range dh {
			dh[j] -= (dz[j]*o.pull[j] + h[j]*o.stretch[j]) * o.inverse[j]
		}
	}
}

func (o *batchCentre) gather(p pass) error {
	if p == tangentPass {
		return nil
	}
	o.value.gather(o.points, o.channels)
	if p == forwardPass {
		return o.deviations()
	}
	return nil
}

// deviations sets the inverse deviations, and completes the means by what rounding
// left of them.
func (o *batchCentre) deviations() error {
	for j, rest := range o.value.average {
		variance := o.value.product[j] - rest*rest
		if o.spec.vanishes(variance, o.mean[j]) {
			return o.zeroVariance(j * o.channels / o.in.width)
		}
		o.mean[j] += rest
		o.inverse[j] = 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
		o.shift[j] = -rest * o.inverse[j]
	}
	return nil
}

// batchScale divides by the deviations. Backward it comes first and finds the means
// of z̄ and ẑ⊙z̄.
type batchScale struct{ *batchNorm }

func (o *batchScale) forward(_ []float64, points span) error {
	o.affine(o.out.value, o.inverse, points)
	return nil
}

func (o *batchScale) tangent(_, _ []float64, points span) {
	o.project(o.out.derivative, o.in.derivative, &o.value, o.inverse, points)
}

func (o *batchScale) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.value.add(o.out.adjoint, o.out.value, o.in.width, points)
	}
}

func (o *batchScale) reverseTangent(_, _ []float64, points span) {
	o.slope.add(o.out.adjointTangent, o.out.value, o.in.width, points)
	product := o.slope.shards[points.shard].product
	for k := points.lo; k < points.hi; k++ {
		kernel.AddProducts(product, row(o.out.derivative, k, o.in.width), row(o.out.adjoint, k, o.in.width))
	}
}

func (o *batchScale) gather(p pass) error {
	switch p {
	case forwardPass, tangentPass:
		return nil
	case hessianPass:
		o.slope.gather(o.points, o.channels)
	}
	o.value.gather(o.points, o.channels)
	copy(o.pull, o.value.product)
	return nil
}

// affine sets ẑ to factors⊙x + shift.
func (o *batchNorm) affine(x, factors []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		kernel.AffineBy(row(o.out.value, k, o.in.width), row(x, k, o.in.width), factors, o.shift)
	}
}

// project sets dst to (u - mean u - ẑ⊙mean(ẑ⊙u)) scales.
func (o *batchNorm) project(dst, u []float64, m *moments, scales []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		kernel.ProjectBy(row(dst, k, o.in.width), row(u, k, o.in.width), row(o.out.value, k, o.in.width), m.average, m.product, scales)
	}
}

// zeroVariance explains which channel has no direction.
func (o *batchNorm) zeroVariance(channel int) error {
	what := "feature"
	if o.in.width > o.channels {
		what = "channel"
	}
	return o.spec.undefined(o.layer, fmt.Sprintf("%s %d over the batch of %d points", what, channel, o.points), "zero variance")
}

// statistics are what a batch normalization divides by once it is frozen.
type statistics struct {
	mean, inverse []float64 // μ and 1/σ of each entry of a point
}

// Freeze returns the network in evaluation mode: every [BatchNorm] uses the mean
// and variance it meets at θ over the rows of x, in place of those of the batch
// it is evaluated on. Blocks are unchanged, so the same θ fits. Statistics that
// do not move with θ change the rates: [Network.ScalingRules] of the frozen
// network ask that the input of each frozen normalization not scale.
func (n *Network) Freeze(theta []float64, x *mat.Dense) (*Network, error) {
	bound, err := n.Bind(x)
	if err != nil {
		return nil, err
	}
	if _, err := bound.Forward(theta); err != nil {
		return nil, err
	}
	frozen := map[string]statistics{}
	for _, s := range bound.(*Evaluation).steps {
		switch o := s.operator.(type) {
		case *batchMean:
			frozen[s.layer] = statistics{o.mean, o.inverse}
		case *frozenNormOperator:
			frozen[s.layer] = o.statistics
		}
	}
	return newNetwork(n.layers, frozen, n.plan.kinkWidth)
}

// frozenNormOperator is z = (h - μ)/σ with stored μ and σ.
type frozenNormOperator struct {
	in, out *signal
	statistics
}

func (o *frozenNormOperator) forward(_ []float64, points span) error {
	for k := points.lo; k < points.hi; k++ {
		z, h := row(o.out.value, k, o.in.width), row(o.in.value, k, o.in.width)
		for j, mean := range o.mean {
			z[j] = (h[j] - mean) * o.inverse[j]
		}
	}
	return nil
}

func (o *frozenNormOperator) tangent(_, _ []float64, points span) {
	setScaled(o.out.derivative, o.in.derivative, o.inverse, o.in.width, points)
}

func (o *frozenNormOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		setScaled(o.in.adjoint, o.out.adjoint, o.inverse, o.in.width, points)
	}
}

func (o *frozenNormOperator) reverseTangent(_, _ []float64, points span) {
	setScaled(o.in.adjointTangent, o.out.adjointTangent, o.inverse, o.in.width, points)
}
