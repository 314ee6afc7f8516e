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
	reversePass        // adjoints and their gradient
	reverseTangentPass // the tangents of both
	summingPass        // no way through layers: the sum of the shards' gradients
)

// run is a pass of one evaluation in progress. The points are split into shards that
// depend on the network and the number of points only; each adds to its own gradient, and
// these are summed in order: the same bits however many goroutines share the work.
type run struct {
	pass    pass
	segment segment
	shards  []span
	chunk   int         // points that a shard takes at a time
	errors  []error     // of each shard
	partial [][]float64 // the gradient of each shard; the first is the caller's dst, nil if none is asked for
	fresh   bool        // whether partial is still to be cleared
	next    atomic.Int64
	helping sync.WaitGroup // workers at work on it
}

// segment is a range of steps that a point takes without waiting for others.
type segment struct{ lo, hi int }

// divide splits the points into shards and chunks.
func (r *run) divide(points int, p *plan) {
	work, values := 0, 0
	for _, s := range p.stages {
		work += s.work
	}
	for i, w := range p.wires {
		if w.valueOf == i {
			values += w.width
		}
	}
	r.shards = split(points, work, p.parameters())
	r.chunk = chunkOf(r.shards[0].len(), values, work, p.parameters())
	r.errors, r.partial = make([]error, len(r.shards)), make([][]float64, len(r.shards))
}

// A shard has at least 2²⁰ multiplications, near 100 µs with their derivatives,
// and 400 a parameter, so that summing the shards' gradients takes a few percent.
const (
	shardWork         = 1 << 20
	shardWorkPerEntry = 400
	maxShards         = 8
	shardUnit         = 12 // rows; a multiple of what the matrix product works on at once
)

// split divides points into shards of equal size, for a network with the given number of
// multiplications a point. Two, four or eight processors share their number evenly.
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
		shards = append(shards, span{lo, min(lo+size, points), len(shards), true})
	}
	return shards
}

const (
	// chunkValues bounds the values, with their adjoints, of a chunk: half a MiB of cache.
	chunkValues = 1 << 16

	// chunkReuse is the least number of multiplications, for each parameter, of a chunk,
	// so that reading weights and adding to gradients takes a few percent.
	chunkReuse = 100
)

// chunkOf returns the number of points that a shard takes through all layers at a time, so
// that a layer finds in the cache what the one before it left there.
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

// walk takes a pass through all layers, and sets dst, unless it is nil, to the gradient that
// adds up on the way.
func (e *Evaluation) walk(p pass, dst []float64) error {
	e.run.begin(p, dst)
	for i := range e.segments {
		if p >= reversePass {
			i = len(e.segments) - 1 - i
		}
		if err := e.walkSegment(e.segments[i]); err != nil {
			return err
		}
	}
	if dst != nil && len(e.run.shards) > 1 {
		e.run.pass = summingPass
		e.walkShards()
	}
	e.run.partial[0] = nil
	return nil
}

// begin prepares a pass that adds a gradient to dst unless it is nil.
func (r *run) begin(p pass, dst []float64) {
	r.pass, r.fresh, r.partial[0] = p, dst != nil, dst
	for i := range r.partial {
		if r.partial[i] == nil && dst != nil {
			r.partial[i] = make([]float64, len(dst))
		}
	}
}

// walkSegment takes the pass through a segment, and lets its last step reduce.
func (e *Evaluation) walkSegment(s segment) error {
	e.run.segment = s
	if err := e.walkShards(); err != nil {
		return err
	}
	e.run.fresh = false
	last := s.hi - 1
	if e.run.pass >= reversePass {
		last = s.lo
	}
	if r := e.steps[last].reducer; r != nil {
		return r.reduce(e.run.pass)
	}
	return nil
}

func (e *Evaluation) walkShards() error {
	if len(e.run.shards) == 1 {
		return e.take(0)
	}
	e.run.next.Store(0)
	e.workers.help(e)
	e.takeShards()
	e.run.helping.Wait()
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

// take does the part of shard i, a chunk of points at a time.
func (e *Evaluation) take(i int) error {
	if e.run.pass == summingPass {
		e.run.sumPart(i)
		return nil
	}
	if e.run.fresh {
		clear(e.run.partial[i])
	}
	shard := e.run.shards[i]
	for lo := shard.lo; lo < shard.hi; lo += e.run.chunk {
		if err := e.walkSteps(span{lo, min(lo+e.run.chunk, shard.hi), i, lo == shard.lo}); err != nil {
			return err
		}
	}
	return nil
}

// walkSteps takes the pass through the segment's steps for the points of a span.
func (e *Evaluation) walkSteps(points span) error {
	r := &e.run
	steps := e.steps[r.segment.lo:r.segment.hi]
	for i := range steps {
		switch r.pass {
		case forwardPass:
			if err := steps[i].operator.forward(points); err != nil {
				return err
			}
		case tangentPass:
			if steps[i].trainable {
				steps[i].operator.tangent(points)
			}
		default:
			e.stepBack(&steps[len(steps)-1-i], points)
		}
	}
	return nil
}

// stepBack takes a reverse pass through one step.
func (e *Evaluation) stepBack(s *step, points span) {
	dst := e.run.partial[0] // nil if no gradient is asked for
	if dst != nil {
		dst = e.run.partial[points.shard]
	}
	if e.run.pass == reversePass {
		if dst != nil && s.parametric != nil {
			s.parametric.gradient(dst, points)
		}
		s.operator.reverse(points)
		return
	}
	if s.trainable {
		s.operator.reverseTangent(points)
		if s.parametric != nil {
			s.parametric.gradientTangent(dst, points)
		}
	}
}

// sumPart adds the gradients of all shards, in their order, for one part of the parameters.
func (r *run) sumPart(i int) {
	sum, parts := r.partial[0], len(r.partial)
	lo, hi := i*len(sum)/parts, (i+1)*len(sum)/parts
	for _, partial := range r.partial[1:] {
		kernel.AddScaled(sum[lo:hi], 1, partial[lo:hi])
	}
}

// workers are a fixed set of goroutines that help evaluations when they are idle.
type workers chan *Evaluation

// newWorkers starts the given number of goroutines. They end with the program.
func newWorkers(size int) workers {
	w := make(workers)
	for range size {
		go func() {
			for e := range w {
				e.takeShards()
				e.run.helping.Done()
			}
		}()
	}
	return w
}

// processors are workers that keep every processor busy, the caller's included.
var processors = sync.OnceValue(func() workers { return newWorkers(runtime.GOMAXPROCS(0) - 1) })

// help asks who is idle to help, and waits for nobody.
func (w workers) help(e *Evaluation) {
	for range len(e.run.shards) - 1 {
		e.run.helping.Add(1)
		select {
		case w <- e:
		default:
			e.run.helping.Done()
			return
		}
	}
}
