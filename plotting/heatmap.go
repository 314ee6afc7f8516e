package plotting

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Matrix is what a HeatMap shows; gonum's matrices are such.
type Matrix interface {
	Dims() (rows, columns int)
	At(i, j int) float64
}

// HeatMap shows a matrix as coloured cells, with a colour bar. Without labels and ticks its panel
// has no axes. Otherwise, or beside other layers, the cell in row i and column j is at (j, i), and
// rows are counted downwards as in a matrix; or X and Y say where cells are.
//
// gonum's plotter.HeatMap needs a grid and a palette, has no bar and draws a path for each cell.
type HeatMap struct {
	Values Matrix

	// X and Y are the outer edges of the first and last column, and of the last and
	// first row, in the axes' units. Both zero: cells are numbered.
	X, Y [2]float64

	// Low and High are the ends of the colour bar. Both zero: those of the data.
	Low, High float64

	// Scale is that of the colour bar.
	Scale Scale

	// Diverging puts white at zero and equally dark colours at ±v, for
	// correlations and Gram matrices. The bar is then symmetric.
	Diverging bool

	// Colors is the colour map. Nil: yellow to blue, light to dark, or blue over
	// white to red if Diverging. Greys is for images.
	Colors palette.ColorMap

	// Groups names consecutive groups of rows and columns of equal size, such
	// as classes; lines separate them.
	Groups []string

	// Label heads the colour bar. NoBar leaves the bar out, as it is where the
	// next panel of the row has the same.
	Label string
	NoBar bool
}

// Greys runs from white to black.
func Greys() palette.ColorMap { return luminanceMap(color.Black, color.White) }

// sequential runs from light to dark over yellow, green and blue; it is even in
// lightness and reads in grey as well.
func sequential() palette.ColorMap {
	return luminanceMap(color.NRGBA{0x12, 0x1b, 0x4c, 255}, color.NRGBA{0x00, 0x4c, 0x7a, 255}, color.NRGBA{0x00, 0x81, 0x8e, 255},
		color.NRGBA{0x3b, 0xaf, 0x8f, 255}, color.NRGBA{0xa8, 0xd5, 0x99, 255}, color.NRGBA{0xfb, 0xf8, 0xc6, 255})
}

// luminanceMap runs from the last colour, the lightest, to the first.
func luminanceMap(controls ...color.Color) palette.ColorMap {
	m, err := moreland.NewLuminance(controls)
	if err != nil {
		panic("plotting: " + err.Error())
	}
	m.SetMax(1)
	return palette.Reverse(m)
}

// square says that cells are squares, unless the axes say where they are.
func (h HeatMap) square() bool { return h.X == [2]float64{} && h.Y == [2]float64{} }

// axis is that of the colour bar.
func (h HeatMap) axis() Axis { return Axis{Scale: h.Scale, Min: h.Low, Max: h.High} }

func (h HeatMap) extend(e *extent) error {
	if isNil(h.Values) {
		return errors.New("has no Values")
	}
	if rows, columns := h.Values.Dims(); rows*columns == 0 {
		return errors.New("the matrix is empty")
	}
	x, y := h.edges()
	if x[0] == x[1] || y[0] == y[1] {
		return fmt.Errorf("has the edges X = %g and Y = %g; give cells a width and a height, or leave both zero", x, y)
	}
	err := h.axis().check()
	if err != nil {
		return fmt.Errorf("colour bar: %w", err)
	}
	m := h.axis().mapping()
	h.each(func(i, j int, v float64) {
		if e := m.admits(v); e != nil && err == nil {
			err = fmt.Errorf("value [%d, %d] %w", i, j, e)
		}
	})
	if err != nil {
		return err
	}
	e.tight = true
	return e.add(x[:], "Y", y[:])
}

func (h HeatMap) each(visit func(i, j int, v float64)) {
	rows, columns := h.Values.Dims()
	for i := range rows {
		for j := range columns {
			visit(i, j, h.Values.At(i, j))
		}
	}
}

// edges returns where the outermost cells end.
func (h HeatMap) edges() (x, y [2]float64) {
	rows, columns := h.Values.Dims()
	x, y = h.X, h.Y
	if x == [2]float64{} {
		x = [2]float64{-0.5, float64(columns) - 0.5}
	}
	if h.Y == [2]float64{} { // rows are counted downwards
		y = [2]float64{float64(rows) - 0.5, -0.5}
	}
	return x, y
}

// bar is all that a colour bar shows.
type bar struct {
	mapping
	label  string
	colors [192]color.NRGBA // as many as a reader tells apart, and a PNG file can have
}

func (h HeatMap) bar() (b bar, err error) {
	b.mapping, b.label = h.axis().mapping(), h.Label
	h.each(func(_, _ int, v float64) { b.add(b.position(v)) })
	if h.axis().fixed() {
		b.mapping = b.within(h.Low, h.High)
	}
	if h.Diverging {
		b.span = span{-b.largest(), b.largest(), true}
	}
	b.span = Axis{}.limits(b.mapping, false)
	m := h.Colors
	if m == nil && h.Diverging {
		m = moreland.SmoothBlueRed()
	} else if m == nil {
		m = sequential()
	}
	m.SetMin(0)
	m.SetMax(1)
	for k := range b.colors {
		c, e := m.At(float64(k) / float64(len(b.colors)-1))
		if e != nil {
			return b, e
		}
		b.colors[k] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	return b, nil
}

// color is that at a share of the way between the limits.
func (b bar) color(share float64) color.NRGBA {
	return b.colors[int(math.Round(float64(len(b.colors)-1)*math.Min(1, math.Max(0, share))))]
}

// bar returns the panel's colour bar, if there is one.
func (p *pane) bar() (b bar, ok bool) {
	for _, l := range p.panel.Layers {
		if h, is := l.(HeatMap); is && !h.NoBar {
			b, err := h.bar()
			return b, err == nil
		}
	}
	return b, false
}

func (h HeatMap) draw(p *pane) {
	b, err := h.bar()
	p.fail(err)
	rows, columns := h.Values.Dims()
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	h.each(func(i, j int, v float64) { img.SetNRGBA(j, i, b.color(b.share(b.position(v)))) })
	p.DrawImage(h.area(p), img)
	h.drawAround(p)
}

func (h HeatMap) area(p *pane) vg.Rectangle {
	x, y := h.edges()
	return vg.Rectangle{Min: p.point(x[0], y[0]), Max: p.point(x[1], y[1])}
}

// drawAround draws what stands beside the matrix.
func (h HeatMap) drawAround(p *pane) {
	h.drawGroups(p, h.area(p))
	if b, err := h.bar(); err == nil && !h.NoBar && !p.barless {
		b.draw(p, h.area(p))
	}
}

// drawGroups names the groups at the left and at the top.
func (h HeatMap) drawGroups(p *pane, area vg.Rectangle) {
	at := func(x, y float64) vg.Point {
		return vg.Point{X: area.Min.X + area.Size().X*vg.Length(x), Y: area.Max.Y - area.Size().Y*vg.Length(y)}
	}
	n := float64(len(h.Groups))
	for k, label := range h.Groups {
		if share := float64(k) / n; k > 0 {
			p.pen(color.White, p.axis, nil)
			p.segment(at(share, 0), at(share, 1))
			p.segment(at(0, share), at(1, share))
		}
		middle := (float64(k) + 0.5) / n
		p.text(at(0, middle).Sub(vg.Point{X: p.padding, Y: p.tick * 0.36}), label, p.tick, p.quiet, draw.XRight)
		p.text(at(middle, 0).Add(vg.Point{Y: p.padding}), label, p.tick, p.quiet, draw.XCenter)
	}
}

// draw draws the bar, which is narrow and as tall as the matrix.
func (b bar) draw(p *pane, area vg.Rectangle) {
	const steps = 64
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for k := range steps {
		img.SetNRGBA(0, k, b.color(1-float64(k)/(steps-1)))
	}
	left, right := area.Max.X+p.label, area.Max.X+p.label*1.9
	p.DrawImage(vg.Rectangle{Min: vg.Point{X: left, Y: area.Min.Y}, Max: vg.Point{X: right, Y: area.Max.Y}}, img)
	p.pen(p.faint, p.axis, nil)
	p.drawMarks(Axis{}.ticks(b.mapping, min(6, int(p.Size().Y/(p.tick*3)))), func(u float64) vg.Point {
		return vg.Point{X: right, Y: area.Min.Y + area.Size().Y*vg.Length(b.share(u))}
	}, vg.Point{X: 0.7}, vg.Point{X: p.tickLength + 1, Y: -p.tick * 0.36}, draw.XLeft, false)
	p.text(vg.Point{X: left, Y: area.Max.Y + p.tick*0.9}, b.label, p.tick, p.quiet, draw.XLeft)
}
