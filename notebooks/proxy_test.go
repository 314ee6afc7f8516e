package main

import (
	"context"
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

	"github.com/chromedp/chromedp"
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
		if err != errCell {
			t.Fatal(err)
		}
		if got := c.errorText(); got != "50 per cent"+fmt.Sprintf(want, count) {
			t.Fatalf("run %d of the cell says %q", i+1, got)
		}
	}
}

func TestWhatAFailingCellSays(t *testing.T) {
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, mustCell); err != nil {
		t.Fatal(err, c.errorText())
	}
	for source, want := range map[string]string{
		"%%\nvar m map[string]int\nm[\"a\"] = 1":                                 "\nassignment to entry in nil map\nin cell [N], line 3\n>   3  m[\"a\"] = 1",
		"%%\n!echo\nvar b *qhnet.Block\nb.Len()":                                 "\ninvalid memory address or nil pointer dereference\nin cell [N], line 4\n>   4  b.Len()",
		"%%\nos.Exit(3)":                                                         "\nthe program ended with exit status 3",
		"%%\nprintln(\"panic: no\")\nos.Exit(1)":                                 "panic: no\n\nthe program ended with exit status 1",
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
		if err != errCell {
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
				ends[i], _, _ = strings.Cut(strings.TrimPrefix(string(m.Content), `{"status":"`), `"`)
				if strings.Contains(string(m.Content), `"status":"ok"`) { // gonb sorts otherwise
					ends[i] = "ok"
				}
				open--
			}
		case <-time.After(time.Minute):
			t.Fatalf("after a minute the cells ended as %q", ends)
		}
	}
	return ends
}

func TestCellsAfterAFailedOneAreNotRun(t *testing.T) {
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
	k := start(t, withKernel(t))
	interrupt := func() {
		if _, err := k.send(k.control, "interrupt_request", struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, program := range map[string]string{
		"dies":     "%%\ntime.Sleep(time.Minute)",
		"survives": "import \"os/signal\"\nvar stopped = make(chan os.Signal, 1)\n%%\nsignal.Notify(stopped, os.Interrupt)\n<-stopped",
	} {
		begun := time.Now()
		ends := queue(t, k, interrupt, firstCell+"\n"+program, "%%\nprintln(1)")
		if ends[1] != "aborted" {
			t.Errorf("%s: the cells ended %q", name, ends)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s: the interrupt took %v", name, took)
		}
	}
}

// The cells behind one that fails or is interrupted have no number in JupyterLab.
func TestRunAllStopsInJupyterLab(t *testing.T) {
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "stops.ipynb")
	writeNotebook(t, path, firstCell, "%%\nvar list []int\nfmt.Println(list[3])", "%%\nfmt.Println(\"after\")", "%%\ntime.Sleep(time.Hour)", "%%\nfmt.Println(\"last\")")
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, prompts+`.join() === '[1]:,[2]:,[ ]:,[ ]:,[ ]:'`)
	const shown = `[...document.querySelectorAll('.jp-OutputArea-output')].map(o => o.textContent.trim()).join('|')`
	if got, want := evaluate[string](t, ctx, shown), "index out of range [3] with length 0\nin cell [2], line 3\n>   3  fmt.Println(list[3])"; got != want {
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
}

// A page that is loaded while a cell runs asks what the kernel is.
func TestBusyKernelSaysWhatItIs(t *testing.T) {
	k := start(t, withKernel(t))
	ask := func() {
		limited, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
	queue(t, k, ask, firstCell+"\n%%\ntime.Sleep(time.Minute)")
}

// However the proxy ends, nothing that it started goes on.
func TestKilledProxyLeavesNoProcess(t *testing.T) {
	k := start(t, withKernel(t))
	file := filepath.Join(t.TempDir(), "pid")
	go execute(t, t.Context(), k, firstCell+fmt.Sprintf("\n%%%%\nos.WriteFile(%q, fmt.Append(nil, os.Getpid()), 0o600)\ntime.Sleep(time.Minute)", file))
	var pid int
	for deadline := time.Now().Add(time.Minute); pid == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(file)
		fmt.Sscan(string(text), &pid)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the program of the cell does not run: %v", err)
	}
	k.process.Process.Kill()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil && exec.Command("pgrep", "-f", k.folder+"/").Run() != nil {
			return
		}
	}
	left, _ := exec.Command("pgrep", "-af", k.folder+"/").CombinedOutput()
	t.Errorf("after ten seconds there are still, besides %d:\n%s", pid, left)
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
