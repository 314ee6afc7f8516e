package label

import (
	"sync"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

// A face is the fonts of a typeface; what the italic one lacks is slanted.
type face struct {
	family string  // for SVG: names of fonts, the first one meant
	fonts  []*Font // upright, mathematical, DejaVu Sans
	italic *Font   // or nil
}

// faces are parsed when they are first used.
var faces = make(map[string]func() *face)

func init() {
	Register("sans", "'DejaVu Sans','Bitstream Vera Sans',Verdana,sans-serif", dejavusans.TTF, nil, nil)
	Register("times", "'Liberation Serif','Times New Roman',Times,serif", liberationserifregular.TTF, liberationserifitalic.TTF, nil)
}

// Register makes a face of TrueType or OpenType fonts known, of which it needs the upright
// one; it is called while the program starts.
func Register(name, family string, upright, italic, math []byte) {
	faces[name] = sync.OnceValue(func() *face {
		f := &face{family: family}
		if italic != nil {
			f.italic = newFont(italic)
		}
		for _, data := range [][]byte{upright, math, dejavusans.TTF} {
			if data != nil {
				f.fonts = append(f.fonts, newFont(data))
			}
		}
		return f
	})
}

// glyph returns the glyph of a character, 0 if no font has it.
func (f *face) glyph(r rune, italic bool) Glyph {
	g := Glyph{Rune: r, Italic: italic}
	if italic && f.italic != nil {
		if g.Font, g.ID = f.italic, f.italic.index(r); g.ID != 0 {
			return g
		}
	}
	g.Slant = italic
	for _, g.Font = range f.fonts {
		if g.ID = g.Font.index(r); g.ID != 0 {
			return g
		}
	}
	return Glyph{Rune: r, Italic: italic, Font: f.fonts[0]}
}

// A Font is a parsed font file with what is measured of its glyphs.
type Font struct {
	Name   string
	SFNT   *sfnt.Font
	shapes memo // by glyph
}

// A shape is a glyph in ems, y up.
type shape struct {
	advance                  float64
	left, right, bottom, top float64 // of its ink
	outline                  vg.Path
}

func newFont(data []byte) *Font {
	f, err := sfnt.Parse(data)
	if err != nil {
		panic("plotting: an embedded font is damaged: " + err.Error())
	}
	return wrap(f)
}

func wrap(f *sfnt.Font) *Font {
	out := &Font{SFNT: f}
	out.Name, _ = f.Name(nil, sfnt.NameIDPostScript) // a font without a name has the empty one
	return out
}

func (f *Font) index(r rune) sfnt.GlyphIndex {
	id, _ := f.SFNT.GlyphIndex(nil, r) // a font that cannot be read has no glyph
	return id
}

// shape measures a glyph once.
func (f *Font) shape(id sfnt.GlyphIndex) *shape {
	return f.shapes.of(id, func() any { return f.measure(id) }).(*shape)
}

func (f *Font) measure(id sfnt.GlyphIndex) *shape {
	unit := fixed.Int26_6(f.SFNT.UnitsPerEm())
	ems := func(v fixed.Int26_6) float64 { return float64(v) / float64(unit) }
	advance, _ := f.SFNT.GlyphAdvance(nil, id, unit, font.HintingNone) // glyph 0 exists
	segments, err := f.SFNT.LoadGlyph(new(sfnt.Buffer), id, unit, nil)
	s := &shape{advance: ems(advance)}
	if err != nil || len(segments) == 0 {
		return s
	}
	b := segments.Bounds()
	s.left, s.right, s.bottom, s.top = ems(b.Min.X), ems(b.Max.X), -ems(b.Max.Y), -ems(b.Min.Y)
	point := func(p fixed.Point26_6) vg.Point { return vg.Point{X: vg.Length(ems(p.X)), Y: vg.Length(-ems(p.Y))} }
	for _, seg := range segments {
		switch a := seg.Args; seg.Op {
		case sfnt.SegmentOpMoveTo:
			if len(s.outline) > 0 {
				s.outline.Close()
			}
			s.outline.Move(point(a[0]))
		case sfnt.SegmentOpLineTo:
			s.outline.Line(point(a[0]))
		case sfnt.SegmentOpQuadTo:
			s.outline.QuadTo(point(a[0]), point(a[1]))
		case sfnt.SegmentOpCubeTo:
			s.outline.CubeTo(point(a[0]), point(a[1]), point(a[2]))
		}
	}
	s.outline.Close()
	return s
}
