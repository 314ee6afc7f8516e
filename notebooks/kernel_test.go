package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// start returns a kernel that ends with the test.
func start(t testing.TB, p project) *kernel {
	t.Helper()
	k, err := startKernel(t.Context(), p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.shutdown)
	return k
}

// execute runs source as a cell and returns the cell with its outputs.
func execute(t testing.TB, ctx context.Context, k *kernel, source string) (*cell, error) {
	t.Helper()
	c := &cell{Type: "code", Source: text(source)}
	return c, executeCell(ctx, k, c, string(c.Source), newCollector())
}

const firstCell = "%noautoget\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"time\"\n)"

func TestCellsSeeTheProjectAndTheEnvironment(t *testing.T) {
	p := withKernel(t)
	t.Setenv("QHLAB_RADIUS", "0.7")
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, firstCell+"\nimport \"qhlab/qhnet\""); err != nil {
		t.Fatal(err)
	}
	c, err := execute(t, t.Context(), k, "%%\nb := qhnet.Block{Shape: []int{2, 3}}\nfmt.Println(b.Len(), os.Getenv(\"QHLAB_RADIUS\"))")
	if got := c.stream("stdout"); err != nil || got != "6 0.7\n" {
		t.Errorf("printed %q, %v\n%s", got, err, c.errorText())
	}
}

// Both write to the one pipe that gonb reads.
func TestACellShowsFiguresAndWhatGonbuiShows(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	c, err := execute(t, t.Context(), k, `%noautoget
import (
	"github.com/janpfeifer/gonb/gonbui"
	"qhlab/plotting"
)
%%
line := plotting.Line{X: []float64{0, 1}, Y: []float64{0, 1}}
for range 2 {
	gonbui.DisplayMarkdown("*a line*")
	plotting.Show(plotting.Figure{Panels: []plotting.Panel{{Layers: []plotting.Layer{line}}}})
}
gonbui.Sync()`)
	if err != nil {
		t.Fatal(err, c.errorText())
	}
	var seen []string
	for _, o := range c.Outputs {
		for _, kind := range []string{"text/markdown", "image/png"} {
			if o.Data[kind] != nil {
				seen = append(seen, kind)
			}
		}
	}
	if want := []string{"text/markdown", "image/png", "text/markdown", "image/png"}; !slices.Equal(seen, want) {
		t.Errorf("the cell showed %v, want %v", seen, want)
	}
}

func TestInterruptEndsTheProgramAndKeepsItsOutput(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, firstCell); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &cell{Type: "code", Source: "%%\nfmt.Println(\"begun\")\ntime.Sleep(time.Hour)\nos.Exit(0)"}
	collector := newCollector()
	err := k.execute(ctx, string(c.Source), func(m message) {
		collector.collect(c, m)
		if strings.Contains(c.stream("stdout"), "begun") {
			cancel()
		}
	})
	if err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if got := c.stream("stdout"); got != "begun\n" {
		t.Errorf("stdout %q", got)
	}
	soon, stop := context.WithTimeout(t.Context(), patience) // the program wanted an hour
	defer stop()
	if c, err := execute(t, soon, k, "%%\nfmt.Println(\"alive\")"); err != nil || c.stream("stdout") != "alive\n" {
		t.Errorf("the kernel did not survive: %v %q", err, c.stream("stdout"))
	}
}

func TestNothingIsLeftOfAKernel(t *testing.T) {
	p := withKernel(t)
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, "%%\nprintln(1)"); err != nil {
		t.Fatal(err)
	}
	k.shutdown()
	if _, err := os.Stat(k.folder); !os.IsNotExist(err) {
		t.Errorf("%s is still there", k.folder)
	}
	if !k.process.ProcessState.Success() {
		t.Errorf("the kernel had to be killed: %v", k.process.ProcessState)
	}
}

func TestDeadKernelIsAnError(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	k := start(t, p)
	_, err := execute(t, t.Context(), k, "!kill -9 $PPID")
	wantError(t, err, "process ended")
}

func TestMessagesWithAWrongSignatureAreRefused(t *testing.T) {
	packed := newMessage("session", "execute_request", map[string]any{"code": "1"}).pack([]byte("secret"))
	if _, err := unpack(packed, []byte("secret")); err != nil {
		t.Error(err)
	}
	_, err := unpack(packed, []byte("guess"))
	wantError(t, err, "signature")
}

// BenchmarkEditToFigure measures what a user waits for after changing a number:
// the time from sending a cell with a figure until the kernel is idle again.
// Every iteration changes the cell, so nothing is compiled already.
func BenchmarkEditToFigure(b *testing.B) {
	p := withKernel(b)
	k := start(b, p)
	first := "%noautoget\nimport (\n\t\"math\"\n\t\"qhlab/plotting\"\n)"
	if _, err := execute(b, b.Context(), k, first); err != nil {
		b.Fatal(err)
	}
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		begun := time.Now()
		c, err := execute(b, b.Context(), k, fmt.Sprintf(plotCell, 1+float64(i)/100))
		if err != nil {
			b.Fatal(err, c.errorText())
		}
		times = append(times, time.Since(begun))
		if len(c.Outputs) == 0 || c.Outputs[len(c.Outputs)-1].Data["image/png"] == nil {
			b.Fatal("the cell shows no picture")
		}
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2].Seconds(), "s/median")
}

const plotCell = `%%%%
x, y := make([]float64, 500), make([]float64, 500)
for i := range x {
	x[i] = float64(i) / 50
	y[i] = math.Sin(%g * x[i])
}
plotting.Show(plotting.Figure{
	Caption: "A sine.",
	Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: x, Y: y, Role: plotting.Highest}}}},
})`

func TestKernelIsInstalledForTheUserAndRemoved(t *testing.T) {
	p := withKernel(t)
	t.Setenv("JUPYTER_DATA_DIR", t.TempDir())
	folder, err := userKernels()
	if err != nil {
		t.Fatal(err)
	}
	if err := installKernel(t.Context(), p, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec kernelspec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	// The command as Jupyter would start it, from a folder outside the project.
	argv := spec.fill("{connection_file}", "/nowhere/kernel-0.json", "exec notebooks", "echo notebooks")
	if got, err := commandOutput(t.TempDir(), argv...); err != nil || got != "notebooks proxy "+p.root+" /nowhere/kernel-0.json" {
		t.Errorf("the kernel would be started as %q, %v", got, err)
	}
	if err := installKernel(t.Context(), p, []string{"-remove"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("the kernel was not removed")
	}
}

func TestKernelOfSomethingElseIsNotReplaced(t *testing.T) {
	t.Setenv("JUPYTER_DATA_DIR", t.TempDir())
	folder, err := userKernels()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "kernel.json"), `{"argv": ["gonb"]}`)
	wantError(t, installKernel(t.Context(), here(t), nil), "something else", "-force")
	wantError(t, installKernel(t.Context(), here(t), []string{"-remove"}), "something else")
}
