package plotting

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Line joins points by straight segments. Its label stands at its right end.
type Line struct {
	X, Y  []float64
	XY    plotter.XYer // instead of X and Y
	Label string
	Role  Role
	Style LineStyle

	// Marker, if not the zero value, is also drawn at every point.
	Marker Marker

	// Arrow draws a head at the last point.
	Arrow bool

	// Thin draws the line thinner, for one of many. Wide draws it wide and pale, to
	// be seen below a line that lies on it.
	Thin, Wide bool
}

func (l Line) extend(e *extent) error {
	e.cloud = e.cloud || l.Marker != RoleMarker
	return e.addData(l.XY, l.X, l.Y)
}

func (l Line) entry() entry {
	x, _ := data(l.XY, l.X, l.Y)
	e := entry{text: l.Label, role: l.Role, dash: l.Style.dash(l.Role), wide: l.Wide, line: true, end: math.Inf(-1)}
	for _, v := range x {
		e.end = math.Max(e.end, v)
	}
	return e
}

func (l Line) draw(p *pane) {
	points := p.points(data(l.XY, l.X, l.Y))
	if l.Marker != RoleMarker || len(points) == 1 {
		s := Scatter{Role: l.Role, Marker: max(l.Marker, Disc)}
		s.drawAt(p, points)
	}
	if len(points) > 1 {
		p.stroke(points, l.Role, l.Style, l.Thin, l.Wide)
	}
	if l.Arrow && len(points) > 1 {
		p.arrowHead(points[len(points)-2], points[len(points)-1], p.color(l.Role), p.look.line*3)
	}
	p.labelLine(points, l.entry())
}

// stroke draws a polyline as its role says.
func (p *pane) stroke(points []vg.Point, r Role, s LineStyle, thin, wide bool) {
	p.penOf(r, s.dash(r), thin, wide)
	p.line(points)
}

func (p *pane) penOf(r Role, dash []vg.Length, thin, wide bool) {
	w, c := p.look.line, p.color(r)
	switch {
	case wide:
		w, c, dash = w*3, p.tint(c, 0.3), nil
	case thin || r == Reference:
		w = p.thin
	}
	p.pen(c, w, dash)
}

// Curve is the graph of a function, drawn over the panel's range of x or from
// From to To. Gaps where F is NaN stay gaps.
type Curve struct {
	F        func(x float64) float64
	From, To float64
	Label    string
	Role     Role
	Style    LineStyle
	Wide     bool // wide and pale, below a line that lies on it
}

func (c Curve) everywhere() bool { return c.From == 0 && c.To == 0 }

// samples is how many points a curve is drawn with: at the widest preset they
// are two points of print apart.
const samples = 400

// sample returns the points of the curve in data units; y is NaN in gaps.
func (c Curve) sample(xAxis, yAxis mapping) (x, y []float64, err error) {
	hint, gaps := "; set From and To", 0
	if !c.everywhere() {
		xAxis, hint = xAxis.within(c.From, c.To), ""
	}
	for i := range samples + 1 {
		v := xAxis.at(float64(i) / samples)
		x, y = append(x, v), append(y, c.F(v))
		if math.IsNaN(y[i]) {
			gaps++
		} else if err := yAxis.admits(y[i]); err != nil {
			return nil, nil, fmt.Errorf("F(%g) %w%s", v, err, hint)
		}
	}
	if gaps == len(x) {
		return nil, nil, fmt.Errorf("the function F is NaN everywhere between %g and %g", x[0], x[samples])
	}
	return x, y, nil
}

func (c Curve) extend(e *extent) error {
	switch {
	case c.F == nil:
		return errors.New("has no function F")
	case !e.second && c.everywhere():
		return nil
	case !e.second:
		return e.x.addAll("limit", []float64{c.From, c.To})
	}
	_, y, err := c.sample(e.x, e.y)
	if err != nil {
		return err
	}
	return e.y.addAll("F", slices.DeleteFunc(y, math.IsNaN))
}

func (c Curve) entry() entry {
	e := entry{text: c.Label, role: c.Role, dash: c.Style.dash(c.Role), wide: c.Wide, line: true, end: c.To}
	if c.everywhere() {
		e.end = math.Inf(1)
	}
	return e
}

func (c Curve) draw(p *pane) {
	x, y, err := c.sample(p.x, p.y)
	p.fail(err)
	var last []vg.Point
	for _, last = range split(p.points(x, y), func(i int) bool { return !math.IsNaN(y[i]) }) {
		p.stroke(last, c.Role, c.Style, false, c.Wide)
	}
	p.labelLine(last, c.entry())
}

// ReferenceCurve is a dotted curve: the function the theory predicts. Wide, it is pale
// and whole, to be seen below data that lie on it.
type ReferenceCurve struct {
	F        func(x float64) float64
	From, To float64
	Label    string
	Wide     bool
}

func (r ReferenceCurve) curve() Curve {
	return Curve{F: r.F, From: r.From, To: r.To, Label: r.Label, Role: Reference, Wide: r.Wide}
}

func (r ReferenceCurve) extend(e *extent) error { return r.curve().extend(e) }
func (r ReferenceCurve) entry() entry           { return r.curve().entry() }
func (r ReferenceCurve) draw(p *pane)           { r.curve().draw(p) }

// ReferenceY is a dotted horizontal line: the value the theory predicts. Its label
// stands at its right end.
type ReferenceY struct {
	At    float64
	Label string
}

func (r ReferenceY) curve() Curve {
	return Curve{F: func(float64) float64 { return r.At }, Label: r.Label, Role: Reference}
}

func (r ReferenceY) extend(e *extent) error { return e.y.addAll("At", []float64{r.At}) }
func (r ReferenceY) entry() entry           { return r.curve().entry() }
func (r ReferenceY) draw(p *pane)           { r.curve().draw(p) }

// ReferenceX is a dotted vertical line: where something happens. Its label stands beside it.
type ReferenceX struct {
	At    float64
	Label string
}

func (r ReferenceX) extend(e *extent) error { return e.x.addAll("At", []float64{r.At}) }

func (r ReferenceX) draw(p *pane) {
	u := p.x.position(r.At)
	top := p.at(u, p.y.hi)
	p.stroke([]vg.Point{p.at(u, p.y.lo), top}, Reference, RoleStyle, false, false)
	right := top.X + p.label*0.5
	left := top.X - p.label*0.5 - p.textWidth(r.Label, p.label)
	var places []vg.Point
	for _, share := range []vg.Length{0, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85} {
		y := top.Y - p.label - share*p.Size().Y
		places = append(places, vg.Point{X: right, Y: y}, vg.Point{X: left, Y: y})
	}
	p.annotate(r.Label, p.quiet, places...)
}

// Band fills between two lines over the same x, as for a spread over seeds.
type Band struct {
	X, Low, High []float64
	Label        string // stands at the right end of the band's middle
	Role         Role
}

// areaTint is the strength of bands, and of circles and histograms.
const areaTint = 0.2

func (b Band) extend(e *extent) error {
	if err := e.add(b.X, "Low", b.Low); err != nil {
		return err
	}
	if err := e.add(b.X, "High", b.High); err != nil {
		return err
	}
	for i, low := range b.Low {
		if low > b.High[i] {
			return fmt.Errorf("has Low[%d] = %g above High[%d] = %g", i, low, i, b.High[i])
		}
	}
	return nil
}

func (b Band) entry() entry {
	e := Line{X: b.X, Label: b.Label, Role: b.Role}.entry()
	e.area = true
	return e
}

func (b Band) draw(p *pane) {
	low, high := p.points(b.X, b.Low), p.points(b.X, b.High)
	n := len(low)
	middle := low[n-1].Add(high[n-1]).Scale(0.5)
	slices.Reverse(high)
	p.polygon(p.tint(p.color(b.Role), areaTint), append(low, high...))
	p.labelLine([]vg.Point{middle}, b.entry())
}

// Median returns the median of several runs over the same x, each a slice like x, and a
// band between their quartiles.
func Median(x []float64, runs [][]float64) (Line, Band) {
	for k, run := range runs {
		if len(run) != len(x) {
			panic(fmt.Sprintf("plotting: Median: run %d has %d values for %d x", k, len(run), len(x)))
		}
	}
	if len(runs) == 0 {
		panic("plotting: Median of no runs; give at least one")
	}
	var quartiles [3][]float64
	column := make([]float64, len(runs))
	for i := range x {
		for k, run := range runs {
			column[k] = run[i]
		}
		slices.Sort(column)
		for k := range quartiles {
			quartiles[k] = append(quartiles[k], Quantile(column, float64(k+1)/4))
		}
	}
	return Line{X: x, Y: quartiles[1]}, Band{X: x, Low: quartiles[0], High: quartiles[2]}
}

// Quantile returns the p-quantile of sorted values, by lines between x_1, …, x_n at p = 0, 1/(n-1),
// …, 1, so that the median of two is their mean, as gonum's is not; NaN of none.
func Quantile(sorted []float64, p float64) float64 {
	if !(p >= 0 && p <= 1) {
		panic(fmt.Sprintf("plotting: Quantile: p = %v; it must be between 0 and 1", p))
	}
	if len(sorted) == 0 {
		return math.NaN()
	}
	at, part := math.Modf(p * float64(len(sorted)-1))
	low := sorted[int(at)]
	if part == 0 { // also beside an infinity
		return low
	}
	return (1-part)*low + part*sorted[int(at)+1]
}
