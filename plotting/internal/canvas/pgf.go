package canvas

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"unicode"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// pgf is a picture for LaTeX in the basic layer of PGF: the document's own font sets the
// text. Include it with \input.
type pgf struct {
	page *page
	alt  string
	body []byte
	err  error // the first text that LaTeX cannot set
}

func newPGF(p *page, o Options) *pgf { return &pgf{page: p, alt: o.Alt} }

// WriteTo writes the picture, or says which text LaTeX cannot set.
func (p *pgf) WriteTo(w io.Writer) (int64, error) {
	if p.err != nil {
		return 0, p.err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%% %s\n%% Needs \\usepackage{pgf,amsmath,amssymb}.\n\\begingroup%%\n\\makeatletter%%\n\\begin{pgfpicture}%%\n", oneLine(p.alt))
	fmt.Fprintf(&b, "\\pgfpathrectangle{\\pgfpointorigin}{\\pgfpoint{%.2fbp}{%.2fbp}}\\pgfusepath{use as bounding box}%%\n", float64(p.page.width), float64(p.page.height))
	b.WriteString("\\pgfsetroundjoin\\pgfsetbuttcap%\n")
	b.Write(p.body)
	b.WriteString("\\end{pgfpicture}%\n\\makeatother%\n\\endgroup%\n")
	return b.WriteTo(w)
}

func (p *pgf) printf(format string, args ...any) { p.body = fmt.Appendf(p.body, format, args...) }

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func (p *pgf) paint(c color.NRGBA) {
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetcolor{qh}\\pgfsetfillopacity{%.3g}\\pgfsetstrokeopacity{%.3g}%%\n",
		c.R, c.G, c.B, float64(c.A)/255, float64(c.A)/255)
}

var pgfSteps = map[byte]string{'M': `\pgfpathmoveto`, 'L': `\pgfpathlineto`, 'C': `\pgfpathcurveto`, 'Z': `\pgfpathclose`}

func (p *pgf) path(line path) {
	for i := range line {
		p.body = append(p.body, pgfSteps[line[i].op]...)
		for _, q := range line[i].points() {
			p.body = append(p.body, `{\pgfqpoint{`...)
			p.body = append(appendNumber(p.body, q.x), `bp}{`...)
			p.body = append(appendNumber(p.body, q.y), `bp}}`...)
		}
		p.body = append(p.body, "%\n"...)
	}
}

func (p *pgf) stroke(line path, s *state) {
	p.paint(s.color)
	p.printf("\\pgfsetlinewidth{%sbp}\\pgfsetdash{", number(s.lineWidth))
	for _, d := range s.dash {
		p.printf("{%sbp}", number(d))
	}
	p.printf("}{%sbp}%%\n", number(s.dashOffset))
	p.path(line)
	p.printf("\\pgfusepath{stroke}%%\n")
}

func (p *pgf) fill(area path, c color.NRGBA) {
	p.paint(c)
	p.path(area)
	p.printf("\\pgfusepath{fill}%%\n")
}

// stamp defines the shape as a macro of its place.
func (p *pgf) stamp(shape path, at []point, c color.NRGBA) {
	p.paint(c)
	p.printf("\\def\\qhmark#1#2{{\\pgftransformshift{\\pgfqpoint{#1bp}{#2bp}}%%\n")
	p.path(shape)
	p.printf("\\pgfusepath{fill}}}%%\n")
	for _, q := range at {
		p.body = append(p.body, `\qhmark{`...)
		p.body = append(appendNumber(p.body, q.x), `}{`...)
		p.body = append(appendNumber(p.body, q.y), "}%\n"...)
	}
}

var pgfAlign = map[text.XAlignment]string{text.XLeft: "left,", text.XCenter: "", text.XRight: "right,"}

// setLine leaves the setting to LaTeX.
func (p *pgf) setLine(l *label.Line, size float64, m matrix, align text.XAlignment, c color.NRGBA) {
	latex, err := l.LaTeX()
	if p.err == nil {
		p.err = err
	}
	side, ok := pgfAlign[align]
	if !ok { // half the width right of the left end is the middle
		m = m.translate(point{(float64(align) + 0.5) * l.Width * size, 0})
	}
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetfillopacity{%.3g}", c.R, c.G, c.B, float64(c.A)/255)
	if m.turned() {
		p.printf("{\\pgftransformcm{%s}{%s}{%s}{%s}{\\pgfqpoint{%sbp}{%sbp}}\\pgftext[%sbase]",
			coefficient(m.a), coefficient(m.b), coefficient(m.c), coefficient(m.d), number(m.e), number(m.f), side)
	} else {
		p.printf("{\\pgftext[%sbase,x=%sbp,y=%sbp]", side, number(m.e), number(m.f))
	}
	p.printf("{\\color{qh}\\fontsize{%sbp}{%sbp}\\selectfont %s}}%%\n", number(size), number(1.2*size), latex)
}

// image draws all cells as rectangles, so that the picture stays one file.
func (p *pgf) image(img image.Image, lo, hi point) {
	r := vg.Rectangle{Min: vg.Point{X: vg.Length(lo.x), Y: vg.Length(lo.y)}, Max: vg.Point{X: vg.Length(hi.x), Y: vg.Length(hi.y)}}
	for _, c := range cells(img, r) {
		p.fill(newPath(rectangle(c.box), identity), c.color)
	}
}
