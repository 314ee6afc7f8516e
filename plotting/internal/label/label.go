// Package label sets the text of a figure: Unicode with sub- and superscripts, and the
// part of TeX's mathematics that labels need. gonum's text.Latex knows one font and panics
// on scripts; its text.Plain drops characters and leaves accents beside their letter.
//
// Outside formulas, _x, _{xyz}, ^x and ^{xyz} are scripts, \lambda and other commands
// work, and a backslash takes a character that is no letter as it is. Between dollar
// signs letters are variables, and spaces are TeX's.
package label

import (
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Handler sets labels in one face. It is a text.Handler, of which it makes exact what
// gonum's axes count on: with text.YBottom the point is on the baseline.
type Handler struct {
	face  *face
	lines memo // what is set, by label
}

// A memo keeps what was made for a key. A sync.Map would be compiled again with each cell that draws
// a figure, as it is generic inside, which takes longer than the cell itself.
type memo struct {
	mu   sync.Mutex
	kept map[any]any
}

func (m *memo) of(key any, create func() any) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.kept[key]
	if !ok {
		if v = create(); m.kept == nil {
			m.kept = map[any]any{}
		}
		m.kept[key] = v
	}
	return v
}

var _ text.Handler = (*Handler)(nil)

// New returns a handler for the face "sans" (DejaVu Sans), "times" (Liberation Serif),
// or "latin-modern", whose package is imported.
func New(face string) (*Handler, error) {
	load, ok := faces[face]
	if !ok {
		return nil, fmt.Errorf(`there is no face %q; the faces are %s, and "latin-modern" with import _ "qhlab/plotting/latinmodern"`,
			face, strings.Join(slices.Sorted(maps.Keys(faces)), ", "))
	}
	return &Handler{face: load()}, nil
}

// Line sets a label of one line. The error names an unknown command, a brace that closes
// nothing, or a character that no font has, which the line shows as a box.
func (h *Handler) Line(label string) (*Line, error) {
	line := h.lines.of(label, func() any { return set(label, h.face) }).(*Line)
	return line, line.err
}

// line is for the methods of text.Handler, which return no error.
func (h *Handler) line(label string) *Line {
	l, err := h.Line(label)
	if err != nil {
		panic("plotting: " + err.Error())
	}
	return l
}

// Cache returns the face's upright font.
func (h *Handler) Cache() *font.Cache {
	return font.NewCache(font.Collection{{Face: h.face.fonts[0].SFNT}})
}

// Room above and below the baseline in ems: for superscripts and for descenders. It is
// the same for all faces, so that another face moves no line.
const (
	ascent  = 0.95
	descent = 0.24
)

// Extents returns how far lines reach; they follow each other without a gap.
func (h *Handler) Extents(f font.Font) font.Extents {
	return font.Extents{Ascent: ascent * f.Size, Descent: descent * f.Size, Height: (ascent + descent) * f.Size}
}

// Lines splits a label at its line ends.
func (h *Handler) Lines(label string) []string {
	return strings.Split(strings.TrimRight(label, "\n"), "\n")
}

// Box returns the extents of a line: the font's, but for fractions and what else is higher
// or deeper.
func (h *Handler) Box(label string, f font.Font) (width, height, depth vg.Length) {
	l := h.line(label)
	return vg.Length(l.Width) * f.Size, vg.Length(math.Max(ascent, l.Height)) * f.Size, vg.Length(math.Max(descent, l.Depth)) * f.Size
}

// A Setter is a canvas that sets a line itself, in the canvas's colour. The point is on the
// baseline, at the line's left end, middle or right end.
type Setter interface {
	SetLine(l *Line, size vg.Length, at vg.Point, align text.XAlignment)
}

// Draw sets a label on any canvas, whose colour stays what it is.
func (h *Handler) Draw(c vg.Canvas, label string, s text.Style, at vg.Point) {
	if label == "" || s.Font.Size == 0 {
		return
	}
	c.Push()
	defer c.Pop()
	c.SetColor(cmp.Or[color.Color](s.Color, color.Black))
	c.Translate(at)
	c.Rotate(s.Rotation)
	lines := h.Lines(label)
	top := vg.Length(0)
	for _, l := range lines {
		_, height, depth := h.Box(l, s.Font)
		top += height + depth
	}
	top += vg.Length(s.YAlign)*top - descent*s.Font.Size
	for _, line := range lines {
		_, height, depth := h.Box(line, s.Font)
		SetLine(c, h.line(line), s.Font.Size, vg.Point{Y: top - height}, s.XAlign)
		top -= height + depth
	}
}

// Under is the canvas below those that crop.
func Under(c vg.Canvas) vg.Canvas {
	switch d := c.(type) {
	case *draw.Canvas:
		return Under(d.Canvas)
	case draw.Canvas:
		return Under(d.Canvas)
	}
	return c
}

// SetLine sets a line on any canvas: as a Setter does, or by the outlines of its glyphs.
func SetLine(c vg.Canvas, l *Line, size vg.Length, at vg.Point, align text.XAlignment) {
	if s, ok := Under(c).(Setter); ok {
		s.SetLine(l, size, at, align)
		return
	}
	at.X += vg.Length(align*text.XAlignment(l.Width)) * size
	c.Push()
	c.Translate(at)
	c.Fill(l.Path(size))
	c.Pop()
}

// plainFonts keeps the fonts that Plain has met.
var plainFonts memo

// Plain sets text in one font without any markup, for handlers other than this package's. As
// gonum's, it shows a box for what the font lacks.
func Plain(f font.Face, text string) *Line {
	wrapped := plainFonts.of(f.Face, func() any { return wrap(f.Face) }).(*Font)
	s := &setter{face: &face{fonts: []*Font{wrapped}}}
	l := s.word(text, mode{size: 1})
	l.Family = "'" + string(f.Font.Typeface) + "'"
	return l
}

// A Line is a label that is set, in ems from the start of its baseline, y up.
type Line struct {
	Glyphs        []Glyph
	Bars          []vg.Rectangle // of fractions
	Width         float64
	Height, Depth float64 // of its ink above and below the baseline
	Family        string  // names of fonts for SVG

	class      class
	lean       float64 // by which the last letter reaches over its width
	err        error
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
	Rune   rune
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
	for _, r := range c.Bars {
		l.Bars = append(l.Bars, r.Add(vg.Point{X: vg.Length(x), Y: vg.Length(y)}))
	}
	l.Width, l.lean = math.Max(l.Width, x+c.Width), c.lean
	l.Height, l.Depth = math.Max(l.Height, c.Height+y), math.Max(l.Depth, c.Depth-y)
}

// Outline returns the glyph's curves and its width, in ems of its own size.
func (g Glyph) Outline() (vg.Path, float64) {
	s := g.Font.shape(g.ID)
	return s.outline, s.advance
}

// Path returns the outline of the line at a size, to be filled.
func (l *Line) Path(size vg.Length) vg.Path {
	p := l.BarPath(size)
	for _, g := range l.Glyphs {
		var shear vg.Length
		if g.Slant {
			shear = Slope
		}
		at, k := vg.Point{X: vg.Length(g.X), Y: vg.Length(g.Y)}, vg.Length(g.Size)
		place := func(q vg.Point) vg.Point {
			return at.Add(vg.Point{X: q.X + shear*q.Y, Y: q.Y}.Scale(k)).Scale(size)
		}
		for _, c := range g.Font.shape(g.ID).outline {
			c.Control = slices.Clone(c.Control)
			for i, q := range c.Control {
				c.Control[i] = place(q)
			}
			c.Pos = place(c.Pos)
			p = append(p, c)
		}
	}
	return p
}

// BarPath returns the outlines of the bars.
func (l *Line) BarPath(size vg.Length) (p vg.Path) {
	for _, r := range l.Bars {
		p = append(p, vg.Rectangle{Min: r.Min.Scale(size), Max: r.Max.Scale(size)}.Path()...)
	}
	return p
}

// A Run is glyphs in one style that follow each other.
type Run struct {
	Glyphs []Glyph
	End    float64 // where the next glyph would stand
}

// Runs returns the line in pieces. If text is true a run may have several fonts and has the
// accents of its letters, for a reader that finds and places both itself.
func (l *Line) Runs(text bool) []Run {
	var runs []Run
	for _, g := range l.Glyphs {
		end := g.X + g.Font.shape(g.ID).advance*g.Size
		if n := len(runs); n > 0 {
			r := &runs[n-1]
			first := r.Glyphs[0]
			same := first.Size == g.Size && first.Italic == g.Italic && first.Y == g.Y && !first.Mark && (text || first.Font == g.Font)
			if mark := text && g.Mark; mark || same && !g.Mark && math.Abs(g.X-r.End) < 1e-6 {
				r.Glyphs = append(r.Glyphs, g)
				if !mark {
					r.End = end
				}
				continue
			}
		}
		runs = append(runs, Run{[]Glyph{g}, end})
	}
	return runs
}

// Text returns the run's characters.
func (r Run) Text() string {
	text := make([]rune, len(r.Glyphs))
	for i, g := range r.Glyphs {
		text[i] = g.Rune
	}
	return string(text)
}
