package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// edits are what a reader may do to a notebook, and what it must say then: a
// sentence with these words instead of numbers that mean nothing, or a claim that
// still holds.
var edits = []struct {
	notebook, edit string // NAME = VALUE of parameters, or "text => other text" in a cell
	says           string // a regular expression
}{
	{"00", `mu = []float64{1, 0.6, 0.3}`, `inputs have 3 coordinates, but the model takes 2`},
	{"00", `mu = []float64{1}`, `inputs have 1 coordinates, but the model takes 2`},
	{"00", `mu = []float64{0, 0}`, `the radius 0.6 must be at least 0 and below ‖μ‖ = 0`},
	{"00", `radius = 2`, `the radius 2 must be at least 0 and below ‖μ‖ = 1.166`},
	{"00", `radius = -1`, `the radius -1 must be at least 0`},
	{"00", `radius = math.NaN()`, `the radius NaN must be at least 0`},
	{"00", `radius = 0`, `distance left: [^ ]+ ≤ 1e-03\s+end:`},
	{"00", `until = -1`, `Flow.Until = -1; it is the log.1/L. to reach and must be finite and positive`},
	{"00", `until = 1`, `distance left: [^ ]+ is more than 1e-03`},
	{"01", `width = 0`, `dense1: has 0 units; it needs at least 1`},
	{"01", `depths = nil`, `a product of no groups; name at least one`},
	{"01", `depths = []int{0, 1}`, `group 1 has depth 0, want 1 to`},
	{"01", `depths = []int{1, 2, 3}`, `inputs have 2 coordinates, but the model takes 3`},
	{"02", `low = math.NaN()`, `rate 1 is NaN; use a finite number ≥ 0`},
	{"02", `low = 5`, `largest error: [^ ]+ ≤ 1e-12\s+end:`},
	{"03", `depths = []int{1, 2}`, `inputs have 3 coordinates, but the model takes 2`},
	{"03", `depths = []int{0, 1, 2}`, `group 1 has depth 0, want 1 to`},
	{"03", `spread = -1`, `gaussian clusters: got the number -1; use finite ones, and none below 0 for a width`},
	{"03", `spread = 50`, `came to rest before it separated the data: .* check the labels, use a richer model, or start elsewhere`},
	{"03", `until = math.Inf(1)`, `Flow.Until = .Inf; it is the log.1/L. to reach`},
	{"04", `perClass = 0`, `2 classes of 0 points in 2 dimensions; use positive numbers`},
	{"04", `spread = 3`, `came to rest before it separated the data`},
	{"04", `until = 0.5`, `at the start is not below Flow.Until = 0.5`},
	{"05", `mu = []float64{1, 0.6, 0.3}`, `mu = .1 0.6 0.3., high = .0.: this notebook needs two coordinates, one of them in high`},
	{"05", `mu = []float64{math.NaN(), 1}`, `below ‖μ‖ = NaN, which must be finite`},
	{"05", `radii = []float64{0.4}`, `best/found: [^ ]+ is more than 1e.00$`},
	{"05", `radii = nil`, `figure "two-balls": (it )?has no panels?`},
	{"05", `radii = []float64{2, 3}`, `the radius 2 must be at least 0 and below ‖μ‖`},
	{"05", `high = nil`, `high = ..: this notebook needs two coordinates, one of them in high`},
	{"05", `high = []int{0, 1}`, `high = .0 1.: this notebook needs two coordinates, one of them in high`},
	{"05", `high = []int{2}`, `High = .2. is not a set of coordinates 0..1`},
	{"06", `mu = []float64{1, 0.8}`, `the groups hold 3 coordinates, the inputs 2`},
	{"06", `depths = []int{1, 2}`, `the groups hold 2 coordinates, the inputs 3`},
	{"06", `perClass = 0`, `2 classes of 0 points in 2 dimensions; use positive numbers`},
	{"07", `classes = 1`, `1 classes of 3 points; it needs at least 2 classes`},
	{"07", `classes = 10`, `6 features have no room for the ETF of 10 classes; use at least 9`},
	{"07", `features = 1`, `1 features have no room for the ETF of 4 classes; use at least 3`},
	{"07", `perClass = 0`, `3 classes of 0 points; it needs at least 2 classes of 1`},
	{"07", `start = math.NaN()`, `parameter 0 of classifier.weight is NaN; every parameter must be finite`},
	{"07", `start = 0`, `all weights of the classifier are zero, so it has no direction`},
	{"08", `perClass = 0`, `and \d\d other points: dataset: MNIST train: PerClass..0 0 0 0 0 0 0 0 0 0.. leaves no points; want at least 1`},
	{"08", `perClass = 100000`, `class 0 has 29\d points, 100000 wanted`},
	{"08", `seeds = 0`, `Median of no runs; give at least one`},
	{"08", `epochs = 0`, `and \d\d other points: .*Descent.Steps = 0; take at least one step`},
	{"09", `until = 0`, `Flow.Until = 0; it is the log.1/L. to reach and must be finite and positive`},
	{"09", `until = math.NaN()`, `Flow.Until = NaN; it is the log.1/L. to reach`},
	{"10", `steps = 0`, `Descent.Steps = 0; take at least one step`},
	{"10", `steps = 3`, `the smallest margin is -0.19\d+; follow the flow past separability first`},
	{"11", `until = 1e5`, `\ncertified: the end is a first-order point.*largest fall: [^ ]+ ≤ 1e-06\s+end:`},
	{"11", `until = 1e3`, `not certified: the end is still on its way.*largest fall: [^ ]+ ≤ 1e-06\s+end:`},
	{"11", `until = 0.1`, `use Since of a log.1/L. below its end`},
	{"11", `perClass = 0`, `XOR: 2 classes of 0 points in 2 dimensions; use positive numbers`},
	{"11", `file = "/nowhere.csv"`, `open /nowhere.csv: no such file or directory`},
	{"11", `perClass = 12 => perClas = 12`, `undefined: perClass`},
	{"11", `nn.ReLU()} => nn.ReLU(), nn.Dense(8), nn.ReLU()}`, `\nend:`},
	{"11", `nn.Dense(16) => nn.Dense(16, nn.NoBias()) ;; nn.Dense(outputs) => nn.Dense(outputs, nn.NoBias())`, `discarded: \[\].*\nend:`},
	{"11", `nn.ReLU()} => nn.Activation("square", 2, func(h float64) float64 { return h * h }, func(h float64) float64 { return 2 * h }, func(h float64) float64 { return 2 })}`, `dense1.weight.*largest fall: [^ ]+ ≤ 1e-06\s+end:`},
	{"11", `nn.ReLU()} => nn.RMSNorm(), nn.ReLU()}`, `\ncertified.*\nend:`},
	{"11", `nn.ReLU()} => nn.ReLU(), nn.RMSNorm()}`, `figure "decision": .* norm1: point \d+ has only zeros, which RMS normalization cannot divide by`},
	{"11", `nn.ReLU()} => nn.LeakyReLU(0.1), nn.RMSNorm()}`, `\ncertified.*\nend:`},
	{"11", `nn.ReLU()} => nn.BatchNorm(nn.Affine()), nn.ReLU()}`, `\nend:`},
	{"11", `nn.ReLU()} => nn.Tanh()}`, `tanh1.*\nend:`},
	{"11", `nn.ReLU()} => nn.LeakyReLU(0.1)} ;; dataset.XOR(perClass, 0.15 => dataset.Rings(3, perClass, 0.08`, `3 classes.*\nend:`},
	{"11", `nn.ReLU()} => nn.LeakyReLU(0.1)} ;; dataset.XOR(perClass, 0.15 => dataset.Rings(3, perClass, 0.08 ;; Batch: lead(f, path.Model().Outputs()) => Batch: f`, `plotting: figure "decision": .*3 values for a point; lines need one`},
	{"11", `return dataset.XOR(perClass, 0.15, rand.New(rand.NewPCG(seed, 0))) => all := dataset.XOR(perClass, 0.15, rand.New(rand.NewPCG(seed, 0)));return all.Subset([]int{0, 1, 2, 3, 12, 13, 14, 15})`, `8 points.*\nend:`},
	{"11", `nn.Dense(outputs) => nn.Dense(3)`, `2 classes for a model of 3 outputs; use one output a class`},
	{"12", `size = 0`, `the radius 0.8 must be at least 0 and below ‖μ‖ = 0, which must be finite`},
	{"12", `size = math.NaN()`, `the radius 0.8 must be at least 0 and below ‖μ‖ = NaN, which must be finite`},
	{"12", `size = 1`, `figure "moved": .*the radius 1.00\d+ must be at least 0 and below ‖μ‖ = 1`},
	{"12", `until = 0`, `Flow.Until = 0; it is the log.1/L. to reach`},
	{"12", `size  = 1.2 => sise = 1.2`, `undefined: size`},
	{"13", `until = 0`, `Flow.Until = 0; it is the log.1/L. to reach`},
	{"13", `until = 5`, `at the start is not below Flow.Until = 5`},
	{"13", `angle = math.NaN()`, `entry 0 of point 0 is NaN`},
	{"13", `angle = 400`, `2 point.s. have no positive margin`},
	{"15", `seeds = 0`, `Median of no runs; give at least one`},
	{"15", `until = math.NaN()`, `Flow.Until = NaN; it is the log.1/L. to reach`},
	{"15", `epsilon = -1`, `norm1: has ε = -1; it must be finite and not negative`},
	{"15", `epsilon = 0`, `grow with exponent 1/2, error of the median: [^ ]+ is more than 2e-02`},
}

// program makes one Go program of a notebook, without the notebook's kernel: it runs
// the bodies of the cells in order, after the edit of the number in EDIT.
func (nb *notebook) program(t *testing.T, assignments []string) string {
	t.Helper()
	imports, bodies := map[string]string{}, []string{}
	type named struct{ name, text string }
	var declared []named
	for i, c := range nb.Cells {
		if c.Type != "code" {
			continue
		}
		source := parseCell(string(c.Source))
		if source.main < len(source.lines) {
			body := source.lines[source.main+2 : len(source.lines)-1]
			bodies = append(bodies, fmt.Sprintf("\nfunc cell%d() {\n//line cell%[1]d.go:2\n%s\n}\n", i, strings.Join(body, "\n")))
		}
		files := token.NewFileSet()
		text := strings.Join(source.lines[:source.main], "\n")
		file, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("cell %d: %v", i, err)
		}
		for _, d := range file.Decls {
			part := text[d.Pos()-1 : d.End()-1]
			g, isGeneral := d.(*ast.GenDecl)
			switch {
			case isGeneral && g.Tok == token.IMPORT:
				for _, s := range g.Specs {
					s := s.(*ast.ImportSpec)
					imports[s.Path.Value] = text[s.Pos()-1 : s.End()-1]
				}
				continue
			case isGeneral && g.Tok == token.VAR:
				for _, s := range g.Specs {
					declared = append(declared, named{fmt.Sprint(s.(*ast.ValueSpec).Names), "var " + text[s.Pos()-1:s.End()-1]})
				}
				continue
			}
			name := part
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				name = f.Name.Name
			}
			declared = append(declared, named{name, part})
		}
	}
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n\tos_ \"os\"\n")
	for _, s := range imports {
		source.WriteString("\t" + s + "\n")
	}
	source.WriteString(")\n\n")
	for i, d := range declared {
		later := false
		for _, other := range declared[i+1:] {
			later = later || other.name == d.name
		}
		if !later { // a cell may declare a name anew
			source.WriteString(d.text + "\n\n")
		}
	}
	source.WriteString(strings.Join(bodies, ""))
	source.WriteString("\nfunc main() {\n\tswitch os_.Getenv(\"EDIT\") {\n")
	for i, a := range assignments {
		fmt.Fprintf(&source, "\tcase \"%d\":\n\t\t%s\n", i, a)
	}
	source.WriteString("\t}\n")
	for i, c := range nb.Cells {
		if c.Type == "code" && strings.Contains("\n"+string(c.Source), "\n%%") {
			fmt.Fprintf(&source, "\tprintln(\"cell\", %d)\n\tcell%d()\n", i, i)
		}
	}
	source.WriteString("}\n")
	return source.String()
}

// replace edits the text of cells.
func (nb *notebook) replace(t *testing.T, edit string) {
	t.Helper()
	for part := range strings.SplitSeq(edit, " ;; ") {
		before, after, _ := strings.Cut(part, " => ")
		found := 0
		for _, c := range nb.Cells {
			if c.Type == "code" {
				found += strings.Count(string(c.Source), before)
				c.Source = text(strings.ReplaceAll(string(c.Source), before, after))
			}
		}
		if found == 0 {
			t.Errorf("no cell contains %q", before)
		}
	}
}

// buildEdits compiles a program beside the project's packages.
func buildEdits(t *testing.T, p project, name, source string) (program string, failure string) {
	t.Helper()
	folder := p.path(".cache", "edits-"+name)
	t.Cleanup(func() { os.RemoveAll(folder) })
	writeFile(t, filepath.Join(folder, "main.go"), source)
	program = filepath.Join(t.TempDir(), name)
	format := exec.CommandContext(t.Context(), filepath.Join(p.bin(), "goimports"), "-w", filepath.Join(folder, "main.go"))
	format.Dir = p.root
	format.Run() // of what does not compile the compiler says more
	cmd := p.goCommand("build", "-ldflags=-w", "-o", program, "./.cache/edits-"+name)
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		return "", out.String()
	}
	return program, ""
}

var cellMark = regexp.MustCompile(`(?m)^cell \d+\n`)

// outcome runs an edited notebook until a cell fails, and returns its last words.
func outcome(t *testing.T, program string, edit int) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -t 60; exec "$0"`, program)
	cmd.Env = append(os.Environ(), fmt.Sprint("EDIT=", edit), "QHLAB_STORE="+t.TempDir())
	cmd.Dir = t.TempDir()
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	err := cmd.Run()
	last := cellMark.FindAllString(failed.String(), -1)
	where := "no cell"
	if len(last) > 0 {
		where = strings.TrimSpace(last[len(last)-1])
	}
	said := cellMark.ReplaceAllString(failed.String(), "")
	if strings.Contains(said, "\ngoroutine ") {
		said = panicSentence(said)
	}
	if err == nil {
		where = "end"
	}
	return strings.TrimSpace(fmt.Sprintf("%s\n%s: %s", &out, where, said))
}

func TestWhatAReaderIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("runs notebooks, which -short leaves out")
	}
	p := withKernel(t)
	groups, order := map[string][]int{}, []string{}
	for i, e := range edits {
		if groups[e.notebook] == nil {
			order = append(order, e.notebook)
		}
		groups[e.notebook] = append(groups[e.notebook], i)
	}
	for _, name := range order {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needTime(t)
			paths, err := p.notebooks([]string{name})
			if err != nil {
				t.Fatal(err)
			}
			plain := ""
			var assignments []string
			for _, i := range groups[name] {
				assignments = append(assignments, map[bool]string{false: edits[i].edit}[strings.Contains(edits[i].edit, " => ")])
			}
			for k, i := range groups[name] {
				e := edits[i]
				nb, err := readNotebook(paths[0])
				if err != nil {
					t.Fatal(err)
				}
				program, said := plain, ""
				if strings.Contains(e.edit, " => ") {
					nb.replace(t, e.edit)
					program, said = buildEdits(t, p, fmt.Sprint(name, "-", i), nb.program(t, nil))
				} else if plain == "" {
					if program, said = buildEdits(t, p, name, nb.program(t, assignments)); program == "" {
						t.Fatal(said)
					}
					plain = program
				}
				if program != "" {
					said = outcome(t, program, k)
				}
				t.Logf("%s: %s\n    %s", name, e.edit, said[max(0, len(said)-400):])
				if !regexp.MustCompile("(?s)" + e.says).MatchString(said) {
					t.Errorf("%s says\n%s\nwant %s", e.edit, said, e.says)
				}
			}
		})
	}
}
