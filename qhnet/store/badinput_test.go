package store_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/store"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	s := store.Store{Dir: t.TempDir()}
	good := func() (float64, error) { return 1, nil }

	type hidden struct{ x int }
	for name, key := range map[string]any{
		"a channel": make(chan int), "a function": func() {}, "NaN": math.NaN(), "infinity": math.Inf(1), "NaN in a slice": []float64{1, math.NaN()},
		"unexported fields": hidden{1}, "unexported fields in a map": map[string]any{"a": hidden{1}}, "a complex number": 1i, "a cycle": cycle(),
	} {
		b.Refuse("Remember by "+name, func() (any, error) { return store.Remember(s, "key", key, good) })
	}
	b.Refuse("Remember without compute", func() (any, error) { return store.Remember[float64](s, "nil", 1, nil) })
	b.Refuse("Remember a failure", func() (any, error) {
		return store.Remember(s, "failure", 1, func() (float64, error) { return 0, errors.New("the computation failed") })
	})
	b.Refuse("Remember a channel", func() (any, error) {
		return store.Remember(s, "channel", 1, func() (chan int, error) { return nil, nil })
	})
	b.Refuse("Remember hidden fields", func() (any, error) {
		return store.Remember(s, "hidden", 1, func() (hidden, error) { return hidden{1}, nil })
	})
	b.Refuse("Remember some hidden fields", func() (any, error) {
		type some struct {
			X int
			y int
		}
		return store.Remember(s, "some", 1, func() (some, error) { return some{1, 2}, nil })
	})
	b.Refuse("Remember a Trajectory", func() (any, error) {
		return store.Remember(s, "trajectory", 1, func() (*qhnet.Trajectory, error) { return &qhnet.Trajectory{}, nil })
	})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"a file": file, "below a file": filepath.Join(file, "x"), "impossible": "a\x00b"} {
		b.Refuse("Remember in a folder that is "+name, func() (any, error) { return store.Remember(store.Store{Dir: dir}, "x", 1, good) })
	}
	for _, name := range []string{"../../up", "a\x00bc", string(make([]byte, 5000))} {
		b.Either("Remember the name "+name[:4], func() (any, error) { return store.Remember(s, name, 1, good) })
	}
	if up, _ := filepath.Glob(filepath.Join(s.Dir, "..", "..", "up*")); up != nil {
		t.Errorf("a name leaves the folder: %q", up)
	}
	b.Refuse("Follow an empty Flow", func() (any, error) { return s.Follow(context.Background(), qhnet.Flow{}) })
	b.Refuse("Train an empty Descent", func() (any, error) { return s.Train(context.Background(), qhnet.Descent{}) })

	sweep := func(change func(s *store.Sweep[float64, float64])) store.Sweep[float64, float64] {
		sweep := store.Sweep[float64, float64]{
			Name: "squares", Points: []float64{1, 2}, Store: store.Store{Dir: t.TempDir()},
			Run: func(_ context.Context, x float64) (float64, error) { return x / 2, nil },
		}
		change(&sweep)
		return sweep
	}
	all := func(change func(s *store.Sweep[float64, float64])) (any, error) {
		return sweep(change).All(context.Background())
	}
	same := func(*store.Sweep[float64, float64]) {}
	b.Int("Sweep.Workers", func(n int) (any, error) { return all(func(s *store.Sweep[float64, float64]) { s.Workers = n }) }, 0, 1, badinput.Far, math.MaxInt)
	b.Float("Sweep.Points", func(v float64) (any, error) { return all(func(s *store.Sweep[float64, float64]) { s.Points[0] = v }) }, -1, 0, 1e-320, 1e300)
	b.Refuse("Sweep.Run nil", func() (any, error) { return all(func(s *store.Sweep[float64, float64]) { s.Run = nil }) })
	b.Refuse("Sweep.Run that panics", func() (any, error) {
		return all(func(s *store.Sweep[float64, float64]) {
			s.Run = func(context.Context, float64) (float64, error) { panic("qhnet: a panic on purpose") }
		})
	})
	b.Accept("Sweep without points", func() (any, error) { return all(func(s *store.Sweep[float64, float64]) { s.Points = nil }) })
	b.Refuse("Sweep without a context", func() (any, error) { return sweep(same).All(badinput.NoContext) })
	b.Int("Sweep.Shard shards", func(n int) (any, error) { return sweep(same).Shard(context.Background(), 0, n) }, 1, badinput.Far, math.MaxInt)
	b.Int("Sweep.Shard shard", func(n int) (any, error) { return sweep(same).Shard(context.Background(), n, 2) }, 0, 1)
	b.Refuse("Collect of a sweep not run", func() (any, error) { return sweep(same).Collect() })
	run := sweep(same)
	if _, err := run.All(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.Refuse("a shard that is none", func() (any, error) {
		_, _, err := store.ParseShard("2/2")
		return nil, err
	})
	b.Refuse("Compute to nowhere", func() (any, error) { return nil, run.Compute(context.Background(), nil) })
}

func cycle() any {
	type node struct{ Next *node }
	n := &node{}
	n.Next = n
	return n
}
