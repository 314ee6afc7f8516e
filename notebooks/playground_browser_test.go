package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Of the cell that runs: its sliders, as the texts beside them, and its picture, as
// its size and the checksum that a PNG ends with.
const (
	sliders = `[...document.querySelectorAll('.jp-OutputArea-output input[type=range]:enabled')].map(r => r.nextElementSibling.textContent)`
	live    = `(r => r ? r.closest('.jp-OutputArea').querySelector('img')?.src.replace(/.*(.{40})$/, (s, end) => s.length + end) ?? '' : '')(document.querySelector('.jp-OutputArea-output input[type=range]:enabled'))`
)

// firstSlider is the slider that the test moves.
const firstSlider = `document.querySelector('.jp-OutputArea-output input[type=range]:enabled')`

// moveSlider presses the left mouse button on the first slider's track, at a share
// of its width.
func moveSlider(t *testing.T, ctx context.Context, share float64) {
	t.Helper()
	at := evaluate[[]float64](t, ctx, fmt.Sprintf(`(r => { r.scrollIntoView({block: 'center'}); const b = r.getBoundingClientRect(); return [b.x + %g*b.width, b.y + b.height/2] })(%s)`, share, firstSlider))
	do(t, ctx, chromedp.MouseClickXY(at[0], at[1]))
}

// awaitPicture waits until the running cell shows a picture other than the last
// and returns it.
func awaitPicture(t *testing.T, ctx context.Context, last string) string {
	t.Helper()
	wait(t, ctx, patience, fmt.Sprintf(`(s => s !== '' && s !== %q)(%s)`, last, live))
	return evaluate[string](t, ctx, live)
}

func TestPlaygroundFollowsItsSliders(t *testing.T) {
	p := withLab(t)
	nb, err := readNotebook(p.path("notebooks", "12-playground.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	nb.normalize()
	path := filepath.Join(t.TempDir(), "12-playground.ipynb")
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 1280, 1400)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	for figure := range 3 {
		wait(t, ctx, 4*time.Minute, live+` !== ''`)
		play(t, ctx, figure)
	}
	wait(t, ctx, 2*time.Minute, fmt.Sprintf(`%s.length === %d && %[1]s.every(p => /^\[\d+\]:$/.test(p))`, prompts, nb.countRunnable()))
	examinePictures(t, ctx)
}

// play moves the first slider of the cell that runs by the mouse and by a key,
// watches the picture, and presses Stop.
func play(t *testing.T, ctx context.Context, figure int) {
	t.Helper()
	first, texts := evaluate[string](t, ctx, live), evaluate[[]string](t, ctx, sliders)
	moveSlider(t, ctx, 0.25)
	moved := awaitPicture(t, ctx, first)
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight)) // arrow right: a step of the slider, not the next cell
	nudged := awaitPicture(t, ctx, moved)
	screenshot(t, ctx, fmt.Sprintf("playground-%d", figure+1))
	now := evaluate[[]string](t, ctx, sliders)
	if len(now) != len(texts) || now[0] == texts[0] || nudged == first {
		t.Errorf("figure %d: the sliders stood at %v, and stand at %v", figure+1, texts, now)
	}
	do(t, ctx, chromedp.Click(`//button[text()="Stop" and not(@disabled)]`))
	wait(t, ctx, patience, fmt.Sprintf(`[...document.querySelectorAll('.jp-OutputArea-output pre')].some(p => p.textContent.includes(%q))`, " = "+now[0]+" ·"))
}

func TestInterruptEndsAnInteractiveFigure(t *testing.T) {
	k := start(t, withKernel(t))
	if _, err := execute(t, t.Context(), k, "%noautoget\nimport \"qhlab/plotting\""); err != nil {
		t.Fatal(err)
	}
	const source = `%%
plotting.Interact([]plotting.Slider{{Label: "x", Max: 1, Value: 0.3}}, func(v []float64) plotting.Figure {
	return plotting.Figure{Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, v[0]}}}}}}
})`
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	c, collector := &cell{Type: "code", Source: source}, newCollector()
	err := k.execute(ctx, source, func(m message) {
		collector.collect(c, m)
		if len(c.Outputs) == 2 {
			interrupt()
		}
	})
	if err != context.Canceled || c.failure() != nil {
		t.Fatalf("%v\n%s", err, c.errorText())
	}
	if got := fmt.Sprint(c.Outputs[0].Data["text/html"]); !strings.Contains(got, "x = 0.30") || strings.Contains(got, "<script>") {
		t.Errorf("the cell leaves %q", got)
	}
	if c.Outputs[1].Data["image/png"] == nil {
		t.Error("the picture is gone")
	}
}
