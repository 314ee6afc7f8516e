package plotting

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
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

// HeatMap shows a matrix as coloured cells, with a colour bar. Without labels and
// ticks its panel has no axes. Otherwise, or beside other layers, the cell in row i and
// column j is at (j, i), and rows are counted downwards as in a matrix; or X and Y say
// where cells are.
//
// gonum's plotter.HeatMap needs a grid in the data's units and a palette, has no bar and
// draws a path for each cell.
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

// down says that rows are counted downwards.
func (h HeatMap) down() bool { return h.Y == [2]float64{} }

func (h HeatMap) extend(e *extent) error {
	if h.Values == nil {
		return errors.New("has no Values")
	}
	rows, columns := h.Values.Dims()
	if rows == 0 || columns == 0 {
		return errors.New("the matrix is empty")
	}
	m := mapping{scale: h.Scale}
	if h.fixed() {
		if !(h.Low < h.High) {
			return fmt.Errorf("has the limits Low = %g and High = %g; set both, Low below High", h.Low, h.High)
		}
		if err := m.addAll("limit", []float64{h.Low, h.High}); err != nil {
			return err
		}
	}
	for i := range rows {
		for j := range columns {
			if err := m.admits(h.Values.At(i, j)); err != nil {
				return fmt.Errorf("value [%d, %d] %w", i, j, err)
			}
		}
	}
	e.tight = true
	x, y := h.edges()
	return e.add(x[:], "Y", y[:])
}

// edges returns where the outermost cells end.
func (h HeatMap) edges() (x, y [2]float64) {
	rows, columns := h.Values.Dims()
	x, y = h.X, h.Y
	if x == [2]float64{} {
		x = [2]float64{-0.5, float64(columns) - 0.5}
	}
	if h.down() {
		y = [2]float64{float64(rows) - 0.5, -0.5}
	}
	return x, y
}

func (h HeatMap) fixed() bool { return h.Low != 0 || h.High != 0 }

// limits returns the ends of the colour bar, as positions.
func (h HeatMap) limits() span {
	s := span{h.Scale.position(h.Low), h.Scale.position(h.High), true}
	if !h.fixed() {
		s = span{}
		rows, columns := h.Values.Dims()
		for i := range rows {
			for j := range columns {
				s.add(h.Scale.position(h.Values.At(i, j)))
			}
		}
	}
	if h.Diverging {
		s = span{-s.largest(), s.largest(), true}
	}
	return Axis{}.limits(mapping{scale: h.Scale, span: s}, 0)
}

// shades are as many colours as a reader tells apart, and a PNG file can have.
const shades = 192

// colors returns the colours from the bar's low end to its high end.
func (h HeatMap) colors() (out [shades]color.NRGBA, err error) {
	m := h.Colors
	switch {
	case m == nil && h.Diverging:
		m = moreland.SmoothBlueRed()
	case m == nil:
		m = sequential()
	}
	m.SetMin(0)
	m.SetMax(1)
	for k := range out {
		c, e := m.At(float64(k) / (shades - 1))
		if e != nil {
			return out, e
		}
		out[k] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	return out, nil
}

func (h HeatMap) draw(p *pane) {
	rows, columns := h.Values.Dims()
	limits := h.limits()
	colors, err := h.colors()
	p.fail(err)
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	for i := range rows {
		for j := range columns {
			t := (h.Scale.position(h.Values.At(i, j)) - limits.lo) / (limits.hi - limits.lo)
			img.SetNRGBA(j, i, colors[int(math.Round((shades-1)*math.Min(1, math.Max(0, t))))])
		}
	}
	x, y := h.edges()
	area := vg.Rectangle{Min: p.point(x[0], y[0]), Max: p.point(x[1], y[1])}
	p.DrawImage(area, img)
	h.drawGroups(p, area)
	if h.bar() != nil && !p.barless {
		h.drawBar(p, area, limits, colors)
	}
}

// drawGroups names the groups at the left and at the top.
func (h HeatMap) drawGroups(p *pane, area vg.Rectangle) {
	size := area.Size()
	for k, label := range h.Groups {
		share := vg.Length(k) / vg.Length(len(h.Groups))
		if k > 0 {
			p.pen(color.White, p.axis, nil)
			p.segment(vg.Point{X: area.Min.X + size.X*share, Y: area.Min.Y}, vg.Point{X: area.Min.X + size.X*share, Y: area.Max.Y})
			p.segment(vg.Point{X: area.Min.X, Y: area.Max.Y - size.Y*share}, vg.Point{X: area.Max.X, Y: area.Max.Y - size.Y*share})
		}
		share += 0.5 / vg.Length(len(h.Groups))
		p.text(vg.Point{X: area.Min.X - p.padding, Y: area.Max.Y - size.Y*share - p.tick*0.36}, label, p.tick, p.quiet, draw.XRight)
		p.text(vg.Point{X: area.Min.X + size.X*share, Y: area.Max.Y + p.padding}, label, p.tick, p.quiet, draw.XCenter)
	}
}

// frame adds the space for the names of the groups and the bar.
func (h HeatMap) frame(p *pane, fr *frame) {
	for _, label := range h.Groups {
		fr.left = max(fr.left, p.textWidth(label, p.tick)+p.padding+2)
	}
	bar := h.bar()
	switch {
	case bar != nil && h.Label != "":
		fr.top += p.tick * 1.8
	case len(h.Groups) > 0:
		fr.top += p.tick * 1.2
	}
	fr.bottom += p.tick * 0.4 // half the lowest label of the colour bar
	if bar == nil || p.barless {
		return
	}
	room := p.textWidth(h.Label, p.tick) - p.label*0.9
	for _, m := range h.barTicks(p, bar.limits) {
		room = max(room, p.textWidth(m.Label, p.tick)+p.tickLength+1)
	}
	fr.right = max(fr.right, p.label*1.9+room+2)
}

// barLook is all that a colour bar shows.
type barLook struct {
	label     string
	limits    span
	diverging bool
	scale     Scale
	colors    palette.ColorMap
}

// bar returns the look of the colour bar, nil if there is none.
func (h HeatMap) bar() *barLook {
	if h.NoBar {
		return nil
	}
	return &barLook{h.Label, h.limits(), h.Diverging, h.Scale, h.Colors}
}

// barred layers have a colour bar.
type barred interface {
	bar() *barLook
	frame(p *pane, fr *frame)
}

// colorBar returns the panel's layer with a colour bar, nil if it has none.
func (p *pane) colorBar() barred {
	for _, l := range p.panel.Layers {
		if h, ok := l.(barred); ok {
			return h
		}
	}
	return nil
}

// The colour bar is narrow and as tall as the matrix.
func (h HeatMap) drawBar(p *pane, area vg.Rectangle, limits span, colors [shades]color.NRGBA) {
	const steps = 64
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for k := range steps {
		img.SetNRGBA(0, k, colors[(shades-1)-(shades-1)*k/(steps-1)])
	}
	bar := vg.Rectangle{
		Min: vg.Point{X: area.Max.X + p.label, Y: area.Min.Y},
		Max: vg.Point{X: area.Max.X + p.label*1.9, Y: area.Max.Y},
	}
	p.DrawImage(bar, img)
	p.pen(p.faint, p.axis, nil)
	for _, m := range h.barTicks(p, limits) {
		y := bar.Min.Y + bar.Size().Y*vg.Length((m.Value-limits.lo)/(limits.hi-limits.lo))
		length := p.lengthOf(m) * 0.7
		p.segment(vg.Point{X: bar.Max.X, Y: y}, vg.Point{X: bar.Max.X + length, Y: y})
		p.text(vg.Point{X: bar.Max.X + p.tickLength + 1, Y: y - p.tick*0.36}, m.Label, p.tick, p.quiet, draw.XLeft)
	}
	p.text(vg.Point{X: bar.Min.X, Y: bar.Max.Y + p.tick*0.9}, h.Label, p.tick, p.quiet, draw.XLeft)
}

func (h HeatMap) barTicks(p *pane, limits span) []plot.Tick {
	return h.Scale.marks(limits, max(2, min(6, int(p.Size().Y/(p.tick*3)))))
}
