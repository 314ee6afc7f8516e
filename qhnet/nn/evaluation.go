package nn

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

// Evaluation is the [qhnet.Evaluation] of a [Network]. The cost of Forward is
// one pass through the layers, of Gradient one pass backwards, of Directional
// about two forward passes, of HessianVector about six. Memory is about n times
// the sum of the layers' widths, for each of the four kinds of pass used.
type Evaluation struct {
	network  *Network
	points   int
	signals  []*signal
	steps    []step
	run      run
	segments []segment
	crew     crew
	theta    []float64 // the point of the last Forward
	unit     []float64 // zeros, the weights of one output at a time

	held        bool      // the adjoints are those for heldWeights
	heldWeights []float64 // of the last GradientTangent
}

// step is a stage with the operator that does it.
type step struct {
	stage
	operator operator
	learner  learner  // the operator, if it has parameters
	preparer preparer // the operator, if it prepares passes
	gatherer gatherer // the operator, if points wait for each other there
}

// Forward implements [qhnet.Evaluation]. It is an error if θ holds a NaN or an
// infinity, if a value overflows, or if a normalization meets zero variance.
func (e *Evaluation) Forward(theta []float64) ([]float64, error) {
	checkLength("theta", len(theta), e.network.plan.parameters())
	e.theta = nil
	if err := qhnet.CheckParameters(e.network, theta); err != nil {
		return nil, err
	}
	e.theta, e.held = theta, false
	if err := e.walk(forwardPass); err != nil {
		e.theta = nil
		return nil, err
	}
	outputs := e.output().value
	for i, f := range outputs {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			e.theta = nil
			k := i / e.network.outputs
			return nil, fmt.Errorf("qhnet: %s: the output at point %d is %v: the parameters are too large; shrink them along a characteristic curve", e.network.plan.last(), k, f)
		}
	}
	return outputs, nil
}

// Gradient implements [qhnet.Evaluation].
func (e *Evaluation) Gradient(dst, weights []float64) {
	e.start("Gradient", dst, weights)
	e.collect(gradientPass, dst)
}

// Directional implements [qhnet.Evaluation].
func (e *Evaluation) Directional(dst, v []float64) {
	e.checkMoved("Directional")
	checkLength("v", len(v), e.network.plan.parameters())
	checkLength("dst", len(dst), len(e.output().value))
	e.tangent(v)
	copy(dst, e.output().derivative)
}

// HessianVector implements [qhnet.Evaluation].
func (e *Evaluation) HessianVector(dst, weights, v []float64) {
	e.checkMoved("HessianVector")
	checkLength("v", len(v), e.network.plan.parameters())
	e.tangent(v)
	e.GradientTangent(dst, weights, nil)
}

// GradientTangent implements [qhnet.GradientTangenter]. Adjoints are computed once
// for all directions with the same weights.
func (e *Evaluation) GradientTangent(dst, weights, rates []float64) {
	if e.held && floats.Equal(weights, e.heldWeights) {
		checkLength("dst", len(dst), e.network.plan.parameters())
	} else {
		e.start("GradientTangent", dst, weights)
	}
	out := e.output()
	if out.adjointTangent == nil {
		e.network.plan.allocate(e.signals, e.points, adjointTangentOf)
		e.heldWeights = make([]float64, len(weights))
	}
	if rates == nil {
		clear(out.adjointTangent)
	} else {
		copy(out.adjointTangent, rates)
	}
	e.collect(hessianPass, dst)
	e.held = e.network.MixesPoints() == ""
	copy(e.heldWeights, weights)
}

// SetInputs replaces the bound points by as many others, n×d. A Forward must follow.
func (e *Evaluation) SetInputs(x *mat.Dense) {
	if r, c := x.Dims(); r != e.points || c != e.network.Inputs() {
		panic(fmt.Sprintf("qhnet: SetInputs: x is %d×%d, the data is %d×%d", r, c, e.points, e.network.Inputs()))
	}
	e.theta = nil
	for k := range e.points {
		copy(row(e.signals[0].value, k, e.network.Inputs()), x.RawRowView(k))
	}
}

// InputGradient sets dst, n×d like the bound data, to the gradient of
// Σ w_kc f_kc in the points: how an input must change for the outputs to change
// most.
func (e *Evaluation) InputGradient(dst *mat.Dense, weights []float64) {
	e.checkMoved("InputGradient")
	checkLength("weights", len(weights), len(e.output().value))
	if r, c := dst.Dims(); r != e.points || c != e.network.Inputs() {
		panic(fmt.Sprintf("qhnet: InputGradient: dst is %d×%d, the data is %d×%d", r, c, e.points, e.network.Inputs()))
	}
	if e.signals[0].idle == nil {
		e.network.plan.allocate(e.signals, e.points, idleAdjointOf)
	}
	e.held = false
	e.wakeAdjoints(true)
	copy(e.output().adjoint, weights)
	e.walk(adjointPass)
	e.wakeAdjoints(false)
	for k := range e.points {
		dst.SetRow(k, row(e.signals[0].idle, k, e.network.Inputs()))
	}
}

// wakeAdjoints lets a reverse pass compute adjoints before the first parameters.
func (e *Evaluation) wakeAdjoints(awake bool) {
	for _, s := range e.signals {
		switch {
		case s.trainable:
		case awake:
			s.adjoint = s.idle
		default:
			s.adjoint = nil
		}
	}
}

// Layer returns the values that the named layer gave in the last Forward, n rows
// of its width: the features of a point, for the layer before a classifier. The
// slice belongs to the Evaluation until the next Forward. It panics if there is no
// such layer.
func (e *Evaluation) Layer(name string) []float64 {
	e.checkMoved("Layer")
	wire := e.network.layer(name).wire
	if !e.network.plan.wires[wire].rectified {
		return e.signals[wire].value
	}
	values := make([]float64, len(e.signals[wire].value))
	for i := range e.steps {
		if p, ok := e.steps[i].operator.(rectifying); ok && p.result() == e.signals[wire] {
			p.unrectified(values, e.theta, e.all())
		}
	}
	return values
}

// rectifying is an operator whose result a ReLU may overwrite.
type rectifying interface {
	result() *signal
	unrectified(dst, theta []float64, points span)
}

// tangent carries the direction v forward.
func (e *Evaluation) tangent(v []float64) {
	if e.output().derivative == nil {
		e.network.plan.allocate(e.signals, e.points, derivativeOf)
	}
	e.run.v = v
	e.walk(tangentPass)
}

// start checks the arguments of a reverse pass and begins it.
func (e *Evaluation) start(method string, dst, weights []float64) {
	e.checkMoved(method)
	checkLength("dst", len(dst), e.network.plan.parameters())
	checkLength("weights", len(weights), len(e.output().value))
	e.allocateAdjoints()
	e.held = false
	copy(e.output().adjoint, weights)
}

func (e *Evaluation) allocateAdjoints() {
	if e.output().adjoint == nil {
		e.network.plan.allocate(e.signals, e.points, adjointOf)
	}
}

func (e *Evaluation) all() span { return span{0, e.points, 0} }

func (e *Evaluation) output() *signal { return e.signals[e.network.output.id] }

func (e *Evaluation) checkMoved(method string) {
	if e.theta == nil {
		panic("qhnet: " + method + " before a successful Forward")
	}
}

// layer returns the part of this name.
func (n *Network) layer(name string) Part {
	for part := range n.all {
		if part.Name == name {
			return part
		}
	}
	panic(fmt.Sprintf("qhnet: the network has no layer %q", name))
}

// Bind implements [qhnet.Model]. The Evaluation is a [*Evaluation].
func (n *Network) Bind(x *mat.Dense) (qhnet.Evaluation, error) {
	if x == nil || x.IsEmpty() {
		return nil, errors.New("qhnet: no points to bind the network to")
	}
	points, width := x.Dims()
	if width != n.Inputs() {
		return nil, fmt.Errorf("qhnet: input: the network takes points of %s (%d entries), the data is %d×%d", n.inputs, n.Inputs(), points, width)
	}
	e := &Evaluation{network: n, points: points, signals: n.plan.signals(points), crew: processors()}
	value := e.signals[0].value
	for k := range points {
		for j, v := range x.RawRowView(k) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("qhnet: input: entry %d of point %d is %v; remove the point or repair it", j, k, v)
			}
			value[k*width+j] = v
		}
	}
	e.prepare()
	return e, nil
}

// prepare makes the operators and divides the points among them.
func (e *Evaluation) prepare() {
	stages, work := e.network.plan.stages, 0
	for _, s := range stages {
		work += s.work
	}
	e.run.shards = split(e.points, work, e.network.plan.parameters())
	e.run.chunk = chunkOf(e.run.shards[0].len(), e.network.plan.values(), work, e.network.plan.parameters())
	e.run.errors = make([]error, len(e.run.shards))
	e.run.partial = make([][]float64, len(e.run.shards))
	b := &binding{points: e.points, shards: len(e.run.shards), signals: e.signals}
	for _, s := range stages {
		o := s.bind(b)
		l, _ := o.(learner)
		p, _ := o.(preparer)
		g, _ := o.(gatherer)
		e.steps = append(e.steps, step{s, o, l, p, g})
	}
	e.segments = segments(e.steps)
}

// values returns the number of values a point has on all wires.
func (p *plan) values() int {
	sum := 0
	for i, w := range p.wires {
		if w.valueOf == i {
			sum += w.width
		}
	}
	return sum
}

// signals gives every wire memory for its value.
func (p *plan) signals(points int) []*signal {
	signals := make([]*signal, len(p.wires))
	for i, w := range p.wires {
		signals[i] = &signal{width: w.width, trainable: w.trainable}
	}
	p.allocate(signals, points, valueOf)
	return signals
}

// A part selects one of a signal's matrices: the wire whose memory it shares,
// its slice, and whether the wire needs it.
type part func(w wireSpec, s *signal) (shared int, data *[]float64, needed bool)

func valueOf(w wireSpec, s *signal) (int, *[]float64, bool) { return w.valueOf, &s.value, true }

func derivativeOf(w wireSpec, s *signal) (int, *[]float64, bool) {
	return w.valueOf, &s.derivative, true
}

func adjointOf(w wireSpec, s *signal) (int, *[]float64, bool) {
	return w.adjointOf, &s.adjoint, w.trainable
}

func adjointTangentOf(w wireSpec, s *signal) (int, *[]float64, bool) {
	return w.adjointOf, &s.adjointTangent, w.trainable
}

// idleAdjointOf selects the adjoints that only the input's gradient needs.
func idleAdjointOf(w wireSpec, s *signal) (int, *[]float64, bool) {
	if w.trainable {
		return w.adjointOf, &s.adjoint, true
	}
	return w.adjointOf, &s.idle, true
}

// allocate gives the wires memory for a part where they need it and lack it.
func (p *plan) allocate(signals []*signal, points int, of part) {
	for i := range p.wires {
		root := i
		for {
			next, _, _ := of(p.wires[root], signals[root])
			if next == root {
				break
			}
			root = next
		}
		_, memory, needed := of(p.wires[root], signals[root])
		if !needed {
			continue
		}
		if *memory == nil {
			*memory = make([]float64, points*p.wires[root].width)
		}
		_, data, _ := of(p.wires[i], signals[i])
		*data = *memory
	}
}

// Jacobian sets dst to the gradients of all outputs, one a row: see [nn.Jacobian]. Unless points are coupled
// by a batch normalization, it takes one reverse pass an output, and one outer
// product a layer and row.
func (e *Evaluation) Jacobian(dst *mat.Dense) {
	e.checkMoved("Jacobian")
	rows, cols := dst.Dims()
	if rows != len(e.output().value) || cols != e.network.plan.parameters() {
		panic(fmt.Sprintf("qhnet: Jacobian: dst is %d×%d, not %d×%d", rows, cols, len(e.output().value), e.network.plan.parameters()))
	}
	if e.network.MixesPoints() != "" {
		if e.unit == nil {
			e.unit = make([]float64, rows)
		}
		for i := range e.unit {
			e.unit[i] = 1
			e.Gradient(dst.RawRowView(i), e.unit)
			e.unit[i] = 0
		}
		return
	}
	e.allocateAdjoints()
	e.held = false
	for c := range e.network.outputs {
		e.seed(c)
		e.walk(adjointPass)
		for k := range e.points {
			e.pointGradient(dst.RawRowView(k*e.network.outputs+c), k)
		}
	}
}

// seed sets the output's adjoint to that of Σ_k f_kc.
func (e *Evaluation) seed(c int) {
	adjoint := e.output().adjoint
	clear(adjoint)
	for i := c; i < len(adjoint); i += e.network.outputs {
		adjoint[i] = 1
	}
}

// pointGradient sets dst to the part of the gradient that comes from point k.
func (e *Evaluation) pointGradient(dst []float64, k int) {
	clear(dst)
	for i := range e.steps {
		if l := e.steps[i].learner; l != nil {
			l.gradient(dst, span{k, k + 1, 0})
		}
	}
}

// MixesPoints names the first layer that makes the output at a point depend on the
// other points, a batch normalization that is not frozen; "" if there is none.
func (n *Network) MixesPoints() string {
	for _, s := range n.plan.stages {
		if s.coupled {
			return s.layer
		}
	}
	return ""
}
