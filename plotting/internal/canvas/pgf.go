package canvas

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// pgf is a picture for LaTeX in the basic layer of PGF; the document's own font sets the text.
type pgf struct {
	*page
	alt  string
	body []byte
	err  error // the first text that LaTeX cannot set
}

// WriteTo writes the picture, or says which text LaTeX cannot set.
func (p *pgf) WriteTo(w io.Writer) (int64, error) {
	if p.err != nil {
		return 0, p.err
	}
	comment := strings.Join(strings.Fields(strings.ToValidUTF8(p.alt, "?")), " ") // in one line
	var b bytes.Buffer
	fmt.Fprintf(&b, `%% %s
%% Needs \usepackage{pgf,amsmath,amssymb}.
\begingroup%%
\begin{pgfpicture}%%
\pgfpathrectangle{\pgfpointorigin}{\pgfpoint{%sbp}{%sbp}}\pgfusepath{use as bounding box}%%
\pgfsetroundjoin\pgfsetbuttcap%%
%s\end{pgfpicture}%%
\endgroup%%
`, comment, number(p.width), number(p.height), p.body)
	return b.WriteTo(w)
}

func (p *pgf) printf(format string, args ...any) { p.body = fmt.Appendf(p.body, format, args...) }

func (p *pgf) paint(c color.NRGBA) {
	alpha := coefficients("", float64(c.A)/255)
	p.printf("\\definecolor{qh}{RGB}{%d,%d,%d}\\pgfsetcolor{qh}\\pgfsetfillopacity{%s}\\pgfsetstrokeopacity{%s}%%\n", c.R, c.G, c.B, alpha, alpha)
}

var pgfSteps = [...]string{
	vg.MoveComp: `\pgfpathmoveto`, vg.LineComp: `\pgfpathlineto`, vg.CurveComp: `\pgfpathcurveto`, vg.CloseComp: `\pgfpathclose`,
}

func (p *pgf) path(line vg.Path) {
	for _, c := range line {
		p.printf("%s", pgfSteps[c.Type])
		for _, q := range points(c) {
			p.printf(`{\pgfqpoint{%sbp}{%sbp}}`, number(q.X), number(q.Y))
		}
		p.printf("%%\n")
	}
}

func (p *pgf) stroke(line vg.Path, s *state) {
	p.paint(s.color)
	p.printf("\\pgfsetlinewidth{%sbp}\\pgfsetdash{", number(s.lineWidth))
	for _, d := range s.dash {
		p.printf("{%sbp}", number(d))
	}
	p.printf("}{%sbp}%%\n", number(s.dashOffset))
	p.path(line)
	p.printf("\\pgfusepath{stroke}%%\n")
}

func (p *pgf) fill(area vg.Path, c color.NRGBA) {
	p.paint(c)
	p.path(area)
	p.printf("\\pgfusepath{fill}%%\n")
}

// stamp defines the shape as a macro of its place.
func (p *pgf) stamp(shape vg.Path, c color.NRGBA, at []vg.Point) {
	p.paint(c)
	p.printf("\\def\\qhmark#1#2{{\\pgftransformshift{\\pgfqpoint{#1bp}{#2bp}}%%\n")
	p.path(shape)
	p.printf("\\pgfusepath{fill}}}%%\n")
	for _, q := range at {
		p.printf("\\qhmark{%s}{%s}%%\n", number(q.X), number(q.Y))
	}
}

// setLine leaves the setting to LaTeX.
func (p *pgf) setLine(l *label.Line, size float64, align text.XAlignment, s *state) {
	latex, err := l.LaTeX()
	p.err = cmp.Or(p.err, err)
	m, side := s.matrix, map[text.XAlignment]string{text.XLeft: "left,", text.XRight: "right,"}[align]
	if side == "" { // the middle is half the width right of the left end
		m = m.Translate((float64(align)+0.5)*l.Width*size, 0)
	}
	p.paint(s.color)
	p.printf("{\\pgftransformcm{%s}{\\pgfqpoint{%sbp}{%sbp}}\\pgftext[%sbase]", coefficients("}{", m.XX, m.YX, m.XY, m.YY), number(m.X0), number(m.Y0), side)
	p.printf("{\\color{qh}\\fontsize{%sbp}{%sbp}\\selectfont %s}}%%\n", number(size), number(1.2*size), latex)
}

// drawImage draws the cells as rectangles, so that the picture stays one file. Each reaches
// under the next one to the right and below: viewers show the paper where two only touch.
func (p *pgf) drawImage(img image.Image, r vg.Rectangle) {
	const overlap = 0.2 // points
	b := img.Bounds()
	dx, dy := r.Size().X/vg.Length(b.Dx()), r.Size().Y/vg.Length(b.Dy())
	p.printf("\\def\\qhcell#1#2#3#4#5#6{\\definecolor{qh}{RGB}{#1}\\pgfsetcolor{qh}\\pgfsetfillopacity{#2}" +
		"\\pgfpathrectangle{\\pgfqpoint{#3bp}{#4bp}}{\\pgfqpoint{#5bp}{#6bp}}\\pgfusepath{fill}}%%\n")
	for y := range b.Dy() {
		top := r.Max.Y - dy*vg.Length(y)
		bottom := max(r.Min.Y, top-dy-overlap)
		for x, end := 0, 0; x < b.Dx(); x = end { // equal neighbours are one cell
			c := nrgba(img.At(b.Min.X+x, b.Min.Y+y))
			for end = x + 1; end < b.Dx() && nrgba(img.At(b.Min.X+end, b.Min.Y+y)) == c; end++ {
			}
			left, right := r.Min.X+dx*vg.Length(x), min(r.Max.X, r.Min.X+dx*vg.Length(end)+overlap)
			p.printf("\\qhcell{%d,%d,%d}{%s}{%s}{%s}{%s}{%s}%%\n", c.R, c.G, c.B, coefficients("", float64(c.A)/255), number(left), number(bottom), number(right-left), number(top-bottom))
		}
	}
}
