package plotting

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"runtime"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"qhlab/plotting/internal/canvas"
	"qhlab/plotting/internal/label"
)

// pane is a panel on a page, whose rectangle is the plotting area, and the canvas that plotters
// draw on. It notes where lines are, those of gonum's plotters too, so that labels avoid them.
type pane struct {
	draw.Canvas
	*look
	panel Panel
	plot  *plot.Plot // the panel, as plotters see it
	x, y  mapping
	page  vg.Rectangle
	head  vg.Length           // the room above the plotting area
	left  vg.Length           // the room at its left
	inner struct{ x, y bool } // tick labels are left to a neighbour
	alone bool                // a plot of gonum's

	theories         int  // labelled lines of the theory
	keyless, barless bool // a neighbour has the same key or colour bar

	ends      []endLabel
	notes     []note
	watching  bool           // a layer is being drawn
	busy      []vg.Point     // where lines and points are, for labels to avoid
	coming    []vg.Point     // where they will be, if lines are to have labels
	measuring bool           // text is only measured
	set       vg.Rectangle   // what it then covers
	taken     []vg.Rectangle // labels
}

// drawLayer draws any plotter. What it panics with, as gonum's plotters do, becomes an
// error, other than a mistake of the program.
func (p *pane) drawLayer(l plot.Plotter) (err error) {
	defer recovered(&err)
	p.watching = true
	l.Plot(draw.Canvas{Canvas: p, Rectangle: p.Rectangle}, p.plot)
	p.watching = false
	return p.err
}

// recovered turns a panic with a message into an error.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case runtime.Error:
		panic(r)
	default:
		*err = fmt.Errorf("%v", r)
	}
}

// fail records that something cannot be drawn.
func (l *look) fail(err error) { l.err = cmp.Or(l.err, err) }

// Stroke draws a line and notes where it is.
func (p *pane) Stroke(path vg.Path) {
	p.Canvas.Stroke(path)
	for i, c := range path {
		switch {
		case !p.watching || c.Type == vg.CloseComp:
		case i == 0 || c.Type == vg.MoveComp:
			p.busy = append(p.busy, c.Pos)
		default:
			p.busy = append(p.busy, dense([]vg.Point{path[i-1].Pos, c.Pos})[1:]...)
		}
	}
}

// Fill fills an area, and notes the corners if they are as few as a marker's.
func (p *pane) Fill(path vg.Path) {
	p.Canvas.Fill(path)
	for _, c := range path {
		if p.watching && len(path) < 10 && c.Type != vg.CloseComp {
			p.busy = append(p.busy, c.Pos)
		}
	}
}

// dense returns points along a polyline, two points of print apart at most.
func dense(points []vg.Point) (out []vg.Point) {
	const every = 2
	for i, q := range points {
		if i > 0 {
			d := q.Sub(points[i-1])
			n := norm(d) / every
			for k := vg.Length(1); k < n; k++ {
				out = append(out, points[i-1].Add(d.Scale(k/n)))
			}
		}
		out = append(out, q)
	}
	return out
}

// at maps axis positions to the page.
func (p *pane) at(u, v float64) vg.Point {
	return vg.Point{X: p.X(p.x.share(u)), Y: p.Y(p.y.share(v))}
}

// point maps data to the page.
func (p *pane) point(x, y float64) vg.Point { return p.at(p.x.position(x), p.y.position(y)) }

func (p *pane) points(x, y []float64) []vg.Point {
	out := make([]vg.Point, len(x))
	for i := range x {
		out[i] = p.point(x[i], y[i])
	}
	return out
}

// pen sets colour, width and dashes, in line widths, for the next strokes.
func (p *pane) pen(c color.Color, width vg.Length, dash []vg.Length) {
	pattern := make([]vg.Length, len(dash))
	for i, d := range dash {
		pattern[i] = d * width
	}
	p.SetLineStyle(draw.LineStyle{Color: c, Width: width, Dashes: pattern})
}

func (p *pane) segment(a, b vg.Point) { p.Stroke(polyline([]vg.Point{a, b})) }

// line strokes a polyline with the present pen, inside the plotting area.
func (p *pane) line(points []vg.Point) {
	for _, piece := range p.ClipLinesXY(thin(points)) {
		p.Stroke(polyline(piece))
	}
}

// polygon fills a polygon, inside the plotting area.
func (p *pane) polygon(c color.Color, points []vg.Point) {
	if points = p.ClipPolygonXY(points); len(points) > 2 {
		p.SetColor(c)
		p.Fill(polygonPath(points))
	}
}

func polygonPath(points []vg.Point) vg.Path {
	path := polyline(points)
	path.Close()
	return path
}

// polyline is a path through the points, closed if it ends where it begins.
func polyline(points []vg.Point) vg.Path {
	n := len(points)
	closed := n > 3 && points[0] == points[n-1]
	if closed {
		n--
	}
	path := make(vg.Path, 0, n+1)
	path.Move(points[0])
	for _, q := range points[1:n] {
		path.Line(q)
	}
	if closed {
		path.Close()
	}
	return path
}

// stamp fills one path, given around the origin, at many points; the canvases of this
// package write it once.
func (p *pane) stamp(path vg.Path, c color.Color, at []vg.Point) {
	if s, ok := label.Under(p.Canvas).(canvas.Canvas); ok {
		s.Stamp(path, c, at)
		return
	}
	p.SetColor(c)
	for _, q := range at {
		p.Push()
		p.Translate(q)
		p.Canvas.Fill(path)
		p.Pop()
	}
}

// text draws a label whose baseline is at a point.
func (p *pane) text(at vg.Point, s string, size vg.Length, c color.Color, align draw.XAlignment) {
	if s == "" {
		return
	}
	box := p.inkBox(at, s, size)
	if p.err != nil {
		return
	}
	box = box.Add(vg.Point{X: vg.Length(align) * box.Size().X})
	if p.measuring {
		p.set.Min.X, p.set.Max.X = min(p.set.Min.X, box.Min.X), max(p.set.Max.X, box.Max.X)
		p.set.Min.Y, p.set.Max.Y = min(p.set.Min.Y, box.Min.Y), max(p.set.Max.Y, box.Max.Y)
		return
	}
	const slack = 1.5 // points of the margin
	if !(box.Min.X >= p.page.Min.X-slack && box.Max.X <= p.page.Max.X+slack && box.Max.Y <= p.page.Max.Y+slack && box.Min.Y >= p.page.Min.Y-slack) {
		p.fail(fmt.Errorf("the label %q does not fit on the page; shorten it, or set Key or a greater Width", s))
		return // gonum's rasterizer takes for ever far away
	}
	style := p.textStyle(size, c)
	style.XAlign, style.YAlign = align, draw.YBottom
	p.handler.Draw(p.Canvas, s, style, at)
}

// SetLine passes on the labels of other plotters.
func (p *pane) SetLine(l *label.Line, size vg.Length, at vg.Point, align text.XAlignment) {
	label.SetLine(p.Canvas, l, size, at, align)
}

func (l *look) textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{Font: font.Font{Size: size}, Color: c, Handler: l.handler}
}

func (l *look) lineOf(s string) *label.Line {
	line, err := l.handler.Line(s)
	l.fail(err)
	return line
}

func (l *look) textWidth(s string, size vg.Length) vg.Length {
	return vg.Length(l.lineOf(s).Width) * size
}

// inkBox is what a label covers whose baseline begins at a point.
func (l *look) inkBox(at vg.Point, s string, size vg.Length) vg.Rectangle {
	line := l.lineOf(s)
	return vg.Rectangle{
		Min: vg.Point{X: at.X, Y: at.Y - size*vg.Length(line.Depth)},
		Max: vg.Point{X: at.X + size*vg.Length(line.Width), Y: at.Y + size*vg.Length(line.Height)},
	}
}

// plain is a label's text without its structure.
func plain(s string) string { return label.Run{Glyphs: lonely(paper).lineOf(s).Glyphs}.Text() }

// tolerance is the distance in points by which a drawn polyline may miss its
// points: a fifth of a pixel of print.
const tolerance = 0.05

// thin leaves out points within the tolerance of the segments between those kept (Douglas and
// Peucker, 1973), piece by piece: in a long line that turns often it would be quadratic.
func thin(points []vg.Point) []vg.Point {
	if len(points) < 3 {
		return points
	}
	const piece = 512
	out := append(make([]vg.Point, 0, 64), points[0])
	for len(points) > piece {
		out = appendThin(out, points[:piece])
		points = points[piece-1:]
	}
	return appendThin(out, points)
}

// appendThin appends what is kept of the points after the first.
func appendThin(out, points []vg.Point) []vg.Point {
	first, last, worst, far := points[0], points[len(points)-1], 0, vg.Length(tolerance)
	for i, q := range points {
		if d := toSegment(q, first, last); d > far {
			worst, far = i, d
		}
	}
	if worst == 0 {
		return append(out, last)
	}
	return appendThin(appendThin(out, points[:worst+1]), points[worst:])
}

// toSegment is the distance of a point from a segment.
func toSegment(q, a, b vg.Point) vg.Length {
	along, d := b.Sub(a), q.Sub(a)
	if n := along.Dot(along); n > 0 {
		d = d.Sub(along.Scale(min(1, max(0, d.Dot(along)/n))))
	}
	return norm(d)
}

func norm(d vg.Point) vg.Length { return vg.Length(math.Hypot(float64(d.X), float64(d.Y))) }
