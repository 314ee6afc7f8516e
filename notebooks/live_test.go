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
	"slices"
	"strconv"
	"strings"
	"testing"

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

// testLive moves the live figures in a real browser, from a server and from files, and
// compares them with what the same Go program answers outside of a browser.
func testLive(t *testing.T, p project, folder, axe string) {
	nb, err := readNotebook(filepath.Join(folder, "12-playground.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "native")
	if err := p.buildLive(t.Context(), map[string]*notebook{"12-playground": nb}, silent(t), program); err != nil {
		t.Fatal(err)
	}
	smallEnough(t, filepath.Join(folder, "live.html"))
	server := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer server.Close()
	ctx := browser(t, 900, 900)
	complaints := listen(t, ctx)
	// move opens a page, changes its figure by a script and a key, and compares what that shows then.
	move := func(address, figure string, in live.Input, change, key string) {
		do(t, ctx, chromedp.Navigate(address))
		place := fmt.Sprintf(`document.querySelector('[data-live=%q]')`, figure)
		evaluate[any](t, ctx, place+`.scrollIntoView()`)
		wait(t, ctx, patience, place+`.dataset.drawn === "1"`)
		t.Log(figure, "begins after", evaluate[string](t, ctx, `Math.round(performance.now()) + " ms, and the page after "
			+ performance.getEntriesByName("first-contentful-paint").map(e => Math.round(e.startTime)) + " ms"`))
		evaluate[any](t, ctx, fmt.Sprintf("(place => { %s })(%s)", change, place))
		do(t, ctx, chromedp.KeyEvent(key))
		wait(t, ctx, patience, place+`.dataset.drawn === "2"`)
		got := evaluate[live.Answer](t, ctx, fmt.Sprintf(`(place => ({
			SVG: decodeURIComponent((place.querySelector("img")?.src ?? "").split(",").slice(1).join(",")),
			Text: place.querySelector("pre")?.textContent, Alt: place.querySelector("img")?.alt }))(%s)`, place))
		want := nativeAnswer(t, program, figure, in)
		if figure == "drag" {
			got, want = result(got), result(want)
		}
		sameNumbers(t, got.SVG, want.SVG)
		sameNumbers(t, got.Text, want.Text)
		if got.Alt != want.Alt || got.SVG+got.Text == "" {
			t.Errorf("the figure is %q, want %q", got.Alt, want.Alt)
		}
		for _, wrong := range violations(t, ctx, axe) {
			t.Errorf("%s: axe-core says %s", address, wrong)
		}
		screenshot(t, ctx, "live-"+figure)
	}
	const slider, layers = `place.querySelector("input").focus()`, "Input(2), Dense(3), Tanh(), Dense(1)"
	balls := interactiveOf(t, nb)
	moved := live.Input{Values: []float64{0.78, 30, 1, 2}}
	move("file://"+folder+"/12-playground.html", balls, moved, slider, kb.ArrowLeft)
	move(server.URL+"/12-playground.html", balls, moved, slider, kb.ArrowLeft)
	move(server.URL+"/11-your-own-network.html", "audit", live.Input{Text: layers},
		fmt.Sprintf(`const area = place.querySelector("textarea"); area.value = %q; area.oninput()`, layers), "")
	points := slices.Clone(live.Drag.Controls[0].Points)
	points[1].Y += 0.1
	move(server.URL+"/03-gradient-flow.html", "drag", live.Input{Values: []float64{3, 1}, Points: points}, `place.querySelectorAll(".handle")[1].focus()`, kb.ArrowUp)
	for _, complaint := range complaints() {
		t.Errorf("the console says: %s", complaint)
	}
}

var (
	steps = regexp.MustCompile(`, \d+ steps`)
	right = regexp.MustCompile(`.*(?: x="|d="M)(?:2[2-9]|[34]\d)\d.*\n`) // from 220, of 486
)

// result is an answer without what tells of the solver's steps, which the last digits of
// sums decide: their number, and the right panel, whose line has a point for each.
func result(a live.Answer) live.Answer {
	a.Text, a.SVG = steps.ReplaceAllString(a.Text, ""), right.ReplaceAllString(a.SVG, "")
	return a
}

// smallEnough fails if a file that is sent packed takes too long on a slow line.
func smallEnough(t *testing.T, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(file)
	w.Close()
	if t.Logf("the program has %d bytes, packed", packed.Len()); err != nil || packed.Len() > 4<<20 {
		t.Errorf("%d bytes are more than 4 MB, %v", packed.Len(), err)
	}
}

// nativeAnswer is a figure's answer from the Go program on this machine.
func nativeAnswer(t *testing.T, program, figure string, in live.Input) (a live.Answer) {
	t.Helper()
	cmd := exec.Command(program, figure)
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

// interactiveOf returns the name of the first interactive figure of the playground.
func interactiveOf(t *testing.T, nb *notebook) string {
	for i, c := range nb.Cells {
		if _, ok := interaction(c); ok {
			return interactiveName("12-playground", i)
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
