package nn

import (
	"math"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
)

// Attention is softmax attention among the positions of an image (Vaswani et al.,
// arXiv:1706.03762): position i takes the values v_j at all positions in shares that
// grow with the product of its query and their keys, vectors of d channels,
//
//	z_i = Σ_j A_ij v_j,   A_ij = e^{q_i·k_j/√d} / Σ_l e^{q_i·k_l/√d}.
//
// Queries, keys and values are branches from the same image, such as 1×1 [Conv]s; for
// a sequence take an image of height 1. A softmax is no power of the size of its argument:
// queries and keys must not scale, as after a normalization.
func Attention(queries, keys, values Layer) Layer {
	return join("attention", Other, "softmax attention", []Layer{queries, keys, values}, attend)
}

func attend(p *plan, ends []wire) (wire, error) {
	q, k, v := ends[0], ends[1], ends[2]
	for i, end := range ends {
		if len(end.shape) != 3 {
			return wire{}, p.fail("takes images, branch %d gives %s", i+1, end.shape)
		}
	}
	from, to := k.shape[1:].Size(), q.shape[1:].Size()
	if q.shape[0] != k.shape[0] || v.shape[1:].Size() != from {
		return wire{}, p.fail("cannot compare queries %s with keys %s, or take values %s from them; queries and keys need as many channels, keys and values as many positions", q.shape, k.shape, v.shape)
	}
	p.require(q.exponent.plus(k.exponent), nil, "takes a softmax of products of queries and keys, which is no power of their size, so neither may scale.")
	scores := p.wire([]int{to, from}, p.trainable(q, k), nil)
	p.stage(scores, func(b *binding) operator {
		return b.pairing(scoreMap{q.shape[0], to, from, 1 / math.Sqrt(float64(q.shape[0]))}, q, k, scores)
	})
	shares := p.entrywise(scores, nil, func(in, out *signal) operator { return &softmax{pieces{in, out, to}} })
	out := p.wire([]int{v.shape[0], q.shape[1], q.shape[2]}, p.trainable(shares, v), v.exponent)
	p.stage(out, func(b *binding) operator {
		return b.pairing(mixtureMap{scoreMap{v.shape[0], to, from, 1}}, shares, v, out)
	})
	return out, nil
}

// scoreMap is S = scale QᵀK, with Q d×to and K d×from.
type scoreMap struct {
	d, to, from int
	scale       float64
}

func (m scoreMap) apply(s, q, k []float64, add bool) {
	kernel.Gemm(true, false, m.to, m.from, m.d, m.scale, q, m.to, k, m.from, keep(add), s, m.from)
}

func (m scoreMap) first(q, s, k []float64, add bool) {
	kernel.Gemm(false, true, m.d, m.to, m.from, m.scale, k, m.from, s, m.from, keep(add), q, m.to)
}

func (m scoreMap) second(k, s, q []float64, add bool) {
	kernel.Gemm(false, false, m.d, m.from, m.to, m.scale, q, m.to, s, m.from, keep(add), k, m.from)
}

// mixtureMap is Z = V Aᵀ, with A to×from and V d×from: scoreMap transposed.
type mixtureMap struct{ scores scoreMap }

func (m mixtureMap) apply(z, a, v []float64, add bool)  { m.scores.first(z, a, v, add) }
func (m mixtureMap) first(a, z, v []float64, add bool)  { m.scores.apply(a, z, v, add) }
func (m mixtureMap) second(v, z, a []float64, add bool) { m.scores.second(v, a, z, add) }

// softmax turns each row of scores into shares that sum to 1. Its Jacobian, diag a - a aᵀ, is
// symmetric: tangents and adjoints take the same way.
type softmax struct{ pieces }

func (o *softmax) forward(points span) error {
	for r, hi := o.of(points); r < hi; r++ {
		h, a := o.piece(o.in, values, r), o.piece(o.out, values, r)
		sum := kernel.Exp(a, h, 1, -kernel.Max(h))
		kernel.Affine(a, a, 1/sum, 0)
	}
	return nil
}

func (o *softmax) tangent(points span) { o.apply(o.out, o.in, tangents, points) }

func (o *softmax) reverse(points span) {
	if o.in.has(adjoints) {
		o.apply(o.in, o.out, adjoints, points)
	}
}

// apply sets a quantity of dst to the Jacobian times that of src.
func (o *softmax) apply(dst, src *signal, q quantity, points span) {
	for r, hi := o.of(points); r < hi; r++ {
		a, d, u := o.piece(o.out, values, r), o.piece(dst, q, r), o.piece(src, q, r)
		mean := floats.Dot(a, u)
		for i := range d {
			d[i] = a[i] * (u[i] - mean)
		}
	}
}

// reverseTangent differentiates a ⊙ (ā - ⟨a, ā⟩) along v.
func (o *softmax) reverseTangent(points span) {
	for r, hi := o.of(points); r < hi; r++ {
		a, da := o.piece(o.out, values, r), o.piece(o.out, tangents, r)
		u, du := o.piece(o.out, adjoints, r), o.piece(o.out, adjointTangents, r)
		mean, dmean := floats.Dot(a, u), floats.Dot(da, u)+floats.Dot(a, du)
		d := o.piece(o.in, adjointTangents, r)
		for i := range d {
			d[i] = da[i]*(u[i]-mean) + a[i]*(du[i]-dmean)
		}
	}
}
