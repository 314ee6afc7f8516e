package nn

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
)

func TestJacobian(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, _ := a.build(t)
			f := forward(t, e, theta)
			got, want := mat.NewDense(len(f), len(theta), nil), mat.NewDense(len(f), len(theta), nil)
			got.Apply(func(_, _ int, _ float64) float64 { return 1 }, got) // must be overwritten
			qhnet.Jacobian(got, e)
			qhnet.Jacobian(want, struct{ qhnet.Evaluation }{e}) // without its own method
			// The same products, summed over points in another order.
			if d := distance(got.RawMatrix().Data, want.RawMatrix().Data); d > 1e-14 {
				t.Errorf("rows differ from gradients by %.1e", d)
			}
		})
	}
}

// TestInputGradient compares it with differences in the data, which only a new
// binding can move.
func TestInputGradient(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			n, e, theta, rng := a.build(t)
			w := normal(rng, len(forward(t, e, theta)))
			got := mat.NewDense(a.points, n.Inputs(), nil)
			e.InputGradient(got, w)
			x := append([]float64(nil), e.Layer("input")...)
			v := normal(rng, len(x))
			value := func(x []float64) []float64 {
				moved, err := n.Bind(mat.NewDense(a.points, n.Inputs(), x))
				if err != nil {
					t.Fatal(err)
				}
				return forward(t, moved, theta)
			}
			slope := floats.Dot(w, difference(value, x, v))
			if d := distance([]float64{floats.Dot(got.RawMatrix().Data, v)}, []float64{slope}); d > 1e-7 {
				t.Errorf("InputGradient is off differences of outputs by %.1e", d)
			}
		})
	}
}

// TestKeptPassesAreRight asks for derivatives in orders in which adjoints and tangents
// can and cannot be taken over from what was asked before.
func TestKeptPassesAreRight(t *testing.T) {
	for _, a := range architectures {
		n, e, theta, rng := a.build(t)
		outputs := len(forward(t, e, theta))
		thetas := [][]float64{theta, along(theta, 0.1, normal(rng, len(theta)))}
		weights := [][]float64{normal(rng, outputs), normal(rng, outputs)}
		directions := [][]float64{normal(rng, len(theta)), make([]float64, len(theta))}
		directions[1][rng.IntN(len(theta))] = 1
		x := mat.NewDense(a.points, n.Inputs(), slices.Clone(e.Layer("input")))
		scratch, rows := mat.NewDense(a.points, n.Inputs(), nil), mat.NewDense(outputs, len(theta), nil)
		for range 12 {
			theta, w, v := thetas[rng.IntN(2)], weights[rng.IntN(2)], directions[rng.IntN(2)]
			if rng.IntN(3) == 0 {
				forward(t, e, theta)
			} else {
				theta = e.theta
			}
			switch rng.IntN(5) {
			case 0:
				e.InputGradient(scratch, weights[0])
			case 1:
				e.Jacobian(rows)
			case 2:
				e.Gradient(make([]float64, len(theta)), w)
			case 3:
				e.Directional(make([]float64, outputs), v)
			}
			got, want := make([]float64, len(theta)), make([]float64, len(theta))
			e.HessianVector(got, w, v)
			fresh, err := n.Bind(x)
			if err != nil {
				t.Fatal(err)
			}
			forward(t, fresh, theta)
			fresh.HessianVector(want, w, v)
			if d := distance(got, want); d > 1e-13 { // the same products
				t.Errorf("%s: HessianVector after other passes is off a fresh one by %.1e", a.name, d)
			}
		}
	}
}

// BenchmarkJacobian is what an implicit solver asks for at each step.
func BenchmarkJacobian(b *testing.B) {
	a := architecture{points: 40, layers: []Layer{Input(2), Dense(24), ReLU(), Dense(24), ReLU(), Dense(1)}}
	_, e, theta, _ := a.build(b)
	forward(b, e, theta)
	dst := mat.NewDense(40, len(theta), nil)
	b.ReportAllocs()
	for b.Loop() {
		forward(b, e, theta)
		qhnet.Jacobian(dst, e)
	}
}

// TestNoAllocation checks that no method allocates after its first call.
func TestNoAllocation(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools allocate")
	}
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			_, e, theta, rng := a.build(t)
			outputs := len(forward(t, e, theta))
			w, v := normal(rng, outputs), normal(rng, len(theta))
			dst, jv := make([]float64, len(theta)), make([]float64, outputs)
			rows, points := mat.NewDense(outputs, len(theta), nil), mat.NewDense(a.points, e.network.Inputs(), nil)
			for name, method := range map[string]func(){
				"Forward":       func() { e.Forward(theta) },
				"Gradient":      func() { e.Gradient(dst, w) },
				"Directional":   func() { e.Directional(jv, v) },
				"HessianVector": func() { e.HessianVector(dst, w, v) },
				"both":          func() { e.Directional(jv, v); e.GradientTangent(dst, w, jv, v) },
				"Jacobian":      func() { e.Jacobian(rows) },
				"InputGradient": func() { e.InputGradient(points, w) },
			} {
				if allocs := testing.AllocsPerRun(5, method); allocs != 0 {
					t.Errorf("%s allocates %v times", name, allocs)
				}
			}
		})
	}
}

// TestConcurrentEvaluations runs evaluations of one network side by side and
// expects the same bits from each.
func TestConcurrentEvaluations(t *testing.T) {
	a := architecture{points: 4, layers: smallResNet()}
	n, e, theta, rng := a.build(t)
	w := normal(rng, len(forward(t, e, theta)))
	want := make([]float64, len(theta))
	e.Gradient(want, w)
	x := mat.NewDense(4, n.Inputs(), slices.Clone(e.Layer("input")))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			e, err := n.Bind(x)
			if err != nil {
				t.Error(err)
				return
			}
			got := make([]float64, len(theta))
			for range 5 {
				if _, err := e.Forward(theta); err != nil {
					t.Error(err)
					return
				}
				e.Gradient(got, w)
				if !slices.Equal(got, want) {
					t.Error("gradients differ")
				}
			}
		})
	}
	group.Wait()
}

// TestPointIndependence checks that points are not mixed, but by batch
// normalization.
func TestPointIndependence(t *testing.T) {
	for _, a := range architectures {
		n, e, theta, _ := a.build(t)
		f := forward(t, e, theta)
		alone, err := n.Bind(mat.NewDense(1, n.Inputs(), slices.Clone(e.Layer("input")[:n.Inputs()])))
		if err != nil {
			t.Fatal(err)
		}
		if n.MixesPoints() != "" {
			continue
		}
		if d := distance(forward(t, alone, theta), f[:n.Outputs()]); d > 1e-14 { // products in another order
			t.Errorf("%s: the first point alone gives outputs %.1e away", a.name, d)
		}
	}
}

// TestSplit checks that shards cover the points once, in order.
func TestSplit(t *testing.T) {
	for _, points := range []int{1, 11, 12, 13, 100, 2000, 2001} {
		for _, work := range []int{1, 5000, 1 << 20, 1 << 30} {
			at := 0
			shards := split(points, work, 1000)
			for i, s := range shards {
				if s.lo != at || s.hi <= s.lo || s.shard != i {
					t.Fatalf("split(%d, %d, 1000) = %v", points, work, shards)
				}
				at = s.hi
			}
			if at != points || len(shards) > maxShards {
				t.Fatalf("split(%d, %d, 1000) = %v", points, work, shards)
			}
		}
	}
}

// TestWorkers checks that all results are the same bits with no workers and with
// more of them than shards.
func TestWorkers(t *testing.T) {
	for _, a := range []architecture{
		{"dense", 1700, perceptron(10, 30, 30, 3)},
		{"convolutions with batch normalization", 100, []Layer{Input(1, 12, 12), Conv(8, 3), BatchNorm(Affine()), ReLU(), Conv(16, 3), ReLU(), GlobalAveragePool(), Dense(3)}},
	} {
		n, e, theta, rng := a.build(t)
		if len(e.run.shards) < 2 {
			t.Fatalf("%s: too small to be sharded", a.name)
		}
		w, v := normal(rng, len(forward(t, e, theta))), normal(rng, len(theta))
		x := mat.NewDense(a.points, n.Inputs(), slices.Clone(e.Layer("input")))
		var want [][]float64
		for _, size := range []int{0, 1, 20} {
			bound, err := n.Bind(x)
			if err != nil {
				t.Fatal(err)
			}
			e := bound.(*Evaluation)
			e.workers = newWorkers(size)
			f := forward(t, e, theta)
			gradient, hv, jv := make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(f))
			e.Gradient(gradient, w)
			e.HessianVector(hv, w, v)
			e.Directional(jv, v)
			close(e.workers)
			got := [][]float64{f, gradient, hv, jv}
			if want == nil {
				want = got
			}
			for i := range got {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("%s: result %d depends on the number of workers", a.name, i)
				}
			}
		}
	}
}

// TestShardsAgree compares a sharded evaluation with one of a single span.
func TestShardsAgree(t *testing.T) {
	a := architecture{points: 1700, layers: perceptron(10, 30, 30, 3)}
	_, e, theta, rng := a.build(t)
	if len(e.run.shards) < 2 {
		t.Fatal("too small to be sharded")
	}
	f := forward(t, e, theta)
	w := normal(rng, len(f))
	sharded, whole := make([]float64, len(theta)), make([]float64, len(theta))
	e.Gradient(sharded, w)
	e.run.shards, e.run.partial = []span{{0, e.points, 0, true}}, make([][]float64, 1)
	if d := distance(forward(t, e, theta), f); d > 1e-15 {
		t.Errorf("outputs of shards are %.1e away", d)
	}
	e.Gradient(whole, w)
	if d := distance(sharded, whole); d > 1e-13 { // sums of 1700 points in another order
		t.Errorf("the gradient of shards is %.1e away", d)
	}
}

// TestChunksAgree compares an evaluation by chunks, the last of them smaller, with
// one of all points at once.
func TestChunksAgree(t *testing.T) {
	a := architecture{points: 500, layers: perceptron(64, 40, 40, 3)}
	_, e, theta, rng := a.build(t)
	if e.run.chunk >= a.points || a.points%e.run.chunk == 0 {
		t.Fatalf("%d points by %d are no test", a.points, e.run.chunk)
	}
	f := slices.Clone(forward(t, e, theta))
	w, v := normal(rng, len(f)), normal(rng, len(theta))
	results := func() (r [3][]float64) {
		r = [3][]float64{make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(f))}
		e.Gradient(r[0], w)
		e.HessianVector(r[1], w, v)
		e.Directional(r[2], v)
		return r
	}
	chunked := results()
	e.run.chunk = a.points
	if !slices.Equal(forward(t, e, theta), f) {
		t.Error("outputs depend on the chunks")
	}
	for i, whole := range results() {
		if d := distance(chunked[i], whole); d > 1e-13 { // sums of 500 points in another order
			t.Errorf("result %d of chunks is %.1e away", i, d)
		}
	}
}

// TestChunkOf checks that chunks are neither tiny nor larger than a shard.
func TestChunkOf(t *testing.T) {
	for _, shard := range []int{1, 11, 100, 504, 2000} {
		for _, values := range []int{3, 100, 600, 30000} {
			for _, work := range []int{0, 1000, 1000000} {
				c := chunkOf(shard, values, work, 1000)
				if c < min(shard, shardUnit) || c > roundUp(shard, shardUnit) {
					t.Errorf("chunkOf(%d, %d, %d, 1000) = %d", shard, values, work, c)
				}
			}
		}
	}
}

// TestLayerValues checks that what each layer gives can be read, also where the
// next one overwrites it.
func TestLayerValues(t *testing.T) {
	n := network(t, Input(1, 2, 2), Conv(1, 2), Flatten(), Named("hidden", Dense(2)), ReLU(), Dense(1))
	bound, err := n.Bind(mat.NewDense(1, 4, []float64{1, 2, 3, 4}))
	if err != nil {
		t.Fatal(err)
	}
	e := bound.(*Evaluation)
	forward(t, e, []float64{1, 1, 1, -1, 0, 2, -2, 1, 1, 3, 5, 7})
	for name, want := range map[string][]float64{
		"input": {1, 2, 3, 4}, "conv1": {2}, "flatten1": {2}, "hidden": {5, -3}, "relu1": {5, 0}, "dense1": {22},
	} {
		if got := e.Layer(name); !slices.Equal(got, want) {
			t.Errorf("%s gives %v, not %v", name, got, want)
		}
	}
}

// BenchmarkWorkers is a weighted gradient by the caller alone, and with one
// goroutine that helps.
func BenchmarkWorkers(b *testing.B) {
	a := architecture{points: 2000, layers: perceptron(64, 256, 256, 10)}
	_, e, theta, rng := a.build(b)
	w, dst := normal(rng, len(forward(b, e, theta))), make([]float64, len(theta))
	for _, size := range []int{0, 1} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			e.workers = newWorkers(size)
			defer close(e.workers)
			for b.Loop() {
				forward(b, e, theta)
				e.Gradient(dst, w)
			}
		})
	}
}
