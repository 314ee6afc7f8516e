package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drawing makes a notebook with one figure and returns its path.
func drawing(t *testing.T) string {
	t.Helper()
	nb := &notebook{Format: 4, FormatMinor: 5, Metadata: map[string]any{}, Cells: []*cell{
		{Type: "code", Metadata: map[string]any{}, Source: "%noautoget\nimport \"qhlab/plotting\""},
		{Type: "code", Metadata: map[string]any{}, Source: "%%\n" + `plotting.Show(plotting.Figure{Name: "line", Caption: "A line.", Panels: []plotting.Panel{{
	Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, 1}}},
}}})`},
	}}
	path := filepath.Join(t.TempDir(), "drawing.ipynb")
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFiguresAreExportedInAllFormats(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := drawing(t)
	folder := t.TempDir()
	if err := figures(t.Context(), p, []string{path, "-o", folder}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"png", "svg", "pdf", "pgf"} {
		if info, err := os.Stat(filepath.Join(folder, "drawing", "line."+format)); err != nil || info.Size() == 0 {
			t.Errorf("no %s: %v", format, err)
		}
	}
}

// writeNotebook makes a notebook of cells; the first is tagged parameters.
func writeNotebook(t *testing.T, path string, sources ...string) {
	t.Helper()
	nb := &notebook{Format: 4, FormatMinor: 5, Metadata: map[string]any{}}
	for i, source := range sources {
		tags := map[string]any{}
		if i == 0 {
			tags["tags"] = []any{"parameters"}
		}
		nb.Cells = append(nb.Cells, &cell{Type: "code", ID: string(rune('a' + i)), Metadata: tags, Source: text(source), Outputs: []*output{}})
	}
	nb.normalize()
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
}

const parametersCell = "%noautoget\nimport \"fmt\"\nvar (\n\tuntil = 1e3 // a comment\n\tradii = []float64{1}\n\tseed, size = uint64(1), 2.5\n)"

func TestParametersAreSetBehindTheirCell(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path, out := filepath.Join(t.TempDir(), "mine.ipynb"), filepath.Join(t.TempDir(), "out.ipynb")
	writeNotebook(t, path, parametersCell, "%%\nfmt.Println(until/3, radii, seed, size/2)")
	before, _ := os.ReadFile(path)
	if err := run(t.Context(), p, []string{path, "-p", "until=10", "-p", "radii=[]float64{2, 3}", "-p", "size=1", "-o", out}); err != nil {
		t.Fatal(err)
	}
	nb, err := readNotebook(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := nb.Cells[2].stream("stdout"); len(nb.Cells) != 3 || got != "3.3333333333333335 [2 3] 1 0.5\n" {
		t.Errorf("%d cells, the last prints %q", len(nb.Cells), got)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the notebook itself was changed")
	}
	if err := nb.setParameters([]string{"seed=7"}); err != nil || len(nb.Cells) != 3 || nb.Cells[1].Source != "var (\n\tseed uint64 = 7\n)" {
		t.Errorf("set again, %d cells, %q, %v", len(nb.Cells), nb.Cells[1].Source, err)
	}
}

func TestMistakesInParametersAreExplained(t *testing.T) {
	p := here(t)
	path := filepath.Join(t.TempDir(), "mine.ipynb")
	writeNotebook(t, path, parametersCell)
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, nb.setParameters([]string{"untill=1"}), `"untill"`, "until, radii, seed, size")
	wantError(t, nb.setParameters([]string{"until=1e"}), "until=1e", "NAME=VALUE")
	wantError(t, run(t.Context(), p, []string{path, "-p", "until=1"}), "-o FILE")
	wantError(t, run(t.Context(), p, []string{"-o", "x.ipynb"}), "one notebook; name one of the")
	nb.Cells[0].Metadata = nil
	wantError(t, nb.setParameters([]string{"until=1"}), "tagged parameters")
}

// A copy has another name, which the README does not link to.
func TestCopiesOfTheUserAreNoNotebooksOfTheProject(t *testing.T) {
	p := project{t.TempDir()}
	writeFile(t, p.path("README.md"), "| [05 Robustness](notebooks/05-robustness.ipynb) |\n")
	for _, name := range []string{"05-robustness", "05-robustness-Copy1", "my07"} {
		writeFile(t, p.path("notebooks", name+".ipynb"), "{}")
	}
	for name, want := range map[string]string{"": "05-robustness", "my07": "my07", "05-robustness-Copy1": "05-robustness-Copy1"} {
		var names []string
		if name != "" {
			names = append(names, name)
		}
		if paths, err := p.notebooks(names); err != nil || strings.Join(titles(paths), " ") != want {
			t.Errorf("%q selects %q, %v", name, titles(paths), err)
		}
	}
}

func TestOneFigureIsDrawnWithoutTheRest(t *testing.T) {
	t.Parallel()
	const draw = "plotting.Show(plotting.Figure{Name: \"NAME\", Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, height}}}}}})"
	p := withKernel(t)
	folder, path := t.TempDir(), filepath.Join(t.TempDir(), "two.ipynb")
	writeNotebook(t, path, "%noautoget\nimport \"qhlab/plotting\"",
		"var height = 1.0\n%%\npanic(\"this cell is not needed\")",
		"%%\n"+strings.ReplaceAll(draw, "NAME", "first"), "%%\n"+strings.ReplaceAll(draw, "NAME", "second"))
	if err := figures(t.Context(), p, []string{path, "second", "-o", folder}); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(folder, "two", "*.pdf")); err != nil || len(files) != 1 || filepath.Base(files[0]) != "second.pdf" {
		t.Errorf("files %q, %v", files, err)
	}
	_, _, err := p.selectFigures([]string{path, "third"})
	wantError(t, err, `"third"`, "the figures of two are: first, second")
	if paths, only, err := p.selectFigures([]string{"05", "robustness"}); err != nil || len(paths) != 1 || len(only) != 1 {
		t.Errorf("05 robustness selects %q and %q, %v", paths, only, err)
	}
	if paths, only, err := p.selectFigures([]string{"05", "01"}); err != nil || len(paths) != 2 || only != nil {
		t.Errorf("05 01 selects %q and %q, %v", paths, only, err)
	}
}

func TestCellThatReadsFindsTheEndOfItsInput(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := filepath.Join(t.TempDir(), "reads.ipynb")
	writeNotebook(t, path, "%noautoget\nimport (\n\t\"bufio\"\n\t\"fmt\"\n\t\"os\"\n)\nvar in = bufio.NewReader(os.Stdin)",
		"%%\nvar n int\n_, err := fmt.Scanln(&n)\n_, later := in.ReadString('\\n')\nfmt.Println(err, later)")
	if err := run(t.Context(), p, []string{path, "-timeout", "1m"}); err != nil {
		t.Fatal(err)
	}
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := nb.Cells[1].stream("stdout"); got != "EOF EOF\n" && got != "unexpected newline EOF\n" {
		t.Errorf("reading ends with %q", got)
	}
	if *nb.Cells[0].ExecutionCount != 1 || *nb.Cells[1].ExecutionCount != 2 {
		t.Errorf("the cells count %d, %d", *nb.Cells[0].ExecutionCount, *nb.Cells[1].ExecutionCount)
	}
}

func TestCellThatTakesTooLongIsNamed(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := filepath.Join(t.TempDir(), "slow.ipynb")
	writeNotebook(t, path, "%noautoget\nimport \"time\"\n%%\ntime.Sleep(time.Hour)")
	wantError(t, run(t.Context(), p, []string{path, "-timeout", "5s"}), "slow: cell [1] failed: it took longer than -timeout 5s")
}

// The streams of a program are two pipes, and what is read first is chance.
func TestOrderOfStreamsIsNoDifference(t *testing.T) {
	count := 1
	make := func(outputs ...*output) *cell { return &cell{Type: "code", ExecutionCount: &count, Outputs: outputs} }
	out := func(text text) *output { return &output{Type: "stream", Name: "stdout", Text: text} }
	errs := &output{Type: "stream", Name: "stderr", Text: "e\n"}
	picture := &output{Type: "display_data", Data: map[string]any{"text/html": "x"}}
	if exact, d := diffCells(make(out("a\n"), errs, picture, out("b\n")), make(errs, picture, out("a\nb\n"))); !exact {
		t.Errorf("the order of streams: %s", d)
	}
	for _, other := range []*cell{make(out("a\nc\n"), errs, picture), make(out("a\nb\n"), picture), make(out("a\nb\n"), errs)} {
		if _, d := diffCells(make(out("a\n"), errs, picture, out("b\n")), other); d == "" {
			t.Errorf("no difference to %v", other.Outputs)
		}
	}
}

// The cells run once more, one by one, and draw again what the first attempt has drawn.
func TestCellThatFailsBehindAFigureIsNamed(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := drawing(t)
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells = append(nb.Cells, &cell{Type: "code", Metadata: map[string]any{}, Source: "%%\npanic(\"it broke\")"})
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, figures(t.Context(), p, []string{path, "-o", t.TempDir()}), "cell [3]", "it broke")
}
