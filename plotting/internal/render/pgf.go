package render

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"unicode"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// PGF is a picture for LaTeX that is being drawn, in the basic layer of PGF: the
// document's own font sets the text. Include it with \input; the document needs
// \usepackage{pgf}.
type PGF struct {
	body []byte
	err  error // the first text that LaTeX cannot set
}

// NewPGF returns a canvas that draws a picture, and the picture.
func NewPGF(width, height vg.Length, comment string) (*Canvas, *PGF) {
	p := &PGF{}
	p.printf("%% %s\n%% Needs \\usepackage{pgf} and \\usepackage{amssymb}.\n\\begingroup%%\n\\makeatletter%%\n\\begin{pgfpicture}%%\n", oneLine(comment))
	p.printf("\\pgfpathrectangle{\\pgfpointorigin}{\\pgfpoint{%.2fbp}{%.2fbp}}\\pgfusepath{use as bounding box}%%\n", float64(width), float64(height))
	p.printf("\\pgfsetroundjoin%%\n")
	return newCanvas(p), p
}

// Bytes ends the picture and returns it, or says which text LaTeX cannot set.
func (p *PGF) Bytes() ([]byte, error) {
	return append(p.body, "\\end{pgfpicture}%\n\\makeatother%\n\\endgroup%\n"...), p.err
}

func (p *PGF) printf(format string, args ...any) { p.body = fmt.Appendf(p.body, format, args...) }

func oneLine(s string) string {
	out := []rune(strings.ToValidUTF8(s, "?"))
	for i, r := range out {
		if unicode.IsControl(r) {
			out[i] = ' '
		}
	}
	return string(out)
}

func (p *PGF) paint(c color.NRGBA) {
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetcolor{qh}\\pgfsetfillopacity{%.3g}\\pgfsetstrokeopacity{%.3g}%%\n",
		c.R, c.G, c.B, float64(c.A)/255, float64(c.A)/255)
}

func (p *PGF) point(q point) {
	p.body = append(p.body, `{\pgfqpoint{`...)
	p.body = append(appendNumber(p.body, q.x), `bp}{`...)
	p.body = append(appendNumber(p.body, q.y), `bp}}`...)
}

func (p *PGF) path(line path) {
	for _, s := range line {
		p.body = append(p.body, map[byte]string{
			'M': `\pgfpathmoveto`, 'L': `\pgfpathlineto`, 'C': `\pgfpathcurveto`, 'Z': `\pgfpathclose`,
		}[s.op]...)
		for i := range coordinates[s.op] {
			p.point(s.p[i])
		}
		p.body = append(p.body, "%\n"...)
	}
}

func (p *PGF) stroke(line path, s *state) {
	p.paint(s.color)
	p.printf("\\pgfsetlinewidth{%.3gbp}\\pgfsetdash{", s.lineWidth)
	for _, d := range s.dash {
		p.printf("{%.3gbp}", d)
	}
	p.printf("}{0bp}")
	if len(s.dash) > 0 {
		p.printf("\\pgfsetbuttcap%%\n")
	} else {
		p.printf("\\pgfsetroundcap%%\n")
	}
	p.path(line)
	p.printf("\\pgfusepath{stroke}%%\n")
}

func (p *PGF) fill(area path, s *state) {
	p.paint(s.color)
	p.path(area)
	p.printf("\\pgfusepath{fill}%%\n")
}

// stamp defines the shape as a macro of its place.
func (p *PGF) stamp(shape path, at []point, s *state) {
	p.paint(s.color)
	p.printf("\\def\\qhmark#1#2{{\\pgftransformshift{\\pgfqpoint{#1bp}{#2bp}}%%\n")
	p.path(shape)
	p.printf("\\pgfusepath{fill}}}%%\n")
	for _, q := range at {
		p.body = append(p.body, `\qhmark{`...)
		p.body = append(appendNumber(p.body, q.x), `}{`...)
		p.body = append(appendNumber(p.body, q.y), "}%\n"...)
	}
}

func (p *PGF) label(l typeset.Label, size float64, a Alignment, at point, c color.NRGBA) {
	latex, err := typeset.LaTeX(l.Markup)
	if p.err == nil {
		p.err = err
	}
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetfillopacity{1}\\pgftext[%s,base,x=%.2fbp,y=%.2fbp]", c.R, c.G, c.B,
		[...]string{Left: "left", Center: "center", Right: "right"}[a], at.x, at.y)
	p.printf("{\\color{qh}\\fontsize{%.2fbp}{%.2fbp}\\selectfont %s}%%\n", size, 1.2*size, latex)
}

// image draws all cells as rectangles, so that the picture stays one file.
func (p *PGF) image(img image.Image, lo, hi point) {
	p.printf("\\pgfsetfillopacity{1}%%\n")
	for _, r := range cells(img, lo, hi) {
		p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetfillcolor{qh}\\pgfpathrectanglecorners", r.color.R, r.color.G, r.color.B)
		p.point(r.lo)
		p.point(r.hi)
		p.printf("\\pgfusepath{fill}%%\n")
	}
}
