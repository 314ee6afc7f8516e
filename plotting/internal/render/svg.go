package render

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// fontStack names the figure's font and what to use where it is missing: fonts
// of nearly its widths, then whatever there is.
const fontStack = "'DejaVu Sans','Bitstream Vera Sans',Verdana,sans-serif"

// SVG is a document that is being drawn.
type SVG struct {
	body   []byte
	height float64
	shapes map[string]bool // identifiers of the shapes defined so far
}

// NewSVG returns a canvas that draws an SVG, and the document. Text stays text.
func NewSVG(width, height vg.Length, title, description string) (*Canvas, *SVG) {
	s := &SVG{height: float64(height), shapes: make(map[string]bool)}
	s.body = fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%.2fpt" height="%.2fpt" viewBox="0 0 %.2f %.2f" role="img" font-family="%s" stroke-linecap="round" stroke-linejoin="round">`+"\n",
		float64(width), float64(height), float64(width), float64(height), fontStack)
	if title != "" {
		s.printf("<title>%s</title>\n", escape(title))
	}
	if description != "" {
		s.printf("<desc>%s</desc>\n", escape(description))
	}
	s.printf(`<rect width="100%%" height="100%%" fill="#fff"/>` + "\n")
	return newCanvas(s), s
}

// Bytes ends the document and returns it.
func (s *SVG) Bytes() ([]byte, error) { return append(s.body, "</svg>\n"...), nil }

func (s *SVG) printf(format string, args ...any) { s.body = fmt.Appendf(s.body, format, args...) }

// flip maps points with y up to points with y down.
func (s *SVG) flip() scaling { return scaling{1, -1, 0, s.height} }

func appendSVGPath(b []byte, p path, m scaling) []byte {
	for _, st := range p {
		b = append(b, st.op)
		for i := range coordinates[st.op] {
			if i > 0 {
				b = append(b, ' ')
			}
			q := m.apply(st.p[i])
			b = append(appendNumber(b, q.x), ' ')
			b = appendNumber(b, q.y)
		}
	}
	return b
}

// coordinates is the number of points of each step of a path.
var coordinates = map[byte]int{'M': 1, 'L': 1, 'C': 3, 'Z': 0}

func (s *SVG) paint(kind string, c color.NRGBA) {
	s.printf(` %s="#%02x%02x%02x"`, kind, c.R, c.G, c.B)
	if c.A < 255 {
		s.printf(` %s-opacity="%.3g"`, kind, float64(c.A)/255)
	}
}

func (s *SVG) stroke(p path, st *state) {
	s.printf(`<path fill="none" stroke-width="%.3g"`, st.lineWidth)
	s.paint("stroke", st.color)
	if len(st.dash) > 0 {
		s.printf(` stroke-linecap="butt" stroke-dasharray="`)
		for i, d := range st.dash {
			if i > 0 {
				s.printf(" ")
			}
			s.body = appendNumber(s.body, d)
		}
		s.printf(`"`)
	}
	s.printf(` d="`)
	s.body = appendSVGPath(s.body, p, s.flip())
	s.printf("\"/>\n")
}

func (s *SVG) fill(p path, st *state) {
	s.printf(`<path`)
	s.paint("fill", st.color)
	s.printf(` d="`)
	s.body = appendSVGPath(s.body, p, s.flip())
	s.printf("\"/>\n")
}

// stamp names a shape by its outline, so that two documents in one page do not
// mean different shapes by one name.
func (s *SVG) stamp(p path, at []point, st *state) {
	outline := appendSVGPath(nil, p, scaling{a: 1, b: -1})
	hash := fnv.New32a()
	_, _ = hash.Write(outline) // a hash does not fail
	id := "m" + strconv.FormatUint(uint64(hash.Sum32()), 36)
	if !s.shapes[id] {
		s.shapes[id] = true
		s.printf(`<defs><path id="%s" d="%s"/></defs>`+"\n", id, outline)
	}
	s.printf("<g")
	s.paint("fill", st.color)
	s.printf(">\n")
	for _, q := range at {
		q = s.flip().apply(q)
		s.printf(`<use href="#%s" x="`, id)
		s.body = appendNumber(s.body, q.x)
		s.printf(`" y="`)
		s.body = appendNumber(s.body, q.y)
		s.printf("\"/>\n")
	}
	s.printf("</g>\n")
}

// label writes one text element; scripts are shifted spans of it.
func (s *SVG) label(l typeset.Label, size float64, a Alignment, at point, c color.NRGBA) {
	at = s.flip().apply(at)
	s.printf(`<text font-size="`)
	s.body = appendNumber(s.body, size)
	s.printf(`" x="%.2f" y="%.2f"`, at.x, at.y)
	if a != Left {
		s.printf(` text-anchor="%s"`, [...]string{Center: "middle", Right: "end"}[a])
	}
	s.paint("fill", c)
	s.printf(">")
	x, rise := 0.0, 0.0
	for _, r := range l.Runs {
		s.span(r, size, r.X-x, r.Rise-rise)
		x, rise = r.X+typeset.Width(r.Text)*r.Size, r.Rise
	}
	s.printf("</text>\n")
}

// span writes a run that begins dx ems right of the last one's end and dy above
// it.
func (s *SVG) span(r typeset.Run, size, dx, dy float64) {
	if r.Size == 1 && math.Abs(dx) < 1e-3 && dy == 0 {
		s.printf("%s", escape(r.Text))
		return
	}
	s.printf("<tspan")
	if r.Size != 1 {
		s.printf(` font-size="%.3g"`, r.Size*size)
	}
	if math.Abs(dx) > 1e-3 {
		s.printf(` dx="%.3g"`, dx*size)
	}
	if dy != 0 {
		s.printf(` dy="%.3g"`, -dy*size)
	}
	s.printf(">%s</tspan>", escape(r.Text))
}

// escape writes text for XML, which has no control characters.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder does not fail
	return b.String()
}

func (s *SVG) image(img image.Image, lo, hi point) {
	if few(img) {
		for _, r := range cells(img, lo, hi) {
			at := s.flip().apply(point{r.lo.x, r.hi.y})
			s.printf(`<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f"`, at.x, at.y, r.hi.x-r.lo.x, r.hi.y-r.lo.y)
			s.paint("fill", r.color)
			s.printf("/>\n")
		}
		return
	}
	at := s.flip().apply(point{lo.x, hi.y})
	var b bytes.Buffer
	_ = png.Encode(&b, enlarged(img, lo, hi)) // a bytes.Buffer does not fail
	s.printf(`<image x="%.2f" y="%.2f" width="%.2f" height="%.2f" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,%s"/>`+"\n",
		at.x, at.y, hi.x-lo.x, hi.y-lo.y, base64.StdEncoding.EncodeToString(b.Bytes()))
}
