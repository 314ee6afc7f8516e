package plotting

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// gonum's plotters with the colours of roles.

// gonum draws a plotter of gonum's as a part of a layer.
func (p *pane) gonum(l plot.Plotter) {
	l.Plot(draw.Canvas{Canvas: p, Rectangle: p.Rectangle}, p.plot)
}

// lineStyle is a pen of a role's colour.
func (p *pane) lineStyle(r Role, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: p.color(r), Width: width}
}

// ErrorBars draws points with bars from Low to High.
type ErrorBars struct {
	X, Y, Low, High []float64
	Label           string
	Role            Role
	Marker          Marker
}

func (b ErrorBars) scatter() Scatter {
	return Scatter{X: b.X, Y: b.Y, Label: b.Label, Role: b.Role, Marker: b.Marker}
}

func (b ErrorBars) entry() entry { return b.scatter().entry() }

func (b ErrorBars) extend(e *extent) error {
	if err := b.scatter().extend(e); err != nil {
		return err
	}
	if err := e.add(b.X, "Low", b.Low); err != nil {
		return err
	}
	return e.add(b.X, "High", b.High)
}

func (b ErrorBars) draw(p *pane) {
	bars := plotter.YErrorBars{LineStyle: p.lineStyle(b.Role, p.thin), CapWidth: p.marker * 2}
	for i, y := range b.Y {
		bars.XYs = append(bars.XYs, plotter.XY{X: b.X[i], Y: y})
		bars.YErrors = append(bars.YErrors, struct{ Low, High float64 }{y - b.Low[i], b.High[i] - y})
	}
	p.gonum(&bars)
	b.scatter().draw(p)
}

// Median draws the median of several runs over the same x, and a band between their
// quartiles.
type Median struct {
	X     []float64
	Runs  [][]float64 // one slice like X for each run
	Label string
	Role  Role
	Style LineStyle
}

// parts returns the median and the quartiles.
func (m Median) parts() (Line, Band) {
	quartiles := [3][]float64{}
	column := make([]float64, len(m.Runs))
	for i := range m.X {
		for k, run := range m.Runs {
			column[k] = run[i]
		}
		slices.Sort(column)
		for k := range quartiles {
			quartiles[k] = append(quartiles[k], stat.Quantile(float64(k+1)/4, stat.LinInterp, column, nil))
		}
	}
	return Line{X: m.X, Y: quartiles[1], Label: m.Label, Role: m.Role, Style: m.Style},
		Band{X: m.X, Low: quartiles[0], High: quartiles[2], Role: m.Role}
}

func (m Median) extend(e *extent) error {
	if len(m.Runs) == 0 {
		return errors.New("has no Runs")
	}
	for k, run := range m.Runs {
		if err := (&extent{x: e.x, y: e.y}).add(m.X, fmt.Sprintf("Runs[%d]", k), run); err != nil {
			return err
		}
	}
	_, band := m.parts()
	return band.extend(e)
}

func (m Median) entry() entry {
	return Line{X: m.X, Label: m.Label, Role: m.Role, Style: m.Style}.entry()
}

func (m Median) draw(p *pane) {
	line, band := m.parts()
	band.draw(p)
	line.draw(p)
}

// Histogram counts values in bins of equal width.
type Histogram struct {
	Values []float64
	Bins   int // zero: as many as the root of the number of values
	Label  string
	Role   Role
}

func (h Histogram) entry() entry { return entry{text: h.Label, role: h.Role, area: true} }

func (h Histogram) bars() (*plotter.Histogram, error) {
	bins := h.Bins
	for bins == 0 || h.Bins == 0 && bins*bins < len(h.Values) {
		bins++
	}
	return plotter.NewHist(plotter.Values(h.Values), bins)
}

func (h Histogram) extend(e *extent) error {
	if err := (&extent{x: e.x}).add(h.Values, "count", make([]float64, len(h.Values))); err != nil {
		return err
	}
	bars, err := h.bars()
	if err != nil {
		return err
	}
	bars.LogY = e.y.scale != Linear
	x0, x1, y0, y1 := bars.DataRange()
	return e.add([]float64{x0, x1}, "count", []float64{y0, y1})
}

func (h Histogram) draw(p *pane) {
	bars, err := h.bars()
	if err != nil {
		p.fail(err)
		return
	}
	bars.FillColor, bars.LineStyle = p.tint(p.color(h.Role), areaTint), p.lineStyle(h.Role, p.thin)
	p.gonum(bars)
}

// Box draws the quartiles of values at X, with whiskers to what is within 1.5 times
// their distance, and what is beyond as points (Tukey's box plot).
type Box struct {
	X      float64
	Values []float64
	Label  string
	Role   Role
}

func (b Box) entry() entry { return entry{text: b.Label, role: b.Role, area: true} }

func (b Box) extend(e *extent) error {
	if len(b.Values) == 0 {
		return errors.New("has no Values")
	}
	const beside = 0.5 // the next box is 1 away
	if err := e.x.addAll("X", []float64{b.X - beside, b.X + beside}); err != nil {
		return err
	}
	return e.y.addAll("Values", b.Values)
}

func (b Box) draw(p *pane) {
	const width = 3 // markers
	box, err := plotter.NewBoxPlot(p.marker*2*width, b.X, plotter.Values(b.Values))
	if err != nil {
		p.fail(err)
		return
	}
	thin := p.lineStyle(b.Role, p.thin)
	box.BoxStyle, box.WhiskerStyle, box.MedianStyle = thin, thin, p.lineStyle(b.Role, p.look.line)
	box.FillColor = p.tint(p.color(b.Role), areaTint)
	box.GlyphStyle = draw.GlyphStyle{Color: p.color(b.Role), Radius: p.marker * 0.7, Shape: Disc}
	p.gonum(box)
}
