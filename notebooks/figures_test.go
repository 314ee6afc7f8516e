package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
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

func TestFilesOfEarlierRunsAreNamed(t *testing.T) {
	folder, begun := t.TempDir(), time.Now().Add(-time.Minute)
	for _, name := range []string{"renamed.pdf", "new.pdf", "new.png"} {
		writeFile(t, filepath.Join(folder, name), "")
	}
	earlier := begun.Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(folder, "renamed.pdf"), earlier, earlier); err != nil {
		t.Fatal(err)
	}
	if fresh, old := countFiles(folder, begun); fresh != 2 || !slices.Equal(old, []string{"renamed.pdf"}) {
		t.Errorf("%d fresh files, old are %q", fresh, old)
	}
}
