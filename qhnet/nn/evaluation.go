package nn

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
	"qhlab/qhnet/internal/vector"
)

// Evaluation is the [qhnet.Evaluation] of a [Network]. Forward costs one pass through the
// layers, Gradient one pass backwards, Directional about two forward passes, HessianVector
// about six; what follows with the same weights or the same v at the same θ costs less. Memory
// is about n times the sum of the layers' widths, for each of the four kinds of pass used.
type Evaluation struct {
	network  *Network
	points   int
	signals  []*signal
	steps    []step
	segments []segment
	run      run
	workers  workers

	theta     []float64 // the point of the last Forward
	at, along point     // θ, and a copy of the last v
	directed  bool      // whether the tangents are those along v
	reversed  bool      // whether the adjoints are those of the weights at the output
	unit      []float64 // zeros, the weights of one output at a time
}

// step is a stage with the operator that does it.
type step struct {
	stage
	operator   operator
	parametric parametric // the operator, if it has parameters
	reducer    reducer    // the operator, if it needs sums over all points
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
	e := &Evaluation{network: n, points: points, workers: processors()}
	for _, w := range n.plan().wires {
		e.signals = append(e.signals, &signal{width: w.width, trainable: w.trainable})
	}
	e.allocate(values, true)
	if err := e.setPoints(x); err != nil {
		return nil, err
	}
	e.prepare()
	return e, nil
}

// setPoints copies points of the right width.
func (e *Evaluation) setPoints(x *mat.Dense) error {
	for k := range e.points {
		if j := vector.NotFinite(x.RawRowView(k)); j >= 0 {
			return fmt.Errorf("qhnet: input: entry %d of point %d is %v; remove the point or repair it", j, k, x.At(k, j))
		}
		copy(e.signals[0].row(values, k), x.RawRowView(k))
	}
	return nil
}

// prepare divides the points into shards and makes the operators.
func (e *Evaluation) prepare() {
	p := e.network.plan()
	e.run.divide(e.points, p)
	for _, w := range p.matrices {
		e.at.transposed = append(e.at.transposed, make([]float64, w.Len()))
		e.along.transposed = append(e.along.transposed, make([]float64, w.Len()))
	}
	b := &binding{points: e.points, shards: len(e.run.shards), signals: e.signals, at: &e.at, along: &e.along}
	for _, s := range p.stages {
		o := s.bind(b)
		l, _ := o.(parametric)
		r, _ := o.(reducer)
		e.steps = append(e.steps, step{s, o, l, r})
	}
	e.segments = segments(e.steps)
}

// set moves to θ and transposes its matrices.
func (p *point) set(theta []float64, matrices []qhnet.Block) {
	p.theta = theta
	for i, w := range matrices {
		kernel.Transpose(p.transposed[i], w.Of(theta), w.Shape[0], w.Shape[1])
	}
}

// allocate gives signals memory for a quantity, those without parameters only if all do.
func (e *Evaluation) allocate(q quantity, all bool) {
	for i, s := range e.signals {
		owner := e.signals[e.network.plan().root(i, q)]
		if !all && !owner.trainable {
			continue
		}
		if !owner.has(q) {
			owner.data[q] = make([]float64, e.points*owner.width)
		}
		s.data[q] = owner.data[q]
	}
}

// root returns the wire whose memory for a quantity a wire shares.
func (p *plan) root(wire int, q quantity) int {
	for {
		next := p.wires[wire].valueOf
		if q >= adjoints {
			next = p.wires[wire].adjointOf
		}
		if next == wire {
			return wire
		}
		wire = next
	}
}

// Forward implements [qhnet.Evaluation]. It is an error if θ is not finite, a value overflows,
// or a normalization meets zero variance.
func (e *Evaluation) Forward(theta []float64) ([]float64, error) {
	vector.CheckLength("theta", len(theta), e.network.plan().parameters())
	e.theta, e.directed, e.reversed = nil, false, false
	if err := qhnet.CheckParameters(e.network, theta); err != nil {
		return nil, err
	}
	e.at.set(theta, e.network.plan().matrices)
	if err := e.walk(forwardPass, nil); err != nil {
		return nil, err
	}
	outputs := e.output().data[values]
	if i := vector.NotFinite(outputs); i >= 0 {
		return nil, fmt.Errorf("qhnet: %s: the output at point %d is %v: the parameters are too large; shrink them along a characteristic curve", e.network.plan().last(), i/e.network.outputs, outputs[i])
	}
	e.theta = theta
	return outputs, nil
}

// Gradient implements [qhnet.Evaluation].
func (e *Evaluation) Gradient(dst, weights []float64) {
	e.checkMoved("Gradient")
	vector.CheckLength("dst", len(dst), e.network.plan().parameters())
	e.reverse(dst, weights)
}

// Directional implements [qhnet.Evaluation].
func (e *Evaluation) Directional(dst, v []float64) {
	e.checkMoved("Directional")
	vector.CheckLength("dst", len(dst), len(e.output().data[values]))
	e.tangent(v)
	copy(dst, e.output().data[tangents])
}

// HessianVector implements [qhnet.Evaluation].
func (e *Evaluation) HessianVector(dst, weights, v []float64) {
	e.GradientTangent(dst, weights, nil, v)
}

// GradientTangent sets dst to the derivative of Gradient when θ moves along v and the
// weights along tangentWeights, nil if they rest, Σ w_kc ∇²f_kc v + Σ ẇ_kc ∇f_kc. After a
// Directional along the same v and a Gradient of the same weights it takes a single pass.
func (e *Evaluation) GradientTangent(dst, weights, tangentWeights, v []float64) {
	e.checkMoved("HessianVector or GradientTangent")
	vector.CheckLength("dst", len(dst), e.network.plan().parameters())
	e.tangent(v)
	e.reverse(nil, weights)
	if !e.output().has(adjointTangents) {
		e.allocate(adjointTangents, false)
	}
	seed := e.output().data[adjointTangents]
	if tangentWeights == nil {
		clear(seed)
	} else {
		vector.CheckLength("tangentWeights", len(tangentWeights), len(seed))
		copy(seed, tangentWeights)
	}
	e.walk(reverseTangentPass, dst)
}

// tangent carries the direction v forward, unless that was done last.
func (e *Evaluation) tangent(v []float64) {
	vector.CheckLength("v", len(v), e.network.plan().parameters())
	if e.directed && slices.Equal(v, e.along.theta) {
		return
	}
	if !e.output().has(tangents) {
		e.allocate(tangents, true)
		e.along.theta = make([]float64, len(v))
	}
	e.along.set(e.along.theta[:copy(e.along.theta, v)], e.network.plan().matrices)
	e.walk(tangentPass, nil)
	e.directed = true
}

// reverse carries weights backward and sets dst to the gradient. With dst nil it only sets the
// adjoints, unless that was done last.
func (e *Evaluation) reverse(dst, weights []float64) {
	if !e.output().has(adjoints) {
		e.allocate(adjoints, false)
	}
	seed := e.output().data[adjoints]
	vector.CheckLength("weights", len(weights), len(seed))
	if dst == nil && e.reversed && slices.Equal(weights, seed) {
		return
	}
	copy(seed, weights)
	e.walk(reversePass, dst)
	e.reversed = true
}

// SetInputs replaces the bound points by as many others, which must be finite. A Forward must
// follow.
func (e *Evaluation) SetInputs(x *mat.Dense) {
	e.checkPoints("SetInputs: x", x)
	e.theta = nil
	if err := e.setPoints(x); err != nil {
		panic(err.Error())
	}
}

// InputGradient sets dst, n×d, to the gradient of Σ w_kc f_kc in the points.
func (e *Evaluation) InputGradient(dst *mat.Dense, weights []float64) {
	e.checkMoved("InputGradient")
	e.checkPoints("InputGradient: dst", dst)
	e.wakeAdjoints(true)
	e.reversed = false
	e.reverse(nil, weights)
	for k := range e.points {
		dst.SetRow(k, e.signals[0].row(adjoints, k))
	}
	e.wakeAdjoints(false)
}

// wakeAdjoints lets a reverse pass compute adjoints before the first parameters.
func (e *Evaluation) wakeAdjoints(awake bool) {
	if awake && e.signals[0].idle == nil {
		e.allocate(adjoints, true)
		return
	}
	for _, s := range e.signals {
		if !s.trainable {
			s.data[adjoints], s.idle = s.idle, s.data[adjoints]
		}
	}
}

// Layer returns the values that a layer gave in the last Forward, n rows of its width, valid
// until the next Forward. It panics if there is no layer of this name.
func (e *Evaluation) Layer(name string) []float64 {
	e.checkMoved("Layer")
	id := e.network.layer(name).wire
	s := e.signals[id]
	if !e.network.plan().wires[id].rectified {
		return s.data[values]
	}
	var unrectified []float64
	for i := range e.steps {
		if o, ok := e.steps[i].operator.(*bilinear); ok && o.out == s {
			// Only values are rectified, so the product is taken again as if it were tangents.
			kept := s.data[tangents]
			s.data[tangents] = make([]float64, len(s.data[values]))
			o.apply(o.at, tangents, values, false, span{0, e.points, 0, true})
			unrectified, s.data[tangents] = s.data[tangents], kept
		}
	}
	return unrectified
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

func (e *Evaluation) output() *signal { return e.signals[e.network.output.id] }

func (e *Evaluation) checkMoved(method string) {
	if e.theta == nil {
		panic("qhnet: " + method + " before a successful Forward")
	}
}

// checkPoints panics if a matrix is not as large as the bound data.
func (e *Evaluation) checkPoints(what string, x *mat.Dense) {
	if x == nil {
		x = &mat.Dense{}
	}
	if r, c := x.Dims(); r != e.points || c != e.network.Inputs() {
		panic(fmt.Sprintf("qhnet: %s is %d×%d, the data is %d×%d", what, r, c, e.points, e.network.Inputs()))
	}
}

// RoundKinks implements [qhnet.KinkRounder] for rectifiers.
func (e *Evaluation) RoundKinks(width float64) (same qhnet.Evaluation, found bool) {
	if !(width >= 0 && width <= 1) {
		panic(fmt.Sprintf("qhnet: RoundKinks: width %v is not in [0, 1]", width))
	}
	n := e.network
	if !n.plan().kinks || n.plan().kinkWidth == width {
		return e, n.plan().kinks
	}
	rounded, err := newNetwork(n.layers, n.plan().frozen, width)
	if err == nil {
		same, err = rounded.Bind(mat.NewDense(e.points, n.Inputs(), e.signals[0].data[values]))
	}
	if err != nil {
		panic("qhnet: rounding kinks: " + err.Error()) // the same layers and points were accepted before
	}
	return same, true
}

// Jacobian does [qhnet.Jacobian]. Unless a batch normalization couples points, it takes one
// reverse pass an output, and one outer product a layer and row.
func (e *Evaluation) Jacobian(dst *mat.Dense) {
	e.checkMoved("Jacobian")
	outputs := len(e.output().data[values])
	if rows, cols := dst.Dims(); rows != outputs || cols != e.network.plan().parameters() {
		panic(fmt.Sprintf("qhnet: Jacobian: dst is %d×%d, not %d×%d", rows, cols, outputs, e.network.plan().parameters()))
	}
	if e.unit == nil {
		e.unit = make([]float64, outputs)
	}
	if e.network.MixesPoints() != "" {
		for i := range e.unit {
			e.unit[i] = 1
			e.Gradient(dst.RawRowView(i), e.unit)
			e.unit[i] = 0
		}
		return
	}
	for c := range e.network.outputs {
		clear(e.unit)
		for i := c; i < outputs; i += e.network.outputs {
			e.unit[i] = 1 // of Σ_k f_kc
		}
		e.reverse(nil, e.unit)
		for k := range e.points {
			e.pointGradient(dst.RawRowView(k*e.network.outputs+c), k)
		}
	}
	clear(e.unit)
}

// pointGradient sets dst to the part of the gradient that comes from point k.
func (e *Evaluation) pointGradient(dst []float64, k int) {
	clear(dst)
	for i := range e.steps {
		if l := e.steps[i].parametric; l != nil {
			l.gradient(dst, span{k, k + 1, 0, true})
		}
	}
}

// MixesPoints names the first batch normalization that is not frozen, which makes the output at
// a point depend on the others; "" if there is none.
func (n *Network) MixesPoints() string {
	for _, s := range n.plan().stages {
		if s.coupled {
			return s.layer
		}
	}
	return ""
}
