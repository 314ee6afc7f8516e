package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
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
	drawn   = `(r => r ? r.closest('.jp-OutputArea').querySelector('img')?.src.replace(/.*(.{40})$/, (s, end) => s.length + end) ?? '' : '')(document.querySelector('.jp-OutputArea-output input[type=range]:enabled'))`
)

// firstSlider is the slider that the test moves.
const firstSlider = `document.querySelector('.jp-OutputArea-output input[type=range]:enabled')`

// moveSlider presses the left mouse button on the first slider's track, at a share
// of its width.
func moveSlider(t *testing.T, ctx context.Context, share float64) {
	t.Helper()
	at := evaluate[[]float64](t, ctx, fmt.Sprintf(`(r => { if (!r) return []; r.scrollIntoView({block: 'center'}); const b = r.getBoundingClientRect(); return [b.x + %g*b.width, b.y + b.height/2] })(%s)`, share, firstSlider))
	if len(at) > 0 {
		do(t, ctx, chromedp.MouseClickXY(at[0], at[1]))
	}
}

// untilPicture moves something until the running cell shows a picture other than the
// last, and returns it. On a busy machine the sliders are deaf now and then, when the
// cell has not answered them for two seconds.
func untilPicture(t *testing.T, ctx context.Context, last string, move func()) string {
	t.Helper()
	other := fmt.Sprintf(`(s => s !== '' && s !== %q)(%s)`, last, drawn)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if move(); becomes(t, ctx, 5*time.Second, other) {
			return evaluate[string](t, ctx, drawn)
		}
	}
	screenshot(t, ctx, "failed-"+t.Name())
	t.Fatal("no slider changes the picture")
	return ""
}

func TestPlaygroundFollowsItsSliders(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	nb, err := readNotebook(p.path("notebooks", "12-playground.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	path := nb.emptied(t, "12-playground.ipynb")
	ctx := browser(t, 1280, 1400)
	openNotebook(t, ctx, serve(t, p, path), path)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	for figure := range 3 {
		wait(t, ctx, patience, drawn+` !== ''`)
		play(t, ctx, figure)
	}
	wait(t, ctx, patience, fmt.Sprintf(`%s.length === %d && %[1]s.every(p => /^\[\d+\]:$/.test(p))`, prompts, len(nb.runnable())))
	examinePictures(t, ctx)
}

// positions returns where the sliders stand, when they are not deaf.
func positions(t *testing.T, ctx context.Context) (texts []string) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(texts) == 0 && time.Now().Before(deadline); {
		texts = evaluate[[]string](t, ctx, sliders)
	}
	if len(texts) == 0 {
		t.Fatal("there are no sliders")
	}
	return texts
}

// play moves the first slider of the cell that runs by the mouse and by a key,
// watches the picture, and presses Stop.
func play(t *testing.T, ctx context.Context, figure int) {
	t.Helper()
	first, texts := evaluate[string](t, ctx, drawn), positions(t, ctx)
	moved := untilPicture(t, ctx, first, func() { moveSlider(t, ctx, 0.25) })
	nudged := untilPicture(t, ctx, moved, func() {
		moveSlider(t, ctx, 0.25)                     // which it is already, but it has to be in focus
		do(t, ctx, chromedp.KeyEvent(kb.ArrowRight)) // a step of the slider, not the next cell
	})
	screenshot(t, ctx, fmt.Sprintf("playground-%d", figure+1))
	now := positions(t, ctx)
	if len(now) != len(texts) || now[0] == texts[0] || nudged == first {
		t.Errorf("figure %d: the sliders stood at %v, and stand at %v", figure+1, texts, now)
	}
	do(t, ctx, chromedp.Click(`//button[text()="Stop" and not(@disabled)]`))
	wait(t, ctx, patience, fmt.Sprintf(`[...document.querySelectorAll('.jp-OutputArea-output pre')].some(p => p.textContent.includes(%q))`, " = "+now[0]+" ·"))
}

// What the sliders say when the cell does not hear them.
const (
	deaf  = `document.querySelectorAll('.jp-OutputArea-output input[type=range]:enabled').length === 0 && (o => [...o].some(e => e.checkVisibility() && e.textContent.includes('not connected: run this cell again')))(document.querySelectorAll('.jp-OutputArea-output pre, .jp-OutputArea-output [role=status]'))`
	ended = `!document.querySelector('.jp-OutputArea-output input[type=range]') && [...document.querySelectorAll('.jp-OutputArea-output pre')].some(p => /^x = [\d.]+$/.test(p.textContent))`
	hears = firstSlider + ` !== null && document.querySelector('.jp-OutputArea-output [role=status]').textContent.startsWith('The cell runs')`
)

func TestSlidersSayThatNobodyHearsThem(t *testing.T) {
	p := withLab(t)
	path := filepath.Join(t.TempDir(), "slides.ipynb")
	writeNotebook(t, path, "%noautoget\nimport \"qhlab/plotting\"", interactiveCell)
	server, ctx := serve(t, p, path), browser(t, 1280, 1000)
	file := filepath.Join(server.process.Dir, "slides.ipynb")
	openNotebook(t, ctx, server, path)
	play := func(run string) {
		t.Helper()
		clickMenu(t, ctx, "Run", run)
		wait(t, ctx, patience, drawn+` !== '' && `+hears)
		first := evaluate[string](t, ctx, drawn)
		untilPicture(t, ctx, first, func() { moveSlider(t, ctx, 0.25) })
	}

	play("runmenu:run-all")
	screenshot(t, ctx, "playground-runs")
	var saved string
	clickMenu(t, ctx, "File", "docmanager:save")
	for deadline := time.Now().Add(patience); !strings.Contains(saved, "image/png") && time.Now().Before(deadline); time.Sleep(time.Second) {
		data, _ := os.ReadFile(file)
		saved = string(data)
	}
	if !strings.Contains(saved, "x = 0.2") || !strings.Contains(saved, "not connected: run this cell again") || strings.Contains(saved, "range") || strings.Contains(saved, "<script") {
		t.Errorf("saved while the cell runs:\n%.3000s", pictureData.ReplaceAllString(saved, "…"))
	}
	do(t, ctx, chromedp.Reload())
	wait(t, ctx, patience, `document.querySelectorAll('.jp-OutputArea-output img').length === 1`)
	wait(t, ctx, patience, deaf)
	screenshot(t, ctx, "playground-reloaded")
	waitConnected(t, server) // the cell has ended, and the page knows the kernel
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`.jp-Notebook-ExecutionIndicator[data-status="idle"]`)))

	play("runmenu:run-all")
	// The page may get a new connection at any time.
	wait(t, ctx, patience, `(gonb_comm.send === globalThis.mute || (globalThis.sends = gonb_comm.send, gonb_comm.send = globalThis.mute = () => {}), `+deaf+`)`)
	screenshot(t, ctx, "playground-lost")
	evaluate[bool](t, ctx, `(gonb_comm.send = sends, true)`)
	wait(t, ctx, patience, hears)
	seen := evaluate[string](t, ctx, drawn)
	evaluate[bool](t, ctx, `(gonb_comm._websocket.close(), true)`) // it connects again, perhaps before anyone notices
	untilPicture(t, ctx, seen, func() { moveSlider(t, ctx, 0.75) })

	do(t, ctx, chromedp.Click(`//button[text()="Stop" and not(@disabled)]`))
	wait(t, ctx, patience, `!document.querySelector('.jp-OutputArea-output input[type=range]') && `+prompts+`.every(p => /\d/.test(p))`)

	// A restart interrupts the cell, which may have the time to end as after Stop.
	play("runmenu:run-all")
	restartKernels(t, server)
	wait(t, ctx, patience, `(`+deaf+`) || (`+ended+`)`)
}

// pictureData is a long string in a notebook.
var pictureData = regexp.MustCompile(`[A-Za-z0-9+/]{80,}`)

// restartKernels asks the server for a restart, as the menu does.
func restartKernels(t *testing.T, server *labServer) {
	t.Helper()
	answer, err := http.Get(server.url("/api/kernels"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var kernels []struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&kernels); err != nil {
		t.Fatal(err)
	}
	for _, k := range kernels {
		restarted, err := http.Post(server.url("/api/kernels/"+k.ID+"/restart"), "application/json", nil)
		if err != nil || restarted.StatusCode != http.StatusOK {
			t.Fatalf("the kernel does not restart: %v, %v", restarted, err)
		}
		restarted.Body.Close()
	}
}

const interactiveCell = `%%
plotting.Interact([]plotting.Slider{{Label: "x", Max: 1, Value: 0.3}}, func(v []float64) plotting.Figure {
	return plotting.Figure{Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, v[0]}}}}}}
})`

func TestInterruptEndsAnInteractiveFigure(t *testing.T) {
	t.Parallel()
	k := start(t, withKernel(t))
	if _, err := execute(t, t.Context(), k, "%noautoget\nimport \"qhlab/plotting\""); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	c, collector := &cell{Type: "code", Source: interactiveCell}, newCollector()
	err := k.execute(ctx, interactiveCell, func(m message) {
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
