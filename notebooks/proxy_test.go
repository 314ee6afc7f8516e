package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var failingRuns = flag.Int("failing-runs", 8, "how often TestLineOfAPanicIsCertain runs its cell")

// mustCell declares what notebooks do, and something that fails inside of it.
const mustCell = firstCell + `
import (
	"errors"
	"qhlab/qhnet"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func area(side float64) (float64, error) {
	if side < 0 {
		return 0, fmt.Errorf("qhnet: no area: %w", errors.New("qhnet: the side is negative"))
	}
	return side * side, nil
}

func doubled(side float64) float64 {

	return 2 * must(area(side))
}`

// Go writes a panic in pieces, which arrive in any number of messages. Four busy
// loops take the processors away between them.
func TestLineOfAPanicIsCertain(t *testing.T) {
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, mustCell); err != nil {
		t.Fatal(err, c.errorText())
	}
	busy, stop := context.WithCancel(t.Context())
	defer stop()
	for range 4 {
		go func() {
			runtime.LockOSThread()
			for busy.Err() == nil {
			}
		}()
	}
	const want = "\nqhnet: no area: the side is negative\n" +
		"in cell [1], line 28\n>  28  \treturn 2 * must(area(side))\ncalled from cell [%d], line 4\n>   4  doubled(-1) // %[1]d"
	for i := range *failingRuns {
		count := i + 2
		c, err := execute(t, t.Context(), k, fmt.Sprintf("%%%%\nfmt.Fprint(os.Stderr, \"50 per cent\")\n\ndoubled(-1) // %d", count))
		if err == nil || c.failure() == nil {
			t.Fatal(err)
		}
		if got := c.errorText(); got != "50 per cent"+fmt.Sprintf(want, count) {
			t.Fatalf("run %d of the cell says %q", i+1, got)
		}
	}
}

func TestWhatAFailingCellSays(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, mustCell); err != nil {
		t.Fatal(err, c.errorText())
	}
	for source, want := range map[string]string{
		"%%\nvar m map[string]int\nm[\"a\"] = 1":                                 "\nassignment to entry in nil map\nin cell [N], line 3\n>   3  m[\"a\"] = 1",
		"%%\n!echo\nvar b *qhnet.Block\nb.Len()":                                 "\ninvalid memory address or nil pointer dereference\nin cell [N], line 4\n>   4  b.Len()",
		"%%\nos.Exit(3)":                                                         "\nthe program ended with exit status 3",
		"%%\nprintln(\"panic: no\")\nos.Exit(1)":                                 "panic: no\n\nthe program ended with exit status 1",
		"%%\nprintln(\"DESIGN:\")\nprintln(\"unexpected\")\npanic(\"here\")":     "DESIGN:\nunexpected\n\nhere\nin cell [N], line 4\n>   4  panic(\"here\")",
		"%%\nfunc() { defer func() { panic(recover()) }(); panic(\"twice\") }()": "\ntwice\nin cell [N], line 2\n>   2  func() { defer func() { panic(recover()) }(); panic(\"twice\") }()",
		"%%\nc := make(chan int)\nc <- 1":                                        "\nall goroutines are asleep - deadlock!\nin cell [N], line 3\n>   3  c <- 1",
		"%%\ndone := make(chan int)\ngo func() {\n\tmust(area(-1))\n}()\n<-done": "\nqhnet: no area: the side is negative\nin cell [N], line 4\n>   4  \tmust(area(-1))\ncalled from cell [N], line 3\n>   3  go func() {",
		"var bad = must(area(-1))":                                               "\nqhnet: no area: the side is negative\nin cell [N], line 1\n>   1  var bad = must(area(-1))",
		"%%\nfmt.Println(1\nx := 2":                                              "\nmissing ',' before newline in argument list (and 2 more errors)\ncell [N], line 2\n>   2  fmt.Println(1",
		"%%\nx := 1":                                                             "\ndeclared and not used: x\ncell [N], line 2\n>   2  x := 1",
		"%%\nfmt.Println(missing, doubled())": "\nundefined: missing\ncell [N], line 2\n>   2  fmt.Println(missing, doubled())\n" +
			"not enough arguments in call to doubled\ncell [N], line 2\n>   2  fmt.Println(missing, doubled())\nhave ()\nwant (float64)",
	} {
		var count string
		c, err := execute(t, t.Context(), k, source)
		if err == nil || c.failure() == nil {
			t.Fatalf("%q: %v", source, err)
		}
		got := c.errorText()
		if _, rest, found := strings.Cut(got, "cell ["); found {
			count, _, _ = strings.Cut(rest, "]")
		}
		if got != strings.ReplaceAll(want, "[N]", "["+count+"]") {
			t.Errorf("%q says\n%s\n%q, want\n%q", source, got, got, want)
		}
		execute(t, t.Context(), k, "%rm bad")
	}
}

// queue sends cells without waiting for their ends, as Run All does, does something
// when the first one runs, and returns how each ended when all have.
func queue(t *testing.T, k *kernel, during func(), sources ...string) (ends []string) {
	t.Helper()
	numbers := map[string]int{}
	for i, source := range sources {
		id, err := k.send(k.shell, "execute_request", map[string]any{"code": source, "silent": false, "store_history": true, "stop_on_error": true})
		if err != nil {
			t.Fatal(err)
		}
		numbers[id] = i
	}
	ends = make([]string, len(sources))
	for open := len(sources); open > 0; {
		select {
		case m := <-k.received:
			if m.Header.Type == "execute_input" && during != nil {
				during()
				during = nil
			}
			if i, ok := numbers[m.Parent.ID]; ok && m.Header.Type == "execute_reply" {
				var reply struct{ Status string }
				if err := json.Unmarshal(m.Content, &reply); err != nil {
					t.Fatal(err)
				}
				ends[i] = reply.Status
				open--
			}
		case <-time.After(patience):
			t.Fatalf("after %v the cells ended as %q", patience, ends)
		}
	}
	return ends
}

func TestCellsAfterAFailedOneAreNotRun(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	folder := t.TempDir()
	touch := func(name string) string { return "!touch " + filepath.Join(folder, name) }
	ends := queue(t, k, nil, firstCell, touch("before"), "%%\npanic(\"here\")", touch("after"), "%%\nprintln(1)")
	if got := strings.Join(ends, " "); got != "ok ok error aborted aborted" {
		t.Errorf("the cells ended %s", got)
	}
	if ends := queue(t, k, nil, touch("later")); ends[0] != "ok" {
		t.Errorf("a cell that is run afterwards ends %s", ends)
	}
	if files, err := filepath.Glob(folder + "/*"); err != nil || len(files) != 2 {
		t.Errorf("cells left %q, %v", files, err)
	}
}

// The interrupt comes before there is a program, and the program ignores that it
// was interrupted.
func TestInterruptStopsTheCellsThatWait(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	interrupt := func() {
		if _, err := k.send(k.control, "interrupt_request", struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, program := range map[string]string{
		"dies":     "%%\ntime.Sleep(time.Hour)",
		"survives": "import \"os/signal\"\nvar stopped = make(chan os.Signal, 1)\n%%\nsignal.Notify(stopped, os.Interrupt)\n<-stopped",
	} {
		ends := queue(t, k, interrupt, firstCell+"\n"+program, "%%\nprintln(1)")
		if ends[1] != "aborted" {
			t.Errorf("%s: the cells ended %q", name, ends)
		}
	}
}

// The cells behind one that fails or is interrupted have no number in JupyterLab.
func TestRunAllStopsInJupyterLab(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "stops.ipynb")
	writeNotebook(t, path, firstCell, "%%\nvar list []int\nfmt.Println(list[3])", "%%\nfmt.Println(\"after\")", "%%\ntime.Sleep(time.Hour)", "%%\nfmt.Println(\"last\")")
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, prompts+`.join() === '[1]:,[2]:,[ ]:,[ ]:,[ ]:'`)
	if got, want := evaluate[string](t, ctx, outputTexts), "index out of range [3] with length 0\nin cell [2], line 3\n>   3  fmt.Println(list[3])"; got != want {
		t.Errorf("JupyterLab shows %q, want %q", got, want)
	}
	screenshot(t, ctx, "lab-error")

	replaceCell(t, ctx, "list[3]", "%%\nfmt.Println(3)")
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, prompts+`.join() === '[3]:,[4]:,[5]:,[*]:,[*]:'`)
	do(t, ctx, chromedp.Click(chromedp.CSS(`[data-command="notebook:interrupt-kernel"], [data-command="kernelmenu:interrupt"], button[title^="Interrupt"], jp-button[title^="Interrupt"]`)))
	wait(t, ctx, patience, prompts+`.join() === '[3]:,[4]:,[5]:,[6]:,[ ]:'`)
	screenshot(t, ctx, "lab-interrupted")
}

// A parameter whose name is mistyped must not leave its old value to other cells.
func TestEditedCellForgetsWhatItDeclared(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	run := func(id, code string) (output string) {
		t.Helper()
		m := newMessage(k.session, "execute_request", map[string]any{"code": code, "silent": false, "store_history": true})
		m.metadata = encoded(map[string]string{"cellId": id})
		if err := k.shell.SendMulti(m.pack(k.key)); err != nil {
			t.Fatal(err)
		}
		c, collector := &cell{Type: "code"}, newCollector()
		if err := k.await(t.Context(), m.Header.ID, func(m message) { collector.collect(c, m) }); err != nil {
			t.Fatal(err)
		}
		return c.stream("stdout") + c.errorText()
	}
	const show = "%%\nfmt.Println(classes, until, double(2))"
	run("0", firstCell)
	run("a", "var (\n\tclasses = 4\n\tuntil = 10\n)")
	run("b", "func double(x int) int { return 2 * x }")
	for _, c := range []struct{ id, code, want string }{
		{"a", "var (\n\tclases = 5\n\tuntil = 10\n)", "undefined: classes"},
		{"a", "var (\n\tclases = 5\n", "undefined: classes"}, // is not Go
		{"a", "var (\n\tclasses = 5\n\tuntil = 11\n)", "5 11 4"},
		{"c", "var classes = 6", "6 11 4"},
		{"a", "var until = 12", "6 12 4"}, // of another cell by now
		{"b", "func twice(x int) int { return 2 * x }", "undefined: double"},
	} {
		run(c.id, c.code)
		if got := run("show", show); !strings.Contains(got, c.want) {
			t.Errorf("after %q in cell %s: %q, want %q", c.code, c.id, got, c.want)
		}
	}

	// Where the rest needs the name, the mistyped cell fails alone: Run All comes to it again.
	run("d", "func shown() int { return classes }")
	for _, c := range []struct{ id, code, want string }{
		{"c", "var clases = 7", "undefined: classes"}, {"0", firstCell, ""}, {"c", "var clases = 7", "undefined: classes"},
		{"0", firstCell, ""}, {"c", "var classes = 8", ""}, {"show", "%%\nfmt.Println(shown())", "8"},
	} {
		if got := run(c.id, c.code); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q in cell %s says %q, want %q", c.code, c.id, got, c.want)
		}
	}
}

// A page that is loaded while a cell runs asks what the kernel is.
func TestBusyKernelSaysWhatItIs(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	ask := func() {
		limited, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		id, err := k.send(k.shell, "kernel_info_request", struct{}{})
		if err == nil {
			err = k.await(limited, id, nil)
		}
		if err != nil {
			t.Error(err)
		}
		k.send(k.control, "interrupt_request", struct{}{})
	}
	queue(t, k, ask, firstCell+"\n%%\ntime.Sleep(time.Hour)")
}

// However the proxy ends, nothing that it started goes on.
func TestKilledProxyLeavesNoProcess(t *testing.T) {
	k := start(t, withKernel(t))
	file := filepath.Join(t.TempDir(), "pid")
	go execute(t, t.Context(), k, firstCell+fmt.Sprintf("\n%%%%\nos.WriteFile(%q, fmt.Append(nil, os.Getpid()), 0o600)\ntime.Sleep(time.Hour)", file))
	var pid int
	for deadline := time.Now().Add(patience); pid == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(file)
		fmt.Sscan(string(text), &pid)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the program of the cell does not run: %v", err)
	}
	k.process.Process.Kill()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil && exec.Command("pgrep", "-f", k.folder+"/").Run() != nil {
			return
		}
	}
	left, _ := exec.Command("pgrep", "-af", k.folder+"/").CombinedOutput()
	t.Errorf("after %v there are still, besides %d:\n%s", patience, pid, left)
}

// BenchmarkProxy measures what the proxy adds to a cell that needs no compiler:
// the median times through it and without it, taken in turns.
func BenchmarkProxy(b *testing.B) {
	p := withKernel(b)
	through := start(b, p)
	direct, err := openKernel(b.Context(), "kernel-0.json", func(folder, connection string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(p.bin(), "gonb"), "--kernel", connection, "-go_work="+p.root)
		cmd.Dir, cmd.Env = b.TempDir(), p.kernelEnvironment(folder)
		return cmd
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(direct.shutdown)
	times := map[*kernel][]time.Duration{}
	for b.Loop() {
		for _, k := range []*kernel{through, direct} {
			begun := time.Now()
			if _, err := execute(b, b.Context(), k, "%env A 1"); err != nil {
				b.Fatal(err)
			}
			times[k] = append(times[k], time.Since(begun))
		}
	}
	median := func(k *kernel) float64 {
		slices.Sort(times[k])
		return times[k][len(times[k])/2].Seconds() * 1e3
	}
	b.ReportMetric(median(through), "ms/through")
	b.ReportMetric(median(direct), "ms/direct")
}

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
	t.Parallel()
	k := start(t, withLab(t))
	if c, err := execute(t, t.Context(), k, firstCell+"\nimport \"qhlab/qhnet\""); err != nil {
		t.Fatal(err, c.errorText())
	}
	var completed struct {
		Matches []string `json:"matches"`
		Status  string   `json:"status"`
	}
	// gopls reads the project first.
	for deadline := time.Now().Add(patience); len(completed.Matches) == 0 && time.Now().Before(deadline); {
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
	t.Parallel()
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "help.ipynb")
	writeNotebook(t, path, "%noautoget\nimport \"qhlab/qhnet\"", "%%\nvar f qhnet.Flow\n_ = f")
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, prompts+`.join() === '[1]:,[2]:'`)
	const begun = "%%\n_ = qhnet.Flow{Ma"
	replaceCell(t, ctx, "var f", begun)
	const offered = `[...document.querySelectorAll('.jp-Completer-item')].some(i => i.textContent.includes('MaxSteps'))`
	// gopls reads the project first and offers nothing meanwhile. What is offered late
	// would be taken by the next Tab, so the cell is written anew.
	do(t, ctx, chromedp.KeyEvent(kb.Tab))
	for deadline := time.Now().Add(patience); !becomes(t, ctx, 10*time.Second, offered); {
		if time.Now().After(deadline) {
			t.Fatal("nothing is offered")
		}
		do(t, ctx, chromedp.KeyEvent(kb.Escape))
		replaceCell(t, ctx, "Flow{Ma", begun)
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
	}
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
	t.Parallel()
	p := withLab(t)
	server := serve(t, p, p.path("notebooks", "01-quasi-homogeneous-models.ipynb"))
	path := filepath.Join(server.process.Dir, "01-quasi-homogeneous-models.ipynb")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, time.Time{}, old); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, server, path)
	clickMenu(t, ctx, "File", "docmanager:save")
	saved := func() bool {
		info, err := os.Stat(path)
		return err == nil && info.ModTime().Sub(old) > time.Minute
	}
	for deadline := time.Now().Add(patience); !saved() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	if !saved() {
		screenshot(t, ctx, "failed-"+t.Name())
		t.Fatal("JupyterLab has not written the file")
	}
	server.stop() // so that nothing is half written
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("saving changes it: %s, %v", diffLines(string(before), string(after)), err)
	}
}
