package nn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// rectifier is h for h > 0 and leak·h otherwise.
type rectifier struct {
	name string
	leak float64
}

func (l rectifier) stem() string { return l.name }

func (rectifier) kind() Kind { return Other }

func (l rectifier) lipschitz() float64 { return math.Max(1, math.Abs(l.leak)) }

func (l rectifier) text() string {
	if l.leak == 0 {
		return l.name
	}
	return fmt.Sprintf("%s with slope %g", l.name, l.leak)
}

func (l rectifier) attach(p *plan, in wire) (wire, error) {
	if math.IsNaN(l.leak) || math.IsInf(l.leak, 0) {
		return wire{}, p.fail("has slope %v for negative values; it must be finite", l.leak)
	}
	trainable := p.trainable(in)
	out := p.wire(in.shape, trainable, in.exponent)
	p.kinks = true
	if p.kinkWidth > 0 {
		p.stage(trainable, func(b *binding) operator {
			return newRoundedOperator(b.signals[in.id], b.signals[out.id], l.leak, p.kinkWidth)
		})
		return out, nil
	}
	if p.wires[in.id].fresh && l.leak == 0 {
		p.wires[in.id].rectified = true
		p.wires[out.id].valueOf = in.id
	}
	p.stage(trainable, func(b *binding) operator {
		return &rectifierOperator{
			in: b.signals[in.id], out: b.signals[out.id], leak: l.leak,
			done: p.wires[in.id].rectified, gated: p.wires[out.id].gated,
		}
	})
	return out, nil
}

// rectifierOperator passes everything on where its input is positive, and leak
// times as much elsewhere. Being piecewise linear, it passes derivatives on like
// values.
//
// Where a matrix product makes its input, the product rectifies its own result,
// and the two share memory: positive entries are the same before and after. Where
// another reads its output, that one masks the adjoints.
type rectifierOperator struct {
	in, out     *signal
	leak        float64
	done, gated bool
}

func (o *rectifierOperator) forward(_ []float64, points span) error {
	switch {
	case o.done:
		return nil
	case o.leak == 0:
		kernel.Rectify(points.of(o.out.value, o.out.width), points.of(o.in.value, o.in.width))
		return nil
	}
	o.pass(o.out.value, o.in.value, points)
	return nil
}

func (o *rectifierOperator) tangent(_, _ []float64, points span) {
	o.pass(o.out.derivative, o.in.derivative, points)
}

func (o *rectifierOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil && !o.gated {
		o.pass(o.in.adjoint, o.out.adjoint, points)
	}
}

func (o *rectifierOperator) reverseTangent(_, _ []float64, points span) {
	if o.gated {
		return
	}
	o.pass(o.in.adjointTangent, o.out.adjointTangent, points)
}

func (o *rectifierOperator) pass(dst, src []float64, points span) {
	h := points.of(o.in.value, o.in.width)
	d, s := points.of(dst, o.in.width)[:len(h)], points.of(src, o.in.width)[:len(h)]
	if o.leak == 0 {
		kernel.Gate(d, s, h)
		return
	}
	for i, h := range h {
		v := s[i]
		if h <= 0 {
			v *= o.leak
		}
		d[i] = v
	}
}

// RoundKinks implements [qhnet.KinkRounder] for rectifiers.
func (e *Evaluation) RoundKinks(width float64) (same qhnet.Evaluation, found bool) {
	n := e.network
	if !n.plan.kinks || n.plan.kinkWidth == width {
		return e, n.plan.kinks
	}
	frozen := map[string]statistics{}
	for _, s := range e.steps {
		if o, ok := s.operator.(*frozenNormOperator); ok {
			frozen[s.layer] = o.statistics
		}
	}
	rounded, err := newNetwork(n.layers, frozen, width)
	if err != nil {
		panic("qhnet: rounding kinks: " + err.Error()) // the same layers were accepted before
	}
	bound, err := rounded.Bind(mat.NewDense(e.points, n.Inputs(), e.signals[0].value))
	if err != nil {
		panic("qhnet: rounding kinks: " + err.Error())
	}
	return bound, true
}

// roundedOperator multiplies its input h by the slope α(h) of a rounded
// rectifier, and adjoints by the same slope. Tangents are those of the value and
// of the adjoint as they are computed, so that Hessian-vector products are the
// exact derivatives of Gradient, at which Newton's method aims.
type roundedOperator struct {
	in, out     *signal
	leak, width float64
	slope, bend []float64 // α and α' at the last forward, taking δ as fixed
}

func newRoundedOperator(in, out *signal, leak, width float64) *roundedOperator {
	return &roundedOperator{in, out, leak, width, make([]float64, len(in.value)), make([]float64, len(in.value))}
}

func (o *roundedOperator) forward(_ []float64, points span) error {
	for k := points.lo; k < points.hi; k++ {
		h := row(o.in.value, k, o.in.width)
		reach := o.width * floats.Norm(h, 2) / math.Sqrt(float64(o.in.width))
		o.round(row(o.slope, k, o.in.width), row(o.bend, k, o.in.width), h, reach)
	}
	o.pass(o.out.value, o.in.value, points)
	return nil
}

// round sets the slopes and their derivatives for the pre-activations of a point,
// whose ramps reach to ±reach.
func (o *roundedOperator) round(slope, bend, h []float64, reach float64) {
	for i, h := range h {
		switch {
		case h > 0 && h >= reach:
			slope[i], bend[i] = 1, 0
		case h <= -reach:
			slope[i], bend[i] = o.leak, 0
		default:
			slope[i], bend[i] = o.leak+(1-o.leak)*(1+h/reach)/2, (1-o.leak)/(2*reach)
		}
	}
}

// tangent is (α + α' h) ḣ.
func (o *roundedOperator) tangent(_, _ []float64, points span) {
	width := o.in.width
	h, d, s := points.of(o.in.value, width), points.of(o.out.derivative, width), points.of(o.in.derivative, width)
	slope, bend := points.of(o.slope, width), points.of(o.bend, width)
	for i, h := range h {
		d[i] = (slope[i] + bend[i]*h) * s[i]
	}
}

func (o *roundedOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.pass(o.in.adjoint, o.out.adjoint, points)
	}
}

// reverseTangent adds α' ḣ times the adjoint, which makes sliding along a kink
// stiff.
func (o *roundedOperator) reverseTangent(_, _ []float64, points span) {
	width := o.in.width
	d, s := points.of(o.in.adjointTangent, width), points.of(o.out.adjointTangent, width)
	adjoint, moving := points.of(o.out.adjoint, width), points.of(o.in.derivative, width)
	slope, bend := points.of(o.slope, width), points.of(o.bend, width)
	for i, b := range bend {
		d[i] = slope[i]*s[i] + b*moving[i]*adjoint[i]
	}
}

func (o *roundedOperator) pass(dst, src []float64, points span) {
	width := o.in.width
	kernel.Multiply(points.of(dst, width), points.of(o.slope, width), points.of(src, width))
}
