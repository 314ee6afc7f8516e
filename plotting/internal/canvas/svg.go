package canvas

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"strings"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// svg is a document that is being drawn. Text stays text.
type svg struct {
	*page
	o      Options
	body   []byte
	family string          // the font of the document
	shapes map[string]bool // identifiers of the shapes defined so far
}

// WriteTo writes the document.
func (s *svg) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	width, height := number(s.width), number(s.height)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%spt" height="%spt" viewBox="0 0 %s %s" role="img" stroke-linejoin="round"`, width, height, width, height)
	if s.family != "" {
		fmt.Fprintf(&b, ` font-family="%s"`, s.family)
	}
	b.WriteString(">\n")
	for _, part := range [][2]string{{"title", s.o.Title}, {"desc", s.o.Alt}} {
		if part[1] != "" {
			fmt.Fprintf(&b, "<%s>%s</%s>\n", part[0], escape(part[1]), part[0])
		}
	}
	b.Write(s.body)
	b.WriteString("</svg>\n")
	return b.WriteTo(w)
}

func (s *svg) printf(format string, args ...any) { s.body = fmt.Appendf(s.body, format, args...) }

// flip maps points with y up to points with y down.
func (s *svg) flip(p vg.Point) vg.Point { return vg.Point{X: p.X, Y: s.height - p.Y} }

// svgPath writes a path on a page of a height.
func svgPath(p vg.Path, height vg.Length) (b []byte) {
	for _, c := range p {
		b = append(b, "ML CZ"[c.Type])
		for i, q := range points(c) {
			if i > 0 {
				b = append(b, ' ')
			}
			b = fmt.Appendf(b, "%s %s", number(q.X), number(height-q.Y))
		}
	}
	return b
}

// paint is the attribute of a colour, to fill or to stroke.
func paint(kind string, c color.NRGBA) string {
	text := fmt.Sprintf(` %s="#%02x%02x%02x"`, kind, c.R, c.G, c.B)
	if c.A < 255 {
		text += fmt.Sprintf(` %s-opacity="%.3g"`, kind, float64(c.A)/255)
	}
	return text
}

func (s *svg) stroke(p vg.Path, st *state) {
	s.printf(`<path fill="none" stroke-width="%s"%s`, number(st.lineWidth), paint("stroke", st.color))
	if len(st.dash) > 0 {
		s.printf(` stroke-dasharray="%s" stroke-dashoffset="%s"`, join(" ", 1e2, st.dash...), number(st.dashOffset))
	}
	s.printf(" d=\"%s\"/>\n", svgPath(p, s.height))
}

func (s *svg) fill(p vg.Path, c color.NRGBA) {
	s.printf("<path%s d=\"%s\"/>\n", paint("fill", c), svgPath(p, s.height))
}

// stamp names a shape by its outline, so that two documents in one page do not
// mean different shapes by one name.
func (s *svg) stamp(p vg.Path, c color.NRGBA, at []vg.Point) {
	outline := svgPath(p, 0)
	id := fmt.Sprintf("m%x", crc32.ChecksumIEEE(outline))
	if !s.shapes[id] {
		s.shapes[id] = true
		s.printf("<defs><path id=\"%s\" d=\"%s\"/></defs>\n", id, outline)
	}
	s.printf("<g%s>\n", paint("fill", c))
	for _, q := range at {
		q = s.flip(q)
		s.printf("<use href=\"#%s\" x=\"%s\" y=\"%s\"/>\n", id, number(q.X), number(q.Y))
	}
	s.printf("</g>\n")
}

// anchors keep a label in place where the viewer has another font.
var anchors = map[text.XAlignment]string{text.XCenter: ` text-anchor="middle"`, text.XRight: ` text-anchor="end"`}

// setLine writes one text element; runs are spans of it.
func (s *svg) setLine(l *label.Line, size float64, align text.XAlignment, st *state) {
	m, left := st.matrix, st.matrix.Translate(float64(align)*l.Width*size, 0)
	if anchors[align] == "" {
		m = left
	}
	if s.family == "" {
		s.family = l.Family
	}
	s.printf(`<text font-size="%s"%s`, number(size), anchors[align])
	at := s.flip(vg.Point{X: vg.Length(m.X0), Y: vg.Length(m.Y0)})
	if m != gg.Translate(m.X0, m.Y0) {
		s.printf(` transform="matrix(%s)"`, coefficients(" ", m.XX, -m.YX, -m.XY, m.YY, at.X.Points(), at.Y.Points()))
	} else {
		s.printf(` x="%s" y="%s"`, number(at.X), number(at.Y))
	}
	if l.Family != s.family {
		s.printf(` font-family="%s"`, l.Family)
	}
	s.printf("%s>", paint("fill", st.color))
	x, y := 0.0, 0.0
	for _, r := range l.Runs(true) {
		first := r.Glyphs[0]
		s.span(r, size, (first.X-x)*size, (y-first.Y)*size)
		x, y = r.End, first.Y
	}
	s.printf("</text>\n")
	if bars := l.BarPath(vg.Length(size)); len(bars) > 0 {
		s.fill(mapped(bars, left), st.color)
	}
}

// span writes a run that begins dx right of the last one's end and dy below it.
func (s *svg) span(r label.Run, size, dx, dy float64) {
	first, style := r.Glyphs[0], ""
	if first.Size != 1 {
		style = fmt.Sprintf(` font-size="%s"`, number(first.Size*size))
	}
	if first.Italic {
		style += ` font-style="italic"`
	}
	for _, shift := range [][2]string{{"dx", number(dx)}, {"dy", number(dy)}} {
		if shift[1] != "0" {
			style += fmt.Sprintf(` %s="%s"`, shift[0], shift[1])
		}
	}
	text := escape(r.Text())
	if style != "" {
		text = "<tspan" + style + ">" + text + "</tspan>"
	}
	s.printf("%s", text)
}

// escape writes text for XML, which has no control characters.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

func (s *svg) drawImage(img image.Image, r vg.Rectangle) {
	at := s.flip(vg.Point{X: r.Min.X, Y: r.Max.Y})
	s.printf("<image x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64,%s\"/>\n",
		number(at.X), number(at.Y), number(r.Size().X), number(r.Size().Y), base64.StdEncoding.EncodeToString(pngOf(enlarged(img, r, 0))))
}
