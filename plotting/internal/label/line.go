package label

import (
	"math"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/vg"
)

// A Line is a label that is set, in ems from the start of its baseline, y up.
type Line struct {
	Glyphs        []Glyph
	Rules         []vg.Rectangle // bars of fractions and roots
	Width         float64
	Height, Depth float64 // of its ink above and below the baseline
	Family        string  // names of fonts for SVG

	class      class
	lean       float64 // by which the last letter reaches over its width
	latex      string
	latexError error
}

// LaTeX returns the line for LaTeX: formulas as formulas, text in the document's font. It
// needs amsmath and amssymb. The error names a character for which no command is known.
func (l *Line) LaTeX() (string, error) { return l.latex, l.latexError }

// A Glyph is one character where it stands.
type Glyph struct {
	Font   *Font
	ID     sfnt.GlyphIndex
	Rune   rune // as it is read and searched
	Shown  rune // as Unicode has its shape; Rune but for script and double letters
	Italic bool
	Slant  bool // shear the outline by Slope
	Mark   bool // an accent on the glyph before it
	Size   float64
	X, Y   float64
}

// Slope is the tangent of the angle of slanted letters.
const Slope = 0.2

// add puts another line at a place.
func (l *Line) add(c *Line, x, y float64) {
	for _, g := range c.Glyphs {
		g.X, g.Y = g.X+x, g.Y+y
		l.Glyphs = append(l.Glyphs, g)
	}
	for _, r := range c.Rules {
		l.Rules = append(l.Rules, r.Add(vg.Point{X: vg.Length(x), Y: vg.Length(y)}))
	}
	l.Width, l.lean = math.Max(l.Width, x+c.Width), c.lean
	l.Height, l.Depth = math.Max(l.Height, c.Height+y), math.Max(l.Depth, c.Depth-y)
}

// bar adds a bar for text of a size.
func (l *Line) bar(x, y, width, size float64) {
	min := vg.Point{X: vg.Length(x), Y: vg.Length(y)}
	l.Rules = append(l.Rules, vg.Rectangle{Min: min, Max: min.Add(vg.Point{X: vg.Length(width), Y: vg.Length(bar * size)})})
	l.Height = math.Max(l.Height, y+bar*size)
}

// Outline returns the glyph's curves and its width, in ems of its own size.
func (g Glyph) Outline() (vg.Path, float64) {
	s := g.Font.shape(g.ID)
	return s.outline, s.advance
}

// Path returns the outline of the line at a size, to be filled.
func (l *Line) Path(size vg.Length) vg.Path {
	p := l.Bars(size)
	for _, g := range l.Glyphs {
		p = g.appendOutline(p, size)
	}
	return p
}

// Bars returns the outlines of the bars of fractions and roots.
func (l *Line) Bars(size vg.Length) vg.Path {
	var p vg.Path
	for _, r := range l.Rules {
		p.Move(r.Min.Scale(size))
		p.Line(vg.Point{X: r.Max.X, Y: r.Min.Y}.Scale(size))
		p.Line(r.Max.Scale(size))
		p.Line(vg.Point{X: r.Min.X, Y: r.Max.Y}.Scale(size))
		p.Close()
	}
	return p
}

func (g Glyph) appendOutline(p vg.Path, size vg.Length) vg.Path {
	var shear vg.Length
	if g.Slant {
		shear = Slope
	}
	at, k := vg.Point{X: vg.Length(g.X), Y: vg.Length(g.Y)}, vg.Length(g.Size)
	place := func(q vg.Point) vg.Point {
		return at.Add(vg.Point{X: q.X + shear*q.Y, Y: q.Y}.Scale(k)).Scale(size)
	}
	for _, c := range g.Font.shape(g.ID).outline {
		control := make([]vg.Point, len(c.Control))
		for i, q := range c.Control {
			control[i] = place(q)
		}
		p = append(p, vg.PathComp{Type: c.Type, Pos: place(c.Pos), Control: control})
	}
	return p
}

// A Run is glyphs in one style that follow each other.
type Run struct {
	Glyphs []Glyph
	End    float64 // where the next glyph would stand
}

// Runs returns the line in pieces. Accents stay with their letter if marks is true, for
// a reader that places them itself, and are runs of their own otherwise.
func (l *Line) Runs(marks bool) []Run {
	var runs []Run
	for _, g := range l.Glyphs {
		end := g.X + g.Font.shape(g.ID).advance*g.Size
		if n := len(runs); n > 0 {
			r := &runs[n-1]
			if g.Mark && marks {
				r.Glyphs = append(r.Glyphs, g)
				continue
			}
			if r.takes(g, marks) {
				r.Glyphs, r.End = append(r.Glyphs, g), end
				continue
			}
		}
		runs = append(runs, Run{[]Glyph{g}, end})
	}
	return runs
}

// takes reports whether a glyph goes on a run, whose font is the same unless any will do.
func (r *Run) takes(g Glyph, anyFont bool) bool {
	first := r.Glyphs[0]
	same := first.Size == g.Size && first.Italic == g.Italic && first.Y == g.Y && !first.Mark && !g.Mark
	return same && math.Abs(g.X-r.End) < 1e-6 &&
		(anyFont || first.Font == g.Font && first.Shown-first.Rune == g.Shown-g.Rune)
}

// Text returns the run's characters as they are read.
func (r Run) Text() string { return r.text(func(g Glyph) rune { return g.Rune }) }

// Shown returns the run's characters as Unicode has their shapes.
func (r Run) Shown() string { return r.text(func(g Glyph) rune { return g.Shown }) }

func (r Run) text(of func(Glyph) rune) string {
	text := make([]rune, len(r.Glyphs))
	for i, g := range r.Glyphs {
		text[i] = of(g)
	}
	return string(text)
}
