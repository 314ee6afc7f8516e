package canvas

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"io"
	"strconv"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// svg is a document that is being drawn. Text stays text.
type svg struct {
	page   *page
	o      Options
	body   []byte
	family string          // the font of the document
	shapes map[string]bool // identifiers of the shapes defined so far
}

func newSVG(p *page, o Options) *svg { return &svg{page: p, o: o, shapes: make(map[string]bool)} }

// WriteTo writes the document.
func (s *svg) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	width, height := number(float64(s.page.width)), number(float64(s.page.height))
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%spt" height="%spt" viewBox="0 0 %s %s" role="img"`, width, height, width, height)
	if s.family != "" {
		fmt.Fprintf(&b, ` font-family="%s"`, s.family)
	}
	b.WriteString(` stroke-linejoin="round">` + "\n")
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
func (s *svg) flip(p point) point { return point{p.x, float64(s.page.height) - p.y} }

func appendSVGPath(b []byte, p path, height float64) []byte {
	for i := range p {
		b = append(b, p[i].op)
		for k, q := range p[i].points() {
			if k > 0 {
				b = append(b, ' ')
			}
			b = append(appendNumber(b, q.x), ' ')
			b = appendNumber(b, height-q.y)
		}
	}
	return b
}

func (s *svg) paint(kind string, c color.NRGBA) {
	s.printf(` %s="#%02x%02x%02x"`, kind, c.R, c.G, c.B)
	if c.A < 255 {
		s.printf(` %s-opacity="%.3g"`, kind, float64(c.A)/255)
	}
}

func (s *svg) d(p path) {
	s.body = append(s.body, ` d="`...)
	s.body = appendSVGPath(s.body, p, float64(s.page.height))
	s.body = append(s.body, "\"/>\n"...)
}

func (s *svg) stroke(p path, st *state) {
	s.printf(`<path fill="none" stroke-width="%s"`, number(st.lineWidth))
	s.paint("stroke", st.color)
	for i, d := range st.dash {
		if i == 0 {
			s.printf(` stroke-dasharray="%s`, number(d))
		} else {
			s.printf(" %s", number(d))
		}
	}
	if len(st.dash) > 0 {
		s.printf(`"`)
		if st.dashOffset != 0 {
			s.printf(` stroke-dashoffset="%s"`, number(st.dashOffset))
		}
	}
	s.d(p)
}

func (s *svg) fill(p path, c color.NRGBA) {
	s.printf(`<path`)
	s.paint("fill", c)
	s.d(p)
}

// stamp names a shape by its outline, so that two documents in one page do not
// mean different shapes by one name.
func (s *svg) stamp(p path, at []point, c color.NRGBA) {
	outline := appendSVGPath(nil, p, 0)
	hash := fnv.New32a()
	_, _ = hash.Write(outline) // a hash does not fail
	id := "m" + strconv.FormatUint(uint64(hash.Sum32()), 36)
	if !s.shapes[id] {
		s.shapes[id] = true
		s.printf(`<defs><path id="%s" d="%s"/></defs>`+"\n", id, outline)
	}
	s.printf("<g")
	s.paint("fill", c)
	s.printf(">\n")
	for _, q := range at {
		q = s.flip(q)
		s.body = append(append(append(s.body, `<use href="#`...), id...), `" x="`...)
		s.body = append(appendNumber(s.body, q.x), `" y="`...)
		s.body = append(appendNumber(s.body, q.y), "\"/>\n"...)
	}
	s.printf("</g>\n")
}

// anchors keep a label in place where the viewer has another font.
var anchors = map[text.XAlignment]string{text.XLeft: "", text.XCenter: ` text-anchor="middle"`, text.XRight: ` text-anchor="end"`}

// setLine writes one text element; runs are spans of it.
func (s *svg) setLine(l *label.Line, size float64, m matrix, align text.XAlignment, c color.NRGBA) {
	anchor, ok := anchors[align]
	if !ok {
		m = m.translate(point{float64(align) * l.Width * size, 0})
	}
	if s.family == "" {
		s.family = l.Family
	}
	s.printf(`<text font-size="%s"%s`, number(size), anchor)
	if at := s.flip(point{m.e, m.f}); m.turned() {
		s.printf(` transform="matrix(%s %s %s %s %s %s)"`, coefficient(m.a), coefficient(-m.b), coefficient(-m.c), coefficient(m.d), number(at.x), number(at.y))
	} else {
		s.printf(` x="%s" y="%s"`, number(at.x), number(at.y))
	}
	if l.Family != s.family {
		s.printf(` font-family="%s"`, l.Family)
	}
	s.paint("fill", c)
	s.printf(">")
	x, y := 0.0, 0.0
	for _, r := range l.Runs(true) {
		first := r.Glyphs[0]
		s.span(r, size, (first.X-x)*size, (first.Y-y)*size)
		x, y = r.End, first.Y
	}
	s.printf("</text>\n")
	if rules := l.Bars(vg.Length(size)); len(rules) > 0 {
		start := 0.0
		if ok {
			start = float64(align) * l.Width * size
		}
		s.fill(newPath(rules, m.translate(point{start, 0})), c)
	}
}

// span writes a run that begins dx right of the last one's end and dy above it.
func (s *svg) span(r label.Run, size, dx, dy float64) {
	first := r.Glyphs[0]
	var style []byte
	if first.Size != 1 {
		style = fmt.Appendf(style, ` font-size="%s"`, number(first.Size*size))
	}
	if first.Italic {
		style = append(style, ` font-style="italic"`...)
	}
	if rounded(dx) != 0 {
		style = fmt.Appendf(style, ` dx="%s"`, number(dx))
	}
	if rounded(dy) != 0 {
		style = fmt.Appendf(style, ` dy="%s"`, number(-dy))
	}
	if shown := escape(r.Shown()); len(style) == 0 {
		s.printf("%s", shown)
	} else {
		s.printf("<tspan%s>%s</tspan>", style, shown)
	}
}

// escape writes text for XML, which has no control characters.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

func (s *svg) image(img image.Image, lo, hi point) {
	var b bytes.Buffer
	_ = png.Encode(&b, enlarged(img)) // a bytes.Buffer does not fail
	at := s.flip(point{lo.x, hi.y})
	s.printf(`<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,%s"/>`+"\n",
		number(at.x), number(at.y), number(hi.x-lo.x), number(hi.y-lo.y), base64.StdEncoding.EncodeToString(b.Bytes()))
}
