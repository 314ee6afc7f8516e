package render

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/color"
	"unicode/utf16"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// PDF is a page that is being drawn (ISO 32000-1). It carries no date and no
// random identifier, so that equal drawings are equal bytes.
type PDF struct {
	width, height float64
	title         string
	content       []byte
	glyphs        map[sfnt.GlyphIndex]rune
	alphas        []uint8  // constant opacities in use
	forms         [][]byte // one per stamp, drawn at the origin
	images        []*image.NRGBA
}

// NewPDF returns a canvas that draws a page, and the page.
func NewPDF(width, height vg.Length, title string) (*Canvas, *PDF) {
	p := &PDF{
		width: float64(width), height: float64(height), title: title,
		content: []byte("1 J 1 j\n"),
		glyphs:  make(map[sfnt.GlyphIndex]rune),
	}
	return newCanvas(p), p
}

func (p *PDF) printf(format string, args ...any) { p.content = fmt.Appendf(p.content, format, args...) }

func appendPDFPath(b []byte, p path) []byte {
	for _, s := range p {
		if s.op == 'Z' {
			b = append(b, "h\n"...)
			continue
		}
		for i := range coordinates[s.op] {
			b = append(appendNumber(b, s.p[i].x), ' ')
			b = append(appendNumber(b, s.p[i].y), ' ')
		}
		b = append(b, map[byte]string{'M': "m\n", 'L': "l\n", 'C': "c\n"}[s.op]...)
	}
	return b
}

// paint sets the colour with an operator, rg to fill or RG to stroke, and the
// opacity.
func (p *PDF) paint(operator string, c color.NRGBA) {
	for _, v := range [3]uint8{c.R, c.G, c.B} {
		p.content = append(appendRounded(p.content, float64(v)/255, 1000), ' ')
	}
	p.printf("%s /A%d gs\n", operator, p.alpha(c.A))
}

func (p *PDF) alpha(a uint8) int {
	for i, b := range p.alphas {
		if a == b {
			return i
		}
	}
	p.alphas = append(p.alphas, a)
	return len(p.alphas) - 1
}

func (p *PDF) stroke(line path, s *state) {
	p.paint("RG", s.color)
	p.content = appendNumber(p.content, s.lineWidth)
	p.printf(" w ")
	if len(s.dash) > 0 {
		p.printf("0 J ")
	} else {
		p.printf("1 J ")
	}
	p.printf("[")
	for _, d := range s.dash {
		p.content = append(appendNumber(p.content, d), ' ')
	}
	p.printf("] 0 d\n")
	p.content = append(appendPDFPath(p.content, line), "S\n"...)
}

func (p *PDF) fill(area path, s *state) {
	p.paint("rg", s.color)
	p.content = append(appendPDFPath(p.content, area), "f\n"...)
}

func (p *PDF) stamp(shape path, at []point, s *state) {
	name := fmt.Sprintf("/M%d Do\n", len(p.forms))
	p.forms = append(p.forms, append(appendPDFPath(nil, shape), "f\n"...))
	p.printf("q ")
	p.paint("rg", s.color)
	var last point
	for _, q := range at {
		p.printf("1 0 0 1 ")
		p.content = append(appendNumber(p.content, q.x-last.x), ' ')
		p.content = append(appendNumber(p.content, q.y-last.y), ' ')
		p.content = append(append(p.content, "cm "...), name...)
		// The next move starts from the rounded place of this one.
		last = point{last.x + rounded(q.x-last.x), last.y + rounded(q.y-last.y)}
	}
	p.printf("Q\n")
}

func (p *PDF) label(l typeset.Label, size float64, a Alignment, at point, c color.NRGBA) {
	drawRuns(p, l, size, a, at, c)
}

// text shows glyphs by number; a glyph that does not stand where the one before
// it ends, such as an accent, gets a text matrix of its own.
func (p *PDF) text(text string, size float64, at point, c color.NRGBA) {
	glyphs, _ := typeset.Shape(text)
	p.paint("rg", c)
	p.printf("BT /F0 ")
	p.content = appendNumber(p.content, size)
	p.printf(" Tf\n")
	x, y, open := 0.0, 0.0, false
	for _, g := range glyphs {
		p.glyphs[g.ID] = g.Rune
		if !open || g.X-x > 1e-6 || x-g.X > 1e-6 || g.Y != y {
			if open {
				p.printf("> Tj\n")
			}
			p.printf("1 0 0 1 ")
			p.content = append(appendNumber(p.content, at.x+g.X*size), ' ')
			p.content = append(appendNumber(p.content, at.y+g.Y*size), ' ')
			p.printf("Tm <")
			open = true
		}
		p.printf("%04x", g.ID)
		x, y = g.X+typeset.Advance(g.ID), g.Y
	}
	if open {
		p.printf("> Tj\n")
	}
	p.printf("ET\n")
}

func (p *PDF) image(img image.Image, lo, hi point) {
	if few(img) {
		for _, r := range cells(img, lo, hi) {
			p.paint("rg", r.color)
			for _, v := range []float64{r.lo.x, r.lo.y, r.hi.x - r.lo.x, r.hi.y - r.lo.y} {
				p.content = append(appendNumber(p.content, v), ' ')
			}
			p.printf("re f\n")
		}
		return
	}
	p.printf("q /A%d gs %.2f 0 0 %.2f %.2f %.2f cm /I%d Do Q\n", p.alpha(255), hi.x-lo.x, hi.y-lo.y, lo.x, lo.y, len(p.images))
	p.images = append(p.images, enlarged(img, lo, hi))
}

// Bytes writes the file: the catalogue, the page, its content, the font's
// subset, and what the content uses.
func (p *PDF) Bytes() ([]byte, error) {
	w := &pdfWriter{}
	w.buf.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	const catalog, pages, page, content = 1, 2, 3, 4
	resources := "<<"
	next := 5
	if len(p.glyphs) > 0 {
		resources += fmt.Sprintf("/Font<</F0 %d 0 R>>", next)
		next = w.font(next, p.glyphs)
	}
	resources += "/ExtGState<<"
	for i, a := range p.alphas {
		resources += fmt.Sprintf("/A%d<</ca %.3g/CA %.3g>>", i, float64(a)/255, float64(a)/255)
	}
	resources += ">>/XObject<<"
	for i, form := range p.forms {
		resources += fmt.Sprintf("/M%d %d 0 R", i, next)
		w.stream(next, "/Type/XObject/Subtype/Form/BBox[-100 -100 100 100]", form)
		next++
	}
	for i, img := range p.images {
		resources += fmt.Sprintf("/I%d %d 0 R", i, next)
		w.image(next, img)
		next++
	}
	resources += ">>>>"
	w.object(catalog, "<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</DisplayDocTitle true>>>>")
	w.object(pages, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	w.object(page, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.2f %.2f]/Contents 4 0 R/Resources %s>>", p.width, p.height, resources))
	w.stream(content, "", p.content)
	w.object(next, "<</Title "+textString(p.title)+">>")
	return w.finish(next), nil
}

// textString is a PDF string in UTF-16 with a byte order mark.
func textString(s string) string {
	b := []byte("<feff")
	for _, u := range utf16.Encode([]rune(s)) {
		b = fmt.Appendf(b, "%04x", u)
	}
	return string(append(b, '>'))
}

// pdfWriter keeps the offsets of objects, which it numbers as told.
type pdfWriter struct {
	buf     bytes.Buffer
	offsets map[int]int
}

func (w *pdfWriter) object(n int, body string) {
	if w.offsets == nil {
		w.offsets = make(map[int]int)
	}
	w.offsets[n] = w.buf.Len()
	fmt.Fprintf(&w.buf, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *pdfWriter) stream(n int, dictionary string, data []byte) {
	var z bytes.Buffer
	zw, _ := zlib.NewWriterLevel(&z, zlib.BestCompression)
	_, _ = zw.Write(data) // a bytes.Buffer does not fail
	_ = zw.Close()
	w.object(n, fmt.Sprintf("<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream", dictionary, z.Len(), z.Bytes()))
}

// image writes an image as RGB pixels that viewers are told not to smooth. Each row is
// its difference from the one above, PNG's filter Up, which is zero within a cell.
func (w *pdfWriter) image(n int, img *image.NRGBA) {
	const up = 2
	r := img.Bounds()
	data := make([]byte, 0, (3*r.Dx()+1)*r.Dy())
	above := make([]byte, img.Stride)
	for y := range r.Dy() {
		row := img.Pix[y*img.Stride : (y+1)*img.Stride]
		data = append(data, up)
		for x := 0; x < len(row); x += 4 {
			data = append(data, row[x]-above[x], row[x+1]-above[x+1], row[x+2]-above[x+2])
		}
		above = row
	}
	w.stream(n, fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Interpolate false/DecodeParms<</Predictor 12/Colors 3/Columns %d>>",
		r.Dx(), r.Dy(), r.Dx()), data)
}

// finish writes the cross-reference table and the trailer.
func (w *pdfWriter) finish(info int) []byte {
	start := w.buf.Len()
	fmt.Fprintf(&w.buf, "xref\n0 %d\n0000000000 65535 f \n", info+1)
	for n := 1; n <= info; n++ {
		fmt.Fprintf(&w.buf, "%010d 00000 n \n", w.offsets[n])
	}
	fmt.Fprintf(&w.buf, "trailer\n<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", info+1, info, start)
	return w.buf.Bytes()
}
