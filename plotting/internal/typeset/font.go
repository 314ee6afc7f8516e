// Package typeset measures and places the text of a figure: DejaVu Sans with
// sub- and superscripts and combining accents.
package typeset

import (
	"fmt"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Family names the font, as SVG and PDF readers know it.
const Family = "DejaVu Sans"

// TTF returns the font file.
func TTF() []byte { return dejavusans.TTF }

// sans is the parsed font with what is measured once: glyph indices and
// advances, in font units.
type sans struct {
	*sfnt.Font
	unitsPerEm float64
	mu         sync.Mutex // guards what follows
	buf        sfnt.Buffer
	index      map[rune]sfnt.GlyphIndex
	advance    map[sfnt.GlyphIndex]float64
	box        map[sfnt.GlyphIndex]box
}

// box is the ink of a glyph in ems, y up.
type box struct{ left, right, bottom, top float64 }

var load = sync.OnceValue(func() *sans {
	f, err := sfnt.Parse(dejavusans.TTF)
	if err != nil {
		panic("plotting: the embedded font is damaged: " + err.Error())
	}
	return &sans{
		Font:       f,
		unitsPerEm: float64(f.UnitsPerEm()),
		index:      make(map[rune]sfnt.GlyphIndex),
		advance:    make(map[sfnt.GlyphIndex]float64),
		box:        make(map[sfnt.GlyphIndex]box),
	}
})

// Glyph is one glyph of a string and where it stands, in ems from the start
// of the string. Up is positive.
type Glyph struct {
	ID   sfnt.GlyphIndex
	Rune rune
	X, Y float64
}

// accentGap is the least distance in ems between an accent and its letter, that
// of DejaVu's own ô.
const accentGap = 0.07

// Shape places the glyphs of s. A combining accent is centred on the glyph
// before it, and lifted above a tall one. The width is in ems.
func Shape(s string) (glyphs []Glyph, width float64) {
	f := load()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range s {
		id := f.glyph(r)
		g := Glyph{ID: id, Rune: r, X: width}
		if unicode.Is(unicode.Mn, r) && len(glyphs) > 0 {
			base := glyphs[len(glyphs)-1]
			b, a := f.ink(base.ID), f.ink(id)
			g.X = base.X + (b.left+b.right-a.left-a.right)/2
			if a.bottom > 0 {
				g.Y = max(0, b.top+accentGap-a.bottom)
			}
		} else {
			width += f.width(id)
		}
		glyphs = append(glyphs, g)
	}
	return glyphs, width
}

// inkOf returns the lowest and the highest ink of s in ems, up positive.
func inkOf(s string) (bottom, top float64) {
	glyphs, _ := Shape(s)
	f := load()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range glyphs {
		b := f.ink(g.ID)
		bottom, top = min(bottom, b.bottom+g.Y), max(top, b.top+g.Y)
	}
	return bottom, top
}

// Width returns the width of s in ems.
func Width(s string) float64 {
	_, w := Shape(s)
	return w
}

// Advance returns the advance width of a glyph in ems.
func Advance(id sfnt.GlyphIndex) float64 {
	f := load()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.width(id)
}

// Check returns an error naming the first character the font cannot draw.
func Check(s string) error {
	f := load()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range s {
		if f.glyph(r) == 0 {
			return fmt.Errorf("%s has no glyph for %q (%U) in %q; write it otherwise", Family, r, r, s)
		}
	}
	return nil
}

// Outline returns the outline of a glyph in ems, y down.
func Outline(id sfnt.GlyphIndex) []sfnt.Segment {
	f := load()
	f.mu.Lock()
	defer f.mu.Unlock()
	segments, err := f.LoadGlyph(&f.buf, id, f.ppem(), nil)
	if err != nil {
		return nil
	}
	return append([]sfnt.Segment(nil), segments...)
}

// Em is the number of units of an Outline's coordinates in one em.
func Em() float64 { return 64 * load().unitsPerEm }

func (f *sans) ppem() fixed.Int26_6 { return fixed.I(int(f.unitsPerEm)) }

func (f *sans) glyph(r rune) sfnt.GlyphIndex {
	id, ok := f.index[r]
	if !ok {
		id, _ = f.GlyphIndex(&f.buf, r)
		f.index[r] = id
	}
	return id
}

func (f *sans) width(id sfnt.GlyphIndex) float64 {
	w, ok := f.advance[id]
	if !ok {
		a, _ := f.GlyphAdvance(&f.buf, id, f.ppem(), font.HintingNone)
		w = float64(a) / 64 / f.unitsPerEm
		f.advance[id] = w
	}
	return w
}

func (f *sans) ink(id sfnt.GlyphIndex) box {
	b, ok := f.box[id]
	if !ok {
		r, _, _ := f.GlyphBounds(&f.buf, id, f.ppem(), font.HintingNone)
		em := func(v fixed.Int26_6) float64 { return float64(v) / 64 / f.unitsPerEm }
		b = box{em(r.Min.X), em(r.Max.X), -em(r.Max.Y), -em(r.Min.Y)}
		f.box[id] = b
	}
	return b
}
