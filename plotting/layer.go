package plotting

import (
	"errors"
	"fmt"
	"reflect"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Layer is anything that draws in a plot of gonum's.
type Layer = plot.Plotter

// A layer of this package does more than a plotter must.
type layer interface {
	plot.Plotter
	// extend grows the data's extent and reports data that cannot be drawn.
	extend(e *extent) error
	draw(p *pane)
}

// Labelled gives a plotter of gonum's, or your own, a place in the key, with its thumbnail if it
// has one. Error bars, histograms and box plots of gonum's get the looks of a role.
type Labelled struct {
	plot.Plotter
	Label string
	Role  Role
}

// Plot draws the plotter.
func (l Labelled) Plot(c draw.Canvas, p *plot.Plot) { plotLayer(c, p, l) }

func (l Labelled) extend(e *extent) error { return e.visit(l.Plotter) }

func (l Labelled) draw(p *pane) {
	styled, _ := l.styled(p.look)
	styled.Plot(draw.Canvas{Canvas: p, Rectangle: p.Rectangle}, p.plot)
}

func (l Labelled) entry() entry {
	styled, own := l.styled(lonely(paper))
	_, bars := styled.(*plotter.YErrorBars)
	thumb, _ := styled.(plot.Thumbnailer)
	if own {
		return entry{text: l.Label, role: l.Role, area: !bars}
	}
	return entry{text: l.Label, thumb: thumb}
}

// styled returns the plotter in the colours of the role, if it is one that has them.
func (l Labelled) styled(look *look) (styled plot.Plotter, ok bool) {
	c := look.color(l.Role)
	thin, strong := draw.LineStyle{Color: c, Width: look.thin}, draw.LineStyle{Color: c, Width: look.line}
	area := look.tint(c, areaTint)
	switch q := l.Plotter.(type) {
	case *plotter.Histogram:
		h := *q
		h.FillColor, h.LineStyle = area, thin
		return &h, true
	case *plotter.BoxPlot:
		b := *q
		b.FillColor, b.BoxStyle, b.WhiskerStyle, b.MedianStyle = area, thin, thin, strong
		b.GlyphStyle = draw.GlyphStyle{Color: c, Radius: look.marker * 0.7, Shape: draw.CircleGlyph{}}
		return &b, true
	case *plotter.YErrorBars:
		b := *q
		b.LineStyle, b.CapWidth = thin, look.marker*2
		return &b, true
	}
	return l.Plotter, false
}

// nameOf describes a plotter in an error: its type, and its label if it has one.
func nameOf(l any) string {
	label := ""
	if v := reflect.Indirect(reflect.ValueOf(l)); v.Kind() == reflect.Struct && v.FieldByName("Label").Kind() == reflect.String {
		label = v.FieldByName("Label").String()
	}
	return fmt.Sprintf("%T%s", l, quoted(label))
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}

// extent collects what the layers of a panel cover. Layers that are drawn over whatever range there
// is (curves) add to it in the second pass, when the limits of x are known.
type extent struct {
	x, y   mapping
	second bool
	tight  bool // no margin around the data
	cloud  bool // points, which need a margin left and right as well
}

// data returns points as two slices.
func data(xy plotter.XYer, x, y []float64) (xs, ys []float64) {
	if xy == nil {
		return x, y
	}
	for i := range xy.Len() {
		u, v := xy.XY(i)
		xs, ys = append(xs, u), append(ys, v)
	}
	return xs, ys
}

// addData adds points given as two slices or as a XYer.
func (e *extent) addData(xy plotter.XYer, x, y []float64) error {
	if xy != nil && len(x)+len(y) > 0 {
		return errors.New("has both XY and X, Y")
	}
	x, y = data(xy, x, y)
	return e.add(x, "Y", y)
}

// add adds points whose second coordinate has a name.
func (e *extent) add(x []float64, name string, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("has %d values of X and %d of %s", len(x), len(y), name)
	}
	if len(x) == 0 {
		return errors.New("has no points")
	}
	if err := e.x.addAll("X", x); err != nil {
		return err
	}
	return e.y.addAll(name, y)
}

// addAll grows the span by data.
func (m *mapping) addAll(coordinate string, values []float64) error {
	free := *m
	free.span = span{} // for other scales, as within does
	for i, v := range values {
		if err := m.admits(v); err != nil {
			return fmt.Errorf("%s[%d] %w", coordinate, i, err)
		}
		m.span.add(free.position(v))
	}
	return nil
}

// isNil tells whether an interface holds nothing, or a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

func (e *extent) visit(l plot.Plotter) (err error) {
	defer recovered(&err)
	if isNil(l) {
		return errors.New("is nil")
	}
	if own, ok := l.(layer); ok {
		for _, e := range entriesOf(l) {
			paper.color(e.role) // panics, as the entries do, if there is no such role
		}
		return own.extend(e)
	}
	_, boxes := l.(plot.GlyphBoxer)
	e.cloud = e.cloud || boxes
	if r, ok := l.(plot.DataRanger); ok {
		if x0, x1, y0, y1 := r.DataRange(); !(x0 > x1 || y0 > y1) {
			return e.add([]float64{x0, x1}, "Y", []float64{y0, y1})
		}
	}
	return nil
}

// dataRange is the range of a layer of this package, for gonum's plots.
func dataRange(l layer) (xmin, xmax, ymin, ymax float64) {
	var e extent
	_ = l.extend(&e) // Plot reports the mistake
	xmin, xmax = e.x.ends()
	ymin, ymax = e.y.ends()
	return xmin, xmax, ymin, ymax
}

// plotLayer draws a layer of this package on the pane that it is given, or alone in a
// plot of gonum's, with its labels; data that cannot be drawn then panic.
func plotLayer(c draw.Canvas, p *plot.Plot, l layer) {
	if q, ok := c.Canvas.(*pane); ok {
		l.draw(q)
		return
	}
	q := &pane{Canvas: c, look: lonely(paper), plot: p, alone: true, coming: []vg.Point{}}
	q.page = vg.Rectangle{Min: vg.Point{X: -reach, Y: -reach}, Max: vg.Point{X: reach, Y: reach}}
	q.x = mappingOf(p.X.Scale).within(p.X.Min, p.X.Max)
	q.y = mappingOf(p.Y.Scale).within(p.Y.Min, p.Y.Max)
	e := extent{x: q.x, y: q.y, second: true}
	if q.err = l.extend(&e); q.err == nil {
		l.draw(q)
		q.drawLabels()
	}
	if q.err != nil {
		panic(fmt.Sprintf("plotting: %s: %v", nameOf(l), q.err))
	}
}

// thumbnail draws a layer's entry in the legend of a plot of gonum's.
func thumbnail(l labelledLayer, c *draw.Canvas) {
	q := &pane{Canvas: *c, look: lonely(paper)}
	q.drawSample(l.entry(), c.Rectangle)
}

// Plot draws the layer in a panel, or in a plot of gonum's. There, data that cannot be drawn panic.
func (l HeatMap) Plot(c draw.Canvas, p *plot.Plot)        { plotLayer(c, p, l) }
func (l Line) Plot(c draw.Canvas, p *plot.Plot)           { plotLayer(c, p, l) }
func (l Curve) Plot(c draw.Canvas, p *plot.Plot)          { plotLayer(c, p, l) }
func (l ReferenceCurve) Plot(c draw.Canvas, p *plot.Plot) { plotLayer(c, p, l) }
func (l ReferenceY) Plot(c draw.Canvas, p *plot.Plot)     { plotLayer(c, p, l) }
func (l ReferenceX) Plot(c draw.Canvas, p *plot.Plot)     { plotLayer(c, p, l) }
func (l Band) Plot(c draw.Canvas, p *plot.Plot)           { plotLayer(c, p, l) }
func (l Contours) Plot(c draw.Canvas, p *plot.Plot)       { plotLayer(c, p, l) }
func (l Regions) Plot(c draw.Canvas, p *plot.Plot)        { plotLayer(c, p, l) }
func (l Scatter) Plot(c draw.Canvas, p *plot.Plot)        { plotLayer(c, p, l) }
func (l Scene) Plot(c draw.Canvas, p *plot.Plot)          { plotLayer(c, p, l) }
func (l Circle) Plot(c draw.Canvas, p *plot.Plot)         { plotLayer(c, p, l) }
func (l Note) Plot(c draw.Canvas, p *plot.Plot)           { plotLayer(c, p, l) }
func (l Simplex) Plot(c draw.Canvas, p *plot.Plot)        { plotLayer(c, p, l) }

// DataRange is the range of the data, for plots of gonum's.
func (l HeatMap) DataRange() (xmin, xmax, ymin, ymax float64)        { return dataRange(l) }
func (l Line) DataRange() (xmin, xmax, ymin, ymax float64)           { return dataRange(l) }
func (l Curve) DataRange() (xmin, xmax, ymin, ymax float64)          { return dataRange(l) }
func (l ReferenceCurve) DataRange() (xmin, xmax, ymin, ymax float64) { return dataRange(l) }
func (l ReferenceY) DataRange() (xmin, xmax, ymin, ymax float64)     { return dataRange(l) }
func (l ReferenceX) DataRange() (xmin, xmax, ymin, ymax float64)     { return dataRange(l) }
func (l Band) DataRange() (xmin, xmax, ymin, ymax float64)           { return dataRange(l) }
func (l Scatter) DataRange() (xmin, xmax, ymin, ymax float64)        { return dataRange(l) }
func (l Scene) DataRange() (xmin, xmax, ymin, ymax float64)          { return dataRange(l) }
func (l Circle) DataRange() (xmin, xmax, ymin, ymax float64)         { return dataRange(l) }
func (l Note) DataRange() (xmin, xmax, ymin, ymax float64)           { return dataRange(l) }
func (l Simplex) DataRange() (xmin, xmax, ymin, ymax float64)        { return dataRange(l) }

// Thumbnail draws the layer's line, marker or area, for legends of gonum's.
func (l Line) Thumbnail(c *draw.Canvas)           { thumbnail(l, c) }
func (l Curve) Thumbnail(c *draw.Canvas)          { thumbnail(l, c) }
func (l ReferenceCurve) Thumbnail(c *draw.Canvas) { thumbnail(l, c) }
func (l ReferenceY) Thumbnail(c *draw.Canvas)     { thumbnail(l, c) }
func (l Band) Thumbnail(c *draw.Canvas)           { thumbnail(l, c) }
func (l Contours) Thumbnail(c *draw.Canvas)       { thumbnail(l, c) }
func (l Scatter) Thumbnail(c *draw.Canvas)        { thumbnail(l, c) }
