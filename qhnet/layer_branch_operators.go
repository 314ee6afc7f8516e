package qhnet

import "qhlab/qhnet/internal/kernel"

// forkOperator gives each branch the input, and the input the sum of the
// branches' adjoints. The branches share the input's memory.
type forkOperator struct {
	in   *signal
	outs []*signal
}

func (o *forkOperator) forward(_ []float64, _ span) error { return nil }

func (o *forkOperator) tangent(_, _ []float64, _ span) {}

func (o *forkOperator) reverse(_ []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	dst := points.of(o.in.adjoint, o.in.width)
	copy(dst, points.of(o.outs[0].adjoint, o.in.width))
	for _, out := range o.outs[1:] {
		kernel.AddScaled(dst, 1, points.of(out.adjoint, o.in.width))
	}
}

func (o *forkOperator) reverseTangent(_, _ []float64, points span) {
	dst := points.of(o.in.adjointTangent, o.in.width)
	copy(dst, points.of(o.outs[0].adjointTangent, o.in.width))
	for _, out := range o.outs[1:] {
		kernel.AddScaled(dst, 1, points.of(out.adjointTangent, o.in.width))
	}
}

// sumOperator is z = a + b. The summands share the sum's adjoint.
type sumOperator struct{ a, b, out *signal }

func (o *sumOperator) forward(_ []float64, points span) error {
	setSum(o.out.value, o.a.value, o.b.value, o.out.width, points)
	return nil
}

func (o *sumOperator) tangent(_, _ []float64, points span) {
	setSum(o.out.derivative, o.a.derivative, o.b.derivative, o.out.width, points)
}

func (o *sumOperator) reverse(_ []float64, _ span) {}

func (o *sumOperator) reverseTangent(_, _ []float64, _ span) {}

// setSum sets dst to a + b.
func setSum(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] = x[i] + y[i]
	}
}

// gateOperator is z = a ⊙ b.
type gateOperator struct{ a, b, out *signal }

func (o *gateOperator) forward(_ []float64, points span) error {
	setEntrywise(o.out.value, o.a.value, o.b.value, o.out.width, points)
	return nil
}

func (o *gateOperator) tangent(_, _ []float64, points span) {
	setEntrywise(o.out.derivative, o.a.derivative, o.b.value, o.out.width, points)
	addEntrywise(o.out.derivative, o.a.value, o.b.derivative, o.out.width, points)
}

func (o *gateOperator) reverse(_ []float64, points span) {
	if o.a.adjoint != nil {
		setEntrywise(o.a.adjoint, o.out.adjoint, o.b.value, o.out.width, points)
	}
	if o.b.adjoint != nil {
		setEntrywise(o.b.adjoint, o.out.adjoint, o.a.value, o.out.width, points)
	}
}

func (o *gateOperator) reverseTangent(_, _ []float64, points span) {
	o.reverseTangentOf(o.a, o.b, points)
	o.reverseTangentOf(o.b, o.a, points)
}

// reverseTangentOf differentiates ā = z̄ ⊙ b.
func (o *gateOperator) reverseTangentOf(a, b *signal, points span) {
	if a.trainable {
		setEntrywise(a.adjointTangent, o.out.adjointTangent, b.value, o.out.width, points)
		addEntrywise(a.adjointTangent, o.out.adjoint, b.derivative, o.out.width, points)
	}
}

// setEntrywise sets dst to the entrywise product of a and b.
func setEntrywise(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] = x[i] * y[i]
	}
}

// addEntrywise adds the entrywise product of a and b to dst.
func addEntrywise(dst, a, b []float64, width int, points span) {
	d, x, y := points.of(dst, width), points.of(a, width), points.of(b, width)
	for i := range d {
		d[i] += x[i] * y[i]
	}
}
