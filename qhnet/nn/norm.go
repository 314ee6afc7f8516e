package nn

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
)

// BatchNorm normalizes each feature, or each channel of an image, over the whole batch of
// bound points,
//
//	ĥ = (h - μ)/√(σ² + ε),
//
// with mean μ and variance σ² over the batch (Ioffe and Szegedy, arXiv:1502.03167), with
// derivatives through both. [Network.Freeze] makes the network that uses stored statistics.
//
// All normalizations have ε = 0 unless [Epsilon] is given; Forward then returns an error that
// names the feature or point whose variance is zero up to rounding. [Affine], [WithScale] and
// [WithShift] add trainable factors and terms, one a feature or channel, or with [Elementwise]
// one an entry.
func BatchNorm(options ...Option) Layer {
	return norm{name: "batch normalization", batch: true, centred: true}.layer(options)
}

// LayerNorm normalizes all features of each point to mean 0 and variance 1 (Ba,
// Kiros and Hinton, arXiv:1607.06450).
func LayerNorm(options ...Option) Layer {
	return norm{name: "layer normalization", centred: true, groups: 1}.layer(options)
}

// RMSNorm divides all features of each point by their root mean square (Zhang
// and Sennrich, arXiv:1910.07467).
func RMSNorm(options ...Option) Layer {
	return norm{name: "RMS normalization", groups: 1}.layer(options)
}

// GroupNorm splits the features or channels of each point into groups of equal size, in
// order, and normalizes each group to mean 0 and variance 1 (Wu and He, arXiv:1803.08494).
func GroupNorm(groups int, options ...Option) Layer {
	return norm{name: "group normalization", centred: true, groups: groups}.layer(options)
}

type norm struct {
	name    string
	batch   bool
	centred bool
	groups  int // of one point
	with    settings
}

func (l norm) layer(options []Option) Layer {
	l.with = configure(options)
	text := l.name
	if l.groups > 1 {
		text += fmt.Sprintf(" in %d groups", l.groups)
	}
	if l.with.epsilon != 0 {
		text += fmt.Sprintf(", ε = %g", l.with.epsilon)
	}
	return Layer{stem: "norm", kind: Normalization, text: l.with.text(text), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := l.check(p, in); err != nil {
			return wire{}, err
		}
		out, scale, shift := l.normalize(p, in), "", ""
		if l.with.scale {
			scale = "scale"
		}
		if l.with.shift {
			shift = "shift"
		}
		if scale+shift != "" {
			out = p.affine(l.with, out, scale, shift)
		}
		return out, nil
	}}
}

func (l norm) check(p *plan, in wire) error {
	if err := l.with.check(p, "Affine", "WithScale", "WithShift", "Epsilon", "Elementwise"); err != nil {
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
	out, layer := p.wire(in.shape, p.trainable(in), nil), p.layer
	summands := p.wires[in.id].summands
	if statistics, frozen := p.frozen[layer]; frozen && l.batch {
		p.require(in.exponent, nil, "uses stored statistics, which do not scale with its input, so its input must not scale at all.")
		p.stage(out, func(b *binding) operator {
			return linear{&frozenNormMap{b.signals[in.id], b.signals[out.id], statistics}}
		})
		return out
	}
	if l.with.epsilon > 0 {
		p.require(in.exponent, nil, "adds ε = %g to the variance of its input, so its input must not scale at all.", l.with.epsilon)
	}
	if l.batch {
		p.batchNorm(l, in, out)
		return out
	}
	p.stage(out, func(b *binding) operator {
		return newPointNorm(l, layer, b.points, b.signals[in.id], b.signals[out.id], b.signals[summands])
	})
	return out
}

// deviations are what a normalization divides by.
type deviations struct {
	spec        norm
	layer       string
	inverse     []float64 // 1/σ of each piece
	tangentDots []float64 // mean(ẑ ḣ), which is dσ along v
}

// fastest returns the piece that moves fastest for its deviation, with its share in the largest
// deviation and how many times as fast it is as the median.
func (d *deviations) fastest(speed func(piece int) float64) (piece int, share, lead float64) {
	if d.spec.with.epsilon > 0 {
		return 0, 1, 0
	}
	rates := make([]float64, len(d.inverse))
	for i, inverse := range d.inverse {
		rates[i] = speed(i) * inverse
	}
	piece = floats.MaxIdx(rates)
	most := rates[piece]
	slices.Sort(rates)
	return piece, slices.Min(d.inverse) / d.inverse[piece], most / rates[(len(rates)-1)/2]
}

// divider is an operator that divides by deviations.
type divider interface {
	fastest() (piece int, share, lead float64)
	where(piece int) string
}

// VanishingDeviation returns whose deviation, of those that normalizations divide by, goes to
// zero as θ moves along v from the last Forward, and its share s in the largest deviation of the
// layer; s is 1 if none does. In each layer it looks at the deviation whose relative change is
// fastest, and takes it to vanish if that is more than 1/√s times the layer's median.
func (e *Evaluation) VanishingDeviation(v []float64) (whose string, share float64) {
	e.checkMoved("VanishingDeviation")
	e.tangent(v)
	share = 1
	for i := range e.steps {
		if d, ok := e.steps[i].operator.(divider); ok {
			if piece, s, lead := d.fastest(); s < share && lead*math.Sqrt(s) > 1 {
				whose, share = e.steps[i].layer+": "+d.where(piece), s
			}
		}
	}
	return whose, share
}

// flaw says what is wrong with a variance to divide by, "" if nothing: entries that agree differ
// by roundings of their mean, or if they are averages, of what was averaged.
func (l norm) flaw(variance, mean, averaged float64) string {
	noise := 8 * 0x1p-52 * max(math.Abs(mean), averaged)
	switch {
	case !(variance <= math.MaxFloat64):
		return "a variance too large for a float64"
	case variance > max(noise*noise, 0x1p-1022) || l.with.epsilon > 0: // squares below lose digits
		return ""
	case l.centred:
		return "zero variance"
	}
	return "only zeros"
}

// undefined explains where a normalization has nothing to divide by.
func (l norm) undefined(layer, where, what string) error {
	return fmt.Errorf("qhnet: %s: %s has %s, which %s cannot divide by; change the parameters or the data, or give the layer an Epsilon", layer, where, what, l.name)
}

// pointNorm normalizes pieces of each point's values, with μ = 0 if not centred:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian in a piece of N entries, J = (1/σ)(I - 11ᵀ/N - ẑẑᵀ/N), is
// symmetric: tangents and adjoints take the same way.
type pointNorm struct {
	pieces
	deviations
	summands    *signal   // of which the input is the average, or the input
	adjointDots []float64 // mean(ẑ z̄)
}

func newPointNorm(l norm, layer string, points int, in, out, summands *signal) *pointNorm {
	count := points * l.groups
	return &pointNorm{
		pieces: pieces{in, out, l.groups}, summands: summands, adjointDots: make([]float64, count),
		deviations: deviations{l, layer, make([]float64, count), make([]float64, count)},
	}
}

func (o *pointNorm) forward(points span) error {
	for g, hi := o.of(points); g < hi; g++ {
		h, z := o.piece(o.in, values, g), o.piece(o.out, values, g)
		mean := 0.0
		if o.spec.centred {
			mean = average(h)
		}
		kernel.Affine(z, h, 1, -mean)
		rest, square := o.moments(z, z) // rest is what rounding left of the mean
		variance := square - rest*rest
		if what := o.spec.flaw(variance, mean, o.averaged(g)); what != "" {
			return o.spec.undefined(o.layer, o.where(g), what)
		}
		inverse := 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
		kernel.Affine(z, z, inverse, -rest*inverse)
		o.inverse[g] = inverse
	}
	return nil
}

// averaged returns the size of what a piece is the average of, 0 if of nothing.
func (o *pointNorm) averaged(g int) float64 {
	if o.summands == o.in {
		return 0
	}
	return rootMeanSquare(o.piece(o.summands, values, g))
}

// moments returns the means of u, 0 if not centred, and of z⊙u.
func (o *pointNorm) moments(z, u []float64) (mean, product float64) {
	mean, product = kernel.Moments(u, z)
	if !o.spec.centred {
		mean = 0
	}
	n := float64(len(z))
	return mean / n, product / n
}

func (o *pointNorm) tangent(points span) {
	o.project(o.out, o.in, tangents, o.tangentDots, points)
}

// reverse takes out of the adjoint what rounding left of its mean and of its part along ẑ,
// which late in a flow is not small beside it. Only with ε = 0 is J a projection.
func (o *pointNorm) reverse(points span) {
	if !o.in.has(adjoints) {
		return
	}
	o.project(o.in, o.out, adjoints, o.adjointDots, points)
	if o.spec.with.epsilon > 0 {
		return
	}
	for g, hi := o.of(points); g < hi; g++ {
		h, z := o.piece(o.in, adjoints, g), o.piece(o.out, values, g)
		mean, dot := o.moments(z, h)
		kernel.Project(h, h, z, mean, dot, 1)
	}
}

// project sets a quantity of dst to J times that of src, and dots to mean(ẑ src).
func (o *pointNorm) project(dst, src *signal, q quantity, dots []float64, points span) {
	for g, hi := o.of(points); g < hi; g++ {
		u, z := o.piece(src, q, g), o.piece(o.out, values, g)
		mean, dot := o.moments(z, u)
		dots[g] = dot
		kernel.Project(o.piece(dst, q, g), u, z, mean, dot, o.inverse[g])
	}
}

// reverseTangent differentiates h̄ = J z̄ along v:
//
//	J dz̄ - (1/σ)(ẑ' mean(ẑ z̄) + ẑ mean(ẑ' z̄) + h̄ dσ),   ẑ' the derivative of ẑ.
func (o *pointNorm) reverseTangent(points span) {
	for g, hi := o.of(points); g < hi; g++ {
		z, dz := o.piece(o.out, values, g), o.piece(o.out, tangents, g)
		u, du := o.piece(o.out, adjoints, g), o.piece(o.out, adjointTangents, g)
		h, dh := o.piece(o.in, adjoints, g), o.piece(o.in, adjointTangents, g)
		mean, dot := o.moments(z, du)
		_, product := o.moments(dz, u)
		dot += product
		adjointDot, tangentDot, inverse := o.adjointDots[g], o.tangentDots[g], o.inverse[g]
		for i := range dh {
			dh[i] = (du[i] - mean - z[i]*dot - dz[i]*adjointDot - h[i]*tangentDot) * inverse
		}
	}
}

// average returns the mean of x.
func average(x []float64) float64 { return kernel.Sum(x) / float64(len(x)) }

func rootMeanSquare(x []float64) float64 {
	_, squares := kernel.Moments(x, x)
	return math.Sqrt(squares / float64(len(x)))
}

func (o *pointNorm) where(g int) string {
	if o.perPoint > 1 {
		return fmt.Sprintf("point %d, group %d", g/o.perPoint, g%o.perPoint)
	}
	return fmt.Sprintf("point %d", g)
}

func (o *pointNorm) fastest() (piece int, share, lead float64) {
	return o.deviations.fastest(func(g int) float64 { return floats.Norm(o.piece(o.in, tangents, g), 2) })
}
