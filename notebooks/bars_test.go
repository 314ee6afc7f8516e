package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	tasks "qhlab/qhnet/progress"
)

// slowCell declares a flow and a training that end when they are interrupted, and a
// task that ends when a file is there.
const slowCell = `%noautoget
import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/progress"
	"qhlab/qhnet/store"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func problem() (*qhnet.Margins, []float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	net := must(nn.New(nn.Input(2), nn.Dense(4), nn.ReLU(), nn.Dense(1)))
	return must(qhnet.NewMargins(net, dataset.XOR(3, 0.1, rng))), net.Start(rng, nn.He)
}

func slow(*qhnet.Trajectory) bool {
	time.Sleep(100 * time.Millisecond)
	return false
}

func flow() qhnet.Flow {
	margins, start := problem()
	return qhnet.Flow{Margins: margins, Start: start, Until: 1e5, PerDecade: 1000, Stop: slow}
}

func descent() qhnet.Descent {
	margins, start := problem()
	return qhnet.Descent{Margins: margins, Start: start, Optimizer: &qhnet.LossScaled{Step: 1e-3}, Steps: 1e9, Stop: slow}
}

func waitFor(ctx context.Context, file string, task *progress.Task) {
	for i := 0; ctx.Err() == nil; i++ {
		if _, err := os.Stat(file); err == nil {
			return
		}
		task.Report(min(float64(i)/1000, 1), "%d checks", i)
		time.Sleep(10 * time.Millisecond)
	}
}`

// html is what the first display of a cell shows.
func (c *cell) html() string {
	for _, o := range c.Outputs {
		if s, ok := o.Data["text/html"].(string); ok {
			return s
		}
	}
	return ""
}

// runUntil runs a cell and does something once when its output contains a text.
func runUntil(t *testing.T, k *kernel, source, containing string, do func(interrupt func())) *cell {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	c, collector := &cell{Type: "code"}, newCollector()
	done := false
	err := k.execute(ctx, source, func(m message) {
		collector.collect(c, m)
		if !done && strings.Contains(c.html(), containing) {
			done = true
			do(interrupt)
		}
	})
	if !done {
		t.Fatalf("%v; never %q, but %q\n%s", err, containing, c.html(), c.errorText())
	}
	return c
}

func TestCellShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, slowCell); err != nil {
		t.Fatal(err, c.errorText())
	}
	for range 2 {
		file := filepath.Join(t.TempDir(), "go")
		c := runUntil(t, k, fmt.Sprintf(`%%%%
ctx, task := progress.Begin(context.Background(), "a <task>")
defer task.End()
waitFor(ctx, %q, task)
task.Say("ready")`, file), `a &lt;task&gt;: <progress max="1" value="0.`, func(func()) { writeFile(t, file, "") })
		if got, want := c.html(), `<pre style="margin:0">a &lt;task&gt;: ready</pre>`; got != want || len(c.Outputs) != 1 {
			t.Errorf("in the end %d outputs, and %q, want %q", len(c.Outputs), got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "go")
	c := runUntil(t, k, fmt.Sprintf(`%%%%
sweep := store.Sweep[int, int]{Name: "squares", Points: []int{1, 2, 3, 4, 5}, Workers: 2, Store: store.Store{Dir: %q},
	Run: func(ctx context.Context, i int) (int, error) {
		if i == 5 {
			waitFor(ctx, %q, nil)
		}
		return i * i, ctx.Err()
	}}
fmt.Println(must(sweep.All(context.Background())))`, t.TempDir(), file), `sweep squares: <progress max="1" value="0.8000"`,
		func(func()) { writeFile(t, file, "") })
	if got := c.html(); !strings.Contains(got, "sweep squares: 5 of 5 · 5 × squares") || c.stream("stdout") != "[1 4 9 16 25]\n" {
		t.Errorf("in the end %q, %q", got, c.stream("stdout"))
	}
}

// What an interrupted computation returns can be looked at, and where nobody does, the
// error says how far it came.
func TestInterruptKeepsWhatThereIs(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, slowCell); err != nil {
		t.Fatal(err, c.errorText())
	}
	for source, want := range map[string]struct{ bar, printed, remains string }{
		"path, err := flow().Run(context.Background())\nfmt.Println(len(path.Points) > 1, errors.Is(err, progress.ErrInterrupted))": {
			`flow: <progress max="1" value="0.`, `^true true\n$`, `>flow: ended at log\(1/L\) = -?[\d.]+ of 1e\+05<`},
		"must(descent().Run(context.Background()))": {
			`training: <progress max="1"`, `^qhnet: the descent was interrupted after \d+ of 1000000000 steps: the cell was interrupted$`, `>training: step \d+ of 1000000000, log\(1/L\) = -?[\d.]+<`},
		"must(store.Store{Dir: os.TempDir()}.Follow(context.Background(), flow()))": {
			`flow: <progress max="1" value="0.`, `^qhnet: the flow was interrupted at log\(1/L\) = -?[\d.]+ of 1e\+05 \(the cell was interrupted\); run it again to go on from there$`, `>flow: ended at log`},
		"for range 3 {\n\tflow().Run(context.Background())\n}\nfmt.Println(1)": {`flow: <progress max="1" value="0.`, `^1\n$`, `>3 × flow<`},
		"task := progress.Announce(\"deaf\")\nwaitFor(context.Background(), \"/nowhere\", task)": {
			`deaf: <progress`, `^interrupted$`, `>deaf: interrupted at \d+ checks<`},
	} {
		c := runUntil(t, k, "%%\n"+source, want.bar, func(interrupt func()) { interrupt() })
		said := c.stream("stdout")
		if o := c.failure(); o != nil {
			said += o.ErrorValue
		}
		if !regexp.MustCompile(want.printed).MatchString(said) || !regexp.MustCompile(want.remains).MatchString(c.html()) {
			t.Errorf("%s\nsays %q, leaves %q", source, said, c.html())
		}
	}
}

// A long run shows a bar, stops at ■ with a sentence, and goes on from there.
func TestLongRunIsSeenStoppedAndResumedInJupyterLab(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "slow.ipynb")
	writeNotebook(t, path, slowCell, "%%\nmust(store.Default().Follow(context.Background(), flow()))", "%%\nfmt.Println(\"after\")")
	ctx := browser(t, 1280, 900)
	openNotebook(t, ctx, serve(t, p, path), path)
	const bar = `document.querySelector('.jp-OutputArea-output progress')`
	says := regexp.MustCompile(`^flow: ended at log\(1/L\) = \S+ of 1e\+05\|qhnet: the flow was interrupted at log\(1/L\) = (\S+) of 1e\+05 \(the cell was interrupted\); run it again to go on from there$`)
	reached, further := math.Inf(-1), "-Infinity" // as JavaScript spells it
	for round, numbers := range []string{"[1]:,[2]:,[ ]:", "[3]:,[4]:,[ ]:"} {
		begun := time.Now()
		clickMenu(t, ctx, "Run", "runmenu:run-all")
		wait(t, ctx, patience, fmt.Sprintf(`%s?.value > 0 && Number(/log\(1\/L\) = (\S+)/.exec(%[1]s.parentElement.textContent)?.[1]) > %s`, bar, further))
		screenshot(t, ctx, "lab-progress")
		t.Logf("round %d: %q after %.1f s", round, evaluate[string](t, ctx, bar+`?.parentElement.textContent ?? ''`), time.Since(begun).Seconds())
		stopped := time.Now()
		do(t, ctx, chromedp.Click(chromedp.CSS(`button[title^="Interrupt"], jp-button[title^="Interrupt"]`)))
		wait(t, ctx, patience, prompts+`.join() === '`+numbers+`' && !`+bar)
		said := says.FindStringSubmatch(evaluate[string](t, ctx, outputTexts))
		if said == nil {
			t.Fatalf("JupyterLab shows %q", evaluate[string](t, ctx, outputTexts))
		}
		t.Logf("%q %.1f s after ■", said[0], time.Since(stopped).Seconds())
		u, err := strconv.ParseFloat(said[1], 64)
		if err != nil || !(u > reached) {
			t.Errorf("interrupted at %v after %v, %v", u, reached, err)
		}
		reached, further = u, said[1]
	}
	screenshot(t, ctx, "lab-progress-interrupted")
}

func TestManyTasksAreFewLines(t *testing.T) {
	var b bars
	for i := range 9 {
		b.add(tasks.Report{Task: int64(i + 1), Name: "flow", Fraction: 0.25, State: "log(1/L) = 10 of 1e5"})
	}
	b.add(tasks.Report{Task: 1, Name: "flow", Fraction: 1, State: "log(1/L) = 1e5", Ended: true})
	b.tasks[1].since, b.tasks[1].from, b.tasks[1].Fraction = time.Now().Add(-30*time.Second), 0, 0.25
	page := b.page()
	for _, want := range []string{"log(1/L) = 10 of 1e5, 1m30s left</div>", "<div>and 4 more</div>", "<div>1 done</div>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if got, want := b.line(), "9 × flow, one interrupted at log(1/L) = 10 of 1e5"; got != want {
		t.Errorf("%q remains, want %q", got, want)
	}
}

func TestLongReportIsNotTheLast(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{pipe: reader, reports: make(chan tasks.Report)}
	go p.listenToCells()
	go func() {
		fmt.Fprintf(writer, "{\"state\": %q}\n{\"task\": 2}\n", strings.Repeat("x", 1<<17))
		writer.Close()
	}()
	if long, next := <-p.reports, <-p.reports; len(long.State) != 1<<17 || next.Task != 2 {
		t.Errorf("a state of %d letters, then task %d", len(long.State), next.Task)
	}
}
