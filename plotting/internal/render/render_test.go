package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// A subset is a font in which the kept glyphs, composed ones included, have the
// same outline and advance, and all others are empty.
func TestSubset(t *testing.T) {
	whole, err := sfnt.Parse(typeset.TTF())
	if err != nil {
		t.Fatal(err)
	}
	var b sfnt.Buffer
	var ids []int
	for _, r := range "Aéθ∇½" {
		id, _ := whole.GlyphIndex(&b, r)
		ids = append(ids, int(id))
	}
	data := Subset(typeset.TTF(), ids)
	// sfnt needs tables that a PDF does not; lend it the whole font's.
	part, err := sfnt.Parse(withTables(data, typeset.TTF(), "OS/2", "cmap", "name", "post"))
	if err != nil {
		t.Fatal(err)
	}
	const ppem = 2048
	for _, id := range ids {
		a, err := whole.LoadGlyph(&b, sfnt.GlyphIndex(id), fixed.I(ppem), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := append(sfnt.Segments(nil), a...)
		got, err := part.LoadGlyph(&b, sfnt.GlyphIndex(id), fixed.I(ppem), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || len(got) != len(want) {
			t.Fatalf("glyph %d has %d segments, want %d", id, len(got), len(want))
		}
		for k := range want {
			if got[k] != want[k] {
				t.Fatalf("glyph %d: segment %d differs", id, k)
			}
		}
		w, _ := whole.GlyphAdvance(&b, sfnt.GlyphIndex(id), fixed.I(ppem), font.HintingNone)
		if v, _ := part.GlyphAdvance(&b, sfnt.GlyphIndex(id), fixed.I(ppem), font.HintingNone); v != w {
			t.Errorf("glyph %d: advance %v, want %v", id, v, w)
		}
	}
	other, _ := whole.GlyphIndex(&b, 'Q')
	if got, err := part.LoadGlyph(&b, other, fixed.I(ppem), nil); err == nil && len(got) > 0 {
		t.Error("a glyph that is not used is in the subset")
	}
}

func withTables(data, from []byte, tags ...string) []byte {
	all := readTables(data)
	for _, tag := range tags {
		all[tag] = readTables(from)[tag]
	}
	var tables []table
	for _, tag := range []string{"OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "post"} {
		tables = append(tables, table{tag, all[tag]})
	}
	return writeTables(tables)
}

// Few colours stay exactly as they are.
func TestQuantizeKeepsFlatColors(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	flat := []color.RGBA{{255, 255, 255, 255}, {0xd2, 0x44, 0x2b, 255}, {0x11, 0x56, 0xb3, 255}}
	for y := range 100 {
		for x := range 100 {
			c := flat[x*3/100]
			if y == 0 { // many rare colours
				c = color.RGBA{uint8(x * 2), uint8(255 - x), uint8(x*x + 7), 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := WritePNG(&b, img, 300, 16); err != nil {
		t.Fatal(err)
	}
	out, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(out.(*image.Paletted).Palette); n > 16 {
		t.Errorf("%d colours, want at most 16", n)
	}
	for x := range 100 {
		if got := color.RGBAModel.Convert(out.At(x, 50)); got != flat[x*3/100] {
			t.Fatalf("at %d: %v became %v", x, flat[x*3/100], got)
		}
	}
}

// inked returns the sum of the ink of a drawing, in square points.
func inked(draw func(c *Canvas)) float64 {
	c, img := NewRaster(100, 100, 144)
	draw(c)
	total := 0.0
	for i := 0; i < len(img.Pix); i += 4 {
		total += 1 - float64(img.Pix[i])/255
	}
	return total / 4 // of four pixels a point
}

func curve(n int) vg.Path {
	var p vg.Path
	for k := range n + 1 {
		x := 10 + 80*float64(k)/float64(n)
		q := vg.Point{X: vg.Length(x), Y: vg.Length(50 + 30*math.Sin(x/9))}
		if k == 0 {
			p.Move(q)
		} else {
			p.Line(q)
		}
	}
	return p
}

// The ink of shapes is their area, of strokes their length times their width.
func TestInk(t *testing.T) {
	length := 0.0
	path := newPath(curve(400))
	for k := 1; k < len(path); k++ {
		length += math.Hypot(path[k].p[0].x-path[k-1].p[0].x, path[k].p[0].y-path[k-1].p[0].y)
	}
	for _, c := range []struct {
		name      string
		draw      func(c *Canvas)
		want, tol float64 // 8-bit coverage loses up to half a level in each pixel of an edge
	}{
		{"square", func(c *Canvas) {
			var p vg.Path
			p.Move(vg.Point{X: 10, Y: 10})
			p.Line(vg.Point{X: 60, Y: 10})
			p.Line(vg.Point{X: 60, Y: 60})
			p.Line(vg.Point{X: 10, Y: 60})
			p.Close()
			c.Fill(p)
		}, 2500, 1},
		{"disc", func(c *Canvas) {
			var p vg.Path
			p.Arc(vg.Point{X: 50, Y: 50}, 30, 0, 2*math.Pi)
			p.Close()
			c.Fill(p)
		}, 900 * math.Pi, 5},
		{"stroke", func(c *Canvas) {
			c.SetLineWidth(2)
			c.Stroke(curve(400))
		}, 2*length + math.Pi, 4},
		{"dashes", func(c *Canvas) {
			c.SetLineWidth(2)
			c.SetLineDash([]vg.Length{3, 3})
			c.Stroke(curve(400))
		}, length, 6},
		{"stamps", func(c *Canvas) {
			var p vg.Path
			p.Arc(vg.Point{}, 3, 0, 2*math.Pi)
			p.Close()
			c.Stamp(p, []vg.Point{{X: 20.1, Y: 20.3}, {X: 40.7, Y: 40}, {X: 70, Y: 70.9}, {X: -50, Y: 10}})
		}, 3 * 9 * math.Pi, 1},
	} {
		if got := inked(c.draw); math.Abs(got-c.want) > c.tol {
			t.Errorf("%s: %.2f square points of ink, want %.2f", c.name, got, c.want)
		}
	}
}

// A long opaque stroke is drawn in pieces; it looks as if it were not.
func TestPiecesLeaveNoSeam(t *testing.T) {
	draw := func(alpha uint8) *image.RGBA {
		c, img := NewRaster(300, 100, 144)
		c.SetColor(color.NRGBA{0, 0, 0, alpha})
		c.SetLineWidth(3)
		var p vg.Path
		p.Move(vg.Point{X: 5, Y: 50})
		for x := 6.0; x < 295; x++ {
			p.Line(vg.Point{X: vg.Length(x), Y: vg.Length(50 + 40*math.Sin(x/20))})
		}
		c.Stroke(p)
		return img
	}
	a, b := draw(255), draw(254) // an opaque stroke in pieces, and one in a whole
	worst := 0
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		worst = max(worst, d, -d)
	}
	// Where two pieces meet, an edge pixel of coverage c is covered twice and gets
	// c + (1-c)c, at most a quarter more.
	if worst > 66 {
		t.Errorf("a pixel differs by %d levels", worst)
	}
}

func drawing(b interface{ Bytes() ([]byte, error) }) string {
	data, _ := b.Bytes() // no labels, so nothing that LaTeX cannot set
	return string(data)
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

// Few cells are rectangles, more are an image of print resolution; no format
// leaves their edges to the viewer.
func TestCells(t *testing.T) {
	box := vg.Rectangle{Min: vg.Point{X: 10, Y: 10}, Max: vg.Point{X: 82, Y: 82}} // an inch
	for _, c := range []struct{ cells, rectangles, pixels int }{{2, 4, 0}, {64, 4096, 0}, {65, 0, 325}} {
		svg, s := NewSVG(100, 100, "", "")
		svg.DrawImage(box, checkered(c.cells))
		if got := strings.Count(drawing(s), "<rect x="); got != c.rectangles {
			t.Errorf("%d² cells: %d rectangles, want %d", c.cells, got, c.rectangles)
		}
		pdf, p := NewPDF(100, 100, "")
		pdf.DrawImage(box, checkered(c.cells))
		if got := strings.Count(string(p.content), " re f"); got != c.rectangles {
			t.Errorf("PDF, %d² cells: %d rectangles, want %d", c.cells, got, c.rectangles)
		}
		if size := fmt.Sprintf("/Width %d/Height %d", c.pixels, c.pixels); strings.Contains(drawing(p), size) != (c.pixels > 0) {
			t.Errorf("PDF, %d² cells: want an image of %s", c.cells, size)
		}
	}
	// Cells cover the box and nothing else, and reach under the next.
	all := cells(checkered(2), point{10, 10}, point{82, 82})
	if first, last := all[0], all[3]; first.lo.x != 10 || first.hi.y != 82 || last.hi.x != 82 || last.lo.y != 10 ||
		first.hi.x <= last.lo.x || first.lo.y >= last.hi.y {
		t.Errorf("cells %+v", all)
	}
}

// What is not XML's stays out of it, and two documents share no name for
// different shapes.
func TestSVGInPages(t *testing.T) {
	_, s := NewSVG(10, 10, "a\x00<b> & \xff", "c\x1b")
	if err := xml.Unmarshal([]byte(drawing(s)), new(struct{})); err != nil {
		t.Error(err)
	}
	names := regexp.MustCompile(`id="\w+"`)
	stamped := func(r vg.Length) string {
		c, s := NewSVG(10, 10, "", "")
		var p vg.Path
		p.Arc(vg.Point{}, r, 0, 2*math.Pi)
		p.Close()
		c.Stamp(p, []vg.Point{{X: 1, Y: 1}})
		c.Stamp(p, []vg.Point{{X: 2, Y: 2}})
		found := names.FindAllString(drawing(s), -1)
		if len(found) != 1 {
			t.Errorf("the shape is defined %d times", len(found))
		}
		return found[0]
	}
	if a, b := stamped(1), stamped(2); a == b {
		t.Errorf("two shapes have %s", a)
	}
}
