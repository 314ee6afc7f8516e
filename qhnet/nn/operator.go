package nn

import "qhlab/qhnet"

// operator computes one value of the network from earlier ones, and carries derivatives
// through, for the points of a span. It is bound to its values and to θ and v.
type operator interface {
	forward(points span) error  // the output's value from the inputs' values
	tangent(points span)        // the output's derivative when θ moves along v
	reverse(points span)        // the inputs' adjoints from the output's
	reverseTangent(points span) // the derivative of reverse when θ moves along v
}

// parametric is an operator with parameters. Its gradient may be taken before reverse
// and after it; gradientTangent follows reverseTangent.
type parametric interface {
	operator
	gradient(dst []float64, points span)        // adds the output's adjoint, carried to the parameters
	gradientTangent(dst []float64, points span) // adds its derivative when θ moves along v
}

// reducer is an operator that needs sums over all points. When they have passed it, reduce puts
// together what the shards hold.
type reducer interface{ reduce(p pass) error }

// span is the range of points lo, …, hi-1, worked on together: a shard, or a piece of it.
type span struct {
	lo, hi, shard int
	first         bool // whether the shard begins with it
}

// len returns the number of points in the span.
func (s span) len() int { return s.hi - s.lo }

// point is θ, or the direction v, with its matrices transposed too.
type point struct {
	theta      []float64
	transposed [][]float64 // as the plan's matrices
}

// quantity is one of the matrices, a row a point, that a signal holds.
type quantity int

const (
	values          quantity = iota // z
	tangents                        // ż, the derivative when θ moves along v; zero unless trainable
	adjoints                        // z̄, the derivative of the weighted sum of outputs by z
	adjointTangents                 // the derivative of z̄ along v
	quantities
)

// signal is one value of the network at all bound points, with derivatives. Exactly one operator
// reads it, so that adjoints are never summed; a fork makes copies.
type signal struct {
	width     int
	trainable bool // whether it depends on parameters

	// Adjoints and their tangents are nil unless trainable.
	data [quantities][]float64
	idle []float64 // memory of an adjoint that only the input's gradient needs
}

// has tells whether the signal holds a quantity.
func (s *signal) has(q quantity) bool { return s.data[q] != nil }

// rows returns a quantity at the points of a span.
func (s *signal) rows(q quantity, points span) []float64 { return s.cut(s.data[q], points) }

// cut returns the part at the points of a span of a matrix as wide as the signal.
func (s *signal) cut(data []float64, points span) []float64 {
	return data[points.lo*s.width : points.hi*s.width]
}

// row returns a quantity at point k.
func (s *signal) row(q quantity, k int) []float64 { return row(s.data[q], k, s.width) }

// isZero usually takes a look at one entry; along a unit vector it saves most products.
func isZero(x []float64) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// row returns row k of a matrix of the given width.
func row(data []float64, k, width int) []float64 {
	return data[k*width : (k+1)*width : (k+1)*width]
}

// pieces are equal parts of each point's values, counted through all points.
type pieces struct {
	in, out  *signal
	perPoint int
}

// of returns the range of the pieces of some points.
func (o *pieces) of(points span) (lo, hi int) { return points.lo * o.perPoint, points.hi * o.perPoint }

// piece returns a quantity of the input or the output in piece g.
func (o *pieces) piece(s *signal, q quantity, g int) []float64 {
	return row(s.data[q], g, s.width/o.perPoint)
}

// linear is the operator of a linear map without parameters, or of one that is linear between
// kinks, if apply(values) decides on which side it is.
type linear struct{ linearMap }

type linearMap interface {
	apply(q quantity, points span)     // takes a quantity from the inputs to the output
	transpose(q quantity, points span) // takes it from the output to the inputs that have it
}

func (o linear) forward(points span) error {
	o.apply(values, points)
	return nil
}

func (o linear) tangent(points span)        { o.apply(tangents, points) }
func (o linear) reverse(points span)        { o.transpose(adjoints, points) }
func (o linear) reverseTangent(points span) { o.transpose(adjointTangents, points) }

// bilinear is the operator z = B(p, h), linear in parameters p and the input h up to a bias.
type bilinear struct {
	bilinearMap
	in, out   *signal
	at, along *point // θ and v
	lo, hi    int    // the parameters p
}

// A bilinearMap takes quantities of the input, or of the output, there and back. With
// add it adds to what is there. Only what comes from values has a bias.
type bilinearMap interface {
	apply(p *point, out, in quantity, add bool, points span)     // out = B(p, in)
	transpose(p *point, in, out quantity, add bool, points span) // in = B(p, ·)ᵀ out
	outer(dst []float64, out, in quantity, points span)          // dst += B(·, in)ᵀ out
}

// bilinear returns the operator of a map with the given blocks, one after another.
func (b *binding) bilinear(m bilinearMap, in, out wire, blocks ...qhnet.Block) operator {
	last := blocks[len(blocks)-1]
	return &bilinear{m, b.signals[in.id], b.signals[out.id], b.at, b.along, blocks[0].Offset, last.Offset + last.Len()}
}

// moves tells whether the operator's parameters move along v.
func (o *bilinear) moves() bool { return !isZero(o.along.theta[o.lo:o.hi]) }

// inputMoves tells whether the input does.
func (o *bilinear) inputMoves(points span) bool {
	return o.in.trainable && !isZero(o.in.rows(tangents, points))
}

func (o *bilinear) forward(points span) error {
	o.apply(o.at, values, values, false, points)
	return nil
}

func (o *bilinear) tangent(points span) {
	moves := o.moves()
	if moves {
		o.apply(o.along, tangents, values, false, points)
	}
	if o.inputMoves(points) {
		o.apply(o.at, tangents, tangents, moves, points)
	} else if !moves {
		clear(o.out.rows(tangents, points))
	}
}

func (o *bilinear) reverse(points span) {
	if o.in.has(adjoints) {
		o.transpose(o.at, adjoints, adjoints, false, points)
	}
}

func (o *bilinear) reverseTangent(points span) {
	if !o.in.has(adjointTangents) {
		return
	}
	o.transpose(o.at, adjointTangents, adjointTangents, false, points)
	if o.moves() {
		o.transpose(o.along, adjointTangents, adjoints, true, points)
	}
}

func (o *bilinear) gradient(dst []float64, points span) {
	o.outer(dst, adjoints, values, points)
}

func (o *bilinear) gradientTangent(dst []float64, points span) {
	o.outer(dst, adjointTangents, values, points)
	if o.inputMoves(points) {
		o.outer(dst, adjoints, tangents, points)
	}
}

// pairing is the operator z = B(a, b), linear in each of two inputs.
type pairing struct {
	pairingMap
	a, b, out *signal
}

// A pairingMap takes two inputs to the output at one point, and the output and one
// input to the other. With add it adds to what is there.
type pairingMap interface {
	apply(z, a, b []float64, add bool)
	first(a, z, b []float64, add bool)  // a = B(·, b)ᵀ z
	second(b, z, a []float64, add bool) // b = B(a, ·)ᵀ z
}

func (b *binding) pairing(m pairingMap, first, second, out wire) operator {
	return &pairing{m, b.signals[first.id], b.signals[second.id], b.signals[out.id]}
}

func (o *pairing) forward(points span) error {
	for k := points.lo; k < points.hi; k++ {
		o.apply(o.out.row(values, k), o.a.row(values, k), o.b.row(values, k), false)
	}
	return nil
}

func (o *pairing) tangent(points span) {
	for k := points.lo; k < points.hi; k++ {
		dz := o.out.row(tangents, k)
		o.apply(dz, o.a.row(tangents, k), o.b.row(values, k), false)
		o.apply(dz, o.a.row(values, k), o.b.row(tangents, k), true)
	}
}

func (o *pairing) reverse(points span) {
	for k := points.lo; k < points.hi; k++ {
		if o.a.has(adjoints) {
			o.first(o.a.row(adjoints, k), o.out.row(adjoints, k), o.b.row(values, k), false)
		}
		if o.b.has(adjoints) {
			o.second(o.b.row(adjoints, k), o.out.row(adjoints, k), o.a.row(values, k), false)
		}
	}
}

func (o *pairing) reverseTangent(points span) {
	for k := points.lo; k < points.hi; k++ {
		z, dz := o.out.row(adjoints, k), o.out.row(adjointTangents, k)
		if o.a.has(adjointTangents) {
			d := o.a.row(adjointTangents, k)
			o.first(d, dz, o.b.row(values, k), false)
			o.first(d, z, o.b.row(tangents, k), true)
		}
		if o.b.has(adjointTangents) {
			d := o.b.row(adjointTangents, k)
			o.second(d, dz, o.a.row(values, k), false)
			o.second(d, z, o.a.row(tangents, k), true)
		}
	}
}
