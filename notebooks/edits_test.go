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
	{"11", `until = 1e5`, ``},
	{"11", `until = 1e3`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.RMSNorm(), nn.ReLU()`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.ReLU(), nn.RMSNorm()`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.BatchNorm(nn.Affine()), nn.ReLU()`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.Tanh()`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.LeakyReLU(0.1), nn.RMSNorm()`, ``},
	{"11", `nn.Dense(16), nn.ReLU() => nn.Dense(16), nn.ReLU(), nn.Dense(8), nn.ReLU()`, ``},
	{"11", `dataset.XOR(perClass, 0.15, => dataset.Rings(3, perClass, 0.08,`, ``},
	{"11", `nn.Dense(outputs) => nn.Dense(3)`, ``},
	{"11", `perClass = 0`, ``},
	{"11", `until = 0.1`, ``},
	{"11", `until = math_NaN`, ``},
	{"11", `file = "/nowhere.csv"`, ``},
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
		var decls, body []string
		inBody := false
		for _, line := range strings.Split(string(c.Source), "\n") {
			switch {
			case beginsBody(line):
				inBody = true
			case strings.HasPrefix(line, "%"), strings.HasPrefix(line, "!"):
			case inBody:
				body = append(body, line)
			default:
				decls = append(decls, line)
			}
		}
		if inBody {
			bodies = append(bodies, fmt.Sprintf("\nfunc cell%d() {\n//line cell%[1]d.go:2\n%s\n}\n", i, strings.Join(body, "\n")))
		}
		files := token.NewFileSet()
		text := "package main\n" + strings.Join(decls, "\n")
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

// build compiles a program beside the project's packages.
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
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -t 30; exec "$0"`, program)
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
		where, said = "end", out.String()[max(0, out.Len()-300):]
	}
	return fmt.Sprintf("%s: %s [%v]", where, strings.TrimSpace(said), err)
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
				if before, after, isText := strings.Cut(e.edit, " => "); isText {
					found := 0
					for _, c := range nb.Cells {
						if c.Type == "code" {
							found += strings.Count(string(c.Source), before)
							c.Source = text(strings.ReplaceAll(string(c.Source), before, after))
						}
					}
					if found == 0 {
						t.Errorf("%s: no cell contains %q", name, before)
						continue
					}
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
				t.Logf("%s: %s\n    %s", name, e.edit, said)
				if !regexp.MustCompile(e.says).MatchString(said) {
					t.Errorf("%s, %s says\n%s\nwant %s", name, e.edit, said, e.says)
				}
			}
		})
	}
}
