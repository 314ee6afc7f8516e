// Package label sets the text of a figure: Unicode with sub- and superscripts, and the
// part of TeX's mathematics that labels need. It differs from gonum's text.Latex, which
// knows one font and panics on scripts, and from text.Plain, which drops characters that
// the font lacks and leaves accents beside their letter.
//
// Outside formulas, _x, _{xyz}, ^x and ^{xyz} are scripts, \lambda and other commands
// work, and a backslash takes a character that is no letter as it is. Between dollar
// signs letters are variables, and spaces are TeX's.
package label

import (
	"image/color"
	"math"
	"strings"
	"sync"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Handler sets labels in one face. It is a text.Handler, of which it makes exact what
// gonum's axes count on: with text.YBottom the point is on the baseline.
type Handler struct {
	face  *Face
	fonts *font.Cache

	mu    sync.Mutex
	lines map[string]*Line
}

var _ text.Handler = (*Handler)(nil)

// New returns a handler for the face "sans" (DejaVu Sans), "times" (Liberation Serif),
// or one whose package is imported: "latin-modern" or "stix".
func New(face string) (*Handler, error) {
	f, err := lookup(face)
	if err != nil {
		return nil, err
	}
	h := &Handler{face: f, lines: make(map[string]*Line)}
	h.fonts = font.NewCache(font.Collection{{Font: font.Font{Typeface: font.Typeface(face)}, Face: f.fonts[0].SFNT}})
	return h, nil
}

// Check returns an error if a label cannot be set in the face "sans": it names an unknown
// command, a brace that closes nothing, or a character that no font has.
func Check(label string) error {
	f, err := lookup("sans")
	if err != nil {
		return err
	}
	return check(label, f)
}

// Check returns an error if a label cannot be set in this handler's face.
func (h *Handler) Check(label string) error { return check(label, h.face) }

func check(label string, f *Face) error {
	for _, line := range strings.Split(label, "\n") {
		if _, err := set(line, f); err != nil {
			return err
		}
	}
	return nil
}

// Line sets a label of one line. A character that no font has is drawn as a box.
func (h *Handler) Line(label string) (*Line, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l, ok := h.lines[label]; ok {
		return l, nil
	}
	l, err := set(label, h.face)
	if l == nil {
		return nil, err
	}
	h.lines[label] = l
	return l, nil
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
func (h *Handler) Cache() *font.Cache { return h.fonts }

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

// Draw sets a label on any canvas.
func (h *Handler) Draw(c vg.Canvas, label string, s text.Style, at vg.Point) {
	if label == "" || s.Font.Size == 0 {
		return
	}
	ink := s.Color
	if ink == nil {
		ink = color.Black
	}
	c.SetColor(ink)
	c.Push()
	defer c.Pop()
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

// under is the canvas below those that crop.
func under(c vg.Canvas) vg.Canvas {
	switch d := c.(type) {
	case *draw.Canvas:
		return under(d.Canvas)
	case draw.Canvas:
		return under(d.Canvas)
	}
	return c
}

// SetLine sets a line on any canvas: as a Setter does, or by the outlines of its glyphs.
func SetLine(c vg.Canvas, l *Line, size vg.Length, at vg.Point, align text.XAlignment) {
	if s, ok := under(c).(Setter); ok {
		s.SetLine(l, size, at, align)
		return
	}
	at.X += vg.Length(align*text.XAlignment(l.Width)) * size
	c.Push()
	c.Translate(at)
	c.Fill(l.Path(size))
	c.Pop()
}

// Plain sets text in one font without any markup, for handlers other than this package's.
func Plain(f font.Face, text string) *Line {
	wrapped, _ := plainFonts.LoadOrStore(f.Face, wrap(f.Face))
	s := &setter{
		face: &Face{Family: "'" + string(f.Font.Typeface) + "'", fonts: []*Font{wrapped.(*Font)}},
		text: []rune(text),
	}
	l := s.word(text, mode{size: 1})
	_ = s.finish(l) // as gonum's, it shows a box for what the font lacks
	return l
}

// plainFonts keeps the fonts that Plain has met.
var plainFonts sync.Map
