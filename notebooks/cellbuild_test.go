package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where there is no go command, a cell can be built only from what was found before.
func TestCellsOfKnownPackagesAreBuiltWithoutTheGoCommand(t *testing.T) {
	kernel := t.TempDir()
	dir, path := filepath.Join(kernel, "gonb_1"), os.Getenv("PATH")
	for _, folder := range []string{"cells", "gonb_1/word", "empty"} {
		if err := os.MkdirAll(filepath.Join(kernel, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(cellsVariable, filepath.Join(kernel, "cells"))
	t.Chdir(dir)
	saved := time.Now().Add(-time.Hour)
	source := func(name, text string) {
		saved = saved.Add(time.Second)
		file := filepath.Join(dir, name)
		writeFile(t, file, text)
		if err := os.Chtimes(file, saved, saved); err != nil {
			t.Fatal(err)
		}
	}
	word := func(text string) { source("word/word.go", "package word\n\nconst Text = `"+text+"`\n") }
	cell := func(goCommand, imports, statement string) (said string) {
		t.Helper()
		writeFile(t, filepath.Join(dir, "main.go"), "package main\n\nimport ("+imports+")\n\nfunc main() { "+statement+" }\n")
		t.Setenv("PATH", goCommand)
		errors, err := os.Create(filepath.Join(kernel, "errors"))
		if err != nil {
			t.Fatal(err)
		}
		terminal, program := os.Stderr, filepath.Join(dir, "program")
		os.Stderr = errors
		status := goForCells([]string{"build", "-o", program})
		os.Stderr = terminal
		if status != 0 {
			text, _ := os.ReadFile(errors.Name())
			return string(text)
		}
		out, err := exec.Command(program).CombinedOutput()
		if err != nil {
			return string(out)
		}
		return strings.TrimSpace(string(out))
	}
	const with, without = `"fmt"; "cell/word"`, `"fmt"`
	missing := func(said string) bool { return strings.Contains(said, "executable file not found") }
	source("go.mod", "module cell\n\ngo 1.26\n")
	word("one")
	none := filepath.Join(kernel, "empty")

	if said := cell(none, with, `fmt.Println(word.Text)`); !missing(said) {
		t.Fatalf("the first cell was built without a go command: %s", said)
	}
	for _, step := range []struct {
		what, path, imports, statement, says string
		word                                 string
	}{
		{"the first cell", path, with, `fmt.Println(word.Text)`, "one", ""},
		{"the same packages", none, with, `fmt.Println(word.Text, 2)`, "one 2", ""},
		{"fewer packages", none, without, `fmt.Println(3)`, "3", ""},
		{"a package has changed", none, with, `fmt.Println(word.Text)`, "not found", "two"},
		{"it is compiled again", path, with, `fmt.Println(word.Text)`, "two", ""},
		{"and known", none, with, `fmt.Println(word.Text, 4)`, "two 4", ""},
		{"a new package", none, `"fmt"; "strings"`, `fmt.Println(strings.ToUpper("a"))`, "not found", ""},
		{"it is found", path, `"fmt"; "strings"`, `fmt.Println(strings.ToUpper("a"))`, "A", ""},
		{"all three", none, with + `; "strings"`, `fmt.Println(strings.ToUpper(word.Text))`, "TWO", ""},
		{"no packages", none, "", `println("5")`, "5", ""},
		{"an error", path, with, "\nfmt.Println(word.Test)", "./main.go:6:18: undefined: word.Test", ""},
		{"a panic", none, "", "\npanic(6)", filepath.Join(dir, "main.go") + ":6", ""},
		{"a file is embedded", path, `_ "embed"; "fmt"`, `fmt.Println(7)`, "7", ""},
		{"that is never known", none, `_ "embed"; "fmt"`, `fmt.Println(7)`, "not found", ""},
	} {
		if step.word != "" {
			word(step.word)
		}
		if said := cell(step.path, step.imports, step.statement); !strings.Contains(said, step.says) {
			t.Errorf("%s: got %q, want %q", step.what, said, step.says)
		}
	}
	if said, program := cell(none, "", ""), filepath.Join(dir, "program"); said != "" || !isScript(t, program) {
		t.Errorf("a cell of declarations is linked, and says %q", said)
	}
	if said := cell(path, `"fmt"; "html"`, `fmt.Println(html.EscapeString("<"))`); said != "&lt;" {
		t.Errorf("a new package after a cell of declarations: %q", said)
	}
	if said := cell(none, "", ""); said != "" {
		t.Errorf("declarations again: %q", said)
	}
	if said := cell(path, "", "\n}\n\nfunc wrong() int {"); !strings.Contains(said, "missing return") {
		t.Errorf("a wrong declaration: %q", said)
	}
	if said, program := cell(none, "", "println(11)"), filepath.Join(dir, "program"); said != "11" || isScript(t, program) {
		t.Errorf("after it: %q", said)
	}
	writeFile(t, filepath.Join(dir, "other.go"), "package main\n\nfunc init() { println(8) }\n")
	if said := cell(none, "", `println(9)`); !missing(said) {
		t.Errorf("with a second file: %q", said)
	}
	if err := os.Remove(filepath.Join(dir, "other.go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOAMD64", "v2")
	if said := cell(none, "", `println(10)`); !missing(said) {
		t.Errorf("with other settings: %q", said)
	}
}

func isScript(t *testing.T, program string) bool {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.HasPrefix(text, []byte("#!"))
}

// What each cell would compile or link again decides how long a reader waits for a figure.
func TestACellIsCompiledAndLinkedWithLittle(t *testing.T) {
	folder := t.TempDir()
	source, overlay := filepath.Join(folder, "main.go"), filepath.Join(folder, "overlay.json")
	writeFile(t, source, `package main

import (
	"fmt"

	"qhlab/plotting"
	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/robust"
)

func main() {
	plotting.Show(plotting.Figure{})
	fmt.Println(qhnet.Flow{}, &nn.Network{}, dataset.Set{}, robust.Attack{})
}
`)
	at, err := filepath.Abs("cell")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, overlay, string(encoded(map[string]any{"Replace": map[string]string{filepath.Join(at, "main.go"): source}})))
	list, err := exec.Command("go", "list", "-overlay", overlay, "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}", "./cell").Output()
	if err != nil {
		t.Fatal(err)
	}
	var object string
	for line := range strings.Lines(string(list)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch path {
		case "net", "database/sql", "runtime/cgo":
			t.Errorf("cells are linked with %s", path)
		}
		object = file // of the last one, the cell
	}
	code, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(code, []byte("main.main")) || bytes.Contains(code, []byte("internal/sync.(*HashTrieMap[")) {
		t.Error("cells compile the code of sync.Map: a type that they reach has a field of that type")
	}
}
