package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// ask sends a request about a position in code, marked by ‸, and returns the reply.
func ask(t *testing.T, k *kernel, kind, code string) (reply json.RawMessage) {
	t.Helper()
	before, after, _ := strings.Cut(code, "‸")
	id, err := k.send(k.shell, kind, map[string]any{"code": before + after, "cursor_pos": len([]rune(before)), "detail_level": 0})
	if err != nil {
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	err = k.await(limited, id, func(m message) {
		if strings.HasSuffix(m.Header.Type, "_reply") {
			reply = m.Content
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestOpenBracketsAreClosedAtTheCursor(t *testing.T) {
	for code, want := range map[string]string{
		"%%\nλ := f(g{Ma‸":             "%%\nλ := f(g{Ma})",
		"%%\nf(g{Ma‸)\nh()":            "%%\nf(g{Ma})\nh()",
		"func f() {\n\tx[a‸\n\ty()\n}": "func f() {\n\tx[a]\n\ty()\n}",
		"f(\"(\"‸)":                    "f(\"(\")",
		"":                             "",
	} {
		before, after, _ := strings.Cut(code, "‸")
		var got struct{ Code string }
		closed := closeBrackets(encoded(map[string]any{"code": before + after, "cursor_pos": len(utf16.Encode([]rune(before)))}))
		if err := json.Unmarshal(closed, &got); err != nil || got.Code != want {
			t.Errorf("%q becomes %q, want %q", code, got.Code, want)
		}
	}
}

func TestNamesAreCompletedAndExplained(t *testing.T) {
	k := start(t, withLab(t))
	if c, err := execute(t, t.Context(), k, firstCell+"\nimport \"qhlab/qhnet\""); err != nil {
		t.Fatal(err, c.errorText())
	}
	var completed struct {
		Matches []string `json:"matches"`
		Status  string   `json:"status"`
	}
	// gopls reads the project first.
	for deadline := time.Now().Add(time.Minute); len(completed.Matches) == 0 && time.Now().Before(deadline); {
		json.Unmarshal(ask(t, k, "complete_request", "%%\nf := qhnet.Flow{Ma‸\n_ = f"), &completed)
	}
	if !slices.Contains(completed.Matches, "MaxSteps: ") && !slices.Contains(completed.Matches, "MaxSteps") {
		t.Errorf("qhnet.Flow{Ma is completed by %q", completed.Matches)
	}
	for code, want := range map[string]string{
		"%%\nvar f qhnet.Fl‸ow\n_ = f":              "Flow",
		"%%\nfmt.Prin‸tln(1)":                       "Println",
		"var f qhnet.Flow\n%%\nf.R‸un()":            "Run",
		"func half() int { return 1 }\n%%\nha‸lf()": "half",
	} {
		var help struct {
			Found bool              `json:"found"`
			Data  map[string]string `json:"data"`
		}
		if err := json.Unmarshal(ask(t, k, "inspect_request", code), &help); err != nil {
			t.Fatal(err)
		}
		markdown := help.Data["text/markdown"]
		if !strings.Contains(markdown, want) {
			t.Errorf("the help for %q is %q", code, help.Data)
		}
		if strings.Contains(markdown, "pkg.go.dev/qhlab") || strings.Contains(markdown, "gonb_") || strings.Contains(markdown, "file://") {
			t.Errorf("the help for %q has a dead link:\n%s", code, markdown)
		}
	}
}

func TestJupyterLabCompletesAndExplains(t *testing.T) {
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "help.ipynb")
	writeNotebook(t, path, "%noautoget\nimport \"qhlab/qhnet\"", "%%\nvar f qhnet.Flow\n_ = f")
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, prompts+`.join() === '[1]:,[2]:'`)
	replaceCell(t, ctx, "var f", "%%\n_ = qhnet.Flow{Ma")
	const offered = `[...document.querySelectorAll('.jp-Completer-item')].some(i => i.textContent.includes('MaxSteps'))`
	for range 20 { // gopls reads the project first
		do(t, ctx, chromedp.KeyEvent(kb.Tab), chromedp.Sleep(2*time.Second))
		if evaluate[bool](t, ctx, offered) {
			break
		}
	}
	wait(t, ctx, time.Second, offered)
	screenshot(t, ctx, "lab-completion")
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	replaceCell(t, ctx, "Flow{Ma", "%%\n_ = qhnet.Flow{}")
	do(t, ctx, chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	const tooltip = `document.querySelector('.jp-Tooltip')`
	wait(t, ctx, patience, tooltip+`?.textContent.includes('Flow is gradient flow') ?? false`)
	screenshot(t, ctx, "lab-help")
	if links := evaluate[[]string](t, ctx, `[...`+tooltip+`.querySelectorAll('a')].map(a => a.href)`); len(links) > 0 {
		t.Errorf("the help links to %q", links)
	}
}

// What is opened and saved without an edit stays as it was, to the last byte.
func TestSavingWithoutAnEditChangesNothing(t *testing.T) {
	p := withLab(t)
	server := serve(t, p, p.path("notebooks", "01-quasi-homogeneous-models.ipynb"))
	path := filepath.Join(server.process.Dir, "01-quasi-homogeneous-models.ipynb")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, server, path)
	clickMenu(t, ctx, "File", "docmanager:save")
	saved := func() bool {
		info, err := os.Stat(path)
		return err == nil && time.Since(info.ModTime()) < time.Minute
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !saved() && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		do(t, ctx, chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("saving changes it: %s, %v", diffLines(string(before), string(after)), err)
	}
	t.Logf("was saved: %v", saved())
}
