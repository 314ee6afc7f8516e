package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// NetworkEvaluation is the [Evaluation] of a [Network]. The cost of Forward is
// one pass through the layers, of Gradient one pass backwards, of Directional
// about two forward passes, of HessianVector about six. Memory is about n times
// the sum of the layers' widths, for each of the four kinds of pass used.
type NetworkEvaluation struct {
	network  *Network
	points   int
	signals  []*signal
	steps    []step
	run      run
	segments []segment
	crew     crew
	theta    []float64 // the point of the last Forward
	unit     []float64 // zeros, the weights of one output at a time
}

// step is a stage with the operator that does it.
type step struct {
	stage
	operator operator
	learner  learner  // the operator, if it has parameters
	preparer preparer // the operator, if it prepares passes
	gatherer gatherer // the operator, if points wait for each other there
}

// Forward implements [Evaluation]. It is an error if θ holds a NaN or an
// infinity, if a value overflows, or if a normalization meets zero variance.
func (e *NetworkEvaluation) Forward(theta []float64) ([]float64, error) {
	checkLength("theta", len(theta), e.network.plan.parameters())
	e.theta = nil
	if err := checkFinite(e.network, theta); err != nil {
		return nil, err
	}
	e.theta = theta
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

// Gradient implements [Evaluation].
func (e *NetworkEvaluation) Gradient(dst, weights []float64) {
	e.start("Gradient", dst, weights)
	e.collect(gradientPass, dst)
}

// Directional implements [Evaluation].
func (e *NetworkEvaluation) Directional(dst, v []float64) {
	e.checkMoved("Directional")
	checkLength("v", len(v), e.network.plan.parameters())
	checkLength("dst", len(dst), len(e.output().value))
	e.tangent(v)
	copy(dst, e.output().derivative)
}

// HessianVector implements [Evaluation].
func (e *NetworkEvaluation) HessianVector(dst, weights, v []float64) {
	e.start("HessianVector", dst, weights)
	checkLength("v", len(v), e.network.plan.parameters())
	if e.output().adjointTangent == nil {
		e.network.plan.allocate(e.signals, e.points, adjointTangentOf)
	}
	e.tangent(v)
	clear(e.output().adjointTangent)
	e.run.v = v
	e.collect(hessianPass, dst)
}

// InputGradient sets dst, n×d like the bound data, to the gradient of
// Σ w_kc f_kc in the points: how an input must change for the outputs to change
// most.
func (e *NetworkEvaluation) InputGradient(dst *mat.Dense, weights []float64) {
	e.checkMoved("InputGradient")
	checkLength("weights", len(weights), len(e.output().value))
	if r, c := dst.Dims(); r != e.points || c != e.network.Inputs() {
		panic(fmt.Sprintf("qhnet: InputGradient: dst is %d×%d, the data is %d×%d", r, c, e.points, e.network.Inputs()))
	}
	if e.signals[0].idle == nil {
		e.network.plan.allocate(e.signals, e.points, idleAdjointOf)
	}
	e.wakeAdjoints(true)
	copy(e.output().adjoint, weights)
	e.walk(adjointPass)
	e.wakeAdjoints(false)
	for k := range e.points {
		dst.SetRow(k, row(e.signals[0].idle, k, e.network.Inputs()))
	}
}

// wakeAdjoints lets a reverse pass compute adjoints before the first parameters.
func (e *NetworkEvaluation) wakeAdjoints(awake bool) {
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
func (e *NetworkEvaluation) Layer(name string) []float64 {
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
func (e *NetworkEvaluation) tangent(v []float64) {
	if e.output().derivative == nil {
		e.network.plan.allocate(e.signals, e.points, derivativeOf)
	}
	e.run.v = v
	e.walk(tangentPass)
}

// start checks the arguments of a reverse pass and begins it.
func (e *NetworkEvaluation) start(method string, dst, weights []float64) {
	e.checkMoved(method)
	checkLength("dst", len(dst), e.network.plan.parameters())
	checkLength("weights", len(weights), len(e.output().value))
	e.allocateAdjoints()
	copy(e.output().adjoint, weights)
}

func (e *NetworkEvaluation) allocateAdjoints() {
	if e.output().adjoint == nil {
		e.network.plan.allocate(e.signals, e.points, adjointOf)
	}
}

func (e *NetworkEvaluation) all() span { return span{0, e.points, 0} }

func (e *NetworkEvaluation) output() *signal { return e.signals[e.network.output.id] }

func (e *NetworkEvaluation) checkMoved(method string) {
	if e.theta == nil {
		panic("qhnet: " + method + " before a successful Forward")
	}
}

// layer returns the record of the named layer.
func (n *Network) layer(name string) record {
	for _, r := range n.plan.records {
		if r.name == name {
			return r
		}
	}
	panic(fmt.Sprintf("qhnet: the network has no layer %q", name))
}
