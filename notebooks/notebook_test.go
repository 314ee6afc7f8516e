package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestEncodingKeepsAFileThatNbformatWrote(t *testing.T) {
	const path = "testdata/square.ipynb"
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := nb.encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("reading and writing changes the file:\n%s", diffLines(string(want), string(got)))
	}
}

// The oracle is nbformat itself, on outputs and texts that are hard to write.
func TestEncodingAgreesWithNbformat(t *testing.T) {
	p := withLab(t)
	nb, err := readNotebook("testdata/square.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[0].Source = "λ < 1 & θ̂ ⟨x⟩ \"\\\"\t\n\nlast\n"
	nb.Cells[0].Metadata["tags"] = []any{"a", 1.5, nil, map[string]any{}}
	count := 7
	nb.Cells[1].Outputs = []*output{
		{Type: "stream", Name: "stderr", Text: ""},
		{Type: "display_data", Data: map[string]any{"text/html": "<b>\n</b>", "application/json": map[string]any{"a": []any{}}}, Metadata: map[string]any{}},
		{Type: "execute_result", ExecutionCount: &count, Data: map[string]any{"image/svg+xml": "<svg>\n</svg>\n"}, Metadata: map[string]any{}},
		{Type: "error", ErrorName: "ERROR", ErrorValue: "a\nb", Traceback: []string{"x\ny", ""}},
	}
	ours := filepath.Join(t.TempDir(), "ours.ipynb")
	if err := nb.write(ours); err != nil {
		t.Fatal(err)
	}
	theirs := ours + ".theirs"
	program := "import nbformat, sys; nbformat.write(nbformat.read(sys.argv[1], 4), sys.argv[2])"
	if out, err := exec.Command(p.python(), "-c", program, ours, theirs).CombinedOutput(); err != nil {
		t.Fatalf("nbformat does not accept the notebook: %v\n%s", err, out)
	}
	got, _ := os.ReadFile(ours)
	want, err := os.ReadFile(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("nbformat writes it differently: %s", diffLines(string(want), string(got)))
	}
}

func TestNormalizedNotebookHasNoTraceOfEarlierRuns(t *testing.T) {
	nb, err := readNotebook("testdata/square.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[1].Metadata["execution"] = map[string]any{"iopub.status.busy": "2026"}
	nb.Metadata["language_info"] = map[string]any{"version": "go1.0"}
	nb.normalize()
	data, err := nb.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"iopub", "go1.0", "iVBOR", "area 1600"} {
		if bytes.Contains(data, []byte(trace)) {
			t.Errorf("%q is left", trace)
		}
	}
}

func TestFilesThatAreNoNotebooksAreExplained(t *testing.T) {
	for content, want := range map[string]string{
		`{"cells": [], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}`: "nbformat 3",
		`<<<<<<< HEAD`: "is not a notebook",
	} {
		path := filepath.Join(t.TempDir(), "bad.ipynb")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readNotebook(path)
		wantError(t, err, path, want)
	}
}
