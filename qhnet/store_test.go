package qhnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRemember(t *testing.T) {
	store := Store{t.TempDir()}
	calls := 0
	compute := func() ([]float64, error) { calls++; return []float64{1, 2}, nil }
	for range 2 {
		if v, err := Remember(store, "a/b", map[string]int{"seed": 1}, compute); err != nil || len(v) != 2 {
			t.Fatal(v, err)
		}
	}
	if calls != 1 {
		t.Errorf("computed %d times", calls)
	}
	if _, err := Remember(store, "a/b", map[string]int{"seed": 2}, compute); err != nil || calls != 2 {
		t.Errorf("another key: %d calls, %v", calls, err)
	}
	files, err := filepath.Glob(filepath.Join(store.Dir, "*.run"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Truncate(f, 10); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Remember(store, "a/b", map[string]int{"seed": 1}, compute); err != nil || calls != 3 {
		t.Errorf("after damage: %d calls, %v", calls, err)
	}
	if _, err := Remember(store, "bad", make(chan int), compute); err == nil || !strings.Contains(err.Error(), "JSON") {
		t.Errorf("a key without JSON form gives %v", err)
	}
	failure := errors.New("no")
	if _, err := Remember(store, "fails", 1, func() (int, error) { return 0, failure }); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if _, err := Recall[int](store, "fails", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a failure was stored: %v", err)
	}
}

// squareSweep counts how often points are computed.
func squareSweep(dir string, calls *atomic.Int64) Sweep[int, float64] {
	s := Sweep[int, float64]{Name: "squares", Store: Store{dir}, Run: func(_ context.Context, p int) (float64, error) {
		calls.Add(1)
		return float64(p*p) / 3, nil
	}}
	for p := range 23 {
		s.Points = append(s.Points, p)
	}
	return s
}

func TestSweepShardsMergeToTheSameBytes(t *testing.T) {
	var calls atomic.Int64
	whole := squareSweep(t.TempDir(), &calls)
	if _, err := whole.All(context.Background()); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := whole.Merge(&want); err != nil {
		t.Fatal(err)
	}
	sharded := squareSweep(t.TempDir(), &calls)
	if err := sharded.Merge(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "23 of 23 points") {
		t.Errorf("merging nothing gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	killed := sharded
	killed.Workers = 1
	killed.Progress = func(done, _ int) {
		if done == 2 {
			cancel()
		}
	}
	if err := killed.Shard(ctx, 3, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled shard gives %v", err)
	}
	for _, shard := range []int{4, 3, 1, 0, 2, 1} { // shard 3 again after its interruption, shard 1 twice
		if err := sharded.Shard(context.Background(), shard, 5); err != nil {
			t.Fatal(err)
		}
	}
	var got bytes.Buffer
	if err := sharded.Merge(&got); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("merged shards differ: %v\n%s\n%s", err, got.Bytes(), want.Bytes())
	}
	if n := calls.Load(); n != 46 {
		t.Errorf("%d computations for two sweeps of 23 points", n)
	}
}

func TestSweepKeepsGoingAfterFailures(t *testing.T) {
	s := Sweep[int, int]{Name: "fails", Store: Store{t.TempDir()}, Points: []int{0, 1, 2, 3}, Run: func(_ context.Context, p int) (int, error) {
		switch p {
		case 1:
			return 0, fmt.Errorf("point one")
		case 2:
			panic("point two")
		}
		return p, nil
	}}
	_, err := s.All(context.Background())
	if err == nil || !strings.Contains(err.Error(), "point one") || !strings.Contains(err.Error(), "panic: point two") {
		t.Errorf("got %v", err)
	}
	if v, err := Recall[int](s.Store, s.Name, 3); err != nil || v != 3 {
		t.Errorf("the last point was not stored: %v, %v", v, err)
	}
	if err := s.Shard(context.Background(), 5, 5); err == nil || !strings.Contains(err.Error(), "no shard 5 of 5") {
		t.Errorf("got %v", err)
	}
}

func TestStoreFollowsOnce(t *testing.T) {
	store := Store{t.TempDir()}
	flow := twoBallFlow(t, 0.8)
	flow.Until = 100
	for _, until := range []float64{100, 100, 200} {
		flow.Until = until
		tr, err := store.Follow(context.Background(), flow)
		if err != nil || math.Abs(tr.Last().LogInverse()-until) > 1e-4 {
			t.Fatalf("until %v: %v", until, err)
		}
	}
	for range 2 {
		d := trainOn(t)
		d.Optimizer = &LossScaled{Step: 0.01}
		if _, err := store.Train(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(store.Dir, "*.run"))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files, want two flows and a descent: %v %v", len(files), files, err)
	}
}
