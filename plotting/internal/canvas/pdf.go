package canvas

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// pdf is a page of one drawing, which fpdf writes. Fonts are known when the drawing ends,
// so it keeps what is drawn until then.
type pdf struct {
	page  *page
	o     Options
	ops   []pdfOp
	fonts []*pdfFont
}

// A pdfOp is operators of the page (ISO 32000-1), or a piece of text, an opacity or an
// image, of which fpdf knows the name.
type pdfOp struct {
	raw    []byte
	alpha  uint8 // of what follows
	font   *pdfFont
	size   float64
	text   string
	at     point // of the text, or the image's corner
	image  image.Image
	extent point
}

// A pdfFont is the glyphs of one font and one alphabet, by the characters they are read as.
type pdfFont struct {
	font   *label.Font
	italic bool
	shift  rune // from the characters that are read to those that are shown
	glyphs map[rune]label.Glyph
}

func newPDF(p *page, o Options) *pdf { return &pdf{page: p, o: o} }

// raw returns the operators at the end of the page, to append to.
func (p *pdf) raw() *[]byte {
	if n := len(p.ops); n == 0 || p.ops[n-1].raw == nil {
		p.ops = append(p.ops, pdfOp{raw: []byte{}})
	}
	return &p.ops[len(p.ops)-1].raw
}

func (p *pdf) printf(format string, args ...any) {
	b := p.raw()
	*b = fmt.Appendf(*b, format, args...)
}

func appendPDFPath(b []byte, p path) []byte {
	for i := range p {
		if p[i].op == 'Z' {
			b = append(b, "h\n"...)
			continue
		}
		for _, q := range p[i].points() {
			b = append(appendNumber(b, q.x), ' ')
			b = append(appendNumber(b, q.y), ' ')
		}
		b = append(b, p[i].op-'A'+'a', '\n')
	}
	return b
}

// paint sets the colour with an operator, rg to fill or RG to stroke, and the
// opacity.
func (p *pdf) paint(operator string, c color.NRGBA) {
	p.ops = append(p.ops, pdfOp{alpha: c.A})
	p.printf("%.3g %.3g %.3g %s\n", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255, operator)
}

func (p *pdf) stroke(line path, s *state) {
	p.paint("RG", s.color)
	p.printf("%s w [", number(s.lineWidth))
	for _, d := range s.dash {
		p.printf("%s ", number(d))
	}
	p.printf("] %s d\n", number(s.dashOffset))
	b := p.raw()
	*b = append(appendPDFPath(*b, line), "S\n"...)
}

func (p *pdf) fill(area path, c color.NRGBA) {
	p.paint("rg", c)
	b := p.raw()
	*b = append(appendPDFPath(*b, area), "f\n"...)
}

// stamp repeats the shape, which compresses to next to nothing.
func (p *pdf) stamp(shape path, at []point, c color.NRGBA) {
	p.paint("rg", c)
	outline := append(appendPDFPath(nil, shape), "f\n"...)
	b := p.raw()
	*b = append(*b, "q\n"...)
	var last point
	for _, q := range at {
		*b = append(*b, "1 0 0 1 "...)
		*b = append(appendNumber(*b, q.x-last.x), ' ')
		*b = append(appendNumber(*b, q.y-last.y), " cm\n"...)
		*b = append(*b, outline...)
		// The next move starts from the rounded place of this one.
		last = point{last.x + rounded(q.x-last.x), last.y + rounded(q.y-last.y)}
	}
	*b = append(*b, "Q\n"...)
}

func (p *pdf) setLine(l *label.Line, size float64, m matrix, align text.XAlignment, c color.NRGBA) {
	m = m.translate(point{float64(align) * l.Width * size, 0})
	p.paint("rg", c)
	for _, r := range l.Runs(false) {
		first := r.Glyphs[0]
		t := m.translate(point{first.X * size, first.Y * size})
		if first.Slant {
			t = t.times(matrix{a: 1, c: label.Slope, d: 1})
		}
		op := pdfOp{font: p.font(r), size: size * first.Size, text: codes(r), at: point{t.e, t.f}}
		if t.turned() {
			p.printf("q %s %s %s %s %s %s cm\n", coefficient(t.a), coefficient(t.b), coefficient(t.c), coefficient(t.d), number(t.e), number(t.f))
			op.at = point{}
		}
		p.ops = append(p.ops, op)
		if t.turned() {
			p.printf("Q\n")
		}
	}
	if bars := l.Bars(vg.Length(size)); len(bars) > 0 {
		p.fill(newPath(bars, m), c)
	}
}

// font returns the font of a run, which gets the run's glyphs.
func (p *pdf) font(r label.Run) *pdfFont {
	first := r.Glyphs[0]
	shift := first.Shown - first.Rune
	i := slices.IndexFunc(p.fonts, func(f *pdfFont) bool {
		return f.font == first.Font && f.italic == first.Italic && f.shift == shift
	})
	if i < 0 {
		i = len(p.fonts)
		p.fonts = append(p.fonts, &pdfFont{first.Font, first.Italic, shift, make(map[rune]label.Glyph)})
	}
	for _, g := range r.Glyphs {
		p.fonts[i].glyphs[code(g.Rune)] = g
	}
	return p.fonts[i]
}

// code is the character of a glyph in the file: fpdf's have two bytes, so that those
// beyond are moved to the private ones.
func code(r rune) rune {
	const private, size = 0xe000, 0x1900
	if r > 0xffff {
		return private + r%size
	}
	return r
}

func codes(r label.Run) string {
	out := make([]rune, len(r.Glyphs))
	for i, g := range r.Glyphs {
		out[i] = code(g.Rune)
	}
	return string(out)
}

func (p *pdf) image(img image.Image, lo, hi point) {
	p.ops = append(p.ops, pdfOp{alpha: 255}, pdfOp{image: enlarged(img), at: lo, extent: point{hi.x - lo.x, hi.y - lo.y}})
}

// WriteTo has fpdf write the file, without the time of writing.
func (p *pdf) WriteTo(w io.Writer) (int64, error) {
	width, height := float64(p.page.width), float64(p.page.height)
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: width, Ht: height}})
	f.SetCatalogSort(true)
	f.SetCreationDate(time.Unix(0, 0).UTC())
	f.SetModificationDate(time.Unix(0, 0).UTC())
	f.SetProducer("", true)
	f.SetTitle(p.o.Title, true)
	f.SetSubject(p.o.Alt, true)
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.AddPage()
	f.RawWriteStr("1 j")
	for _, font := range p.fonts {
		f.AddUTF8FontFromBytes(font.name(), "", trueType(font.glyphs))
	}
	alpha := uint8(0)
	for i, op := range p.ops {
		switch {
		case op.raw != nil:
			f.RawWriteBuf(bytes.NewReader(op.raw))
		case op.font != nil:
			f.SetFont(op.font.name(), "", op.size)
			f.Text(op.at.x, height-op.at.y, op.text)
		case op.image != nil:
			var b bytes.Buffer
			_ = png.Encode(&b, op.image) // a bytes.Buffer does not fail
			name := fmt.Sprint(i)
			f.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, &b)
			f.ImageOptions(name, op.at.x, height-op.at.y-op.extent.y, op.extent.x, op.extent.y, false, fpdf.ImageOptions{AllowNegativePosition: true}, 0, "")
		case op.alpha != alpha:
			alpha = op.alpha
			f.SetAlpha(math.Round(float64(alpha)/255*1000)/1000, "Normal")
		}
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return 0, fmt.Errorf("PDF: %w", err)
	}
	return b.WriteTo(w)
}

func (f *pdfFont) name() string {
	name := f.font.Name
	if f.italic {
		name += "-Math"
	}
	if f.shift != 0 {
		name += fmt.Sprintf("-%x", f.shift)
	}
	return name
}
