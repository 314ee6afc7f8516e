package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"qhlab/notebooks/live"
)

func TestInteractiveCellsBecomeAPackage(t *testing.T) {
	nb := &notebook{Cells: []*cell{
		{Type: "code", Source: "%noautoget\nimport (\n\t\"fmt\"\n\t\"math\"\n\n\t\"qhlab/plotting\"\n)"},
		{Type: "code", Source: "func half(v []float64) plotting.Figure {\n\t_ = math.Pi\n\treturn plotting.Figure{}\n}"},
		{Type: "code", Source: "%%\nplotting.Interact([]plotting.Slider{{Label: \"x\", Max: 1}}, half)\n"},
		{Type: "code", Source: "%%\nfmt.Println(\"not this\")"},
		{Type: "markdown", Source: "plotting.Interact(no)"},
	}}
	got, err := cellsPackage("a", nb)
	if err != nil {
		t.Fatal(err)
	}
	for want, is := range map[string]bool{
		`"math"`: true, `"qhlab/plotting"`: true, `"fmt"`: false, "func half": true, "not this": false, "%": false,
		`live.Figures["a-2"] = live.Interact([]plotting.Slider{{Label: "x", Max: 1}}, half)`: true,
	} {
		if strings.Contains(got, want) != is {
			t.Errorf("%q is in the package: %v, want %v:\n%s", want, !is, is, got)
		}
	}
	for range 20 {
		if again, err := cellsPackage("a", nb); again != got || err != nil {
			t.Fatalf("the same notebook gives another package, %v:\n%s", err, again)
		}
	}
}

// liveSite is a folder with the pages that have live figures, and what the same Go
// program answers outside of a browser.
func liveSite(t *testing.T) (folder string, native func(name string, in live.Input) live.Answer) {
	p := withLab(t)
	folder = t.TempDir()
	if err := writeSite(t.Context(), p, []string{"-o", folder, "03", "11", "12"}); err != nil {
		t.Fatal(err)
	}
	path := p.path("notebooks", "12-playground.ipynb")
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "native")
	if err := p.buildLive(t.Context(), map[string]*notebook{title(path): nb}, silent(t), program); err != nil {
		t.Fatal(err)
	}
	return folder, func(name string, in live.Input) (a live.Answer) {
		cmd := exec.Command(program, name)
		cmd.Stdin = bytes.NewReader(encoded(in))
		output, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(output, &a)
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// TestFiguresAreLive moves the live figures in a real browser, from a server and from
// files, and compares them with the Go program outside of a browser.
func TestFiguresAreLive(t *testing.T) {
	folder, native := liveSite(t)
	file, err := os.ReadFile(filepath.Join(folder, "live.html"))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(file)
	w.Close()
	if packed.Len() > 4<<20 {
		t.Errorf("the program has %d bytes, packed, more than 4 MB", packed.Len())
	}
	server := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer server.Close()
	for name, base := range map[string]string{"server": server.URL, "files": "file://" + folder} {
		t.Run(name, func(t *testing.T) {
			ctx := browser(t, 900, 900)
			complaints := listen(t, ctx)
			open := func(page, figure string) string {
				do(t, ctx, chromedp.Navigate(base+"/"+page))
				place := fmt.Sprintf(`document.querySelector('[data-live=%q]')`, figure)
				evaluate[any](t, ctx, place+`.scrollIntoView()`)
				wait(t, ctx, patience, place+`.dataset.drawn === "1"`)
				return place
			}

			began := time.Now()
			place := open("12-playground.html", interactiveOf(t, folder, 0))
			t.Logf("the first figure is live after %v", time.Since(began).Round(time.Millisecond))
			evaluate[any](t, ctx, place+`.querySelectorAll("input")[0].focus()`)
			do(t, ctx, chromedp.KeyEvent(kb.ArrowLeft))
			wait(t, ctx, patience, place+`.dataset.drawn === "2"`)
			got := evaluate[string](t, ctx, `decodeURIComponent(`+place+`.querySelector("img").src.split(",").slice(1).join(","))`)
			sameNumbers(t, got, native(interactiveOf(t, folder, 0), live.Input{Values: []float64{0.78, 30, 1, 2}}).SVG)
			screenshot(t, ctx, "live-balls-"+name)

			place = open("11-your-own-network.html", "audit")
			const layers = "Input(2), Dense(3), Tanh(), Dense(1)"
			evaluate[any](t, ctx, fmt.Sprintf(`(a => { a.value = %q; a.dispatchEvent(new Event("input")) })(%s.querySelector("textarea"))`, layers, place))
			wait(t, ctx, patience, place+`.dataset.drawn === "2"`)
			if got, want := evaluate[string](t, ctx, place+`.querySelector("pre").textContent`), native("audit", live.Input{Text: layers}).Text; got != want {
				t.Errorf("the audit says\n%s\nwant\n%s", got, want)
			}
			screenshot(t, ctx, "live-audit-"+name)

			place = open("03-gradient-flow.html", "drag")
			evaluate[any](t, ctx, place+`.querySelectorAll(".handle")[1].focus()`)
			do(t, ctx, chromedp.KeyEvent(kb.ArrowUp))
			wait(t, ctx, patience, place+`.dataset.drawn === "2"`)
			in := live.Input{Values: []float64{3, 1}}
			for _, c := range live.Drag.Controls {
				in.Points = append(in.Points, c.Points...)
			}
			in.Points[1].Y += 0.1
			if got, want := evaluate[string](t, ctx, place+`.querySelector("img").alt`), native("drag", in).Alt; got != want {
				t.Errorf("the dragged figure is %q, want %q", got, want)
			}
			screenshot(t, ctx, "live-drag-"+name)
			for _, complaint := range complaints() {
				t.Errorf("the console says: %s", complaint)
			}
		})
	}
}

// interactiveOf returns the name of the k-th interactive figure of the playground.
func interactiveOf(t *testing.T, folder string, k int) string {
	nb, err := readNotebook(filepath.Join(folder, "12-playground.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range nb.Cells {
		if _, ok := interaction(c); ok {
			if k == 0 {
				return interactiveName("12-playground", i)
			}
			k--
		}
	}
	t.Fatal("there is no such figure")
	return ""
}

var numbers = regexp.MustCompile(`-?\d+(?:\.\d+)?`)

// sameNumbers compares two drawings. Sums of floating-point numbers have another order
// where the processor adds several at once, and coordinates are rounded to hundredths.
func sameNumbers(t *testing.T, got, want string) {
	t.Helper()
	if a, b := numbers.ReplaceAllString(got, "#"), numbers.ReplaceAllString(want, "#"); a != b {
		t.Errorf("the drawings differ by more than numbers:\n%s\n%s", got, want)
		return
	}
	a, b := numbers.FindAllString(got, -1), numbers.FindAllString(want, -1)
	for i := range a {
		x, _ := strconv.ParseFloat(a[i], 64)
		y, _ := strconv.ParseFloat(b[i], 64)
		if math.Abs(x-y) > 0.011 {
			t.Errorf("number %d of the drawing is %s, want %s", i, a[i], b[i])
		}
	}
}
