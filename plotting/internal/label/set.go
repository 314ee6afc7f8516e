package label

import (
	"fmt"
	"math"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/vg"
)

// A Line is a label that is set, in ems from the start of its baseline, y up.
type Line struct {
	Glyphs        []Glyph
	Rules         []Rule // bars of fractions and roots
	Width         float64
	Height, Depth float64 // of its ink above and below the baseline
	Family        string  // names of fonts for SVG
	nodes         row
	markup        string
}

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

// Advance is the glyph's width.
func (g Glyph) Advance() float64 { return g.Font.shape(g.ID).advance * g.Size }

// Outline returns the glyph's curves in ems of its own size.
func (g Glyph) Outline() vg.Path { return g.Font.shape(g.ID).outline }

// A Rule is a filled rectangle.
type Rule struct{ X, Y, Width, Height float64 }

// Path returns the outline of the whole line at a size, to be filled.
func (l *Line) Path(size vg.Length) vg.Path {
	var p vg.Path
	for _, g := range l.Glyphs {
		p = appendOutline(p, g, size)
	}
	return append(p, l.Bars(size)...)
}

// Bars returns the outlines of the bars of fractions and roots.
func (l *Line) Bars(size vg.Length) vg.Path {
	var p vg.Path
	for _, r := range l.Rules {
		x, y, w, h := vg.Length(r.X)*size, vg.Length(r.Y)*size, vg.Length(r.Width)*size, vg.Length(r.Height)*size
		p.Move(vg.Point{X: x, Y: y})
		p.Line(vg.Point{X: x + w, Y: y})
		p.Line(vg.Point{X: x + w, Y: y + h})
		p.Line(vg.Point{X: x, Y: y + h})
		p.Close()
	}
	return p
}

func appendOutline(p vg.Path, g Glyph, size vg.Length) vg.Path {
	scale, shear := size*vg.Length(g.Size), vg.Length(0)
	if g.Slant {
		shear = Slope
	}
	x, y := vg.Length(g.X)*size, vg.Length(g.Y)*size
	place := func(q vg.Point) vg.Point { return vg.Point{X: x + scale*(q.X+shear*q.Y), Y: y + scale*q.Y} }
	for _, c := range g.Outline() {
		c.Pos = place(c.Pos)
		if len(c.Control) > 0 {
			control := make([]vg.Point, len(c.Control))
			for i, q := range c.Control {
				control[i] = place(q)
			}
			c.Control = control
		}
		p = append(p, c)
	}
	return p
}

// A box is a set part of a line.
type box struct {
	glyphs               []Glyph
	rules                []Rule
	width, height, depth float64
	lean                 float64 // by which the last letter reaches over its width
}

// add puts another box at a place.
func (b *box) add(c box, x, y float64) {
	for _, g := range c.glyphs {
		g.X += x
		g.Y += y
		b.glyphs = append(b.glyphs, g)
	}
	for _, r := range c.rules {
		r.X += x
		r.Y += y
		b.rules = append(b.rules, r)
	}
	b.width, b.lean = math.Max(b.width, x+c.width), c.lean
	b.height, b.depth = math.Max(b.height, c.height+y), math.Max(b.depth, c.depth-y)
}

func (b *box) rule(x, y, width, height float64) {
	b.rules = append(b.rules, Rule{x, y, width, height})
	b.height = math.Max(b.height, y+height)
}

type setter struct {
	face    *Face
	missing rune // that no font has
}

const (
	scriptSize = 0.75  // of a script to its base
	nestedSize = 0.9   // of a script to the script it stands on, still to be read
	superRise  = 0.40  // ems of the base: a superscript clears a subscript below it
	subRise    = -0.18 // ems of the base
	accentGap  = 0.07  // least distance of an accent from its letter, that of DejaVu's ô
	axis       = 0.26  // height of a fraction's bar
	bar        = 0.05  // thickness of bars
	barGap     = 0.08  // between a bar and what stands above or below it
)

func smaller(size float64) float64 {
	if size < 1 {
		return size * nestedSize
	}
	return size * scriptSize
}

func (l letter) set(s *setter, size float64) box {
	var b box
	base := s.glyph(&b, l.rune, l.alphabet, size)
	ink := base.Font.shape(base.ID)
	for _, r := range l.marks {
		mark := s.glyph(&b, r, upright, size)
		m := mark.Font.shape(mark.ID)
		g := &b.glyphs[len(b.glyphs)-1]
		g.Mark = true
		g.X = size * (ink.left + ink.right - m.left - m.right) / 2
		if base.Slant {
			g.X += size * Slope * ink.top * 0.7
		}
		if m.bottom > 0 { // an accent above
			g.Y = size * math.Max(0, ink.top+accentGap-m.bottom)
		}
		b.height = math.Max(b.height, size*m.top+g.Y)
	}
	b.width = size * ink.advance
	b.lean = size * math.Max(0, ink.right-ink.advance)
	if base.Slant {
		b.lean = size * math.Max(0, ink.right+Slope*ink.top-ink.advance)
	}
	return b
}

// glyph appends a character at the start of a box.
func (s *setter) glyph(b *box, r rune, a alphabet, size float64) Glyph {
	font, id, slant := s.face.find(r, a)
	g := Glyph{Font: font, ID: id, Rune: r, Shown: r, Italic: a == italic, Slant: slant, Size: size}
	if a == script || a == double {
		g.Shown = a.in(r)
	}
	if id == 0 && s.missing == 0 {
		s.missing = g.Shown
	}
	ink := font.shape(id)
	b.glyphs = append(b.glyphs, g)
	b.height, b.depth = math.Max(b.height, size*ink.top), math.Max(b.depth, -size*ink.bottom)
	return g
}

func (r row) set(s *setter, size float64) box {
	var b box
	classes := r.classes()
	x := 0.0
	for i, n := range r.nodes {
		// Scripts are set tight but for operators.
		if i > 0 && r.math && (size == 1 || classes[i-1] == operator || classes[i] == operator) {
			x += gap(classes[i-1], classes[i]) * size
		}
		c := n.set(s, size)
		b.add(c, x, 0)
		x += c.width
	}
	b.width = x
	return b
}

// classes returns the nodes' classes; a binary operator without two operands is a sign.
func (r row) classes() []class {
	out := make([]class, len(r.nodes))
	for i, n := range r.nodes {
		out[i] = classOf(n)
		signed := i == 0 || out[i-1] == binary || out[i-1] == relation || out[i-1] == opening || out[i-1] == punctuation || out[i-1] == operator
		if out[i] == binary && (signed || i == len(r.nodes)-1) {
			out[i] = ordinary
		}
	}
	return out
}

func classOf(n node) class {
	switch n := n.(type) {
	case letter:
		return n.class
	case scripted:
		return classOf(n.base)
	case word:
		if n.operator != "" {
			return operator
		}
	}
	return ordinary
}

// gap is the room between two symbols in ems (TeXbook, page 170).
func gap(left, right class) float64 {
	const thin, medium, thick = 3. / 18, 4. / 18, 5. / 18
	switch {
	case left == relation && right == relation, left == opening, right == closing, right == punctuation:
		return 0
	case left == relation, right == relation:
		return thick
	case left == binary, right == binary:
		return medium
	case left == punctuation, right == operator, left == operator && right != opening:
		return thin
	}
	return 0
}

func (w word) set(s *setter, size float64) box { return w.row.set(s, size) }

func (n space) set(_ *setter, size float64) box { return box{width: n.width * size} }

func (n scripted) set(s *setter, size float64) box {
	b := n.base.set(s, size)
	start, lean := b.width, b.lean
	const capital = 0.76 // ems: how high a letter is
	if n.sub != nil {
		drop := math.Max(0, b.depth-0.25*size)
		b.add(n.sub.set(s, smaller(size)), start, subRise*size-drop)
	}
	if n.super != nil {
		lift := math.Max(0, b.height-capital*size)
		if _, accented := n.base.(letter); accented {
			lift = 0
		}
		b.add(n.super.set(s, smaller(size)), start+lean, superRise*size+lift)
	}
	return b
}

func (n fraction) set(s *setter, size float64) box {
	over, under := n.over.set(s, smaller(size)), n.under.set(s, smaller(size))
	width := math.Max(over.width, under.width) + 0.1*size
	const side = 0.06 // ems beside the bar
	var b box
	b.add(over, side*size+(width-over.width)/2, (axis+bar/2+barGap)*size+over.depth)
	b.add(under, side*size+(width-under.width)/2, (axis-bar/2-barGap)*size-under.height)
	b.rule(side*size, (axis-bar/2)*size, width, bar*size)
	b.width, b.lean = width+2*side*size, 0
	return b
}

func (n root) set(s *setter, size float64) box {
	var b box
	of := n.of.set(s, size)
	sign := s.glyph(&b, '√', upright, size)
	ink := sign.Font.shape(sign.ID)
	// The sign grows until its top is the bar's.
	top := math.Max(of.height+(barGap+bar)*size, size*ink.top)
	g := &b.glyphs[0]
	g.Size = size * (top + of.depth) / (size * (ink.top - ink.bottom))
	g.Size = math.Max(g.Size, size)
	g.Y = top - ink.top*g.Size
	x := ink.right * g.Size
	b.height, b.depth = top, math.Max(of.depth, -g.Y-ink.bottom*g.Size)
	b.add(of, x+0.02*size, 0)
	b.rule(x-bar*size/2, top-bar*size, of.width+of.lean+0.06*size, bar*size)
	b.width, b.lean = x+of.width+of.lean+0.08*size, 0
	return b
}

func (n overline) set(s *setter, size float64) box {
	b := n.of.set(s, size)
	b.rule(0, b.height+barGap*size, b.width+b.lean, bar*size)
	return b
}

// set sets a label in a face.
func set(markup string, f *Face) (*Line, error) {
	nodes, err := parse(markup)
	if err != nil {
		return nil, err
	}
	s := &setter{face: f}
	b := nodes.set(s, 1)
	l := &Line{Glyphs: b.glyphs, Rules: b.rules, Width: b.width, Height: b.height, Depth: b.depth, Family: f.Family, nodes: nodes, markup: markup}
	if s.missing != 0 {
		return l, fmt.Errorf("label %q: no font has %q (%U); write it otherwise or choose another face", markup, s.missing, s.missing)
	}
	return l, nil
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
		if n := len(runs); n > 0 {
			r := &runs[n-1]
			first := r.Glyphs[0]
			same := first.Size == g.Size && first.Italic == g.Italic &&
				(marks || first.Font == g.Font && first.Shown-first.Rune == g.Shown-g.Rune)
			follows := g.Y == first.Y && math.Abs(g.X-r.End) < 1e-6 && !first.Mark
			if marks && g.Mark || same && follows && !g.Mark {
				r.Glyphs = append(r.Glyphs, g)
				if !g.Mark {
					r.End = g.X + g.Advance()
				}
				continue
			}
		}
		runs = append(runs, Run{[]Glyph{g}, g.X + g.Advance()})
	}
	return runs
}

// Text returns the run's characters as they are read.
func (r Run) Text() string {
	text := make([]rune, len(r.Glyphs))
	for i, g := range r.Glyphs {
		text[i] = g.Rune
	}
	return string(text)
}

// Shown returns the run's characters as Unicode has their shapes.
func (r Run) Shown() string {
	text := make([]rune, len(r.Glyphs))
	for i, g := range r.Glyphs {
		text[i] = g.Shown
	}
	return string(text)
}
