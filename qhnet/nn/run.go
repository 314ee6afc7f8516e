package nn

import (
	"math/bits"
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
	chunk    int         // points that a shard takes at a time
	errors   []error     // of each shard
	partial  [][]float64 // the gradient of each shard; the first is the caller's dst
	fresh    bool        // whether partial is still to be cleared
	summing  bool        // whether the shards sum partial, each some parameters
	next     atomic.Int64
	helpers  sync.WaitGroup
}

// segment is a range of steps that a point takes without waiting for others.
type segment struct{ lo, hi int }

// A shard has at least 2²⁰ multiplications, near 100 µs with their derivatives,
// and 400 a parameter, so that summing the shards' gradients takes a few percent.
const (
	shardWork         = 1 << 20
	shardWorkPerEntry = 400
	maxShards         = 8
	shardUnit         = 12 // rows; a multiple of what the matrix product works on at once
)

// split divides points into shards of equal size, for a network with the given
// number of multiplications a point and of parameters. Their number is a power of
// two, which two, four or eight processors share evenly.
func split(points, work, parameters int) []span {
	count := points * work / max(shardWork, shardWorkPerEntry*parameters)
	count = min(max(count, 1), maxShards, (points+shardUnit-1)/shardUnit)
	count = 1 << (bits.Len(uint(count)) - 1)
	size := points
	if count > 1 {
		size = roundUp((points+count-1)/count, shardUnit)
	}
	var shards []span
	for lo := 0; lo < points; lo += size {
		shards = append(shards, span{lo, min(lo+size, points), len(shards)})
	}
	return shards
}

const (
	// chunkValues is how many values the points of a chunk may have, with their
	// adjoints: half a MiB of a second-level cache.
	chunkValues = 1 << 16

	// chunkReuse is how many multiplications, for each parameter, a chunk has at
	// least, so that reading weights and adding to gradients takes a few percent.
	chunkReuse = 100
)

// chunkOf returns the number of points that a shard takes through all layers at
// a time, so that a layer finds in the cache what the one before it left there. A
// point has the given numbers of values and of multiplications.
func chunkOf(shard, values, work, parameters int) int {
	most := max(chunkValues/(2*values), chunkReuse*parameters/max(work, 1), shardUnit)
	pieces := (shard + most - 1) / most
	size := (shard + pieces - 1) / pieces
	if size > shardUnit {
		size = roundUp(size, shardUnit)
	}
	return size
}

// roundUp returns the least multiple of unit that is at least n.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// segments cuts steps where points wait for each other.
func segments(steps []step) []segment {
	var s []segment
	for i := range steps {
		if i == 0 || steps[i-1].coupled {
			s = append(s, segment{i, i})
		}
		s[len(s)-1].hi = i + 1
	}
	return s
}

// walk takes a pass through all layers, backwards except for forwardPass and
// tangentPass.
func (e *Evaluation) walk(p pass) error {
	e.run.pass, e.run.theta = p, e.theta
	e.prepareSteps()
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

// prepareSteps does what a pass needs done once.
func (e *Evaluation) prepareSteps() {
	for i := range e.steps {
		switch s := &e.steps[i]; {
		case s.preparer == nil:
		case e.run.pass == forwardPass:
			s.preparer.prepare(e.run.theta)
		case e.run.pass == tangentPass:
			s.preparer.prepareTangent(e.run.v)
		}
	}
}

// walkSegment takes the pass through a segment for all points, and then gathers what
// its last step has seen of them.
func (e *Evaluation) walkSegment(s segment) error {
	e.run.segment = s
	err := e.walkShards()
	e.run.fresh = false
	if err != nil {
		return err
	}
	last := s.hi - 1
	if e.run.pass > tangentPass {
		last = s.lo
	}
	if g := e.steps[last].gatherer; g != nil {
		return g.gather(e.run.pass)
	}
	return nil
}

func (e *Evaluation) walkShards() error {
	if len(e.run.shards) == 1 {
		return e.take(0)
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
func (e *Evaluation) takeShards() {
	for {
		i := int(e.run.next.Add(1)) - 1
		if i >= len(e.run.shards) {
			return
		}
		e.run.errors[i] = e.take(i)
	}
}

// take does the part of shard i.
func (e *Evaluation) take(i int) error {
	if e.run.summing {
		e.sumPart(i)
		return nil
	}
	if e.run.fresh {
		clear(e.run.partial[i])
	}
	return e.walkChunks(e.run.shards[i])
}

// walkChunks takes the pass through the segment for the points of a shard, a
// chunk at a time.
func (e *Evaluation) walkChunks(shard span) error {
	for lo := shard.lo; lo < shard.hi; lo += e.run.chunk {
		if err := e.walkSteps(span{lo, min(lo+e.run.chunk, shard.hi), shard.shard}); err != nil {
			return err
		}
	}
	return nil
}

// walkSteps takes the pass through the segment's steps for the points of a span.
func (e *Evaluation) walkSteps(points span) error {
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
func (e *Evaluation) derive(s *step, points span) {
	r := &e.run
	if r.pass == tangentPass {
		s.operator.tangent(r.theta, r.v, points)
		return
	}
	if r.pass == gradientPass && s.learner != nil {
		s.learner.gradient(r.partial[points.shard], points)
	}
	if !e.held {
		s.operator.reverse(r.theta, points)
	}
	if r.pass != hessianPass {
		return
	}
	s.operator.reverseTangent(r.theta, r.v, points)
	if s.learner != nil {
		s.learner.gradientTangent(r.partial[points.shard], points)
	}
}

// collect takes a pass whose gradients add up in dst.
func (e *Evaluation) collect(p pass, dst []float64) {
	e.run.partial[0] = dst
	for i := range e.run.partial {
		if e.run.partial[i] == nil {
			e.run.partial[i] = make([]float64, len(dst))
		}
	}
	e.run.fresh = true
	e.walk(p)
	if len(e.run.partial) > 1 {
		e.run.summing = true
		e.walkShards()
		e.run.summing = false
	}
	e.run.partial[0] = nil
}

// sumPart adds the gradients of all shards, in their order, for one part of the
// parameters.
func (e *Evaluation) sumPart(i int) {
	sum, parts := e.run.partial[0], len(e.run.partial)
	lo, hi := i*len(sum)/parts, (i+1)*len(sum)/parts
	for _, partial := range e.run.partial[1:] {
		kernel.AddScaled(sum[lo:hi], 1, partial[lo:hi])
	}
}

// crew is a fixed set of goroutines that help evaluations when they are idle.
type crew chan *Evaluation

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
func (c crew) help(e *Evaluation) {
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
