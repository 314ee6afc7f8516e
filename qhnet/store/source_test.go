package store

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
)

// A small program: what run reaches, and what it does not.
const mainCode = `package main

import (
	"example.com/near/rules"
	"example.com/far"
)

var (
	width  = 3
	unused = 4
)

type setting struct{ size int }

// train stands behind a dot in run.
func (s setting) train() int { return s.size * rules.Double(width) }

func run() int {
	figure := setting{2} // hides a function
	return setting{size: figure.size}.train() + far.Away() + table{key: 1}[key]
}

type table map[int]int

const key = 7

func size() int { return 1 }

func train() int { return 2 }

func figure() int { return unused }

func (s setting) draw() int { return figure() }

// String may be called by any package.
func (s setting) String() string { return "setting" }

func init() { println("headless") }

func main() { run() }
`

const rulesCode = `package rules

// Double doubles.
func Double(x int) int { return twice * x }

const (
	zero = iota
	one
	twice
)

type shape interface{ area() int }

func Area(s shape) int { return s.area() }
`

// codeAfter hashes run in the program after a change of one of its files.
func codeAfter(t *testing.T, name, old, new string) string {
	t.Helper()
	folder := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":         "module example.com/near\n\nrequire (\n\texample.com/far v1.2.0\n\texample.com/other v1.0.0\n)\n",
		"main.go":        mainCode,
		"rules/rules.go": rulesCode,
		"rules/mul.s":    "MULQ AX, BX\n",
	} {
		if file == name && !strings.Contains(text, old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		if file == name {
			text = strings.Replace(text, old, new, 1)
		}
		path := filepath.Join(folder, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, built(), built()); err != nil { // not newer than this test
			t.Fatal(err)
		}
	}
	code, err := codeIn(false, folder, "main", "run")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestCodeIsWhatAFunctionReaches(t *testing.T) {
	if _, here, _, _ := runtime.Caller(0); !filepath.IsAbs(here) {
		t.Skip("built with -trimpath")
	}
	before := codeAfter(t, "", "", "")
	for _, c := range []struct {
		file, old, new string
		same           bool
	}{
		{"main.go", "// train stands", "// train stood", true},
		{"main.go", "unused = 4", "unused = 5", true},
		{"main.go", "return unused", "return unused + 1", true},
		{"main.go", "return figure()", "return 2 * figure()", true},
		{"main.go", "headless", "in JupyterLab", true},
		{"main.go", "\"setting\" }", "\"a setting\" }", false},
		{"main.go", "func size() int { return 1", "func size() int { return 2", true},
		{"main.go", "func train() int { return 2", "func train() int { return 3", true},
		{"main.go", "key = 7", "key = 8", false},
		{"main.go", "func main() { run() }", "func main() {}", true},
		{"main.go", "size: figure.size}", "size:\n\t\tfigure.size}", true},
		{"rules/rules.go", "return s.area()", "return 2 * s.area()", true},
		{"go.mod", "other v1.0.0", "other v1.0.1", true},
		{"main.go", "width  = 3", "width  = 4", false},
		{"main.go", "return s.size", "return 1 + s.size", false},
		{"main.go", "setting{2}", "setting{3}", false},
		{"rules/rules.go", "twice * x", "twice + x", false},
		{"rules/rules.go", "zero = iota", "zero = iota + 1", false},
		{"rules/rules.go", "type shape", "func init() {}\n\ntype shape", false},
		{"rules/mul.s", "AX, BX", "BX, AX", false},
		{"go.mod", "far v1.2.0", "far v1.2.1", false},
	} {
		if after := codeAfter(t, c.file, c.old, c.new); (after == before) != c.same {
			t.Errorf("%s: %q for %q: the same code: %v", c.file, c.new, c.old, !c.same)
		}
	}
}

// A function's name tells where it stands, whatever the compiler has put it into.
func TestEntriesOfAFunction(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", "package p\nfunc f() {}\nfunc main() {}\ntype T int\nfunc (T) m() {}\nfunc m() {}", 0)
	if err != nil {
		t.Fatal(err)
	}
	s := sources{named: map[string][]*declaration{}}
	s.declare(file)
	for name, want := range map[string][]string{
		"f": {"f"}, "f.func1": {"f"}, "f.func2.1": {"f"}, "f[...]": {"f"}, "f[...].func1": {"f"}, "main.f.func1": {"f"},
		"T.m-fm": {"T.m"}, "(*T).m-fm": {"T.m"}, "main.(*T).m.func1": {"T.m"}, "f.m": {"m"}, "main.func1": {"main"}, "m": {"m"}, "f.gowrap1": {"f"}, "g": nil,
	} {
		if got := s.entries(name); !slices.Equal(got, want) {
			t.Errorf("%s stands in %q, want %q", name, got, want)
		}
	}
}

// Models and functions of this module have sources, so that their code is not that of the
// whole program.
func TestCodeIsFoundUnderGoTest(t *testing.T) {
	if _, here, _, _ := runtime.Caller(0); !filepath.IsAbs(here) {
		t.Skip("built with -trimpath")
	}
	model := nn.Diagonal(1, 2)
	whole, some := codeAround(model), codeOf(nn.Diagonal)
	if whole == programVersion() || some == programVersion() || whole == some {
		t.Errorf("of the model %s, of its constructor %s, of the program %s", whole, some, programVersion())
	}
	if loss, adam := codeAround(model, qhnet.Logistic{}, nil), codeAround(model, nil, &qhnet.Adam{}); loss != whole || adam != whole {
		t.Errorf("with a loss %s and with an optimizer %s that come with the model %s", loss, adam, whole)
	}
	if own := struct{ qhnet.Loss }{}; codeAround(model, own) == whole || codeAround(model, nil, &stubborn{}) == whole {
		t.Error("a loss or an optimizer of a program has no code")
	}
	if codeOf((*qhnet.Flow).Run) == codeOf(nn.He) {
		t.Error("two functions have one code")
	}
}

// stubborn is an optimizer that does nothing.
type stubborn struct{}

func (stubborn) Update([]float64, []float64, float64) float64 { return 0 }

// Points whose JSON is the same have results of their own in the file too.
func TestKeptResultsOfInterfaces(t *testing.T) {
	type point struct{ Method ode.Method }
	s := Sweep[point, string]{Name: "methods", Points: []point{{ode.DormandPrince{}}, {ode.RKC{}}}, Store: Store{t.TempDir()}}
	s.Kept, s.Run = filepath.Join(t.TempDir(), "methods.jsonl"), func(_ context.Context, p point) (string, error) { return fmt.Sprintf("%T", p.Method), nil }
	t.Setenv(Mode, "save")
	if err := s.Compute(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	s.Store = Store{t.TempDir()}
	if got, err := s.Collect(); err != nil || !slices.Equal(got, []string{"ode.DormandPrince", "ode.RKC"}) {
		t.Errorf("collected %q, %v", got, err)
	}
}

// The file of results spares computing while the code is the same, and is refused or
// written anew as the command asks.
func TestKeptResults(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "results", "squares.jsonl")
	calls := 0
	sweep := func(points ...int) Sweep[int, float64] {
		return Sweep[int, float64]{Name: "squares", Points: points, Kept: kept, Store: Store{t.TempDir()}, Workers: 1,
			Run: func(_ context.Context, p int) (float64, error) { calls++; return float64(p*p) / 3, nil }}
	}
	run := func(mode string, s Sweep[int, float64]) (string, error) {
		t.Setenv(Mode, mode)
		var said strings.Builder
		err := s.Compute(context.Background(), &said)
		return said.String(), err
	}
	if _, err := run("check:05-squares", sweep(1, 2, 3)); err == nil || !strings.Contains(err.Error(), "go run ./notebooks run 05-squares") {
		t.Errorf("a check without results gives %v", err)
	}
	for _, c := range []struct {
		mode   string
		points []int
		said   string
		calls  int
	}{
		{"", []int{1, 2, 3}, "squares: 3 points\n", 3},
		{"2/5:05", []int{1, 2, 3}, "squares, shard 2 of 5: 1 of 3 points\n", 4},
		{"save:05", []int{1, 2, 3}, "squares: 3 points, kept in " + kept + "\n", 7},
		{"", []int{1, 2, 3}, "squares: 3 points, kept in " + kept + "\n", 7},
		{"check:05", []int{3, 1}, "squares: 2 points, kept in " + kept + "\n", 7},
		{"", []int{1, 2, 3, 4}, "squares: 4 points\n", 8},
		{"0/1:05", []int{1, 2, 3, 4}, "squares, shard 0 of 1: 4 of 4 points\n", 9},
	} {
		if said, err := run(c.mode, sweep(c.points...)); err != nil || said != c.said || calls != c.calls {
			t.Errorf("%q with %v says %q, %v, after %d computations, want %q after %d", c.mode, c.points, said, err, calls, c.said, c.calls)
		}
	}
	if results, err := sweep(3, 1).Collect(); err != nil || !slices.Equal(results, []float64{3, 1.0 / 3}) {
		t.Errorf("collected %v, %v", results, err)
	}
	if _, err := run("check:05", sweep(1, 7)); err == nil || !strings.Contains(err.Error(), "lacks 1 of 2 points") {
		t.Errorf("a check of other points gives %v", err)
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), codeOf(sweep().Run), "0123456789abcdef", 1)
	if err := os.WriteFile(kept, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := run("check:05", sweep(1, 2, 3)); err == nil || !strings.Contains(err.Error(), "other code, 0123456789abcdef") {
		t.Errorf("a check of other code gives %v", err)
	}
}
