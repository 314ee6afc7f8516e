package qhnet

import "gonum.org/v1/gonum/mat"

// withKinks returns the evaluation at the same points with kinks rounded to a
// width, 0 for not at all, and whether the network has rectifiers.
func (e *NetworkEvaluation) withKinks(width float64) (same Evaluation, found bool) {
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
	reach       []float64 // δ of each point at the last forward
}

func newRoundedOperator(in, out *signal, leak, width float64) *roundedOperator {
	return &roundedOperator{in, out, leak, width, make([]float64, len(in.value)/in.width)}
}

func (o *roundedOperator) forward(_ []float64, points span) error {
	for k := points.lo; k < points.hi; k++ {
		o.reach[k] = o.width * rms(row(o.in.value, k, o.in.width))
	}
	o.pass(o.out.value, o.in.value, points)
	return nil
}

// tangent is (α + α' h) ḣ.
func (o *roundedOperator) tangent(_, _ []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		reach, d, s := o.reach[k], row(o.out.derivative, k, o.in.width), row(o.in.derivative, k, o.in.width)
		for i, h := range row(o.in.value, k, o.in.width) {
			d[i] = (o.slope(h, reach) + o.bend(h, reach)*h) * s[i]
		}
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
	o.pass(o.in.adjointTangent, o.out.adjointTangent, points)
	for k := points.lo; k < points.hi; k++ {
		reach, width := o.reach[k], o.in.width
		d, adjoint, moving := row(o.in.adjointTangent, k, width), row(o.out.adjoint, k, width), row(o.in.derivative, k, width)
		for i, h := range row(o.in.value, k, width) {
			d[i] += o.bend(h, reach) * moving[i] * adjoint[i]
		}
	}
}

func (o *roundedOperator) pass(dst, src []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		reach, d, s := o.reach[k], row(dst, k, o.in.width), row(src, k, o.in.width)
		for i, h := range row(o.in.value, k, o.in.width) {
			d[i] = o.slope(h, reach) * s[i]
		}
	}
}

func (o *roundedOperator) slope(h, reach float64) float64 {
	switch {
	case h > 0 && h >= reach:
		return 1
	case h <= -reach:
		return o.leak
	}
	return o.leak + (1-o.leak)*(1+h/reach)/2
}

// bend is α', taking δ as fixed.
func (o *roundedOperator) bend(h, reach float64) float64 {
	if h < reach && h > -reach {
		return (1 - o.leak) / (2 * reach)
	}
	return 0
}
