package qhnet

import (
	"fmt"
	"math"

	"qhlab/qhnet/internal/kernel"
)

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
