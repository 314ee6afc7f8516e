package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
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
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o644 && runtime.GOOS == "linux" {
			t.Errorf("others cannot read %s: %v, %v", f, info.Mode(), err)
		}
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
	if files, err := filepath.Glob(filepath.Join(store.Dir, "fails*")); err != nil || files != nil {
		t.Errorf("a failure was stored: %v, %v", files, err)
	}
}

// What JSON drops from a key cannot tell keys apart.
func TestRememberTellsKeysApart(t *testing.T) {
	type hidden struct{ Seed, secret int }
	type nested struct {
		Label string
		Parts map[string][]*hidden
	}
	type withLoss struct{ Loss qhnet.Loss }
	type embedded struct {
		withLoss
		When time.Time
		Skip func() `json:"-"`
	}
	for _, key := range []any{hidden{1, 2}, &hidden{1, 2}, nested{"a", map[string][]*hidden{"x": {{1, 2}}}}, mat.NewDense(1, 1, []float64{1})} {
		if _, err := Remember(Store{t.TempDir()}, "hidden", key, func() (int, error) { return 0, nil }); err == nil || !strings.Contains(err.Error(), "is not exported") {
			t.Errorf("the key %+v gives %v", key, err)
		}
	}
	type Seeded struct{ Seed int }
	type twice struct {
		Seeded
		Seed int
	}
	if _, err := Remember(Store{t.TempDir()}, "twice", twice{Seeded{1}, 2}, func() (int, error) { return 0, nil }); err == nil || !strings.Contains(err.Error(), "are called Seed in JSON") {
		t.Errorf("a key of two seeds gives %v", err)
	}
	store := Store{t.TempDir()}
	for i, key := range []any{withLoss{qhnet.Exponential{}}, withLoss{qhnet.Logistic{}}, withLoss{nil}, embedded{When: time.Unix(1, 0)}, embedded{When: time.Unix(2, 0)},
		[]any{1}, []any{1.0}, map[string]any{"x": qhnet.Exponential{}}, map[string]any{"x": qhnet.Logistic{}}, big.NewInt(7)} {
		if v, err := Remember(store, "keys", key, func() (int, error) { return i, nil }); err != nil || v != i {
			t.Errorf("the key %T%+v has the result of key %d, %v", key, key, v, err)
		}
	}
}

// A result of another type, or of the same type before its fields changed, is
// another result.
func TestRememberTellsResultsApart(t *testing.T) {
	store := Store{t.TempDir()}
	types := map[string]bool{}
	note := func(result reflect.Type) {
		var text layout
		if text.static(result, map[reflect.Type]bool{}); text.err != nil {
			t.Fatal(text.err)
		}
		types[text.String()] = true
	}
	{
		type result struct{ A float64 }
		note(reflect.TypeFor[[]result]())
	}
	{
		type result struct{ A, B float64 }
		note(reflect.TypeFor[[]result]())
	}
	{
		type result struct{ Next *result }
		note(reflect.TypeFor[[]result]())
	}
	if len(types) != 3 {
		t.Errorf("three types of one name have the layouts %v", types)
	}
	if v, err := Remember(store, "typed", 1, func() ([]float64, error) { return []float64{1}, nil }); err != nil || len(v) != 1 {
		t.Fatal(v, err)
	}
	if v, err := Remember(store, "typed", 1, func() (map[string]int, error) { return map[string]int{"x": 1}, nil }); err != nil || v["x"] != 1 {
		t.Errorf("another type of result gives %v, %v", v, err)
	}
	three := func() (int, error) { return 3, nil }
	path, err := store.path("foreign", 1, reflect.TypeFor[int](), codeOf(three))
	if err != nil {
		t.Fatal(err)
	}
	text := "not a number"
	if err := file.Write(path, &text); err != nil {
		t.Fatal(err)
	}
	if v, err := Remember(store, "foreign", 1, three); err != nil || v != 3 {
		t.Errorf("a file that holds something else gives %v, %v", v, err)
	}
}

func TestDefaultStore(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Setenv("QHLAB_STORE", "")
	if cache, err := os.UserCacheDir(); err != nil || !strings.HasPrefix(cache, home) {
		t.Skip("this system keeps its caches elsewhere")
	}
	for module, project := range map[string]bool{"module qhlab\n": true, "// a comment\n\nmodule qhlab\r\n": true, "module qhlab2\n": false, "": false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(home, "cache", "qhlab", "runs")
		if project {
			want = filepath.Join(wd, ".cache", "runs")
		}
		if got := Default().Dir; got != want && runtime.GOOS == "linux" {
			t.Errorf("with go.mod %q the store is %s, want %s", module, got, want)
		}
	}
	t.Setenv("QHLAB_STORE", "elsewhere")
	if got := Default().Dir; got != "elsewhere" {
		t.Errorf("QHLAB_STORE is ignored: %s", got)
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

// merge returns what the file of a sweep's results holds.
func merge[P, R any](s Sweep[P, R]) (string, error) {
	results, err := s.Collect()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = s.write(&text, results)
	return text.String(), err
}

func TestSweepShardsMergeToTheSameBytes(t *testing.T) {
	var calls atomic.Int64
	whole := squareSweep(t.TempDir(), &calls)
	if _, err := whole.All(context.Background()); err != nil {
		t.Fatal(err)
	}
	want, err := merge(whole)
	if err != nil {
		t.Fatal(err)
	}
	sharded := squareSweep(t.TempDir(), &calls)
	if _, err := merge(sharded); err == nil || !strings.Contains(err.Error(), "23 of 23 points") {
		t.Errorf("merging nothing gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	killed := sharded
	killed.Workers = 1
	computed := 0
	killed.Run = func(ctx context.Context, p int) (float64, error) {
		if computed++; computed == 2 {
			cancel()
		}
		return sharded.Run(ctx, p)
	}
	if _, err := killed.Shard(ctx, 3, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled shard gives %v", err)
	}
	for _, shard := range []int{4, 3, 1, 0, 2, 1} { // shard 3 again after its interruption, shard 1 twice
		if n, err := sharded.Shard(context.Background(), shard, 5); err != nil || n != []int{5, 5, 5, 4, 4}[shard] {
			t.Fatal(err)
		}
	}
	if got, err := merge(sharded); err != nil || got != want {
		t.Errorf("merged shards differ: %v\n%s\n%s", err, got, want)
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
	results, err := s.All(context.Background())
	if err == nil || !strings.Contains(err.Error(), "point one") || !strings.Contains(err.Error(), "panic: point two") || !strings.Contains(err.Error(), "store_test.go") {
		t.Errorf("got %v", err)
	}
	if e := new(pointError); !errors.As(err, &e) || e.index != 1 {
		t.Errorf("the first failure is %v", e)
	}
	var missing *MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.Indices, []int{1, 2}) || !slices.Equal(results, []int{0, 0, 0, 3}) {
		t.Errorf("results %v without %+v", results, missing)
	}
	if _, err := s.Shard(context.Background(), 5, 5); err == nil || !strings.Contains(err.Error(), "no shard 5 of 5") {
		t.Errorf("got %v", err)
	}
}

// What is wrong at every point is said once.
func TestSweepSaysTheSameOnce(t *testing.T) {
	s := Sweep[int, int]{Name: "wrong", Store: Store{t.TempDir()}, Points: make([]int, 80)}
	for i := range s.Points {
		s.Points[i] = i
	}
	for _, s.Run = range []func(context.Context, int) (int, error){
		func(context.Context, int) (int, error) { return 0, errors.New("no epochs") },
		func(context.Context, int) (int, error) { panic("no epochs") },
	} {
		_, err := s.All(context.Background())
		if err == nil || strings.Count(err.Error(), "no epochs") > 2 || !strings.Contains(err.Error(), "at 0 and 79 other points: ") {
			t.Errorf("got %v", err)
		}
	}
}

// A cancel must not hide what failed before it.
func TestCancelledSweepTellsFailures(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := Sweep[int, int]{Name: "both", Store: Store{t.TempDir()}, Points: []int{0, 1, 2}, Workers: 1, Run: func(ctx context.Context, p int) (int, error) {
		if p == 0 {
			return 0, errors.New("a real failure")
		}
		cancel()
		return 0, ctx.Err()
	}}
	_, err := s.Shard(ctx, 0, 1)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "a real failure") || strings.Count(err.Error(), context.Canceled.Error()) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestMergeNamesThePointWithoutJSON(t *testing.T) {
	s := Sweep[int, float64]{Name: "roots", Store: Store{t.TempDir()}, Points: []int{4, -1}, Run: func(_ context.Context, p int) (float64, error) {
		return math.Sqrt(float64(p)), nil
	}}
	if _, err := s.All(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := merge(s); err == nil || !strings.Contains(err.Error(), "point 1, -1") || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("got %v", err)
	}
}

// A file that is renamed is none of its new key, and damaged checkpoints are made anew.
func TestStoreHeals(t *testing.T) {
	store := Store{t.TempDir()}
	remember := func(seed, result int) int {
		v, err := Remember(store, "seeds", seed, func() (int, error) { return result, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	remember(1, 10)
	path := func(seed int) string {
		p, err := store.path("seeds", seed, reflect.TypeFor[int](), programVersion()) // tests have no other code
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := os.Rename(path(1), path(2)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := recall[int](store, "seeds", 2, programVersion()); !errors.Is(err, file.ErrDamaged) {
		t.Errorf("a file of another key gives %v", err)
	}
	if v := remember(2, 20); v != 20 {
		t.Errorf("a file of another key gives %d", v)
	}

	ball := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	margins, err := qhnet.NewBallMargins(nn.Groups(ball.Groups(1, 2)...), ball.Centers(), ball.Radius)
	if err != nil {
		t.Fatal(err)
	}
	start := []float64{0.1, 0.3, 0.2}
	for name, run := range map[string]func() (*qhnet.Trajectory, error){
		"flow": func() (*qhnet.Trajectory, error) {
			return store.Follow(context.Background(), qhnet.Flow{Margins: margins, Start: start, Until: 100})
		},
		"descent": func() (*qhnet.Trajectory, error) {
			return store.Train(context.Background(), qhnet.Descent{Margins: margins, Start: start, Steps: 30, Optimizer: &qhnet.Momentum{Step: 0.01, Decay: 0.5}})
		},
	} {
		want, err := run()
		if err != nil {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(filepath.Join(store.Dir, name+"-*.run"))
		if err != nil || len(paths) != 1 {
			t.Fatal(paths, err)
		}
		var good struct{ Fingerprint string }
		if err := file.Read(paths[0], &good); err != nil {
			t.Fatal(err)
		}
		for what, damage := range map[string]func() error{
			"cut":                     func() error { return os.Truncate(paths[0], 30) },
			"forged without a record": func() error { return file.Write(paths[0], &good) },
			"forged with another's point": func() error {
				return file.Write(paths[0], &forged{good.Fingerprint, 9, start, []qhnet.Point{{Theta: start[1:]}}})
			},
			"forged with a phase 9": func() error {
				return file.Write(paths[0], &forged{good.Fingerprint, 9, start, []qhnet.Point{{Theta: start}}})
			},
		} {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			if have, err := run(); err != nil || have.Last().LogLoss != want.Last().LogLoss {
				t.Errorf("a %s's checkpoint that is %s gives %v", name, what, err)
			}
		}
	}
}

// forged is some of what a checkpoint of a flow or a descent holds.
type forged struct {
	Fingerprint string
	Phase       int
	Theta       []float64
	Points      []qhnet.Point
}

func TestStoreFollowsOnce(t *testing.T) {
	store := Store{t.TempDir()}
	ball := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	margins, err := qhnet.NewBallMargins(nn.Groups(ball.Groups(1, 2)...), ball.Centers(), ball.Radius)
	if err != nil {
		t.Fatal(err)
	}
	flow := qhnet.Flow{Margins: margins, Start: []float64{0.1, 0.3, 0.2}}
	for _, until := range []float64{100, 100, 200} {
		flow.Until = until
		tr, err := store.Follow(context.Background(), flow)
		if err != nil || math.Abs(tr.Last().LogInverse()-until) > 1e-4 {
			t.Fatalf("until %v: %v", until, err)
		}
	}
	for range 2 {
		d := qhnet.Descent{Margins: margins, Start: flow.Start, Steps: 3000, Optimizer: &qhnet.LossScaled{Step: 0.01}}
		if _, err := store.Train(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(store.Dir, "*.run"))
	if err != nil || len(files) != 3 {
		t.Errorf("%d files, want two flows and a descent: %v %v", len(files), files, err)
	}
}
