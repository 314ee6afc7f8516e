package plotting

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Matrix is what a HeatMap shows; gonum's matrices are such.
type Matrix interface {
	Dims() (rows, columns int)
	At(i, j int) float64
}

// HeatMap shows a matrix as coloured cells, its first row on top, with a colour bar.
// The panel has equal axes without ticks.
type HeatMap struct {
	Values Matrix

	// Low and High are the ends of the colour bar. Both zero: those of the data.
	Low, High float64

	// Diverging puts white at zero and equally dark colours at ±v, for
	// correlations and Gram matrices. The bar is then symmetric.
	Diverging bool

	// Groups names consecutive groups of rows and columns of equal size, such
	// as classes; lines separate them.
	Groups []string

	// ShowNumbers writes the values into the cells, with so many Decimals.
	ShowNumbers bool
	Decimals    int

	// Label heads the colour bar. NoBar leaves the bar out, as it is where the
	// next panel of the row has the same.
	Label string
	NoBar bool
}

func (h HeatMap) name() string { return "heat map" + quoted(h.Label) }

func (h HeatMap) texts() []string { return append([]string{h.Label}, h.Groups...) }

// square says that the panel has equal axes and no ticks.
func (h HeatMap) square() {}

func (h HeatMap) extend(e *extent) error {
	if h.Values == nil {
		return errors.New("has no Values")
	}
	rows, columns := h.Values.Dims()
	if rows == 0 || columns == 0 {
		return errors.New("the matrix is empty")
	}
	if h.fixed() {
		if !(h.Low < h.High) {
			return fmt.Errorf("has the limits Low = %g and High = %g; set both, Low below High", h.Low, h.High)
		}
		if err := addAll(new(span), Axis{}, "limit", []float64{h.Low, h.High}); err != nil {
			return err
		}
	}
	for i := range rows {
		for j := range columns {
			if err := (Axis{}).admits(h.Values.At(i, j)); err != nil {
				return fmt.Errorf("value [%d, %d] %w", i, j, err)
			}
		}
	}
	e.tight = true
	return e.add([]float64{0, float64(columns)}, []float64{-float64(rows), 0})
}

func (h HeatMap) fixed() bool { return h.Low != 0 || h.High != 0 }

// limits returns the ends of the colour bar.
func (h HeatMap) limits() (low, high float64) {
	s := span{h.Low, h.High, true}
	if !h.fixed() {
		s = span{}
		rows, columns := h.Values.Dims()
		for i := range rows {
			for j := range columns {
				s.add(h.Values.At(i, j))
			}
		}
	}
	if h.Diverging {
		s = span{-s.largest(), s.largest(), true}
	}
	s = Axis{}.limits(s, 0)
	return s.lo, s.hi
}

func (h HeatMap) color(v, low, high float64) color.NRGBA {
	t := math.Min(1, math.Max(0, (v-low)/(high-low)))
	if h.Diverging {
		return diverging(2*t - 1)
	}
	return sequential(t)
}

func (h HeatMap) draw(p *pane) {
	rows, columns := h.Values.Dims()
	low, high := h.limits()
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	for i := range rows {
		for j := range columns {
			img.SetNRGBA(j, i, h.color(h.Values.At(i, j), low, high))
		}
	}
	area := vg.Rectangle{Min: p.at(0, -float64(rows)), Max: p.at(float64(columns), 0)}
	p.DrawImage(area, img)
	if h.ShowNumbers {
		h.drawNumbers(p, low, high)
	}
	h.drawGroups(p, area)
	if !h.NoBar && !p.barless {
		h.drawBar(p, area, low, high)
	}
}

func (h HeatMap) drawNumbers(p *pane, low, high float64) {
	rows, columns := h.Values.Dims()
	for i := range rows {
		for j := range columns {
			v := h.Values.At(i, j)
			c := color.NRGBA(ink)
			if luminance(h.color(v, low, high)) < 0.3 {
				c = paper
			}
			at := p.at(float64(j)+0.5, -float64(i)-0.5)
			at.Y -= p.tick * 0.36
			p.text(at, number(v, h.Decimals), p.tick, c, alignCenter)
		}
	}
}

// drawGroups names the groups at the left and at the top.
func (h HeatMap) drawGroups(p *pane, area vg.Rectangle) {
	n := vg.Length(len(h.Groups))
	size := area.Size()
	for k, label := range h.Groups {
		share := vg.Length(k) / n
		if k > 0 {
			p.pen(paper, p.axis, nil)
			p.segment(vg.Point{X: area.Min.X + size.X*share, Y: area.Min.Y}, vg.Point{X: area.Min.X + size.X*share, Y: area.Max.Y})
			p.segment(vg.Point{X: area.Min.X, Y: area.Max.Y - size.Y*share}, vg.Point{X: area.Max.X, Y: area.Max.Y - size.Y*share})
		}
		middle := share + 0.5/n
		p.text(vg.Point{X: area.Min.X - p.padding, Y: area.Max.Y - size.Y*middle - p.tick*0.36}, label, p.tick, soft, alignRight)
		p.text(vg.Point{X: area.Min.X + size.X*middle, Y: area.Max.Y + p.padding}, label, p.tick, soft, alignCenter)
	}
}

// leftRoom and topRoom are the space for the names of the groups and the bar.
func (h HeatMap) leftRoom(p *pane) vg.Length {
	var w vg.Length
	for _, label := range h.Groups {
		w = max(w, width(label, p.tick)+p.padding+2)
	}
	return w
}

func (h HeatMap) topRoom(p *pane) vg.Length {
	if h.Label != "" && !h.NoBar {
		return p.tick * 1.8
	}
	if len(h.Groups) == 0 {
		return 0
	}
	return p.tick * 1.2
}

// barLook is all that a colour bar shows.
type barLook struct {
	label     string
	low, high float64
	diverging bool
}

// colorBar returns the look of the panel's colour bar, nil if it has none.
func (p *pane) colorBar() *barLook {
	for _, l := range p.Layers {
		if h, ok := l.(HeatMap); ok && !h.NoBar {
			low, high := h.limits()
			return &barLook{h.Label, low, high, h.Diverging}
		}
	}
	return nil
}

// The colour bar is narrow and as tall as the matrix.
func (h HeatMap) drawBar(p *pane, area vg.Rectangle, low, high float64) {
	const steps = 64
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for k := range steps {
		img.SetNRGBA(0, k, h.color(high-(high-low)*(float64(k)+0.5)/steps, low, high))
	}
	bar := vg.Rectangle{
		Min: vg.Point{X: area.Max.X + p.label, Y: area.Min.Y},
		Max: vg.Point{X: area.Max.X + p.label*1.9, Y: area.Max.Y},
	}
	p.DrawImage(bar, img)
	for _, m := range h.barMarks(p, low, high) {
		y := bar.Min.Y + bar.Size().Y*vg.Length((m.u-low)/(high-low))
		p.pen(faint, p.axis, nil)
		p.segment(vg.Point{X: bar.Max.X, Y: y}, vg.Point{X: bar.Max.X + p.tickLength*0.7, Y: y})
		p.text(vg.Point{X: bar.Max.X + p.tickLength + 1, Y: y - p.tick*0.36}, m.label, p.tick, soft, alignLeft)
	}
	p.text(vg.Point{X: bar.Min.X, Y: bar.Max.Y + p.tick*0.9}, h.Label, p.tick, soft, alignLeft)
}

func (h HeatMap) barMarks(p *pane, low, high float64) []mark {
	return roundNumbers(span{low, high, true}, max(2, min(6, int(p.box.Size().Y/(p.tick*3)))))
}

func (h HeatMap) bar(p *pane) vg.Length {
	if h.NoBar || p.barless {
		return 0
	}
	low, high := h.limits()
	room := width(h.Label, p.tick) - p.label*0.9
	for _, m := range h.barMarks(p, low, high) {
		room = max(room, width(m.label, p.tick)+p.tickLength+1)
	}
	return p.label*1.9 + room + 2
}
