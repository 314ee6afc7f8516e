package canvas

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"io"
	"maps"
	"slices"
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

// drawImage writes the image into the stream of the page, for a LaTeX that writes PDF, so that
// the picture stays one file. An image there is opaque: where cells have several opacities,
// those of each are cut out of it.
func (p *pgf) drawImage(img image.Image, r vg.Rectangle) {
	cells, opaque, b := make(map[uint8]int), image.NewRGBA(img.Bounds()), img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := nrgba(img.At(x, y))
			cells[c.A]++
			opaque.SetRGBA(x, y, color.RGBA{c.R, c.G, c.B, 255})
		}
	}
	inline := inlineImage(enlarged(opaque, r, 0))
	delete(cells, 0)
	for _, alpha := range slices.Sorted(maps.Keys(cells)) {
		p.printf("\\begin{pgfscope}\\pgfsetfillopacity{%s}%%\n", coefficients("", float64(alpha)/255))
		if cells[alpha] < b.Dx()*b.Dy() {
			p.path(cellsOf(img, alpha, r))
			p.printf("\\pgfusepath{clip}%%\n")
		}
		p.printf("\\csname pgfsys@invoke\\endcsname{q %s cm\n%s Q}\\end{pgfscope}%%\n", join(" ", 1e2, r.Size().X, 0, 0, r.Size().Y, r.Min.X, r.Min.Y), inline)
	}
}

// cellsOf returns where an image in a rectangle has an opacity.
func cellsOf(img image.Image, alpha uint8, r vg.Rectangle) (out vg.Path) {
	b := img.Bounds()
	dx, dy := r.Size().X/vg.Length(b.Dx()), r.Size().Y/vg.Length(b.Dy())
	for y := range b.Dy() {
		for x := range b.Dx() {
			if nrgba(img.At(b.Min.X+x, b.Min.Y+y)).A == alpha {
				corner := vg.Point{X: r.Min.X + dx*vg.Length(x), Y: r.Max.Y - dy*vg.Length(y+1)}
				out = append(out, vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: dx, Y: dy})}.Path()...)
			}
		}
	}
	return out
}

// inlineImage is an image as an operator of PDF (ISO 32000-1, 8.9.7) in characters of TeX.
func inlineImage(img image.Image) []byte {
	triple := func(c color.Color) []byte { rgb := nrgba(c); return []byte{rgb.R, rgb.G, rgb.B} }
	b, space, pixels := img.Bounds(), []byte("/RGB"), []byte(nil)
	if indexed, ok := img.(*image.Paletted); ok {
		var colors []byte
		for _, c := range indexed.Palette {
			colors = append(colors, triple(c)...)
		}
		space, pixels = fmt.Appendf(nil, "[/I /RGB %d %s]", len(indexed.Palette)-1, appendHex([]byte("\\string<"), colors)), indexed.Pix
	} else {
		for i := range b.Dx() * b.Dy() {
			pixels = append(pixels, triple(img.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()))...)
		}
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(pixels) // a bytes.Buffer does not fail
	z.Close()
	out := fmt.Appendf(nil, "BI /W %d /H %d /BPC 8 /CS %s /F [/AHx /Fl] ID\n", b.Dx(), b.Dy(), space)
	return append(appendHex(out, packed.Bytes()), "EI"...)
}

// appendHex appends bytes in lines of hexadecimal digits, and the mark of their end, which is a
// command in some languages.
func appendHex(out, data []byte) []byte {
	for line := range slices.Chunk(data, 50) {
		out = append(hex.AppendEncode(out, line), '\n')
	}
	return append(out, "\\string>"...)
}
