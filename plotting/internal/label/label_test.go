package label_test

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"gonum.org/v1/plot/vg/vgimg"

	"qhlab/plotting/internal/label"
	_ "qhlab/plotting/latinmodern"
)

func handler(t testing.TB, face string) *label.Handler {
	t.Helper()
	h, err := label.New(face)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func line(t testing.TB, face, markup string) *label.Line {
	t.Helper()
	l, err := handler(t, face).Line(markup)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestScripts(t *testing.T) {
	type run struct {
		text  string
		level int // 1 for a script, 2 for a script of a script
		up    bool
	}
	for _, c := range []struct {
		markup string
		runs   []run
	}{
		{"plain text", []run{{"plain text", 0, false}}},
		{"x_1", []run{{"x", 0, false}, {"1", 1, false}}},
		{"10^{-3} s", []run{{"10", 0, false}, {"−3", 1, true}, {" s", 0, false}}},
		{"10^{10^{4}}", []run{{"10", 0, false}, {"10", 1, true}, {"4", 2, true}}},
		{"θ̂_i^2", []run{{"θ̂", 0, false}, {"i", 1, false}, {"2", 1, true}}},
		{`a\_b`, []run{{"a_b", 0, false}}},
		{`\$5 {a, b}`, []run{{"$5 {a, b}", 0, false}}},
		{"max-margin, -1 and 2-24", []run{{"max-margin, −1 and 2-24", 0, false}}},
		{"_", []run{{"_", 0, false}}},
		{`\lambda_{\max}`, []run{{"λ", 0, false}, {"max", 1, false}}},
		{`e_{\text{max-margin}}`, []run{{"e", 0, false}, {"max-margin", 1, false}}},
	} {
		got := line(t, "sans", c.markup).Runs(true)
		if len(got) != len(c.runs) {
			t.Errorf("%q: %d runs, want %d: %+v", c.markup, len(got), len(c.runs), got)
			continue
		}
		for i, want := range c.runs {
			first := got[i].Glyphs[0]
			size := []float64{1, 0.75, 0.75 * 0.9}[want.level]
			if got[i].Text() != want.text || math.Abs(first.Size-size) > 1e-12 || (want.level > 0 && (first.Y > 0) != want.up) {
				t.Errorf("%q: run %d is %q of size %g at height %g, want %+v", c.markup, i, got[i].Text(), first.Size, first.Y, want)
			}
		}
	}
}

// A sub- and a superscript of one letter begin at the same place, and the text
// goes on after the wider one.
func TestScriptsShareTheirBase(t *testing.T) {
	g := line(t, "sans", "x_1^{22}y").Glyphs
	if g[1].X != g[2].X {
		t.Errorf("scripts begin at %g and %g", g[1].X, g[2].X)
	}
	if want := g[2].X + 0.75*line(t, "sans", "22").Width; math.Abs(g[4].X-want) > 1e-12 {
		t.Errorf("text goes on at %g, want %g", g[4].X, want)
	}
}

// ink returns the least and greatest x and y of a glyph.
func ink(g label.Glyph) (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	outline, _ := g.Outline()
	for _, c := range outline {
		if c.Type != vg.CloseComp {
			x, y := g.X+g.Size*c.Pos.X.Points(), g.Y+g.Size*c.Pos.Y.Points()
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
		}
	}
	return x0, y0, x1, y1
}

// An accent takes no width, is centred on its letter and does not touch it.
func TestAccents(t *testing.T) {
	for _, face := range []string{"sans", "times", "latin-modern"} {
		for _, s := range []string{"θ̂", "β̂", "x̄", "γ̄", "W̃", `\hat\theta`, `\dot{x}`} {
			l := line(t, face, s)
			letter, accent := l.Glyphs[0], l.Glyphs[1]
			if _, want := letter.Outline(); l.Width != want {
				t.Errorf("%s, %s: width %g, want %g", face, s, l.Width, want)
			}
			x0, _, x1, top := ink(letter)
			a0, bottom, a1, _ := ink(accent)
			// Extremes of curves may lie off their end points.
			if d := (a0 + a1 - x0 - x1) / 2; math.Abs(d) > 0.03 {
				t.Errorf("%s, %s: the accent is %g ems beside the letter's middle", face, s, d)
			}
			if bottom-top < 0.02 {
				t.Errorf("%s, %s: the accent is %g ems above the letter", face, s, bottom-top)
			}
		}
	}
}

// Every command is set in every face, between dollar signs and outside; every other is an error
// that names it and the label.
func TestCommands(t *testing.T) {
	for _, face := range []string{"sans", "times", "latin-modern"} {
		h := handler(t, face)
		for _, c := range label.Commands() {
			for _, markup := range []string{c, "$" + c + "$", "x_{" + c + "}"} {
				if _, err := h.Line(markup); err != nil {
					t.Errorf("%s: %v", face, err)
				}
			}
		}
	}
	for markup, want := range map[string]string{
		`$\lambda_{\maxx}$`: `\maxx`, `a \foo b`: `\foo`, `$x`: "$", `x^{a`: "}", `$}$`: "}", `\hat{xy}`: `\hat`,
		`\frac1`: "argument", "x_1_2": "scripts", "a漢": "U+6F22", `\sqrt x`: `\sqrt`, `\text x`: "braces",
	} {
		_, err := handler(t, "sans").Line(markup)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", markup)) {
			t.Errorf("%s: got %v, want an error with %s and the label", markup, err, want)
		}
	}
}

func TestFaces(t *testing.T) {
	_, err := label.New("comic")
	if err == nil || !strings.Contains(err.Error(), `sans, times, and "latin-modern"`) {
		t.Errorf("an unknown face: %v", err)
	}
	for face, want := range map[string]string{"sans": "DejaVuSans", "times": "LiberationSerif-Italic", "latin-modern": "LMRoman10-Italic"} {
		g := line(t, face, "$x$").Glyphs[0]
		if g.Font.Name != want || !g.Italic || g.Slant != (face == "sans") {
			t.Errorf("%s: a variable is set in %s, slanted: %v", face, g.Font.Name, g.Slant)
		}
		if g := line(t, face, "∇").Glyphs[0]; g.ID == 0 {
			t.Errorf("%s has no ∇", face)
		}
	}
}

// Relations and binary operators stand apart, signs do not; fractions and roots have bars.
func TestFormulas(t *testing.T) {
	width := func(s string) float64 { return line(t, "sans", s).Width }
	for _, c := range []struct {
		markup, parts string
		ems           float64 // of room
	}{
		{"$a=b$", "$ab$=", 10. / 18}, {"$a+b$", "$ab$+", 8. / 18}, {"$-b$", "$b$−", 0}, {"$a=-b$", "$ab$=−", 10. / 18},
		{`$\log x$`, "log$x$", 3. / 18}, {`$f(x)$`, "$fx$()", 0}, {"$a, b$", "$ab$,", 3. / 18}, {`$a\quad b$`, "$ab$", 1},
	} {
		if got := width(c.markup) - width(c.parts); math.Abs(got-c.ems) > 1e-9 {
			t.Errorf("%s: %g ems of room, want %g", c.markup, got, c.ems)
		}
	}
	for markup, bars := range map[string]int{`\frac12`: 1, `$\frac{\frac x3}{2}$`: 2, "½": 0} {
		if l := line(t, "sans", markup); len(l.Bars) != bars {
			t.Errorf("%s: %d bars, want %d", markup, len(l.Bars), bars)
		}
	}
	f := line(t, "sans", `\frac12`)
	_, bottom, _, _ := ink(f.Glyphs[0])
	_, _, _, top := ink(f.Glyphs[1])
	if r := f.Bars[0]; bottom <= r.Max.Y.Points() || top >= r.Min.Y.Points() {
		t.Errorf("the bar of %v cuts through the numbers at %g and %g", r, bottom, top)
	}
}

// With text.YBottom the point is on the baseline, wherever gonum's axes draw a label its
// box is where text.Style says, and a label is where it is on a canvas of gonum's own.
func TestHandler(t *testing.T) {
	h := handler(t, "sans")
	sty := text.Style{Color: color.Black, Font: font.Font{Size: 10}, Handler: h}
	for _, y := range []text.YAlignment{text.YBottom, text.YCenter, text.YTop} {
		sty.YAlign = y
		var r recorder.Canvas
		c := draw.Canvas{Canvas: &r}
		c.FillText(sty, vg.Point{X: 5, Y: 50}, "H")
		baseline := 0.0
		for _, a := range r.Actions {
			switch a := a.(type) {
			case *recorder.Translate:
				baseline += a.Point.Y.Points()
			}
		}
		box := sty.Rectangle("H")
		if want := 50 + box.Min.Y.Points() + sty.FontExtents().Descent.Points(); math.Abs(baseline-want) > 1e-9 || y == text.YBottom && baseline != 50 {
			t.Errorf("alignment %g: the baseline is at %g, want %g", y, baseline, want)
		}
	}
	img := vgimg.New(100, 20)
	h.Draw(img, `$\frac{\hat\theta}{2}$ ∇`, text.Style{Font: font.Font{Size: 10}, Handler: h}, vg.Point{X: 5, Y: 5})
	dark := 0
	for x := range img.Image().Bounds().Dx() {
		for y := range img.Image().Bounds().Dy() {
			if r, _, _, _ := img.Image().At(x, y).RGBA(); r < 1<<15 {
				dark++
			}
		}
	}
	if dark < 20 {
		t.Errorf("gonum's canvas has %d dark pixels", dark)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "plotting: ") {
			t.Errorf("an unknown command in Draw: %v", r)
		}
	}()
	h.Draw(img, `\foo`, sty, vg.Point{})
}

func TestLaTeX(t *testing.T) {
	for markup, want := range map[string]string{
		"x_1":                 `x\textsubscript{1}`,
		"10^{-3}":             `10\textsuperscript{\ensuremath{-}3}`,
		"θ̂_i":                `\ensuremath{\hat{\theta }}\textsubscript{i}`,
		"100 % of a & b":      `100 \% of a \& b`,
		`a\_b {c}`:            `a\_b \{c\}`,
		"‖θ‖_Λ":               `\ensuremath{\Vert }\ensuremath{\theta }\ensuremath{\Vert }\textsubscript{\ensuremath{\Lambda }}`,
		"f′(A^ᵀ)":             `f\ensuremath{'}(A\textsuperscript{\ensuremath{^T}})`,
		"−1":                  `\ensuremath{-}1`,
		`$\hat\theta$ is`:     `$\hat{\theta }$ is`,
		`$\lambda_{\max}=1$`:  `$\lambda _{\max }=1$`,
		`\frac12`:             `\ensuremath{\frac{1}{2}}`,
		`$ℒ(x)$`:              `$\mathcal{L}(x)$`,
		`$a \text{ if } b^2$`: `$a\text{ if }b^{2}$`,
		`ℝ^d`:                 `\ensuremath{\mathbb{R}}\textsuperscript{d}`,
		`$∇f ≤ ½$`:            `$\nabla f\le \frac12$`,
	} {
		if got, err := line(t, "sans", markup).LaTeX(); got != want || err != nil {
			t.Errorf("%q: got %s and %v, want %s", markup, got, err, want)
		}
	}
	for _, markup := range []string{"♞", "x_☃", "a\u0361"} {
		l, _ := handler(t, "sans").Line(markup)
		if got, err := l.LaTeX(); err == nil || !strings.Contains(err.Error(), "write it otherwise") {
			t.Errorf("%q: got %s and %v", markup, got, err)
		}
	}
}

// LaTeX knows every command and character of the tables.
func TestLaTeXCompiles(t *testing.T) {
	var b strings.Builder
	b.WriteString("\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{amsmath,amssymb}\\begin{document}\n")
	for _, markup := range append(label.Commands(), "θ\u0303 ñžß", "x_{a_b}^{−½}") {
		for _, s := range []string{markup, "$x" + strings.ReplaceAll(markup, "$", "") + "$"} {
			latex, err := line(t, "latin-modern", s).LaTeX()
			if err != nil {
				t.Error(err)
			}
			b.WriteString(latex + "\n\n")
		}
	}
	b.WriteString("\\end{document}\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.tex"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ran := false
	for _, program := range []string{"pdflatex", "lualatex"} {
		latex, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		ran = true
		cmd := exec.Command(latex, "-interaction=nonstopmode", "-halt-on-error", "d.tex")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	if !ran {
		t.Skip("neither pdflatex nor lualatex is installed")
	}
}

// No markup panics, and all else is set or an error.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"x_1^2", "a^{b_{c}", "}{", "\\", "^", "_{", "θ̂^", `$\frac`, `\sqrt{$}`, `\hat`, `$\text{$a$}$`, "\xff"} {
		f.Add(s)
	}
	h := handler(f, "sans")
	f.Fuzz(func(t *testing.T, s string) {
		for _, part := range h.Lines(s) {
			if l, err := h.Line(part); err == nil && (math.IsNaN(l.Width) || l.Width < -1) {
				t.Errorf("%q: width %g, %v", s, l.Width, err)
			}
		}
	})
}
