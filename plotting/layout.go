package plotting

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"reflect"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"qhlab/plotting/internal/label"
)

// A Font is the typeface of a figure's labels.
type Font string

const (
	Sans        Font = "sans" // DejaVu Sans
	LatinModern Font = "latin-modern"
	Times       Font = "times"
)

// Width is the width of a figure, and the font that suits the place where it stands.
type Width struct {
	Length vg.Length
	Font   Font // empty: Sans
}

// The widths of text and columns.
var (
	Double       = Width{Length: 6.75 * vg.Inch} // two columns
	Single       = Width{Length: 3.25 * vg.Inch} // one column
	ICLR         = Width{5.5 * vg.Inch, Times}
	NeurIPS      = Width{5.5 * vg.Inch, Times}
	ICML         = Width{3.25 * vg.Inch, Times}
	ICMLDouble   = Width{6.75 * vg.Inch, Times}
	Nature       = Width{Length: 89 * vg.Millimeter}
	NatureDouble = Width{Length: 183 * vg.Millimeter}
	Beamer       = Width{Length: 108 * vg.Millimeter} // of a slide of 128 by 96 mm
)

// look holds the measures of a figure at its printed width, in points, its colours and its font.
type look struct {
	ink
	handler             *label.Handler
	err                 error     // the first mistake found while drawing
	width               vg.Length // of the page
	title, label, tick  vg.Length // type sizes
	line, thin, axis    vg.Length // line widths
	marker              vg.Length // radius of a point
	gap                 vg.Length // between panels
	tickLength, padding vg.Length
}

// look returns the measures of a width: type at 7.5 to 9 points in print, and scripts
// of scripts at 5.
func (w Width) look(theme ink) (look, error) {
	l := look{
		ink: theme, width: w.Length, title: 9, label: 8, tick: 7.5,
		line: 1.5, thin: 0.9, axis: 0.6, marker: 2.4, gap: 16, tickLength: 3, padding: 3,
	}
	const narrow = 4 * vg.Inch
	if w.Length < narrow {
		l.line, l.marker, l.gap = 1.3, 2, 12
	}
	const least, most = vg.Inch, 40 * vg.Inch
	if !(w.Length >= least && w.Length <= most) {
		return l, fmt.Errorf("the width is %g points; set one between %g and %g, such as plotting.Single or 12*vg.Centimeter", w.Length, least, most)
	}
	var err error
	l.handler, err = label.New(string(cmp.Or(w.Font, Sans)))
	return l, err
}

// plan says where everything of a figure stands. Lengths are in points, y up.
type plan struct {
	look
	width, height vg.Length
	title         []string // its lines
	panes         []*pane
}

func (f Figure) columns() int { return min(cmp.Or(f.Columns, 3), len(f.Panels)) }

// plan lays the figure out. The room for tick labels depends on the ticks, and
// the ticks on the size of the panel, so it is done twice.
func (f Figure) plan(theme ink) (*plan, error) {
	if f.other != nil {
		return &plan{look: look{ink: theme}, width: Double.Length, height: Double.Length * 0.6}, nil
	}
	f = f.prepared()
	extents, err := f.measure()
	if err != nil {
		return nil, err
	}
	f.Width.Length = cmp.Or(f.Width.Length, Double.Length)
	pl := &plan{}
	if pl.look, err = f.Width.look(theme); err != nil {
		return nil, f.errorf("%w", err)
	}
	columns := f.columns()
	for i, panel := range f.Panels {
		p := newPane(panel, &pl.look, extents[i])
		p.inner.x, p.inner.y = f.ShareX && i+columns < len(f.Panels), f.ShareY && i%columns > 0
		p.Rectangle.Max = vg.Point{X: pl.look.width / vg.Length(columns) * 0.8, Y: 120}
		// Labels that would take most of the width stand above instead.
		p.panel.Key = p.panel.Key || p.endRoom() > p.Max.X*mostForLabels || len(p.endEntries()) > mostLabels
		p.theories = p.countTheories()
		if pl.panes = append(pl.panes, p); pl.err != nil {
			return nil, f.panelError(i, pl.err)
		}
	}
	f.omitRepeated(pl.panes)
	for range 2 {
		if err := pl.arrange(f); err != nil {
			return nil, err
		}
	}
	return pl, nil
}

// newPane returns the pane of a panel with its measured limits, and the plot that
// gonum's plotters see.
func newPane(p Panel, l *look, e extent) *pane {
	q := &pane{panel: p, look: l, x: e.x, y: e.y, plot: plot.New()}
	q.setLimits()
	q.plot.X.Label.Text, q.plot.Y.Label.Text = p.X.Label, p.Y.Label
	q.plot.X.Tick.Marker, q.plot.Y.Tick.Marker = p.X.ticker(q.x), p.Y.ticker(q.y)
	l.stylePlot(q.plot)
	return q
}

// setLimits tells gonum's plotters the axes.
func (p *pane) setLimits() {
	if wide := max(p.x.hi-p.x.lo, p.y.hi-p.y.lo); !(wide <= math.MaxFloat64) {
		p.fail(errors.New("an axis is longer than the largest number; set its limits, or leave Equal out"))
	}
	p.x.describe(&p.plot.X)
	p.y.describe(&p.plot.Y)
}

// omitRepeated leaves out the keys that panels on shared axes have in common with the panel before,
// and the colour bars they have in common with the next in their row.
func (f Figure) omitRepeated(panes []*pane) {
	for i, p := range panes {
		if i+1 < len(panes) && (i+1)%f.columns() > 0 {
			b, ok := p.bar()
			next, also := panes[i+1].bar()
			p.barless = ok && also && b == next
		}
		if i > 0 && (f.ShareX || f.ShareY) {
			p.keyless = reflect.DeepEqual(p.keys(), panes[i-1].keys())
		}
	}
}

// arrange sets the panes' boxes from the frames their present size asks for.
func (pl *plan) arrange(f Figure) error {
	columns := f.columns()
	rows := (len(pl.panes) + columns - 1) / columns
	left, right := make([]vg.Length, columns), make([]vg.Length, columns)
	top, bottom := make([]vg.Length, rows), make([]vg.Length, rows)
	for i, p := range pl.panes {
		fr := p.frame()
		if pl.err != nil {
			return f.panelError(i, pl.err)
		}
		r, c := i/columns, i%columns
		left[c], right[c] = max(left[c], fr.left), max(right[c], fr.right)
		top[r], bottom[r] = max(top[r], fr.top), max(bottom[r], fr.bottom)
	}
	free := pl.look.width - pl.gap*vg.Length(columns-1) - sum(left) - sum(right)
	across := max(free/vg.Length(columns), 20)
	beside := pl.gap*vg.Length(rows-1)/2 + sum(top) + sum(bottom)
	heights := pl.heights(f, &across, beside+pl.titleHeight(), rows, columns)

	pl.width = pl.gap*vg.Length(columns-1) + sum(left) + sum(right) + across*vg.Length(columns)
	y := beside + sum(heights)
	pl.title = pl.wrapped(f.Title, pl.look.title, pl.width)
	pl.height = y + pl.titleHeight()
	for r := range rows {
		y -= top[r] + heights[r]
		x := vg.Length(0)
		for c := range columns {
			x += left[c]
			if i := r*columns + c; i < len(pl.panes) {
				p := pl.panes[i]
				p.Rectangle = vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + across, Y: y + heights[r]}}
				p.page = vg.Rectangle{Max: vg.Point{X: pl.width, Y: pl.height}}
				p.head, p.left = top[r], left[c]-2
				p.fit()
			}
			x += across + right[c] + pl.gap
		}
		y -= bottom[r] + pl.gap/2
	}
	if pl.err != nil {
		return f.errorf("title: %w", pl.err)
	}
	return nil
}

func (pl *plan) titleHeight() vg.Length { return pl.look.title * titleRow * vg.Length(len(pl.title)) }

func sum(lengths []vg.Length) (s vg.Length) {
	for _, l := range lengths {
		s += l
	}
	return s
}

// titleRow is the height of a line of a title, in title sizes.
const titleRow = 1.7

// wrapped breaks a label into lines no wider than a length where it has spaces outside of formulas.
func (l *look) wrapped(s string, size, most vg.Length) (lines []string) {
	formula := false
	words := strings.FieldsFunc(s, func(r rune) bool {
		formula = formula != (r == '$')
		return r == ' ' && !formula
	})
	for _, word := range words {
		if n := len(lines); n > 0 && l.textWidth(lines[n-1]+" "+word, size) <= most {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// heights returns the height of each row's plotting areas, given the room beside them on a
// page that is seen as a whole. Equal axes that would be taller become narrower.
func (pl *plan) heights(f Figure, across *vg.Length, beside vg.Length, rows, columns int) []vg.Length {
	const page, tallest, lowest = 320, 28, 4 // points, which are 480 pixels in a notebook; label sizes of a row
	ratio := 0.0
	for _, p := range pl.panes {
		if p.panel.Equal {
			ratio = math.Min(1.6, math.Max(ratio, (p.y.hi-p.y.lo)/(p.x.hi-p.x.lo)))
		}
	}
	equal := ratio > 0
	if !equal {
		ratio = defaultAspect(pl.look.width, rows, columns)
	}
	ratio = cmp.Or(f.Aspect, ratio)
	heights := make([]vg.Length, rows)
	for i, p := range pl.panes {
		heights[i/columns] = max(heights[i/columns], *across*vg.Length(ratio*cmp.Or(p.panel.Height, 1)))
	}
	limit := max(page-beside, lowest*pl.label*vg.Length(rows))
	if f.Aspect == 0 {
		limit = min(limit, tallest*pl.label*vg.Length(rows))
	}
	if shrink := limit / sum(heights); shrink < 1 {
		for r := range heights {
			heights[r] *= shrink
		}
		if equal {
			*across *= shrink
		}
	}
	return heights
}

func defaultAspect(width vg.Length, rows, columns int) float64 {
	narrow, stacked := width < 4*vg.Inch, rows > 1
	switch {
	case columns > 2:
		return 0.85
	case columns == 2:
		return 0.7
	case stacked && !narrow:
		return 0.24
	case narrow && !stacked:
		return 0.68
	}
	return 0.42
}

// fit widens the limits of a panel with equal axes to fill its box.
func (p *pane) fit() {
	if p.panel.Equal {
		size := p.Size()
		perPoint := math.Max((p.x.hi-p.x.lo)/float64(size.X), (p.y.hi-p.y.lo)/float64(size.Y))
		p.x.span = p.x.grown((perPoint*float64(size.X) - (p.x.hi - p.x.lo)) / 2)
		p.y.span = p.y.grown((perPoint*float64(size.Y) - (p.y.hi - p.y.lo)) / 2)
	}
	p.setLimits()
}

// frame is the room a panel needs around its plotting area.
type frame struct{ left, right, top, bottom vg.Length }

// frame measures what stands around the plotting area, by setting it.
func (p *pane) frame() frame {
	p.set, p.measuring, p.Canvas.Canvas = p.Rectangle, true, new(recorder.Canvas)
	p.drawTicks()
	for _, l := range p.panel.Layers {
		if h, ok := l.(HeatMap); ok {
			h.drawAround(p)
		}
	}
	p.measuring = false
	const least = 2
	fr := frame{p.Min.X - p.set.Min.X + least, p.set.Max.X - p.Max.X + least, p.set.Max.Y - p.Max.Y + least, p.Min.Y - p.set.Min.Y + least}
	if !p.panel.Bare {
		fr.top = max(fr.top, p.tick*0.85)
		fr.bottom += p.label * 0.25
	}
	if !p.panel.Bare && !p.inner.x && p.panel.X.Label != "" {
		fr.bottom += p.label * 1.5
	}
	if !p.panel.Bare && !p.inner.y {
		fr.top += p.label * 1.5 * vg.Length(len(p.yLabelLines()))
	}
	fr.top += p.label*keyRow*vg.Length(len(p.keyRows())) + p.title*titleRow*vg.Length(len(p.titleLines()))
	fr.right = max(fr.right, p.endRoom())
	return fr
}

// titleLines and yLabelLines are the texts above a panel, as wide as it.
func (p *pane) titleLines() []string { return p.wrapped(p.panel.Title, p.title, p.Max.X-p.yLabelX()) }

func (p *pane) yLabelLines() []string {
	return p.wrapped(p.panel.Y.Label, p.label, p.Max.X-p.yLabelX())
}

// xTicks and yTicks are the ticks, as many as fit, in positions.
func (p *pane) xTicks() []plot.Tick {
	n := min(8, int(p.Size().X/(p.tick*4.5)))
	marks := p.panel.X.ticks(p.x, n)
	for ; n > 2 && p.crowded(marks); n-- {
		marks = p.panel.X.ticks(p.x, n-1)
	}
	return marks
}

// crowded reports whether labels of the x axis come too near each other.
func (p *pane) crowded(marks []plot.Tick) bool {
	var total vg.Length
	for _, m := range marks {
		if !m.IsMinor() {
			total += p.textWidth(m.Label, p.tick) + p.tick
		}
	}
	return labelled(marks) > 2 && total > p.Size().X
}

func (p *pane) yTicks() []plot.Tick {
	return p.panel.Y.ticks(p.y, min(8, int(p.Size().Y/(p.tick*2.4))))
}

func (pl *plan) draw(c draw.Canvas, f Figure) error {
	if f.other != nil {
		if err := f.drawOther(c, pl.ink); err != nil {
			return f.errorf("%w", err)
		}
	}
	for i, p := range pl.panes {
		if slices.ContainsFunc(p.panel.Layers, labelsLines) { // in gaps, far from what is drawn later
			if err := p.drawLayers(new(recorder.Canvas)); err != nil {
				return f.panelError(i, err)
			}
			p.coming, p.busy, p.ends, p.notes, p.taken = p.busy, nil, nil, nil, nil
		}
		if err := p.drawLayers(c.Canvas); err != nil {
			return f.panelError(i, err)
		}
		p.drawAxes()
		p.drawLabels()
		if i == 0 {
			p.lines(pl.title, pl.height, pl.look.title, p.ink.text)
		}
		if p.err != nil {
			return f.panelError(i, p.err)
		}
	}
	return nil
}

func labelsLines(l plot.Plotter) bool {
	c, ok := l.(Contours)
	return ok && len(c.Labels) > 0
}

func (p *pane) drawLayers(c vg.Canvas) error {
	p.Canvas.Canvas = c
	for k, l := range p.panel.Layers {
		if err := p.drawLayer(l); err != nil {
			return layerError(k, l, err)
		}
	}
	return nil
}

// lines writes the lines of a title from a height down, and returns where they end.
func (p *pane) lines(lines []string, top, size vg.Length, c color.Color) vg.Length {
	for _, line := range lines {
		p.text(vg.Point{X: p.yLabelX(), Y: top - size*1.22}, line, size, c, draw.XLeft)
		top -= size * titleRow
	}
	return top
}

// drawAxes draws the two axes, their ticks and labels. The title and the key
// stand at the top of the row, the label of the y axis just above the axis.
func (p *pane) drawAxes() {
	p.drawKeys(p.lines(p.titleLines(), p.Max.Y+p.head, p.title, p.ink.text))
	p.drawTicks()
	if !p.panel.Bare && !p.inner.x {
		at := vg.Point{X: p.Center().X, Y: p.Min.Y - p.tickLength - p.padding - p.tick*1.1 - p.label*1.05}
		p.text(at, p.panel.X.Label, p.label, p.quiet, draw.XCenter)
	}
	if lines := p.yLabelLines(); !p.panel.Bare && !p.inner.y {
		for k, line := range lines {
			y := p.Max.Y + p.tick*0.85 + p.label*(0.3+1.5*vg.Length(len(lines)-1-k))
			p.text(vg.Point{X: p.yLabelX(), Y: y}, line, p.label, p.quiet, draw.XLeft)
		}
	}
}

// drawTicks draws the lines of the axes, their ticks and the labels of these.
func (p *pane) drawTicks() {
	if p.panel.Bare {
		return
	}
	p.pen(p.faint, p.axis, nil)
	p.segment(p.Min, vg.Point{X: p.Max.X, Y: p.Min.Y})
	p.drawMarks(p.xTicks(), func(u float64) vg.Point { return vg.Point{X: p.at(u, 0).X, Y: p.Min.Y} },
		vg.Point{Y: -1}, vg.Point{Y: -p.tickLength - p.padding*0.6 - p.tick*0.85}, draw.XCenter, p.inner.x)
	p.segment(p.Min, vg.Point{X: p.Min.X, Y: p.Max.Y})
	p.drawMarks(p.yTicks(), func(u float64) vg.Point { return vg.Point{X: p.Min.X, Y: p.at(0, u).Y} },
		vg.Point{X: -1}, vg.Point{X: -p.tickLength - p.padding, Y: -p.tick * 0.36}, draw.XRight, p.inner.y)
}

// drawMarks draws ticks out of an axis, and unless they are mute their labels at an offset.
func (p *pane) drawMarks(ticks []plot.Tick, place func(u float64) vg.Point, out, offset vg.Point, align draw.XAlignment, mute bool) {
	for _, m := range ticks {
		at, length := place(m.Value), p.tickLength
		if m.IsMinor() {
			length *= 0.6
		}
		p.segment(at, at.Add(out.Scale(length)))
		if !mute {
			p.text(at.Add(offset), m.Label, p.tick, p.quiet, align)
		}
	}
}

// yLabelX is where the label of the y axis begins: above the tick labels, so that
// it reads as their heading, and at one place in all panels of a column.
func (p *pane) yLabelX() vg.Length {
	if p.panel.Bare || p.inner.y {
		return p.Min.X
	}
	return p.Min.X - p.left
}
