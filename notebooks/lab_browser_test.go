package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What JupyterLab's page says about the notebook, as JavaScript.
const (
	prompts     = `[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent.trim())`
	rendered    = `document.querySelectorAll('.jp-CodeCell .cm-content, .jp-MarkdownCell.jp-mod-rendered .jp-RenderedMarkdown').length`
	widths      = `[...document.querySelectorAll('.jp-OutputArea-output img')].map(i => i.complete ? i.naturalWidth : -1)`
	pictures    = `[...document.querySelectorAll('.jp-OutputArea-output img')].map(i => i.src)`
	outputTexts = `[...document.querySelectorAll('.jp-OutputArea-output')].map(o => o.textContent.trim()).join('|')`
	failures    = `[...document.querySelectorAll('[data-mime-type$=".stderr"], [data-mime-type$=".error"]')].map(e => e.textContent)`
)

// emptied writes the notebook without outputs, so that all that is seen is fresh.
func (nb *notebook) emptied(t *testing.T, name string) (path string) {
	t.Helper()
	nb.normalize()
	path = filepath.Join(t.TempDir(), name)
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// servers counts the JupyterLabs, which start side by side: each looks for a free port
// where no other does, nor, most likely, those of other tests on this machine.
var servers atomic.Int32

// serve starts JupyterLab for copies of the notebooks.
func serve(t *testing.T, p project, paths ...string) *labServer {
	t.Helper()
	folder := t.TempDir()
	for _, path := range paths {
		if err := os.Rename(copyNotebook(t, path), filepath.Join(folder, filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
	server, err := startLab(t.Context(), p, folder, "127.0.0.1", 9000+40*((os.Getpid()+int(servers.Add(1)))%500))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	return server
}

// openNotebook shows a notebook, in a workspace that no user has and without
// what was open in it before, and waits until its kernel is idle.
func openNotebook(t *testing.T, ctx context.Context, server *labServer, path string) {
	t.Helper()
	do(t, ctx,
		chromedp.Navigate(server.url(fmt.Sprintf("/lab/workspaces/tests-%d/tree/%s", server.port, filepath.Base(path)))+"&reset"),
		chromedp.WaitVisible(chromedp.CSS(`.jp-NotebookPanel .jp-CodeCell`)),
		chromedp.WaitVisible(chromedp.CSS(`.jp-Notebook-ExecutionIndicator`)))
	waitConnected(t, server)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`.jp-Notebook-ExecutionIndicator[data-status="idle"]`)))
}

// kernelState is what the server says about a kernel.
type kernelState struct {
	Connections int    `json:"connections"`
	State       string `json:"execution_state"`
}

// waitConnected waits until the server has passed the kernel's first answer on
// to the page. Before that the page takes a notebook for one without a kernel,
// calls it idle, and forgets cells that are to run.
func waitConnected(t *testing.T, server *labServer) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		answer, err := http.Get(server.url("/api/kernels"))
		if err != nil {
			t.Fatal(err)
		}
		var kernels []kernelState
		// The server fails with status 500 while the kernel starts.
		err = json.NewDecoder(answer.Body).Decode(&kernels)
		answer.Body.Close()
		if err == nil && slices.Contains(kernels, kernelState{Connections: 1, State: "idle"}) {
			return
		}
	}
	t.Fatal("the page did not connect to a kernel")
}

// runAll chooses Run, Run All Cells from the menu and waits until all code cells
// have counts above the one that the kernel gave last.
func runAll(t *testing.T, ctx context.Context, cells, last int) {
	t.Helper()
	complete := fmt.Sprintf(`(p => p.length === %d && p.every(p => Number((/^\[(\d+)\]:$/.exec(p) || [0, 0])[1]) > %d))(%s)`, cells, last, prompts)
	clickMenu(t, ctx, "Run", "runmenu:run-all")
	wait(t, ctx, patience, complete)
}

// clickMenu opens a menu and chooses the item of a command. Menus of JupyterLab
// choose what the pointer has moved over, so a bare click is not enough.
func clickMenu(t *testing.T, ctx context.Context, menu, command string) {
	t.Helper()
	item := fmt.Sprintf(`.lm-Menu-item[data-command=%q]`, command)
	do(t, ctx,
		chromedp.Click(fmt.Sprintf(`//div[contains(@class,"lm-MenuBar-itemLabel") and text()=%q]`, menu)),
		chromedp.WaitVisible(chromedp.CSS(item)))
	at := evaluate[[]float64](t, ctx, fmt.Sprintf(`(r => [r.x + r.width/2, r.y + r.height/2])(document.querySelector(%q).getBoundingClientRect())`, item))
	do(t, ctx, chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
}

// findChromium returns the browser that the tests drive, or "".
func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// examinePictures asserts that all pictures are drawn and no cell shows an
// error, and returns the pictures.
func examinePictures(t *testing.T, ctx context.Context) []string {
	t.Helper()
	drawn := evaluate[[]int](t, ctx, widths)
	if len(drawn) == 0 {
		t.Error("no picture is shown")
	}
	for i, width := range drawn {
		if width <= 0 {
			t.Errorf("picture %d of %d has natural width %d", i+1, len(drawn), width)
		}
	}
	for _, failure := range evaluate[[]string](t, ctx, failures) {
		t.Errorf("a cell shows an error: %s", failure)
	}
	return evaluate[[]string](t, ctx, pictures)
}

// replaceCell puts the cursor into the cell that contains the text, selects
// everything in it and types something else.
func replaceCell(t *testing.T, ctx context.Context, containing, source string) {
	t.Helper()
	do(t, ctx,
		chromedp.Click(fmt.Sprintf(`//div[contains(@class,"jp-CodeCell")]//div[contains(@class,"cm-line") and contains(.,%q)]`, containing)),
		chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: source}); err != nil {
		t.Fatal(err)
	}
}

func TestNotebookIsRunEditedAndRerunInJupyterLab(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	nb, err := readNotebook("testdata/square.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	line, changed := nb.changeParameter(t)
	path := nb.emptied(t, "square.ipynb")
	ctx := browser(t, 1280, 1600)
	openNotebook(t, ctx, serve(t, p, path), path)
	cells := len(nb.runnable())
	runAll(t, ctx, cells, 0)
	before := examinePictures(t, ctx)
	screenshot(t, ctx, "lab-run")

	replaceCell(t, ctx, line, changed)
	runAll(t, ctx, cells, cells)
	after := examinePictures(t, ctx)
	screenshot(t, ctx, "lab-edited")
	if slices.Equal(before, after) {
		t.Error("no picture changed with the parameter")
	}
}

// number is one that a parameter is set to, not part of a type such as float64.
var number = regexp.MustCompile(`(?:= |\{)(\d+(?:\.\d+)?)`)

// changeParameter returns a line of the notebook's cell of parameters, and the
// cell's source with its first number increased by one.
func (nb *notebook) changeParameter(t *testing.T) (line, changed string) {
	t.Helper()
	for _, c := range nb.Cells {
		source := string(c.Source)
		if c.Type != "code" || !strings.HasPrefix(source, "var (\n") {
			continue
		}
		at := number.FindStringSubmatchIndex(source)[2:]
		value, err := strconv.ParseFloat(source[at[0]:at[1]], 64)
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSpace(strings.Split(source, "\n")[1])
		return line[:strings.Index(line, "=")], fmt.Sprint(source[:at[0]], value+1, source[at[1]:])
	}
	t.Fatal("the notebook has no cell that begins with var (")
	return "", ""
}

func (nb *notebook) countPictures() (n int) {
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Data["image/png"] != nil || o.Data["image/gif"] != nil {
				n++
			}
		}
	}
	return n
}

var screenshots = flag.Bool("screenshots", false, "show all notebooks in JupyterLab and keep pictures of them, in .cache/screenshots")

// TestNotebooksInJupyterLab shows committed notebooks as they are, enough of them to
// have every kind of output: what is saved in them can be seen.
func TestNotebooksInJupyterLab(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	all, err := p.notebooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	shown, seen := map[string]*notebook{}, map[string]bool{}
	for _, path := range all {
		nb, err := readNotebook(path)
		if err != nil {
			t.Fatal(err)
		}
		if nb.showsNew(seen) || *screenshots {
			shown[path] = nb
		}
	}
	// JupyterLab draws what is in view, so the window is as high as a notebook.
	server, ctx := serve(t, p, slices.Collect(maps.Keys(shown))...), browser(t, 1280, 24000)
	for path, nb := range shown {
		t.Run(title(path), func(t *testing.T) {
			needTime(t)
			openNotebook(t, ctx, server, path)
			all := fmt.Sprintf(`%s.length === %d && %s === %d`, widths, nb.countPictures(), rendered, len(nb.Cells))
			wait(t, ctx, patience, all)
			if nb.countPictures() > 0 {
				examinePictures(t, ctx)
			}
			if *screenshots {
				screenshot(t, ctx, "lab-"+title(path))
			}
		})
	}
}

// showsNew tells whether a cell shows what was not seen before, and notes what it shows.
func (nb *notebook) showsNew(seen map[string]bool) bool {
	before := len(seen)
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			for kind := range o.Data {
				seen[kind] = true
			}
		}
	}
	return len(seen) > before
}

// browser opens Chromium for a test, which is skipped where there is none.
func browser(t *testing.T, width, height int) context.Context {
	t.Helper()
	path := findChromium()
	if path == "" {
		t.Skip("Chromium is not installed: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(width, height))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	scale := 1.0
	if height > 5000 && !*screenshots {
		scale = 0.1 // nobody looks at it, and pixels take time
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height), chromedp.EmulateScale(scale))); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// patience is how long one step may take on a machine that is busy with other work.
const patience = 5 * time.Minute

// do runs browser actions and keeps a picture of the page where one fails.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := chromedp.Do(limited, actions...); err != nil {
		screenshot(t, ctx, "failed-"+t.Name())
		t.Fatal(err)
	}
}

// wait waits until a JavaScript expression is true.
func wait(t *testing.T, ctx context.Context, limit time.Duration, expression string) {
	t.Helper()
	if !becomes(t, ctx, limit, expression) {
		screenshot(t, ctx, "failed-"+t.Name())
		t.Fatalf("after %v not yet: %s", limit, expression)
	}
}

// becomes reports whether a JavaScript expression becomes true in time.
func becomes(t *testing.T, ctx context.Context, limit time.Duration, expression string) bool {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if evaluate[bool](t, ctx, expression) {
			return true
		}
	}
	return false
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// screenshot saves what the browser shows in the git-ignored folder .cache.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Log("no screenshot:", err)
		return
	}
	writeFile(t, here(t).path(".cache", "screenshots", filepath.Base(name)+".png"), string(picture))
}
