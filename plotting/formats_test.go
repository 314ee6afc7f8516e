package plotting_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"qhlab/plotting"
)

var allFormats = []plotting.Format{plotting.PNG, plotting.SVG, plotting.PDF, plotting.PGF}

// symbols is a figure with every kind of character the notebooks use.
func symbols() plotting.Figure {
	x := linspace(0, 6, 100)
	return plotting.Figure{
		Name: "symbols", Title: "⟨∇L(θ̂), Λθ⟩ ∈ ℝ, ‖θ̂‖_Λ → 1", Caption: "Every symbol & <tag>, in 100 % of the formats.",
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "τ = log(1/L)^{λ_{max}}"},
			Y: plotting.Axis{Label: "ê_i^{2} − x² · ½ ℓ ∑ μ_k ∇q_k ≤ 10^{-3}"},
			Layers: []plotting.Layer{
				plotting.Line{X: x, Y: apply(x, math.Sin), Label: "sin, α_1", Role: plotting.Highest},
				plotting.Line{X: x, Y: apply(x, math.Cos), Label: "cos, β̂^{2}", Role: plotting.Second},
				plotting.Scatter{X: x[:40], Y: apply(x[:40], func(x float64) float64 { return 1 - x }), Label: "x̄", Role: plotting.Class(1), Ringed: []int{2}},
				plotting.ReferenceX{At: math.Pi, Label: "π"},
			},
		}},
	}
}

func encode(t *testing.T, f plotting.Figure, format plotting.Format) []byte {
	t.Helper()
	data, err := plotting.Encode(f, format)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSameBytes(t *testing.T) {
	for _, format := range allFormats {
		if !bytes.Equal(encode(t, symbols(), format), encode(t, symbols(), format)) {
			t.Errorf("%s: two drawings differ", format)
		}
	}
}

// Formats without compression are compared to committed files byte for byte, which
// another run of the program would not match if anything depended on chance. Other
// processors round the last digit differently.
func TestCommittedBytes(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the committed files were drawn on amd64")
	}
	for _, format := range []plotting.Format{plotting.SVG, plotting.PGF} {
		got, file := encode(t, symbols(), format), filepath.Join("testdata", "symbols."+string(format))
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes differ from the %d committed; see -update", file, len(got), len(want))
		}
	}
}

func TestSVG(t *testing.T) {
	svg := encode(t, symbols(), plotting.SVG)
	d := xml.NewDecoder(bytes.NewReader(svg))
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			text.Write(c)
		}
	}
	for _, want := range []string{"Every symbol & <tag>", "⟨∇L(θ̂), Λθ⟩ ∈ ℝ, ‖θ̂‖Λ → 1", "cos, β̂2"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text %q is not in the document", want)
		}
	}
}

// Type is 7.5 to 9 points at the printed widths, and 5 at least in scripts of
// scripts, the smallest that print shows.
func TestTypeSizes(t *testing.T) {
	for _, w := range []plotting.Width{plotting.Single, plotting.Double} {
		f := symbols()
		f.Width = w
		f.Panels[0].Y.Ticks = plot.ConstantTicks{{Value: 0, Label: "10^{10^{6}}"}}
		svg := string(encode(t, f, plotting.SVG))
		sizes := func(element string, least, most float64) {
			found := regexp.MustCompile("<"+element+` font-size="([\d.]+)"`).FindAllStringSubmatch(svg, -1)
			if len(found) < 10 {
				t.Fatalf("only %d elements %s", len(found), element)
			}
			for _, m := range found {
				if size, err := strconv.ParseFloat(m[1], 64); err != nil || size < least || size > most {
					t.Errorf("width %v: %s of %s points", w, element, m[1])
				}
			}
		}
		sizes("text", 7.5, 9)
		sizes("tspan", 5, 7)
		page := map[plotting.Width]string{plotting.Single: "234pt", plotting.Double: "486pt"}[w]
		if !strings.Contains(svg, ` width="`+page+`"`) {
			t.Errorf("width %v: the page is not %s wide: %.200s", w, page, svg)
		}
	}
}

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

func TestPDFEmbedsFonts(t *testing.T) {
	pdf := encode(t, symbols(), plotting.PDF)
	// The whole font is 740 kB; the subset of a figure is about 10 kB.
	const limit = 40 << 10
	if len(pdf) > limit {
		t.Errorf("the file has %d bytes, want at most %d", len(pdf), limit)
	}
	file := filepath.Join(t.TempDir(), "f.pdf")
	if err := os.WriteFile(file, pdf, 0o644); err != nil {
		t.Fatal(err)
	}
	fonts, err := exec.Command(tool(t, "pdffonts"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, fonts)
	}
	fields := strings.Fields(strings.Split(string(fonts), "\n")[2])
	// name, type (3 words with the encoding), emb, sub, uni, object
	if got := strings.Join(fields, " "); !regexp.MustCompile(`(?i)dejavusans(-\d+)? CID TrueType Identity-H yes (yes|no) yes`).MatchString(got) {
		t.Errorf("fonts:\n%s", fonts)
	}
	words, err := exec.Command(tool(t, "pdftotext"), file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"∇L(θ̂)", "ℝ", "sin, α", "λ"} {
		if !strings.Contains(string(words), want) {
			t.Errorf("%q cannot be copied from the page:\n%s", want, words)
		}
	}
}

func TestPGFCompiles(t *testing.T) {
	latex := tool(t, "pdflatex")
	dir := t.TempDir()
	document := "\\documentclass{article}\n\\usepackage[T1]{fontenc}\\usepackage{pgf,amssymb,graphicx}\n\\begin{document}\n" +
		"\\input{f.pgf}\n\n\\includegraphics{g.pdf}\n\n\\includegraphics[width=3in]{h.png}\n\\end{document}\n"
	for name, data := range map[string][]byte{
		"f.pgf": encode(t, symbols(), plotting.PGF), "g.pdf": encode(t, symbols(), plotting.PDF),
		"h.png": encode(t, symbols(), plotting.PNG), "d.tex": []byte(document),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(latex, "-interaction=nonstopmode", "-halt-on-error", "d.tex")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if keep := os.Getenv(keepVariable); keep != "" {
		if err := os.CopyFS(filepath.Join(keep, "latex"), os.DirFS(dir)); err != nil {
			t.Error(err)
		}
	}
}

// A photograph keeps its colours in a picture, and an animation takes those it can hold.
func TestPhotograph(t *testing.T) {
	photo := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for i := range 1600 {
		photo.SetNRGBA(i%40, i/40, color.NRGBA{uint8(6 * (i % 40)), uint8(6 * (i / 40)), uint8(i), 255})
	}
	f := plotting.Figure{Width: plotting.Single, Panels: []plotting.Panel{{Layers: []plotting.Layer{plotter.NewImage(photo, 0, 0, 1, 1)}}}}
	img, err := png.Decode(bytes.NewReader(encode(t, f, plotting.PNG)))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[color.NRGBA]bool)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)] = true
		}
	}
	for i := range 1600 {
		if c := photo.NRGBAAt(i%40, i/40); !seen[c] {
			t.Fatalf("the colour %v of pixel %d is not in the picture", c, i)
		}
	}
	if _, err := plotting.EncodeAnimation([]plotting.Figure{f, f}, 10); err != nil {
		t.Error(err)
	}
}

// An image of gonum's is where its corners are, also on axes that reach further.
func TestImageOfGonum(t *testing.T) {
	red := color.NRGBA{200, 0, 0, 255}
	photo := image.NewNRGBA(image.Rect(0, 0, 3, 3))
	for i := range 9 {
		photo.SetNRGBA(i%3, i/3, red)
	}
	square, err := plotter.NewPolygon(plotter.XYs{{X: 1, Y: 1}, {X: 3, Y: 1}, {X: 3, Y: 2}, {X: 1, Y: 2}})
	if err != nil {
		t.Fatal(err)
	}
	square.Color, square.LineStyle.Width = red, 0
	var size [2]int
	for k, layer := range []plotting.Layer{plotter.NewImage(photo, 1, 1, 3, 2), square} {
		img, err := png.Decode(bytes.NewReader(encode(t, plotting.Figure{Panels: []plotting.Panel{
			{X: plotting.Axis{Max: 5}, Y: plotting.Axis{Max: 4}, Layers: []plotting.Layer{layer}}}}, plotting.PNG)))
		if err != nil {
			t.Fatal(err)
		}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if color.NRGBAModel.Convert(img.At(x, y)) == red {
					size[k]++
				}
			}
		}
	}
	if n := float64(size[0]) / float64(size[1]); math.Abs(n-1) > 0.02 {
		t.Errorf("the image has %d pixels, the square there %d", size[0], size[1])
	}
}

// Save writes every format, and an export of a whole notebook chooses the folder.
func TestSave(t *testing.T) {
	t.Setenv("QHLAB_FIGURES", t.TempDir())
	if err := plotting.Save(symbols(), ""); err != nil {
		t.Fatal(err)
	}
	for _, format := range allFormats {
		file := filepath.Join(os.Getenv("QHLAB_FIGURES"), fmt.Sprintf("symbols.%s", format))
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := plotting.Save(symbols(), "../escape"); err == nil {
		t.Error("a name with a slash was accepted")
	}
}

// A label that LaTeX cannot set stops the PGF file and no other; a name is one figure's.
func TestSaveWhatCanBeSaved(t *testing.T) {
	t.Setenv("QHLAB_FIGURES", t.TempDir())
	f := symbols()
	f.Name, f.Panels[0].X.Label = "box", "┅"
	if err := plotting.Save(f, ""); err == nil || !strings.Contains(err.Error(), "┅") {
		t.Errorf("PGF: %v", err)
	}
	for _, format := range []plotting.Format{plotting.PNG, plotting.SVG, plotting.PDF} {
		if _, err := os.Stat(filepath.Join(os.Getenv("QHLAB_FIGURES"), "box."+string(format))); err != nil {
			t.Error(err)
		}
	}
	f.Caption = "Another figure."
	if err := plotting.Save(f, ""); err == nil || !strings.Contains(err.Error(), "two figures have the name") {
		t.Errorf("another figure of the same name: %v", err)
	}
}

// A file that another cell of the run left is not overwritten, one of an earlier run is.
func TestSaveAfterOtherCells(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("QHLAB_FIGURES", dir)
	for name, begun := range map[string]time.Time{"earlier": time.Now().Add(time.Hour), "now": time.Now().Add(-time.Hour)} {
		t.Setenv("QHLAB_HEADLESS", begun.Format(time.RFC3339Nano))
		if err := os.WriteFile(filepath.Join(dir, name+".png"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := plotting.Save(symbols(), name); (err != nil) != (name == "now") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// gonum's plots return errors of their data, too.
func TestPlotWithMistakes(t *testing.T) {
	p := plot.New()
	p.Title.Text = "Logs"
	p.Add(plotting.Line{X: []float64{1, 2}, Y: []float64{1, math.NaN()}})
	if _, err := plotting.Encode(p, plotting.SVG); err == nil || !strings.Contains(err.Error(), `figure "logs": plotting: plotting.Line: Y[1] is NaN`) {
		t.Errorf("NaN: %v", err)
	}
}
