package canvas

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// pdf is a page that fpdf writes. Fonts are known when the drawing ends, so steps that
// draw are kept until then. Operators are those of ISO 32000-1.
type pdf struct {
	*page
	o      Options
	steps  []func(f *fpdf.Fpdf)
	alpha  int // the opacity that is set, of 255
	fonts  []*pdfFont
	widths []int // of images
}

// A pdfFont has the glyphs of a font that are in use.
type pdfFont struct {
	name   string
	from   *label.Font
	glyphs map[rune]label.Glyph
}

func (p *pdf) draw(step func(f *fpdf.Fpdf)) { p.steps = append(p.steps, step) }

func (p *pdf) printf(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	p.draw(func(f *fpdf.Fpdf) { f.RawWriteStr(s) })
}

// WriteTo has fpdf write the file, without the time of writing.
func (p *pdf) WriteTo(w io.Writer) (int64, error) {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: p.width.Points(), Ht: p.height.Points()}})
	f.SetCatalogSort(true)
	f.SetCreationDate(time.Unix(0, 0).UTC())
	f.SetModificationDate(time.Unix(0, 0).UTC())
	f.SetProducer("", false)
	if p.o.Title != "" {
		f.SetTitle(narrow(p.o.Title), true)
	}
	f.SetSubject(narrow(p.o.Alt), true)
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.AddPage()
	for _, font := range p.fonts {
		f.AddUTF8FontFromBytes(font.name, "", trueType(font.glyphs))
	}
	f.RawWriteStr("1 j")
	for _, step := range p.steps {
		step(f)
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		return 0, fmt.Errorf("PDF: %w", err)
	}
	return b.WriteTo(w)
}

// narrow moves characters of more than two bytes, which fpdf does not know, to the private ones.
func narrow(s string) string {
	const private, size = 0xe000, 0x1900
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return private + r%size
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func pdfPath(p vg.Path) (b []byte) {
	for _, c := range p {
		for _, q := range points(c) {
			b = fmt.Appendf(b, "%s %s ", number(q.X), number(q.Y))
		}
		b = append(b, "ml ch"[c.Type], '\n')
	}
	return b
}

// paint sets the opacity, and the colour with an operator, rg to fill or RG to stroke.
func (p *pdf) paint(operator string, c color.NRGBA) {
	if p.alpha != int(c.A) {
		p.alpha = int(c.A)
		p.draw(func(f *fpdf.Fpdf) { f.SetAlpha(float64(c.A)/255, "Normal") })
	}
	p.printf("%s %s", coefficients(" ", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255), operator)
}

func (p *pdf) stroke(line vg.Path, s *state) {
	p.paint("RG", s.color)
	p.printf("%s w [%s] %s d\n%sS", number(s.lineWidth), join(" ", 1e2, s.dash...), number(s.dashOffset), pdfPath(line))
}

func (p *pdf) fill(area vg.Path, c color.NRGBA) {
	p.paint("rg", c)
	p.printf("%sf", pdfPath(area))
}

// stamp repeats the shape, which compresses to next to nothing.
func (p *pdf) stamp(shape vg.Path, c color.NRGBA, at []vg.Point) {
	p.paint("rg", c)
	outline, b := pdfPath(shape), []byte(nil)
	for _, q := range at {
		b = fmt.Appendf(b, "q 1 0 0 1 %s %s cm\n%sf\nQ\n", number(q.X), number(q.Y), outline)
	}
	p.printf("%s", b)
}

func (p *pdf) setLine(l *label.Line, size float64, align text.XAlignment, s *state) {
	m := s.matrix.Translate(float64(align)*l.Width*size, 0)
	p.paint("rg", s.color)
	for _, r := range l.Runs(false) {
		first := r.Glyphs[0]
		t := m.Translate(first.X*size, first.Y*size)
		if first.Slant {
			t = t.Shear(label.Slope, 0)
		}
		name, text := p.font(r), narrow(r.Text())
		p.printf("q %s cm", coefficients(" ", t.XX, t.YX, t.XY, t.YY, t.X0, t.Y0))
		p.draw(func(f *fpdf.Fpdf) {
			f.SetFont(name, "", first.Size*size)
			f.Text(0, p.height.Points(), text)
			f.RawWriteStr("Q")
		})
	}
	if bars := l.BarPath(vg.Length(size)); len(bars) > 0 {
		p.fill(mapped(bars, m), s.color)
	}
}

// font returns the name of a run's font, which gets the run's glyphs.
func (p *pdf) font(r label.Run) string {
	from := r.Glyphs[0].Font
	i := slices.IndexFunc(p.fonts, func(f *pdfFont) bool { return f.from == from })
	if i < 0 {
		i = len(p.fonts)
		p.fonts = append(p.fonts, &pdfFont{fmt.Sprintf("%s-%d", from.Name, i), from, make(map[rune]label.Glyph)})
	}
	for _, g := range r.Glyphs {
		c, _ := utf8.DecodeRuneInString(narrow(string(g.Rune)))
		p.fonts[i].glyphs[c] = g
	}
	return p.fonts[i].name
}

func (p *pdf) drawImage(img image.Image, r vg.Rectangle) {
	p.paint("rg", black)
	big := enlarged(img, r, 0)
	for more := 1; slices.Contains(p.widths, big.Bounds().Dx()); more++ { // fpdf writes images in the order of their widths
		big = enlarged(img, r, more)
	}
	p.widths = append(p.widths, big.Bounds().Dx())
	data, name := pngOf(big), fmt.Sprint(big.Bounds().Dx())
	p.draw(func(f *fpdf.Fpdf) {
		f.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(data))
		f.ImageOptions(name, r.Min.X.Points(), (p.height - r.Max.Y).Points(), r.Size().X.Points(), r.Size().Y.Points(),
			false, fpdf.ImageOptions{AllowNegativePosition: true}, 0, "")
	})
}
