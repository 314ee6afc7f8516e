package qhnet

import (
	"runtime"
	"sync"
	"sync/atomic"

	"qhlab/qhnet/internal/kernel"
)

// pass is a way through the layers of a network.
type pass int

const (
	forwardPass pass = iota
	tangentPass
	adjointPass  // adjoints without gradients
	gradientPass // adjoints and gradients
	hessianPass  // adjoints, their tangents and the gradients' tangents
)

// run is a pass of one evaluation in progress. The points are split into shards
// that depend on the network and the number of points only; each shard adds to
// its own gradient, and these are summed in order. Results are therefore the
// same bits however many goroutines share the work.
type run struct {
	pass     pass
	theta, v []float64
	segment  segment
	shards   []span
	errors   []error     // of each shard
	partial  [][]float64 // the gradient of each shard; the first is the caller's dst
	next     atomic.Int64
	helpers  sync.WaitGroup
}

// segment is a range of steps that treat points alone, or one step that couples
// them.
type segment struct {
	lo, hi  int
	coupled bool
}

// A shard has at least 2²⁰ multiplications, near 100 µs with their derivatives,
// and 400 a parameter, so that summing the shards' gradients takes a few percent.
const (
	shardWork         = 1 << 20
	shardWorkPerEntry = 400
	maxShards         = 8
	shardUnit         = 12 // rows; a multiple of what the matrix product works on at once
)

// split divides points into shards of equal size, for a network with the given
// number of multiplications a point and of parameters.
func split(points, work, parameters int) []span {
	count := points * work / max(shardWork, shardWorkPerEntry*parameters)
	count = min(max(count, 1), maxShards, (points+shardUnit-1)/shardUnit)
	size := (points + count - 1) / count
	if count > 1 {
		size = (size + shardUnit - 1) / shardUnit * shardUnit
	}
	var shards []span
	for lo := 0; lo < points; lo += size {
		shards = append(shards, span{lo, min(lo+size, points), len(shards)})
	}
	return shards
}

// segments groups steps between couplings.
func segments(steps []step) []segment {
	var s []segment
	for i := range steps {
		if n := len(s); n > 0 && !steps[i].coupled && !s[n-1].coupled {
			s[n-1].hi = i + 1
			continue
		}
		s = append(s, segment{i, i + 1, steps[i].coupled})
	}
	return s
}

// walk takes a pass through all layers, backwards except for forwardPass and
// tangentPass.
func (e *NetworkEvaluation) walk(p pass) error {
	e.run.pass, e.run.theta = p, e.theta
	for i := range e.segments {
		if p > tangentPass {
			i = len(e.segments) - 1 - i
		}
		if err := e.walkSegment(e.segments[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *NetworkEvaluation) walkSegment(s segment) error {
	e.run.segment = s
	if s.coupled || len(e.run.shards) == 1 {
		return e.walkSteps(e.all())
	}
	e.run.next.Store(0)
	e.crew.help(e)
	e.takeShards()
	e.run.helpers.Wait()
	for _, err := range e.run.errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// takeShards works on shards until there are no more.
func (e *NetworkEvaluation) takeShards() {
	for {
		i := int(e.run.next.Add(1)) - 1
		if i >= len(e.run.shards) {
			return
		}
		e.run.errors[i] = e.walkSteps(e.run.shards[i])
	}
}

// walkSteps takes the pass through the segment's steps for the points of a span.
func (e *NetworkEvaluation) walkSteps(points span) error {
	r := &e.run
	for i := r.segment.lo; i < r.segment.hi; i++ {
		if r.pass == forwardPass {
			if err := e.steps[i].operator.forward(r.theta, points); err != nil {
				return err
			}
			continue
		}
		s := &e.steps[i]
		if r.pass > tangentPass {
			s = &e.steps[r.segment.lo+r.segment.hi-1-i]
		}
		if s.trainable || r.pass == adjointPass {
			e.derive(s, points)
		}
	}
	return nil
}

// derive takes a pass other than forwardPass through one step.
func (e *NetworkEvaluation) derive(s *step, points span) {
	r := &e.run
	if r.pass == tangentPass {
		s.operator.tangent(r.theta, r.v, points)
		return
	}
	s.operator.reverse(r.theta, points)
	if r.pass == hessianPass {
		s.operator.reverseTangent(r.theta, r.v, points)
	}
	if s.learner == nil {
		return
	}
	switch r.pass {
	case gradientPass:
		s.learner.gradient(r.partial[points.shard], points)
	case hessianPass:
		s.learner.gradientTangent(r.partial[points.shard], points)
	}
}

// collect takes a pass whose gradients add up in dst.
func (e *NetworkEvaluation) collect(p pass, dst []float64) {
	e.run.partial[0] = dst
	for i := range e.run.partial {
		if e.run.partial[i] == nil {
			e.run.partial[i] = make([]float64, len(dst))
		}
		clear(e.run.partial[i])
	}
	e.walk(p)
	for _, partial := range e.run.partial[1:] {
		kernel.AddScaled(dst, 1, partial)
	}
	e.run.partial[0] = nil
}

// crew is a fixed set of goroutines that help evaluations when they are idle.
type crew chan *NetworkEvaluation

// newCrew starts the given number of goroutines. They end with the program.
func newCrew(size int) crew {
	c := make(crew)
	for range size {
		go func() {
			for e := range c {
				e.takeShards()
				e.run.helpers.Done()
			}
		}()
	}
	return c
}

// processors is a crew that keeps every processor busy, the caller's included.
var processors = sync.OnceValue(func() crew { return newCrew(runtime.GOMAXPROCS(0) - 1) })

// help asks who is idle to help, and waits for nobody.
func (c crew) help(e *NetworkEvaluation) {
	for range len(e.run.shards) - 1 {
		e.run.helpers.Add(1)
		select {
		case c <- e:
		default:
			e.run.helpers.Done()
			return
		}
	}
}
