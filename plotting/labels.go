package plotting

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// entry is what a layer shows of itself, at its end or in the key.
type entry struct {
	text   string
	role   Role
	marker Marker // 0 for a line
	hollow bool
	dash   []vg.Length
	wide   bool
	area   bool
	thumb  plot.Thumbnailer // of a plotter that draws its own

	line bool      // the label may stand at the line's end
	end  float64   // the datum of x there; infinite: at the right edge
	left vg.Length // where it begins in a row of the key
}

// labelledLayer is a layer with an entry.
type labelledLayer interface{ entry() entry }

// entriesOf returns a plotter's entries.
func entriesOf(l plot.Plotter) []entry {
	switch l := l.(type) {
	case labelledLayer:
		return []entry{l.entry()}
	case interface{ entries() []entry }:
		return l.entries()
	}
	return nil
}

// entries returns those of all layers of the panel that have a text.
func (p *pane) entries() (out []entry) {
	for _, l := range p.panel.Layers {
		out = append(out, entriesOf(l)...)
	}
	return slices.DeleteFunc(out, func(e entry) bool { return e.text == "" })
}

// atEnd reports whether a line has its label at its end; in a plot of gonum's its legend has it. In
// a panel with a key those of the theory still do if there are several, all dotted alike.
func (p *pane) atEnd(e entry) bool {
	return e.line && !p.alone && (!p.panel.Key || e.role == Reference && p.theories > 1)
}

// endEntries are those that have their labels at the ends of lines.
func (p *pane) endEntries() []entry {
	return slices.DeleteFunc(p.entries(), func(e entry) bool { return !p.atEnd(e) })
}

// countTheories counts the labelled lines of the theory, none if a label would take most of the width.
func (p *pane) countTheories() (n int) {
	for _, e := range p.entries() {
		if e.line && e.role == Reference {
			n++
			if p.roomFor(e) > p.Size().X*mostForLabels {
				return 0
			}
		}
	}
	return n
}

// How many labels at line ends are told apart, and which share of the width they may take; others
// stand in the key.
const mostLabels, mostForLabels = 14, 0.45

// endRoom is the room for labels at the ends of lines.
func (p *pane) endRoom() (room vg.Length) {
	for _, e := range p.endEntries() {
		room = max(room, p.roomFor(e))
	}
	return room
}

// roomFor is the space a label needs beyond the right edge, which is less when the
// line ends before it.
func (p *pane) roomFor(e entry) vg.Length {
	free := p.Max.X - min(p.at(p.x.position(e.end), p.y.lo).X, p.Max.X)
	if math.IsInf(e.end, 0) || free < 3*p.label { // in one column with labels at the edge
		free = 0
	}
	return p.textWidth(e.text, p.label) + p.label*1.3 - free
}

// endLabel is the direct label of a line, beside the point where it ends.
type endLabel struct {
	at    vg.Point
	text  string
	color color.NRGBA
	y     vg.Length // where it was moved to
}

// labelLine asks for a label at the rightmost point of a polyline in the plotting area.
func (p *pane) labelLine(points []vg.Point, e entry) {
	inside := slices.Concat(p.ClipLinesXY(points)...)
	if len(points) == 1 && p.Contains(points[0]) {
		inside = points
	}
	if len(inside) == 0 || e.text == "" || !p.atEnd(e) {
		return
	}
	best := inside[0]
	for _, q := range inside {
		if q.X >= best.X {
			best = q
		}
	}
	p.ends = append(p.ends, endLabel{at: best, text: e.text, color: p.readable(p.color(e.role))})
}

// drawLabels places the labels at line ends, those near each other together, and then the notes.
func (p *pane) drawLabels() {
	slices.SortStableFunc(p.ends, func(a, b endLabel) int { return cmp.Compare(a.at.X, b.at.X) })
	for start := 0; start < len(p.ends); {
		end := start + 1
		for end < len(p.ends) && p.ends[end].at.X-p.ends[start].at.X < 3*p.label {
			end++
		}
		p.drawCluster(p.ends[start:end])
		start = end
	}
	p.drawNotes()
}

func (p *pane) drawCluster(ends []endLabel) {
	x, moved := ends[len(ends)-1].at.X, false
	slices.SortStableFunc(ends, func(a, b endLabel) int { return cmp.Compare(a.at.Y, b.at.Y) })
	p.spread(ends)
	for _, e := range ends {
		moved = moved || max(e.y-e.at.Y, e.at.Y-e.y) > p.label*0.35
	}
	for _, e := range ends {
		if !moved && p.annotateEnd(e) {
			continue
		}
		at := e.at.X + p.label*0.45
		if moved {
			at = x + p.label*1.1
			p.pen(p.tint(e.color, 0.55), p.axis, nil)
			p.segment(vg.Point{X: e.at.X + p.label*0.2, Y: e.at.Y}, vg.Point{X: at - p.label*0.25, Y: e.y})
		}
		base := vg.Point{X: at, Y: e.y - p.label*0.36}
		p.taken = append(p.taken, p.inkBox(base, e.text, p.label))
		p.text(base, e.text, p.label, e.color, draw.XLeft)
	}
}

// annotateEnd asks for a note near the end of a line instead of a label right at it
// if that would stand on other lines.
func (p *pane) annotateEnd(e endLabel) bool {
	right := vg.Point{X: e.at.X + p.label*0.45, Y: e.at.Y - p.label*0.36}
	if covered(p.inkBox(right, e.text, p.label), p.busy) == 0 {
		return false
	}
	left := e.at.X - p.label*0.45 - p.textWidth(e.text, p.label)
	var places []vg.Point
	for _, rise := range []vg.Length{0, 0.8, -0.8, 1.5, -1.5} {
		y := right.Y + rise*p.label
		places = append(places, vg.Point{X: right.X, Y: y}, vg.Point{X: left, Y: y})
	}
	p.annotate(e.text, e.color, places...)
	return true
}

// spread moves labels that are too close apart, as little as possible in the sense of least
// squares, and keeps them near the plotting area. Less a spacing for each label below,
// their heights need only not fall, so neighbours that do are pooled to their mean.
func (p *pane) spread(ends []endLabel) {
	spacing := p.label * 1.2
	type pool struct{ sum, n vg.Length }
	var pools []pool
	for i, e := range ends {
		q := pool{e.at.Y - vg.Length(i)*spacing, 1}
		for k := len(pools) - 1; k >= 0 && pools[k].sum*q.n >= q.sum*pools[k].n; k-- {
			q, pools = pool{q.sum + pools[k].sum, q.n + pools[k].n}, pools[:k]
		}
		pools = append(pools, q)
	}
	highest := p.Max.Y + spacing/2 - vg.Length(len(ends)-1)*spacing
	i := 0
	for _, q := range pools {
		for range int(q.n) {
			ends[i].y = min(max(q.sum/q.n, p.Min.Y), highest) + vg.Length(i)*spacing
			i++
		}
	}
}

// note is a label inside the plotting area with several places it may take, best
// first. A place is the left end of the baseline.
type note struct {
	text   string
	color  color.NRGBA
	places []vg.Point
}

// annotate asks for a label inside the plotting area.
func (p *pane) annotate(text string, c color.NRGBA, places ...vg.Point) {
	if text != "" && len(places) > 0 {
		p.notes = append(p.notes, note{text, p.readable(c), places})
	}
}

// around returns places for a label outside of a circle, from its top to its bottom.
func (p *pane) around(center vg.Point, radius vg.Length, label string) (places []vg.Point) {
	w, h := p.textWidth(label, p.label), p.label*0.72
	for _, degrees := range []float64{90, 110, 70, 130, 50, 150, 30, 180, 0, 210, 330, 250, 290, 270} {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		reach := vg.Length(math.Abs(cos))*w/2 + vg.Length(math.Abs(sin))*h/2 // of the label toward the circle
		q := center.Add(polar(radius+p.label*0.4+reach, degrees*math.Pi/180))
		places = append(places, vg.Point{X: q.X - w/2, Y: q.Y - h/2})
	}
	return places
}

// drawNotes puts every note where it covers least.
func (p *pane) drawNotes() {
	for _, n := range p.notes {
		at, box, _ := p.best(n.text, n.places, p.busy, nil)
		if covered(box, p.busy) > 0 && p.ground != nil { // it stands on lines after all
			p.SetColor(color.NRGBA{255, 255, 255, 190})
			p.Fill(box.Path())
		}
		p.taken = append(p.taken, box)
		p.text(at, n.text, p.label, n.color, draw.XLeft)
	}
}

// best returns the place where a label covers least, and the first of equal ones. A line of
// its own that it may interrupt counts little.
func (p *pane) best(text string, places, busy, own []vg.Point) (at vg.Point, box vg.Rectangle, least float64) {
	least = math.Inf(1)
	for i, place := range places {
		r := p.inkBox(place, text, p.label)
		if cost := p.cover(r, busy) + 0.01*float64(i) - 0.95*float64(covered(r, own)); cost < least {
			at, box, least = place, r, cost
		}
	}
	return at, box, least
}

// cover is what speaks against a label's place: the ink under it, in points of
// lines, labels, and what would stand outside.
func (p *pane) cover(r vg.Rectangle, busy []vg.Point) float64 {
	cost := float64(covered(r, busy))
	for _, t := range p.taken {
		if r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y {
			cost += 100
		}
	}
	outside := max(0, p.Min.X-r.Min.X) + max(0, r.Max.X-p.Max.X) +
		max(0, p.Min.Y-r.Min.Y) + max(0, r.Max.Y-p.Max.Y-p.label*0.2)
	return cost + 50*float64(outside)
}

// covered counts the points that lie in a rectangle or within a point of it.
func covered(r vg.Rectangle, points []vg.Point) (n int) {
	for _, q := range points {
		if q.X > r.Min.X-1 && q.X < r.Max.X+1 && q.Y > r.Min.Y-1 && q.Y < r.Max.Y+1 {
			n++
		}
	}
	return n
}

// keys returns the entries of the row above the panel: points, and the lines whose
// labels do not stand at their ends.
func (p *pane) keys() (out []entry) {
	for _, e := range p.entries() {
		if !p.atEnd(e) {
			e.end = 0
			out = append(out, e)
		}
	}
	return out
}

// The space between entries of the key and the height of a row, in label sizes.
const keyGap, keyRow = 1.4, 1.5

// sampleWidth is the width of what an entry shows, and the space after it.
func (p *pane) sampleWidth(e entry) vg.Length {
	if e.marker != RoleMarker {
		return 2*p.marker + p.label*0.4
	}
	return p.label * 3.2 // as long as the longest pattern of dashes
}

// keyRows breaks the entries into rows no wider than the panel.
func (p *pane) keyRows() (rows [][]entry) {
	if p.keyless {
		return nil
	}
	var left vg.Length
	for _, e := range p.keys() {
		w := p.sampleWidth(e) + p.textWidth(e.text, p.label)
		if len(rows) == 0 || left+w > p.Max.X-p.yLabelX() {
			rows, left = append(rows, nil), 0
		}
		e.left = left
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		left += w + p.label*keyGap
	}
	return rows
}

// drawKeys draws the rows of entries below y.
func (p *pane) drawKeys(y vg.Length) {
	for _, row := range p.keyRows() {
		y -= p.label * keyRow
		for _, e := range row {
			at, w := vg.Point{X: p.yLabelX() + e.left, Y: y + p.label*0.45}, p.sampleWidth(e)
			p.drawSample(e, vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: w - p.label*0.5, Y: p.label * 0.7})})
			p.text(at.Add(vg.Point{X: w}), e.text, p.label, p.readable(p.color(e.role)), draw.XLeft)
		}
	}
}

// drawSample draws an entry's line, marker, area or thumbnail in a rectangle.
func (p *pane) drawSample(e entry, r vg.Rectangle) {
	c := p.color(e.role)
	middle := (r.Min.Y + r.Max.Y) / 2
	switch {
	case e.thumb != nil:
		e.thumb.Thumbnail(&draw.Canvas{Canvas: p.Canvas.Canvas, Rectangle: r})
	case e.marker != RoleMarker:
		p.stamp(e.marker.outline(p.marker, e.hollow), c, []vg.Point{{X: r.Min.X + p.marker, Y: middle}})
	case e.area:
		p.SetColor(p.tint(c, areaTint))
		p.Canvas.Fill(r.Path())
	default:
		p.penOf(e.role, e.dash, false, e.wide)
		p.Canvas.Stroke(polyline([]vg.Point{{X: r.Min.X, Y: middle}, {X: r.Max.X, Y: middle}}))
	}
}
