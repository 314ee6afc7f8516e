package nn

import (
	"fmt"
	"maps"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/kernel"
	"qhlab/qhnet/internal/vector"
)

// batchNorm normalizes each channel over all points; a feature is a channel of
// one entry:
//
//	ẑ = (h - μ)/σ,   σ² = mean (h - μ)² + ε.
//
// Its Jacobian is that of [pointNorm]. What belongs to a channel is kept for each of
// its entries in a row, so that passes are over rows.
type batchNorm struct {
	deviations
	in, out  *signal
	summands *signal // of which the input is the average, or the input
	points   int
	channels int

	mean, rest  []float64 // μ, and what rounding left of it
	adjointDots []float64 // mean(ẑ z̄)
	ones        []float64

	value, slope moments // of the pass at work, and of its derivative along v or of its rounding
}

// batchNorm adds the operators of a batch normalization to the plan.
func (p *plan) batchNorm(l norm, in, out wire) {
	layer, summands := p.layer, p.wires[in.id].summands
	for number := range 3 {
		p.stage(out, func(b *binding) operator {
			if number == 0 {
				b.norm = newBatchNorm(l, layer, in.shape[0], b, b.signals[in.id], b.signals[out.id], b.signals[summands])
			}
			return &batchStep{b.norm, number}
		}).coupled = number < 2
	}
}

func newBatchNorm(l norm, layer string, channels int, b *binding, in, out, summands *signal) *batchNorm {
	o := &batchNorm{
		deviations: deviations{spec: l, layer: layer}, in: in, out: out, summands: summands, points: b.points, channels: channels,
		value: newMoments(in.width, b.shards), slope: newMoments(in.width, b.shards),
	}
	for _, s := range []*[]float64{&o.mean, &o.inverse, &o.tangentDots, &o.adjointDots, &o.rest, &o.ones} {
		*s = make([]float64, in.width)
	}
	vector.Fill(o.ones, 1)
	return o
}

// moments are the means of u and of z⊙u over the points, for values u and z that
// change from pass to pass.
type moments struct {
	average, product []float64
	shards           []sums
}

// sums are what a shard has seen of moments, with memory for a row.
type sums struct{ plain, product, row []float64 }

func newMoments(width, shards int) moments {
	m := moments{average: make([]float64, width), product: make([]float64, width)}
	for range shards {
		m.shards = append(m.shards, sums{make([]float64, width), make([]float64, width), make([]float64, width)})
	}
	return m
}

// sums returns the sums of a span's shard, to be added to.
func (m *moments) sums(points span) sums {
	s := m.shards[points.shard]
	if points.first {
		clear(s.plain)
		clear(s.product)
	}
	return s
}

// add counts rows of a quantity of u, and of z.
func (m *moments) add(u *signal, q quantity, z *signal, points span) {
	s := m.sums(points)
	for k := points.lo; k < points.hi; k++ {
		kernel.AddMoments(s.plain, s.product, u.row(q, k), z.row(values, k))
	}
}

// reduce replaces the sums of all shards by the means in each channel.
func (m *moments) reduce(points, channels int) {
	clear(m.average)
	clear(m.product)
	for _, s := range m.shards {
		kernel.AddScaled(m.average, 1, s.plain)
		kernel.AddScaled(m.product, 1, s.product)
	}
	area := len(m.average) / channels
	for _, sum := range [][]float64{m.average, m.product} {
		for c := range channels {
			channel := row(sum, c, area)
			vector.Fill(channel, average(channel)/float64(points))
		}
	}
}

// batchStep is one of the three operators of a batch normalization, 0 to 2 forward and
// 2 to 0 backward: between them stand means over all points, which reduce finds.
type batchStep struct {
	*batchNorm
	number int
}

// forward finds the means of h; its deviations; ẑ.
func (o *batchStep) forward(points span) error {
	switch o.number {
	case 0:
		kernel.SumRows(o.value.sums(points).plain, o.in.rows(values, points))
	case 1:
		s := o.value.sums(points)
		for k := points.lo; k < points.hi; k++ {
			o.deviation(s.row, k, o.ones)
			kernel.AddMoments(s.plain, s.product, s.row, s.row)
		}
	case 2:
		for k := points.lo; k < points.hi; k++ {
			o.deviation(o.out.row(values, k), k, o.inverse)
		}
	}
	return nil
}

// tangent finds the means of ḣ and ẑ⊙ḣ; projects.
func (o *batchStep) tangent(points span) {
	switch o.number {
	case 0:
		o.value.add(o.in, tangents, o.out, points)
	case 2:
		for k := points.lo; k < points.hi; k++ {
			o.project(o.out.row(tangents, k), o.in.row(tangents, k), k, &o.value, o.inverse)
		}
	}
}

// reverse finds the means of z̄ and ẑ⊙z̄; what rounding leaves of the mean and of the part
// along ẑ when it projects; projects, and takes these out, as [pointNorm] does.
func (o *batchStep) reverse(points span) {
	if !o.in.has(adjoints) {
		return
	}
	cleanse := o.spec.with.epsilon == 0
	switch {
	case o.number == 2:
		o.value.add(o.out, adjoints, o.out, points)
	case o.number == 1 && cleanse:
		s := o.slope.sums(points)
		for k := points.lo; k < points.hi; k++ {
			o.project(s.row, o.out.row(adjoints, k), k, &o.value, o.inverse)
			kernel.AddMoments(s.plain, s.product, s.row, o.out.row(values, k))
		}
	case o.number == 0:
		for k := points.lo; k < points.hi; k++ {
			h := o.in.row(adjoints, k)
			o.project(h, o.out.row(adjoints, k), k, &o.value, o.inverse)
			if cleanse {
				o.project(h, h, k, &o.slope, o.ones)
			}
		}
	}
}

// reverseTangent is that of [pointNorm]: it finds the means, and uses them.
func (o *batchStep) reverseTangent(points span) {
	switch o.number {
	case 2:
		o.slope.add(o.out, adjointTangents, o.out, points)
		product := o.slope.shards[points.shard].product
		for k := points.lo; k < points.hi; k++ {
			kernel.AddProducts(product, o.out.row(tangents, k), o.out.row(adjoints, k))
		}
	case 1:
		for k := points.lo; k < points.hi; k++ {
			dz, h, dh := o.out.row(tangents, k), o.in.row(adjoints, k), o.in.row(adjointTangents, k)
			o.project(dh, o.out.row(adjointTangents, k), k, &o.slope, o.inverse)
			for j := range dh {
				dh[j] -= (dz[j]*o.adjointDots[j] + h[j]*o.tangentDots[j]) * o.inverse[j]
			}
		}
	}
}

func (o *batchStep) reduce(p pass) error {
	if p == reverseTangentPass || p == reversePass && o.number == 1 {
		o.slope.reduce(o.points, o.channels)
		return nil
	}
	o.value.reduce(o.points, o.channels)
	switch {
	case p == forwardPass && o.number == 0:
		copy(o.mean, o.value.average)
		clear(o.rest)
	case p == forwardPass && o.number == 1:
		return o.divide()
	case p == tangentPass && o.number == 0:
		copy(o.tangentDots, o.value.product)
	case p == reversePass && o.number == 2:
		copy(o.adjointDots, o.value.product)
	}
	return nil
}

// divide sets the inverse deviations, and keeps what rounding left of the means.
func (o *batchNorm) divide() error {
	area := o.in.width / o.channels
	for j, rest := range o.value.average {
		variance, channel := o.value.product[j]-rest*rest, j/area
		if what := o.spec.flaw(variance, o.mean[j], o.averaged(channel)); what != "" {
			return o.spec.undefined(o.layer, o.where(j), what)
		}
		o.rest[j] = rest
		o.inverse[j] = 1 / math.Sqrt(max(variance, 0)+o.spec.with.epsilon)
	}
	return nil
}

// averaged returns the size of what a channel is the average of, 0 if of nothing.
func (o *batchNorm) averaged(channel int) float64 {
	if o.summands == o.in {
		return 0
	}
	size := 0.0
	for k := range o.points {
		size = max(size, rootMeanSquare(row(o.summands.row(values, k), channel, o.summands.width/o.channels)))
	}
	return size
}

// deviation sets dst to (h - μ) scales at point k.
func (o *batchNorm) deviation(dst []float64, k int, scales []float64) {
	kernel.ProjectBy(dst, o.in.row(values, k), o.ones, o.mean, o.rest, scales)
}

// project sets dst to (u - mean u - ẑ⊙mean(ẑ⊙u)) scales, for u of point k.
func (o *batchNorm) project(dst, u []float64, k int, m *moments, scales []float64) {
	kernel.ProjectBy(dst, u, o.out.row(values, k), m.average, m.product, scales)
}

func (o *batchNorm) fastest() (piece int, share, lead float64) {
	return o.deviations.fastest(func(entry int) (speed float64) {
		for k := range o.points {
			speed = math.Hypot(speed, o.in.row(tangents, k)[entry])
		}
		return speed
	})
}

// where names the feature or channel of an entry.
func (o *batchNorm) where(entry int) string {
	what := "feature"
	if o.in.width > o.channels {
		what = "channel"
	}
	return fmt.Sprintf("%s %d over the batch of %d points", what, entry*o.channels/o.in.width, o.points)
}

// statistics are what a batch normalization divides by once it is frozen.
type statistics struct {
	mean, inverse []float64 // μ and 1/σ of each entry of a point
	zeros         []float64
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
	frozen := maps.Clone(n.plan().frozen)
	if frozen == nil {
		frozen = map[string]statistics{}
	}
	for _, s := range bound.(*Evaluation).steps {
		if o, ok := s.operator.(*batchStep); ok {
			frozen[s.layer] = statistics{floats.AddTo(make([]float64, len(o.mean)), o.mean, o.rest), o.inverse, make([]float64, len(o.mean))}
		}
	}
	return newNetwork(n.layers, frozen, n.plan().kinkWidth)
}

// frozenNormMap is z = (h - μ)/σ with stored μ and σ.
type frozenNormMap struct {
	in, out *signal
	statistics
}

func (o *frozenNormMap) apply(q quantity, points span) {
	if q != values {
		affine(o.out.rows(q, points), o.in.rows(q, points), o.inverse, o.zeros, o.in.width, false)
		return
	}
	for k := points.lo; k < points.hi; k++ {
		z, h := o.out.row(q, k), o.in.row(q, k)
		for j, mean := range o.mean {
			z[j] = (h[j] - mean) * o.inverse[j]
		}
	}
}

func (o *frozenNormMap) transpose(q quantity, points span) {
	if o.in.has(q) {
		affine(o.in.rows(q, points), o.out.rows(q, points), o.inverse, o.zeros, o.in.width, false)
	}
}
