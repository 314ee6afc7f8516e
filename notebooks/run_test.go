package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotebooks executes every notebook from beginning to end. Its outputs must
// be of the saved kinds; that they are the same to the last byte is the matter
// of "run -check", because processors round differently.
func TestNotebooks(t *testing.T) {
	p := withKernel(t)
	paths, err := p.notebooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(title(path), func(t *testing.T) {
			t.Parallel()
			needTime(t)
			fresh, err := executeNotebook(t.Context(), p, path, silent(t), variant{})
			if err != nil {
				t.Fatal(err)
			}
			saved, err := readUnchanged(path, fresh)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range fresh.Cells {
				if got, want := c.kinds(), saved.Cells[i].kinds(); got != want {
					t.Errorf("cell %s shows %q, saved is %q", position(fresh, i), got, want)
				}
			}
		})
	}
}

// kinds lists what the cell's outputs are.
func (c *cell) kinds() string {
	var kinds []string
	for _, o := range c.Outputs {
		kinds = append(kinds, o.Type+":"+o.Name+strings.Join(mediaTypes(o), "+"))
	}
	return strings.Join(kinds, " ")
}

func TestRunSavesTheSameBytesEveryTime(t *testing.T) {
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	var files [2][]byte
	for i := range files {
		if err := run(t.Context(), p, []string{path}); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if string(files[0]) != string(files[1]) {
		t.Error("two runs saved different files")
	}
	for range 2 {
		if err := run(t.Context(), p, []string{path, "-check"}); err != nil {
			t.Errorf("run -check after run: %v", err)
		}
	}
}

func TestEditedNotebookIsNotTheOneThatRan(t *testing.T) {
	for name, edit := range map[string]func(*notebook){
		"source":  func(nb *notebook) { nb.Cells[1].Source += "// more" },
		"tag":     func(nb *notebook) { nb.Cells[1].Metadata["tags"] = []any{"cover"} },
		"removed": func(nb *notebook) { nb.Cells = nb.Cells[:len(nb.Cells)-1] },
		"moved":   func(nb *notebook) { nb.Cells[0], nb.Cells[1] = nb.Cells[1], nb.Cells[0] },
	} {
		t.Run(name, func(t *testing.T) {
			path := copyNotebook(t, "testdata/square.ipynb")
			ran, err := readNotebook(path)
			if err != nil {
				t.Fatal(err)
			}
			ran.normalize()
			edited, err := readUnchanged(path, ran)
			if err != nil {
				t.Fatalf("before the edit: %v", err)
			}
			edit(edited)
			if err := edited.write(path); err != nil {
				t.Fatal(err)
			}
			_, err = readUnchanged(path, ran)
			wantError(t, err, "square changed on disk")
		})
	}
}

// The cell stands for the author, who saves another version of the notebook
// while it runs.
func TestRunKeepsAnEditThatIsSavedMeanwhile(t *testing.T) {
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	edited, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(filepath.Dir(path), "edited"), string(edited))
	nb := &notebook{Format: 4, FormatMinor: 5, Metadata: map[string]any{}, Cells: []*cell{
		{Type: "code", ID: "c0", Metadata: map[string]any{}, Source: "!cp edited square.ipynb"},
	}}
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(t.Context(), p, []string{path}), "square changed on disk", ".cache/unfinished/square")
	if now, err := os.ReadFile(path); err != nil || string(now) != string(edited) {
		t.Errorf("the edit is lost, %v", err)
	}
}

func TestCheckNamesTheNotebookAndTheCellThatDiffer(t *testing.T) {
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	data, _ := os.ReadFile(path)
	changed := strings.Replace(string(data), `area 1600\n`, `area 1601\n`, 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(t.Context(), p, []string{"-check", path}), "square: cell [5]", "- area 1601", "+ area 1600")
	if after, _ := os.ReadFile(path); string(after) != changed {
		t.Error("run -check changed the notebook")
	}
}

func TestFailingCellStopsTheRunWithItsLine(t *testing.T) {
	p := withKernel(t)
	for name, want := range map[string][]string{
		"panics":        {"cell [3] failed: index out of range [3] with length 0", "in cell [3], line 4\n>   4  fmt.Println(list[3])"},
		"uncompilable":  {"cell [2] failed: undefined: y", "cell [2], line 3\n>   3  fmt.Println(x, y)"},
		"panics-inside": {"cell [3] failed: negative", "in cell [2], line 3\n>   3", `panic("negative")`, "called from cell [3], line 2"},
	} {
		path := copyNotebook(t, "testdata/"+name+".ipynb")
		before, _ := os.ReadFile(path)
		wantError(t, run(t.Context(), p, []string{path}), append(want, name, ".cache/unfinished/"+name)...)
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("the failed run changed %s", name)
		}
	}
}
