package qhnet

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Bind implements [Model]. The Evaluation is a [*NetworkEvaluation].
func (n *Network) Bind(x *mat.Dense) (Evaluation, error) {
	if x == nil || x.IsEmpty() {
		return nil, errors.New("qhnet: no points to bind the network to")
	}
	points, width := x.Dims()
	if width != n.Inputs() {
		return nil, fmt.Errorf("qhnet: input: the network takes points of %s (%d entries), the data is %d×%d", shapeText(n.inputs), n.Inputs(), points, width)
	}
	e := &NetworkEvaluation{network: n, points: points, signals: n.plan.signals(points), crew: processors()}
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
func (e *NetworkEvaluation) prepare() {
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
