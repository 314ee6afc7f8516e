package nn

import (
	"fmt"
	"math"

	"qhlab/qhnet/internal/kernel"
)

// BatchNorm normalizes each feature, or each channel of an image, over the
// whole batch of bound points,
//
//	ĥ = (h - μ)/√(σ² + ε),
//
// with mean μ and variance σ² over the batch (Ioffe and Szegedy,
// arXiv:1502.03167). Derivatives go through μ and σ. [Network.Freeze] makes the
// network that uses stored statistics instead.
//
// All normalizations have ε = 0 unless [Epsilon] is given; Forward then returns
// an error that names the feature or the point whose variance is zero. [Affine],
// [WithScale] and [WithShift] add trainable factors and terms, one a feature or
// channel.
func BatchNorm(options ...Option) Layer {
	return norm{name: "batch normalization", batch: true, centred: true, with: configure(options)}
}

// LayerNorm normalizes all features of each point to mean 0 and variance 1 (Ba,
// Kiros and Hinton, arXiv:1607.06450).
func LayerNorm(options ...Option) Layer {
	return norm{name: "layer normalization", centred: true, groups: 1, with: configure(options)}
}

// RMSNorm divides all features of each point by their root mean square (Zhang
// and Sennrich, arXiv:1910.07467).
func RMSNorm(options ...Option) Layer {
	return norm{name: "RMS normalization", groups: 1, with: configure(options)}
}

// GroupNorm splits the features or channels of each point into groups of equal
// size, in order, and normalizes each group to mean 0 and variance 1 (Wu and He,
// arXiv:1803.08494).
func GroupNorm(groups int, options ...Option) Layer {
	return norm{name: "group normalization", centred: true, groups: groups, with: configure(options)}
}

type norm struct {
	name    string
	batch   bool
	centred bool
	groups  int // of one point
	with    settings
}

func (norm) stem() string { return "norm" }

func (norm) kind() Kind { return Normalization }

func (l norm) text() string {
	s := l.name
	if l.groups > 1 {
		s += fmt.Sprintf(" in %d groups", l.groups)
	}
	if l.with.epsilon != 0 {
		s += fmt.Sprintf(", ε = %g", l.with.epsilon)
	}
	if l.with.scale {
		s += ", scale"
	}
	if l.with.shift {
		s += ", shift"
	}
	return s
}

func (l norm) attach(p *plan, in wire) (wire, error) {
	if err := l.check(p, in); err != nil {
		return wire{}, err
	}
	out := l.normalize(p, in)
	if l.with.scale {
		out = p.scale(out)
	}
	if l.with.shift {
		out = p.shift("shift", out, l.with.scale)
	}
	return out, nil
}

func (l norm) check(p *plan, in wire) error {
	if err := l.with.check(p, "Affine", "WithScale", "WithShift", "Epsilon"); err != nil {
		return err
	}
	if e := l.with.epsilon; !(e >= 0) || math.IsInf(e, 1) {
		return p.fail("has ε = %v; it must be finite and not negative", e)
	}
	if !l.batch && (l.groups < 1 || in.shape[0]%l.groups != 0) {
		return p.fail("cannot split %s into %d groups of equal size along its first side", in.shape, l.groups)
	}
	return nil
}

// normalize adds the normalization without what is trainable about it.
func (l norm) normalize(p *plan, in wire) wire {
	trainable := p.trainable(in)
	statistics, frozen := p.frozen[p.layer]
	switch {
	case l.batch && frozen:
		p.require(in.exponent, nil, "uses stored statistics, which do not scale with its input, so its input must not scale at all.")
		out := p.wire(in.shape, trainable, nil)
		p.stage(trainable, func(b *binding) operator {
			return &frozenNormOperator{b.signals[in.id], b.signals[out.id], statistics}
		})
		return out
	case l.with.epsilon > 0:
		p.require(in.exponent, nil, "adds ε = %g to the variance of its input, so its input must not scale at all.", l.with.epsilon)
	}
	out := p.wire(in.shape, trainable, nil)
	if l.batch {
		p.batchNorm(l, in.shape[0], trainable, in, out)
		return out
	}
	layer := p.layer
	p.stage(trainable, func(b *binding) operator {
		return newPointNormOperator(l, layer, b.points, b.signals[in.id], b.signals[out.id])
	})
	return out
}

// vanishes tells whether there is no variance to divide by. Entries that agree
// but for rounding have a variance of the size of the bound.
func (l norm) vanishes(variance, mean float64) bool {
	noise := 8 * 0x1p-52 * mean
	return variance <= noise*noise && l.with.epsilon == 0
}

// undefined explains where a normalization has nothing to divide by.
func (l norm) undefined(layer, where, what string) error {
	return fmt.Errorf("qhnet: %s: %s has %s, which %s cannot divide by; change the parameters or the data, or give the layer an Epsilon", layer, where, what, l.name)
}

// pointNormOperator normalizes segments of each point's values, with μ = 0 if not
// centred:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian in a segment of N entries, J = (1/σ)(I - 11ᵀ/N - ẑẑᵀ/N), is
// symmetric: tangents and adjoints take the same way.
type pointNormOperator struct {
	spec     norm
	layer    string
	in, out  *signal
	perPoint int       // segments of a point
	inverse  []float64 // 1/σ of each segment
	stretch  []float64 // dσ along v, which is mean(ẑ ḣ)
	pull     []float64 // mean(ẑ z̄)
}

func newPointNormOperator(l norm, layer string, points int, in, out *signal) *pointNormOperator {
	count := points * l.groups
	return &pointNormOperator{
		spec: l, layer: layer, in: in, out: out, perPoint: l.groups,
		inverse: make([]float64, count), stretch: make([]float64, count), pull: make([]float64, count),
	}
}

// segment returns the values of segment g, counted through all points.
func (o *pointNormOperator) segment(data []float64, g int) []float64 {
	return row(data, g, o.in.width/o.perPoint)
}

func (o *pointNormOperator) forward(_ []float64, points span) error {
	for g := points.lo * o.perPoint; g < points.hi*o.perPoint; g++ {
		h, z := o.segment(o.in.value, g), o.segment(o.out.value, g)
		mean := 0.0
		if o.spec.centred {
			mean = average(h)
		}
		kernel.Affine(z, h, 1, -mean)
		rest, square := o.moments(z, z) // rest is what rounding left of the mean
		variance := square - rest*rest
		if o.spec.vanishes(variance, mean) {
			return o.zeroVariance(g)
		}
		inverse := 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
		kernel.Affine(z, z, inverse, -rest*inverse)
		o.inverse[g] = inverse
	}
	return nil
}

// moments returns the means of u, 0 if not centred, and of z⊙u.
func (o *pointNormOperator) moments(z, u []float64) (mean, product float64) {
	mean, product = kernel.Moments(u, z)
	if !o.spec.centred {
		mean = 0
	}
	n := float64(len(z))
	return mean / n, product / n
}

func (o *pointNormOperator) tangent(_, _ []float64, points span) {
	o.apply(o.out.derivative, o.in.derivative, o.stretch, points)
}

func (o *pointNormOperator) reverse(_ []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	o.apply(o.in.adjoint, o.out.adjoint, o.pull, points)
	if o.spec.with.epsilon == 0 {
		o.cleanse(o.in.adjoint, points)
	}
}

// apply sets dst to J src and dots to mean(ẑ src).
func (o *pointNormOperator) apply(dst, src, dots []float64, points span) {
	for g := points.lo * o.perPoint; g < points.hi*o.perPoint; g++ {
		d, u, z := o.segment(dst, g), o.segment(src, g), o.segment(o.out.value, g)
		mean, dot := o.moments(z, u)
		dots[g] = dot
		kernel.Project(d, u, z, mean, dot, o.inverse[g])
	}
}

// cleanse takes out of an adjoint what rounding left of its mean and of its part
// along ẑ: late in a flow the adjoint itself is small beside what it was taken
// from. Only with ε = 0 is J a projection, which may be applied twice.
func (o *pointNormOperator) cleanse(adjoint []float64, points span) {
	for g := points.lo * o.perPoint; g < points.hi*o.perPoint; g++ {
		h, z := o.segment(adjoint, g), o.segment(o.out.value, g)
		mean, dot := o.moments(z, h)
		kernel.Project(h, h, z, mean, dot, 1)
	}
}

// reverseTangent differentiates h̄ = J z̄ along v:
//
//	J dz̄ - (1/σ)(ẑ' mean(ẑ z̄) + ẑ mean(ẑ' z̄) + h̄ dσ),   ẑ' the derivative of ẑ.
func (o *pointNormOperator) reverseTangent(_, _ []float64, points span) {
	for g := points.lo * o.perPoint; g < points.hi*o.perPoint; g++ {
		z, dz := o.segment(o.out.value, g), o.segment(o.out.derivative, g)
		u, du := o.segment(o.out.adjoint, g), o.segment(o.out.adjointTangent, g)
		h, dh := o.segment(o.in.adjoint, g), o.segment(o.in.adjointTangent, g)
		mean, dot := o.moments(z, du)
		_, product := o.moments(dz, u)
		dot += product
		pull, stretch, inverse := o.pull[g], o.stretch[g], o.inverse[g]
		for i := range dh {
			dh[i] = (du[i] - mean - z[i]*dot - dz[i]*pull - h[i]*stretch) * inverse
		}
	}
}

// average returns the mean of x.
func average(x []float64) float64 {
	return kernel.Sum(x) / float64(len(x))
}

// zeroVariance explains which segment has no direction.
func (o *pointNormOperator) zeroVariance(g int) error {
	where := fmt.Sprintf("point %d", g/o.perPoint)
	if o.perPoint > 1 {
		where += fmt.Sprintf(", group %d,", g%o.perPoint)
	}
	what := "zero variance"
	if !o.spec.centred {
		what = "only zeros"
	}
	return o.spec.undefined(o.layer, where, what)
}
