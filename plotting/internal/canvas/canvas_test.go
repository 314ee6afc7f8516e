package canvas

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"qhlab/plotting/internal/label"
	_ "qhlab/plotting/latinmodern"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

var formats = []string{"png", "svg", "pdf", "pgf"}

// drawing draws all that canvases can, in one face.
func drawing(t testing.TB, format, face string, o Options) []byte {
	t.Helper()
	c, err := New(format, 192, 144, o) // 400 by 300 pixels
	if err != nil {
		t.Fatal(err)
	}
	h, err := label.New(face)
	if err != nil {
		t.Fatal(err)
	}
	sty := text.Style{Color: color.Black, Font: font.Font{Size: 10}, Handler: h}
	for i, s := range []string{"⟨∇L(θ̂), Λθ⟩ ∈ ℝ, 10^{-3}", `$\hat\theta \le \lambda_{\max}$, \frac12`, `$x_i\to ℒ$`} {
		h.Draw(c, s, sty, vg.Point{X: 30, Y: vg.Length(130 - 20*i)})
	}
	sty.Rotation, sty.XAlign, sty.Color = math.Pi/2, text.XCenter, color.NRGBA{0, 0, 200, 128}
	h.Draw(c, "turned $x^2$", sty, vg.Point{X: 20, Y: 75})
	c.SetColor(color.RGBA{200, 0, 0, 255})
	c.SetLineWidth(2)
	c.SetLineDash([]vg.Length{6, 3}, 1)
	c.Stroke(vg.Path{{Type: vg.MoveComp, Pos: vg.Point{X: 30, Y: 10}}, {Type: vg.LineComp, Pos: vg.Point{X: 100, Y: 60}}, {Type: vg.LineComp, Pos: vg.Point{X: 190, Y: 10}}})
	c.Push()
	c.Translate(vg.Point{X: 150, Y: 60})
	c.Rotate(0.3)
	c.Fill(curved())
	c.Pop()
	c.Stamp(disc(3), color.NRGBA{0, 120, 0, 120}, []vg.Point{{X: 40, Y: 20}, {X: 42.3, Y: 22.1}, {X: 170, Y: 40}})
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: 120, Y: 96}, Max: vg.Point{X: 144, Y: 120}}, checkered(3))
	return written(t, c)
}

func written(t testing.TB, c Canvas) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := c.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes are said to be written of %d: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func disc(r vg.Length) (p vg.Path) {
	p.Arc(vg.Point{}, r, 0, 2*math.Pi)
	p.Close()
	return p
}

// curved has curves of both kinds, and an arc that goes on from a line.
func curved() (p vg.Path) {
	p.Move(vg.Point{})
	p.QuadTo(vg.Point{X: 10, Y: 20}, vg.Point{X: 20})
	p.CubeTo(vg.Point{X: 30, Y: -10}, vg.Point{X: 30, Y: 10}, vg.Point{X: 20, Y: 10})
	p.Arc(vg.Point{X: 10, Y: 10}, 5, 0, math.Pi)
	p.Close()
	return p
}

func checkered(n int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * ((x + y) % 2)), 0, 0, 255})
		}
	}
	return img
}

var white = Options{DPI: 150, Title: "A title", Alt: "What it shows.", Background: color.White}

// A drawing is the same bytes each time, and those committed. Other processors round the
// last digit differently.
func TestBytes(t *testing.T) {
	for _, format := range formats {
		got := drawing(t, format, "sans", white)
		if !bytes.Equal(got, drawing(t, format, "sans", white)) {
			t.Errorf("%s: two drawings differ", format)
		}
		file := filepath.Join("testdata", "drawing."+format)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOARCH == "amd64" && !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes differ from the %d committed; see -update", file, len(got), len(want))
		}
	}
}

// Two images of one size have one order in the file.
func TestBytesOfImages(t *testing.T) {
	images := func() []byte {
		c, err := New("pdf", 100, 50, white)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 4 {
			left := vg.Length(25 * k)
			c.DrawImage(vg.Rectangle{Min: vg.Point{X: left}, Max: vg.Point{X: left + 20, Y: 20}}, shade(k))
		}
		return written(t, c)
	}
	for range 10 {
		if !bytes.Equal(images(), images()) {
			t.Fatal("two drawings differ")
		}
	}
}

func shade(k int) image.Image {
	return &image.Gray{Pix: []uint8{uint8(50 * k)}, Stride: 1, Rect: image.Rect(0, 0, 1, 1)}
}

func decoded(t testing.TB, data []byte) *image.RGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
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

// A PDF, whose fonts are our own, looks like the PNG, which is drawn from outlines.
func TestPDFLooksLikePNG(t *testing.T) {
	program := tool(t, "pdftoppm")
	for _, face := range []string{"sans", "times", "latin-modern"} {
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, drawing(t, "pdf", face, white), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program, "-r", "150", "-png", "-singlefile", file, file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(file + ".png")
		if err != nil {
			t.Fatal(err)
		}
		want, got := decoded(t, drawing(t, "png", face, white)), decoded(t, data)
		apart, box := 0.0, want.Rect.Intersect(got.Rect)
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				apart += math.Abs(float64(want.RGBAAt(x, y).G)-float64(got.RGBAAt(x, y).G)) / 255
			}
		}
		// Edges are smoothed differently; if the labels moved by a pixel, 1500 pixels would differ.
		if apart > 900 || box.Dx() < 400 {
			t.Errorf("%s: %.0f of %v pixels differ", face, apart, box)
		}
	}
}

// Fonts are embedded, text is found, and the file has a title.
func TestPDFText(t *testing.T) {
	fonts, text, info := tool(t, "pdffonts"), tool(t, "pdftotext"), tool(t, "pdfinfo")
	for _, face := range []string{"sans", "times", "latin-modern"} {
		file := filepath.Join(t.TempDir(), "f.pdf")
		data := drawing(t, "pdf", face, white)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		run := func(name string, args ...string) string {
			out, err := exec.Command(name, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return string(out)
		}
		for _, line := range strings.Split(strings.TrimSpace(run(fonts, file)), "\n")[2:] {
			// name, type, encoding, embedded, subset, with a map to Unicode
			if !regexp.MustCompile(`^utf8\S+ +CID TrueType +Identity-H +yes (yes|no) +yes `).MatchString(line) {
				t.Errorf("%s: font %s", face, line)
			}
		}
		words := run(text, file, "-")
		for _, want := range []string{"∇L(", "θ", "\u0302", "λ", "∈ ℝ", "Λθ⟩"} {
			if !strings.Contains(words, want) {
				t.Errorf("%s: %q is not found in\n%s", face, want, words)
			}
		}
		if out := run(info, file); !strings.Contains(out, "A title") || !strings.Contains(out, "What it shows.") {
			t.Errorf("%s: %s", face, out)
		}
		if limit := 24 << 10; len(data) > limit {
			t.Errorf("%s: the file has %d bytes, want at most %d", face, len(data), limit)
		}
	}
}

func TestPGFCompiles(t *testing.T) {
	latex, dir := tool(t, "pdflatex"), t.TempDir()
	for name, data := range map[string][]byte{
		"f.pgf": drawing(t, "pgf", "sans", white), "g.pdf": drawing(t, "pdf", "times", white), "h.png": drawing(t, "png", "sans", white),
		"d.tex": []byte("\\documentclass{article}\n\\usepackage[T1]{fontenc}\\usepackage{pgf,amsmath,amssymb,graphicx}\n\\begin{document}\n" +
			"\\input{f.pgf}\n\n\\includegraphics{g.pdf}\n\n\\includegraphics{h.png}\n\\end{document}\n"),
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
}

// An image is in the picture of LaTeX with the opacity of each cell, also where a language has
// taken the signs < and > for quotation marks.
func TestPGFImage(t *testing.T) {
	latex, view, dir := tool(t, "pdflatex"), tool(t, "pdftoppm"), t.TempDir()
	many := make([]color.NRGBA, 400)
	for i := range many {
		many[i] = color.NRGBA{uint8(13 * (i % 20)), uint8(i / 2), uint8(13 * (i / 20)), 255}
	}
	for name, cells := range map[string][]color.NRGBA{
		"many": many, "opaque": {{200, 0, 0, 255}, {0, 90, 0, 255}, {9, 8, 7, 255}, {0, 0, 250, 255}},
		"pale":  {{200, 0, 0, 100}, {0, 90, 0, 100}, {9, 8, 7, 100}, {0, 0, 250, 100}},
		"mixed": {{200, 0, 0, 255}, {0, 90, 0, 0}, {9, 8, 7, 100}, {0, 0, 250, 255}},
	} {
		n := int(math.Sqrt(float64(len(cells))))
		img := image.NewNRGBA(image.Rect(5, 5, 5+n, 5+n)) // whose corner is not the origin
		for i, c := range cells {
			img.SetNRGBA(5+i%n, 5+i/n, c)
		}
		c, err := New("pgf", 40, 20, white)
		if err != nil {
			t.Fatal(err)
		}
		c.DrawImage(vg.Rectangle{Max: vg.Point{X: 40, Y: 20}}, img)
		document := "\\documentclass{article}\\usepackage{pgf}\\begin{document}" +
			"\\pdfpagewidth=40bp\\pdfpageheight=20bp\\catcode`\\<=13\\catcode`\\>=13\\def<{\\quote}\\def>{\\quote}\\shipout\\vbox{\\kern-1in\\hbox{\\kern-1in\n" +
			string(written(t, c)) + "}}\\end{document}\n"
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file+".tex", []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{latex, "-interaction=nonstopmode", "-halt-on-error", "-output-directory", dir, file},
			{view, "-r", "288", "-png", "-singlefile", file + ".pdf", file},
		} {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		data, err := os.ReadFile(file + ".png")
		if err != nil {
			t.Fatal(err)
		}
		page := decoded(t, data)
		for i, c := range cells {
			got := page.RGBAAt(page.Rect.Dx()*(2*(i%n)+1)/(2*n), page.Rect.Dy()*(2*(i/n)+1)/(2*n))
			for k, ink := range []uint8{c.R, c.G, c.B} {
				want := 255 + float64(c.A)/255*(float64(ink)-255)
				if math.Abs(float64([]uint8{got.R, got.G, got.B}[k])-want) > 2 {
					t.Errorf("%s: cell %d is %v on paper, want %v", name, i, got, c)
				}
			}
		}
	}
}

// What LaTeX cannot set is an error of the PGF, and of no other format.
func TestUnknownToLaTeX(t *testing.T) {
	h, err := label.New("sans")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range formats {
		c, err := New(format, 50, 20, Options{})
		if err != nil {
			t.Fatal(err)
		}
		h.Draw(c, "♞", text.Style{Font: font.Font{Size: 10}, Handler: h}, vg.Point{X: 5, Y: 5})
		if _, err := c.WriteTo(new(bytes.Buffer)); (err != nil) != (format == "pgf") || err != nil && !strings.Contains(err.Error(), "♞") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		format        string
		width, height vg.Length
		want          string
	}{{"gif", 10, 10, "gif"}, {"png", 0, 10, "0 by 10"}, {"svg", vg.Length(math.NaN()), 1, "NaN"}, {"pdf", 1e9, 1, "1e+09"}} {
		if _, err := New(c.format, c.width, c.height, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %g by %g: %v", c.format, c.width, c.height, err)
		}
	}
}

// Without a background a PNG lets the paper through, and a dark one is kept.
func TestBackground(t *testing.T) {
	for _, c := range []color.Color{nil, color.NRGBA{20, 20, 30, 255}} {
		img := decoded(t, drawing(t, "png", "sans", Options{Background: c}))
		want := color.RGBA{}
		if c != nil {
			want = color.RGBAModel.Convert(c).(color.RGBA)
		}
		if got := img.RGBAAt(1, 1); got != want {
			t.Errorf("background %v: the corner is %v", c, got)
		}
	}
	if svg := string(drawing(t, "svg", "sans", Options{})); strings.Contains(svg, "#ffffff") {
		t.Error("a transparent SVG has a white background")
	}
}

// inked returns the sum of the ink of a drawing, in square points.
func inked(t *testing.T, draw func(c Canvas)) float64 {
	c, err := New("png", 100, 100, Options{DPI: 144, Background: color.White})
	if err != nil {
		t.Fatal(err)
	}
	draw(c)
	total := 0.0
	for i, v := range c.(*raster).pixels.Pix {
		if i%4 == 0 {
			total += 1 - float64(v)/255
		}
	}
	return total / 4 // of four pixels a point
}

func wave(n int) (p vg.Path, length float64) {
	var last vg.Point
	for k := range n + 1 {
		x := 10 + 80*float64(k)/float64(n)
		q := vg.Point{X: vg.Length(x), Y: vg.Length(50 + 30*math.Sin(x/9))}
		if k == 0 {
			p.Move(q)
		} else {
			p.Line(q)
			length += math.Hypot(q.Sub(last).X.Points(), q.Sub(last).Y.Points())
		}
		last = q
	}
	return p, length
}

// The ink of shapes is their area, of strokes their length times their width.
func TestInk(t *testing.T) {
	line, length := wave(400)
	square := vg.Rectangle{Min: vg.Point{X: 10, Y: 10}, Max: vg.Point{X: 60, Y: 60}}
	for _, c := range []struct {
		name      string
		draw      func(c Canvas)
		want, tol float64 // 8-bit coverage loses up to half a level in each pixel of an edge
	}{
		{"square", func(c Canvas) { c.Fill(square.Path()) }, 2500, 1},
		{"disc", func(c Canvas) { c.Translate(vg.Point{X: 50, Y: 50}); c.Fill(disc(30)) }, 900 * math.Pi, 5},
		{"stroke", func(c Canvas) { c.SetLineWidth(2); c.Stroke(line) }, 2 * length, 4},
		{"dashes", func(c Canvas) { c.SetLineWidth(2); c.SetLineDash([]vg.Length{3, 3}, 0); c.Stroke(line) }, length, 6},
		{"image", func(c Canvas) { c.DrawImage(square, image.NewGray(image.Rect(0, 0, 5, 5))) }, 2500, 1},
		{"stamps", func(c Canvas) {
			c.Scale(2, 1)
			c.Stamp(disc(3), color.Black, []vg.Point{{X: 10.1, Y: 20.3}, {X: 20.3, Y: 40}, {X: 35, Y: 70.9}, {X: -50, Y: 10}})
		}, 3 * 2 * 9 * math.Pi, 1.5},
	} {
		if got := inked(t, c.draw); math.Abs(got-c.want) > c.tol {
			t.Errorf("%s: %.2f square points of ink, want %.2f", c.name, got, c.want)
		}
	}
}

// Cells of an image have sharp edges in a PNG and several pixels each elsewhere.
func TestImage(t *testing.T) {
	box := vg.Rectangle{Min: vg.Point{X: 10, Y: 10}, Max: vg.Point{X: 82, Y: 82}} // an inch
	c, err := New("png", 100, 100, Options{DPI: 144, Background: color.White})
	if err != nil {
		t.Fatal(err)
	}
	c.DrawImage(box, checkered(8))
	img, colors := decoded(t, written(t, c)), make(map[color.RGBA]int)
	for y := range 200 {
		for x := range 200 {
			colors[img.RGBAAt(x, y)]++
		}
	}
	if len(colors) != 3 || colors[color.RGBA{255, 0, 0, 255}] != 144*144/2 {
		t.Errorf("colours %v", colors)
	}
	for _, cells := range []int{2, 64} {
		big := decoded(t, pngOf(enlarged(checkered(cells), box, 0)))
		if n := big.Bounds().Dx(); n%cells != 0 || n < 150 || n < 3*cells {
			t.Errorf("%d cells have %d pixels", cells, n)
		}
		for i := range cells {
			k := big.Bounds().Dx() / cells
			if got, want := nrgba(big.At(i*k+k-1, 0)), nrgba(checkered(cells).At(i, 0)); got != want {
				t.Errorf("cell %d of %d is %v, want %v", i, cells, got, want)
			}
		}
	}
}

// Few colours stay exactly as they are.
func TestQuantizeKeepsFlatColors(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	flat := []color.RGBA{{255, 255, 255, 255}, {0xd2, 0x44, 0x2b, 255}, {0, 0, 0, 0}}
	for y := range 100 {
		for x := range 100 {
			c := flat[x*3/100]
			if y == 0 { // many rare colours
				c = color.RGBA{uint8(x * 2), uint8(255 - x), uint8(x*x + 7), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	out, _ := quantize(img, 16)
	if n := len(out.Palette); n > 16 {
		t.Errorf("%d colours, want at most 16", n)
	}
	for x := range 100 {
		if got := out.At(x, 50); got != flat[x*3/100] {
			t.Fatalf("at %d: %v became %v", x, flat[x*3/100], got)
		}
	}
}

// What is not XML's stays out of it, and two documents share no name for
// different shapes.
func TestSVGInPages(t *testing.T) {
	c, err := New("svg", 10, 10, Options{Title: "a\x00<b> & \xff", Alt: "c\x1b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(written(t, c), new(struct{})); err != nil {
		t.Error(err)
	}
	names := regexp.MustCompile(`id="\w+"`)
	stamped := func(r vg.Length) string {
		c, err := New("svg", 10, 10, Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Stamp(disc(r), color.Black, []vg.Point{{X: 1, Y: 1}})
		c.Stamp(disc(r), color.Black, []vg.Point{{X: 2, Y: 2}})
		found := names.FindAllString(string(written(t, c)), -1)
		if len(found) != 1 {
			t.Errorf("the shape is defined %d times", len(found))
		}
		return found[0]
	}
	if a, b := stamped(1), stamped(2); a == b {
		t.Errorf("two shapes have %s", a)
	}
}

// A plot of gonum's, with its own plotters and its own text, is drawn in every format.
func TestGonumPlot(t *testing.T) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "gonum", "x", "y"
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 2}, {X: 2, Y: 1}})
	if err != nil {
		t.Fatal(err)
	}
	scatter, err := plotter.NewScatter(line.XYs)
	if err != nil {
		t.Fatal(err)
	}
	p.Add(line, scatter, plotter.NewGrid())
	for _, format := range formats {
		c, err := New(format, 200, 150, white)
		if err != nil {
			t.Fatal(err)
		}
		p.Draw(vgdraw.New(c))
		data := written(t, c)
		if format == "svg" && !strings.Contains(string(data), ">gonum<") {
			t.Errorf("no title in\n%s", data)
		}
		if len(data) < 1500 {
			t.Errorf("%s: %d bytes only", format, len(data))
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	line, _ := wave(1000)
	at := make([]vg.Point, 10000)
	for i := range at {
		at[i] = vg.Point{X: vg.Length(10 + 180*math.Mod(float64(i)*0.618, 1)), Y: vg.Length(10 + 130*math.Mod(float64(i)*0.414, 1))}
	}
	h, _ := label.New("sans")
	for name, draw := range map[string]func(c Canvas){
		"line":   func(c Canvas) { c.Stroke(line) },
		"stamps": func(c Canvas) { c.Stamp(disc(1), color.Black, at) },
		"labels": func(c Canvas) {
			for i := range 20 {
				h.Draw(c, fmt.Sprintf("θ̂_%d ≤ 10^{-3}", i), text.Style{Font: font.Font{Size: 8}, Handler: h}, vg.Point{X: 5, Y: vg.Length(7 * i)})
			}
		},
	} {
		for _, format := range formats {
			b.Run(name+"/"+format, func(b *testing.B) {
				size := 0
				for b.Loop() {
					c, err := New(format, 200, 150, white)
					if err != nil {
						b.Fatal(err)
					}
					draw(c)
					size = len(written(b, c))
				}
				b.ReportMetric(float64(size), "bytes")
			})
		}
	}
}
