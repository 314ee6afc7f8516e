package canvas

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// pdf is a page that fpdf writes. Operators are those of ISO 32000-1.
type pdf struct {
	*page
	doc    *fpdf.Fpdf
	alpha  int // the opacity that is set, of 255
	images int
}

func newPDF(c *page, o Options) *pdf {
	p := &pdf{page: c, alpha: -1}
	p.doc = fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: c.width.Points(), Ht: c.height.Points()}})
	p.doc.SetCatalogSort(true)
	p.doc.SetCreationDate(time.Unix(0, 0).UTC())
	p.doc.SetModificationDate(time.Unix(0, 0).UTC())
	p.doc.SetProducer("", false)
	if o.Title != "" {
		p.doc.SetTitle(narrow(o.Title), true)
	}
	if o.Alt != "" {
		p.doc.SetSubject(narrow(o.Alt), true)
	}
	p.doc.SetMargins(0, 0, 0)
	p.doc.SetAutoPageBreak(false, 0)
	p.doc.AddPage()
	p.doc.RawWriteStr("1 j")
	return p
}

// narrow returns the characters of at most two bytes, which fpdf knows.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// WriteTo writes the file.
func (p *pdf) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if err := p.doc.Output(&b); err != nil {
		return 0, fmt.Errorf("PDF: %w", err)
	}
	return b.WriteTo(w)
}

func appendPDFPath(b []byte, p vg.Path) []byte {
	for _, c := range p {
		b = appendPoints(b, c, func(b []byte, q vg.Point) []byte {
			b = append(appendNumber(b, q.X), ' ')
			return append(appendNumber(b, q.Y), ' ')
		})
		b = append(b, "ml ch"[c.Type], '\n')
	}
	return b
}

// paint sets the opacity, and the colour with an operator, rg to fill or RG to stroke.
func (p *pdf) paint(operator string, c color.NRGBA) {
	if p.alpha != int(c.A) {
		p.alpha = int(c.A)
		p.doc.SetAlpha(float64(c.A)/255, "Normal")
	}
	p.doc.RawWriteStr(coefficients(" ", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255) + " " + operator)
}

func (p *pdf) stroke(line vg.Path, s *state) {
	p.paint("RG", s.color)
	b := append(appendNumber(nil, s.lineWidth), " w ["...)
	for _, d := range s.dash {
		b = append(appendNumber(b, d), ' ')
	}
	b = append(appendNumber(append(b, "] "...), s.dashOffset), " d\n"...)
	p.doc.RawWriteStr(string(append(appendPDFPath(b, line), 'S')))
}

func (p *pdf) fill(area vg.Path, c color.NRGBA) {
	p.paint("rg", c)
	p.doc.RawWriteStr(string(append(appendPDFPath(nil, area), 'f')))
}

// stamp repeats the shape, which compresses to next to nothing.
func (p *pdf) stamp(shape vg.Path, c color.NRGBA, at []vg.Point) {
	p.paint("rg", c)
	outline := append(appendPDFPath(nil, shape), "f\n"...)
	b := []byte("q\n")
	var last vg.Point
	for _, q := range at {
		step := q.Sub(last)
		b = append(appendNumber(append(b, "1 0 0 1 "...), step.X), ' ')
		b = append(append(appendNumber(b, step.Y), " cm\n"...), outline...)
		// The next step starts from the rounded end of this one.
		last = last.Add(vg.Point{X: rounded(step.X), Y: rounded(step.Y)})
	}
	p.doc.RawWriteStr(string(append(b, 'Q')))
}

// setLine sets what can be embedded as text; the rest is outlines below text that does not
// show.
func (p *pdf) setLine(l *label.Line, size float64, align text.XAlignment, s *state) {
	m := s.matrix.Translate(float64(align)*l.Width*size, 0)
	p.paint("rg", s.color)
	for _, r := range l.Runs(false) {
		first := r.Glyphs[0]
		t, f := m.Translate(first.X*size, first.Y*size), first.Font
		if first.Slant {
			t = t.Shear(label.Slope, 0)
		}
		p.doc.RawWriteStr("q " + coefficients(" ", t.XX, t.YX, t.XY, t.YY, t.X0, t.Y0) + " cm")
		if outlined(r) {
			f = label.Substitute()
			p.doc.SetTextRenderingMode(3)
		}
		p.doc.AddUTF8FontFromBytes(f.Name, "", common(f))
		p.doc.SetFont(f.Name, "", first.Size*size)
		p.doc.Text(0, p.height.Points(), narrow(r.Text()))
		p.doc.RawWriteStr("Q")
	}
	if rest := l.Path(vg.Length(size), outlined); len(rest) > 0 {
		p.fill(mapped(rest, m), s.color)
	}
}

// outlined reports whether a run has a character that is not embedded.
func outlined(r label.Run) bool {
	return r.Glyphs[0].Font.TrueType == nil || r.Shown() != r.Text() ||
		strings.ContainsFunc(r.Text(), func(c rune) bool { return !strings.ContainsRune(label.Characters(), c) })
}

// cuts keeps what common returns.
var cuts sync.Map

// common returns a font with the characters of most labels, of which fpdf embeds those in
// use. It reads this tenfold faster than the whole font, and embeds the table of names as a
// whole, which is emptied.
func common(f *label.Font) []byte {
	if data, ok := cuts.Load(f); ok {
		return data.([]byte)
	}
	data := fpdf.UTF8CutFont(f.TrueType, label.Characters())
	for entry := 12; entry < 12+16*int(data[5]); entry += 16 {
		if string(data[entry:entry+4]) == "name" {
			at := binary.BigEndian.Uint32(data[entry+8:])
			clear(data[at : at+binary.BigEndian.Uint32(data[entry+12:])])
		}
	}
	cuts.Store(f, data)
	return data
}

func (p *pdf) drawImage(img image.Image, r vg.Rectangle) {
	p.paint("rg", black)
	p.images++
	name := fmt.Sprint(p.images)
	p.doc.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(enlarged(img, r)))
	width, height := r.Size().X.Points(), r.Size().Y.Points()
	p.doc.ImageOptions(name, r.Min.X.Points(), (p.height - r.Max.Y).Points(), width, height, false, fpdf.ImageOptions{AllowNegativePosition: true}, 0, "")
}
