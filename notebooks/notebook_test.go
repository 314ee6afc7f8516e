package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
		`<<<<<<< HEAD`:                                    "is not a notebook",
		`{"cells": [{}, null], "nbformat": 4}`:            "cell 2 of 2 is null",
		`{"cells": [{"outputs": [null]}], "nbformat": 4}`: "cell 1 of 1",
	} {
		path := filepath.Join(t.TempDir(), "bad.ipynb")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readNotebook(path)
		wantError(t, err, path, want)
	}
}

// Programs other than nbformat leave out what is empty.
func TestNotebooksWithoutTheUsualPartsAreRead(t *testing.T) {
	p := withLab(t)
	for _, content := range []string{
		`{"nbformat": 4}`,
		`{"nbformat": 4, "cells": null, "metadata": null}`,
		`{"nbformat": 4, "cells": [{}]}`,
		`{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x := 1"}]}`,
		`{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{"output_type": "error"}, {"output_type": "display_data"}, {}]}]}`,
		`{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "` + "\ue0000\ue001 $x$ \ue000 `$`" + `"}]}`,
		`{"nbformat": 4, "cells": [{"cell_type": "raw", "source": []}]}`,
	} {
		path := filepath.Join(t.TempDir(), "odd.ipynb")
		writeFile(t, path, content)
		nb, err := readNotebook(path)
		if err != nil {
			t.Errorf("%s: %v", content, err)
			continue
		}
		maker := newSiteMaker(p)
		maker.add(path)
		if err := errors.Join(maker.finish(t.Context(), nil), maker.failed); err != nil || maker.pages[0].Title != "odd" {
			t.Errorf("%s: %v", content, err)
		}
		data, err := nb.encode()
		if err != nil || regexp.MustCompile(`"(cells|metadata|outputs|source|data|traceback)": null`).Match(data) {
			t.Errorf("%s is written as %s, %v", content, data, err)
		}
		nb.normalize()
	}
}

// Whatever a file holds is an error or a notebook that stays the same when it is
// written and read again.
func FuzzNotebook(f *testing.F) {
	for _, path := range []string{"testdata/square.ipynb", "testdata/panics.ipynb"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": ["a\n", "b"]}, {"data": {"text/html": [1, null]}}]}]}`))
	f.Add([]byte(`{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# a\n\nb. C", "metadata": {"tags": [1]}}, null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		nb, err := parseNotebook(data)
		if err != nil {
			return
		}
		nb.introduction()
		nb.claims()
		nb.cover()
		for _, c := range nb.Cells {
			highlight(string(c.Source))
			c.errorText()
			for _, o := range c.Outputs {
				o.show()
			}
		}
		once, err := nb.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseNotebook(once)
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, once)
		}
		if twice, err := again.encode(); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%v: %s\nis written again as\n%s", err, once, twice)
		}
		if rounded, err := compare("x.ipynb", nb, again); err != nil || rounded > 0 {
			t.Error(rounded, err)
		}
		nb.normalize()
	})
}

// collectAll returns a cell that received the messages, each a type and content.
func collectAll(t *testing.T, messages ...string) *cell {
	t.Helper()
	c, collector := &cell{Type: "code"}, newCollector()
	for _, m := range messages {
		kind, body, _ := strings.Cut(m, " ")
		if err := collector.collect(c, message{Header: header{Type: kind}, Content: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func display(kind, id, value string) string {
	return fmt.Sprintf(`%s {"data":{"text/html":%q},"metadata":{},"transient":{"display_id":%q}}`, kind, value, id)
}

func TestPiecesOfAStreamAreJoined(t *testing.T) {
	c := collectAll(t,
		`stream {"name":"stdout","text":"a"}`, `stream {"name":"stdout","text":"b\n"}`,
		`stream {"name":"stderr","text":"c"}`, `stream {"name":"stdout","text":"d"}`, `status {"execution_state":"idle"}`)
	if len(c.Outputs) != 3 || c.stream("stdout") != "ab\nd" || c.stream("stderr") != "c" {
		t.Errorf("%d outputs, stdout %q, stderr %q", len(c.Outputs), c.stream("stdout"), c.stream("stderr"))
	}
}

func TestUpdatesReplaceTheDisplayTheyName(t *testing.T) {
	c := collectAll(t,
		display("display_data", "bar", "0%"), display("display_data", "other", "kept"),
		display("update_display_data", "bar", "50%"), display("update_display_data", "bar", "100%"))
	if len(c.Outputs) != 2 || c.Outputs[0].Data["text/html"] != "100%" || c.Outputs[1].Data["text/html"] != "kept" {
		t.Errorf("outputs %v", c.Outputs)
	}
	data, err := json.Marshal(c.fields())
	if err != nil || strings.Contains(string(data), "display_id") || strings.Contains(string(data), "transient") {
		t.Errorf("saved as %s, %v", data, err)
	}
}

func TestClearedOutputsAreGone(t *testing.T) {
	c := collectAll(t, `stream {"name":"stdout","text":"a"}`, `clear_output {"wait":true}`, `stream {"name":"stdout","text":"b"}`)
	if len(c.Outputs) != 1 || c.stream("stdout") != "b" {
		t.Errorf("%d outputs, stdout %q", len(c.Outputs), c.stream("stdout"))
	}
}
