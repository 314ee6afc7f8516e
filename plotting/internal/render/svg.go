package render

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
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
	stamps int
}

// NewSVG returns a canvas that draws an SVG, and the document. Text stays text.
func NewSVG(width, height vg.Length, title, description string) (*Canvas, *SVG) {
	s := &SVG{height: float64(height)}
	s.body = fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%.2fpt" height="%.2fpt" viewBox="0 0 %.2f %.2f" role="img" font-family="%s" stroke-linecap="round" stroke-linejoin="round">`+"\n",
		float64(width), float64(height), float64(width), float64(height), fontStack)
	if title != "" {
		s.printf("<title>%s</title>\n", escape(title))
	}
	if description != "" {
		s.printf("<desc>%s</desc>\n", escape(description))
	}
	s.printf(`<rect width="100%%" height="100%%" fill="#fff"/>` + "\n")
	return newCanvas(width, height, s), s
}

// Bytes ends the document and returns it.
func (s *SVG) Bytes() []byte { return append(s.body, "</svg>\n"...) }

func (s *SVG) printf(format string, args ...any) { s.body = fmt.Appendf(s.body, format, args...) }

// flip maps points with y up to points with y down.
func (s *SVG) flip() affine { return affine{1, 0, 0, -1, 0, s.height} }

func (s *SVG) appendPath(p path, m affine) {
	for _, st := range p {
		s.body = append(s.body, st.op)
		for i := range coordinates[st.op] {
			if i > 0 {
				s.body = append(s.body, ' ')
			}
			q := m.apply(st.p[i])
			s.body = appendNumber(s.body, q.x)
			s.body = append(s.body, ' ')
			s.body = appendNumber(s.body, q.y)
		}
	}
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
		if st.dashStart != 0 {
			s.printf(` stroke-dashoffset="%.3g"`, st.dashStart)
		}
	}
	s.printf(` d="`)
	s.appendPath(p, s.flip())
	s.printf("\"/>\n")
}

func (s *SVG) fill(p path, st *state) {
	s.printf(`<path`)
	s.paint("fill", st.color)
	s.printf(` d="`)
	s.appendPath(p, s.flip())
	s.printf("\"/>\n")
}

func (s *SVG) stamp(p path, at []point, st *state) {
	s.stamps++
	s.printf(`<defs><path id="m%d" d="`, s.stamps)
	s.appendPath(p, affine{1, 0, 0, -1, 0, 0})
	s.printf("\"/></defs>\n<g")
	s.paint("fill", st.color)
	s.printf(">\n")
	for _, q := range at {
		q = s.flip().apply(q)
		s.printf(`<use href="#m%d" x="`, s.stamps)
		s.body = appendNumber(s.body, q.x)
		s.printf(`" y="`)
		s.body = appendNumber(s.body, q.y)
		s.printf("\"/>\n")
	}
	s.printf("</g>\n")
}

func (s *SVG) text(text string, size float64, m affine, c color.NRGBA) {
	s.label(typeset.Label{Runs: []typeset.Run{{Text: text, Size: 1}}}, size, Left, m, c)
}

// label writes one text element; scripts are shifted spans of it.
func (s *SVG) label(l typeset.Label, size float64, a Alignment, m affine, c color.NRGBA) {
	at := s.flip().apply(point{m[4], m[5]})
	s.printf(`<text font-size="`)
	s.body = appendNumber(s.body, size*math.Hypot(m[0], m[1]))
	s.printf(`"`)
	if m[1] != 0 {
		s.printf(` transform="translate(%.2f %.2f) rotate(%.2f)"`, at.x, at.y, -math.Atan2(m[1], m[0])*180/math.Pi)
	} else {
		s.printf(` x="%.2f" y="%.2f"`, at.x, at.y)
	}
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

func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// image embeds a PNG whose pixels are shown as cells, without smoothing.
func (s *SVG) image(img image.Image, m affine) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return
	}
	at := s.flip().apply(m.apply(point{0, 1}))
	s.printf(`<image x="%.2f" y="%.2f" width="%.2f" height="%.2f" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,%s"/>`+"\n",
		at.x, at.y, m[0], m[3], base64.StdEncoding.EncodeToString(b.Bytes()))
}
