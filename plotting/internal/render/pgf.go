package render

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// PGF is a picture for LaTeX that is being drawn, in the basic layer of PGF: the
// document's own font sets the text. Include it with \input; the document needs
// \usepackage{pgf}.
type PGF struct {
	body []byte
}

// NewPGF returns a canvas that draws a picture, and the picture.
func NewPGF(width, height vg.Length, comment string) (*Canvas, *PGF) {
	p := &PGF{}
	p.printf("%% %s\n%% Needs \\usepackage{pgf} and \\usepackage{amssymb}.\n\\begingroup%%\n\\makeatletter%%\n\\begin{pgfpicture}%%\n", oneLine(comment))
	p.printf("\\pgfpathrectangle{\\pgfpointorigin}{\\pgfpoint{%.2fbp}{%.2fbp}}\\pgfusepath{use as bounding box}%%\n", float64(width), float64(height))
	p.printf("\\pgfsetroundjoin%%\n")
	return newCanvas(width, height, p), p
}

// Bytes ends the picture and returns it.
func (p *PGF) Bytes() []byte {
	return append(p.body, "\\end{pgfpicture}%\n\\makeatother%\n\\endgroup%\n"...)
}

func (p *PGF) printf(format string, args ...any) { p.body = fmt.Appendf(p.body, format, args...) }

func oneLine(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == '\n' || r == '\r' {
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
	p.printf("}{%.3gbp}", s.dashStart)
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

func (p *PGF) text(text string, size float64, m affine, c color.NRGBA) {
	p.set(typeset.LaTeXText(text), size, Left, m, c)
}

func (p *PGF) label(l typeset.Label, size float64, a Alignment, m affine, c color.NRGBA) {
	p.set(typeset.LaTeX(l.Markup), size, a, m, c)
}

func (p *PGF) set(latex string, size float64, a Alignment, m affine, c color.NRGBA) {
	size *= math.Hypot(m[0], m[1])
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetfillopacity{1}\\pgftext[%s,base,x=%.2fbp,y=%.2fbp", c.R, c.G, c.B,
		[...]string{Left: "left", Center: "center", Right: "right"}[a], m[4], m[5])
	if m[1] != 0 {
		p.printf(",rotate=%.2f", math.Atan2(m[1], m[0])*180/math.Pi)
	}
	p.printf("]{\\color{qh}\\fontsize{%.2fbp}{%.2fbp}\\selectfont %s}%%\n", size, 1.2*size, latex)
}

// image draws runs of equal cells as rectangles, so that the picture stays one
// file.
func (p *PGF) image(img image.Image, m affine) {
	r := img.Bounds()
	dx, dy := 1/float64(r.Dx()), 1/float64(r.Dy())
	p.printf("\\pgfsetfillopacity{1}%%\n")
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			end := x + 1
			for end < r.Max.X && color.NRGBAModel.Convert(img.At(end, y)) == c {
				end++
			}
			a := m.apply(point{float64(x-r.Min.X) * dx, 1 - float64(y+1-r.Min.Y)*dy})
			b := m.apply(point{float64(end-r.Min.X) * dx, 1 - float64(y-r.Min.Y)*dy})
			p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetfillcolor{qh}\\pgfpathrectanglecorners", c.R, c.G, c.B)
			p.point(a)
			p.point(b)
			p.printf("\\pgfusepath{fill}%%\n")
			x = end
		}
	}
}
