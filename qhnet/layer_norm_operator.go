package qhnet

import "math"

// normOperator normalizes groups of values, with μ = 0 if not centred:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian in a group of N entries, J = (1/σ)(I - 11ᵀ/N - ẑẑᵀ/N), is
// symmetric: tangents and adjoints take the same way.
type normOperator struct {
	spec    norm
	layer   string
	groups  partition
	in, out *signal

	mean, inverse []float64 // μ and 1/σ of each group
	stretch       []float64 // dσ along v, which is mean(ẑ ḣ)
	pull          []float64 // mean(ẑ z̄)
	average       []float64 // scratch
	product       []float64 // scratch
}

func newNormOperator(l norm, layer string, g partition, in, out *signal) *normOperator {
	o := &normOperator{spec: l, groups: g, layer: layer, in: in, out: out}
	for _, s := range []*[]float64{&o.mean, &o.inverse, &o.stretch, &o.pull, &o.average, &o.product} {
		*s = make([]float64, g.count())
	}
	return o
}

func (o *normOperator) forward(_ []float64, points span) error {
	z := o.out.value
	if o.spec.centred {
		o.groups.means(o.mean, o.in.value, points)
	}
	o.groups.subtract(z, o.in.value, o.mean, points)
	if o.spec.centred { // what rounding left of the mean
		o.groups.means(o.average, z, points)
	}
	o.groups.meanProducts(o.product, z, z, points)
	lo, hi := o.groups.within(points)
	for g := lo; g < hi; g++ {
		variance := o.product[g] - o.average[g]*o.average[g]
		// Entries that agree but for rounding have a variance of this size.
		if noise := 8 * 0x1p-52 * o.mean[g]; variance <= noise*noise && o.spec.with.epsilon == 0 {
			return o.zeroVariance(g)
		}
		o.mean[g] += o.average[g]
		o.inverse[g] = 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
	}
	for k := points.lo; k < points.hi; k++ {
		z := row(z, k, o.groups.width)
		for s := range o.groups.perPoint {
			g := o.groups.first(k) + s
			average, inverse := o.average[g], o.inverse[g]
			for i := s * o.groups.length; i < (s+1)*o.groups.length; i++ {
				z[i] = (z[i] - average) * inverse
			}
		}
	}
	return nil
}

func (o *normOperator) tangent(_, _ []float64, points span) {
	o.apply(o.out.derivative, o.in.derivative, o.stretch, points)
}

func (o *normOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.apply(o.in.adjoint, o.out.adjoint, o.pull, points)
		if o.spec.with.epsilon == 0 {
			o.cleanse(o.in.adjoint, points)
		}
	}
}

// cleanse takes out of an adjoint what rounding left of its mean and of its part
// along ẑ: late in a flow the adjoint itself is small beside what it was taken
// from. Only with ε = 0 is J a projection, which may be applied twice.
func (o *normOperator) cleanse(h []float64, points span) {
	if o.spec.centred {
		o.groups.means(o.average, h, points)
	}
	o.groups.meanProducts(o.product, o.out.value, h, points)
	for k := points.lo; k < points.hi; k++ {
		h, z := row(h, k, o.groups.width), row(o.out.value, k, o.groups.width)
		for s := range o.groups.perPoint {
			g := o.groups.first(k) + s
			average, dot := o.average[g], o.product[g]
			for i := s * o.groups.length; i < (s+1)*o.groups.length; i++ {
				h[i] -= average + z[i]*dot
			}
		}
	}
}

// apply sets dst to J src and dots to mean(ẑ src).
func (o *normOperator) apply(dst, src, dots []float64, points span) {
	if o.spec.centred {
		o.groups.means(o.average, src, points)
	}
	o.groups.meanProducts(dots, o.out.value, src, points)
	for k := points.lo; k < points.hi; k++ {
		d, u, z := row(dst, k, o.groups.width), row(src, k, o.groups.width), row(o.out.value, k, o.groups.width)
		for s := range o.groups.perPoint {
			g := o.groups.first(k) + s
			average, dot, inverse := o.average[g], dots[g], o.inverse[g]
			for i := s * o.groups.length; i < (s+1)*o.groups.length; i++ {
				d[i] = (u[i] - average - z[i]*dot) * inverse
			}
		}
	}
}

// reverseTangent differentiates h̄ = J z̄ along v:
//
//	J dz̄ - (1/σ)(ẑ' mean(ẑ z̄) + ẑ mean(ẑ' z̄) + h̄ dσ),   ẑ' the derivative of ẑ.
func (o *normOperator) reverseTangent(_, _ []float64, points span) {
	o.apply(o.in.adjointTangent, o.out.adjointTangent, o.product, points)
	o.groups.meanProducts(o.product, o.out.derivative, o.out.adjoint, points)
	for k := points.lo; k < points.hi; k++ {
		d, h := row(o.in.adjointTangent, k, o.groups.width), row(o.in.adjoint, k, o.groups.width)
		z, dz := row(o.out.value, k, o.groups.width), row(o.out.derivative, k, o.groups.width)
		for s := range o.groups.perPoint {
			g := o.groups.first(k) + s
			pull, product, stretch, inverse := o.pull[g], o.product[g], o.stretch[g], o.inverse[g]
			for i := s * o.groups.length; i < (s+1)*o.groups.length; i++ {
				d[i] -= (dz[i]*pull + z[i]*product + h[i]*stretch) * inverse
			}
		}
	}
}
