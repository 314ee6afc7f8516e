package plotting

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

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
		p.notes = append(p.notes, note{text, readable(c), places})
	}
}

// occupy records where ink is, for notes to avoid.
func (p *pane) occupy(points []vg.Point) {
	p.busy = append(p.busy, dense(points)...)
}

// dense returns points along a polyline, two points of print apart at most.
func dense(points []vg.Point) (out []vg.Point) {
	const every = 2
	for i, q := range points {
		out = append(out, q)
		if i == 0 {
			continue
		}
		a := points[i-1]
		n := math.Hypot(float64(q.X-a.X), float64(q.Y-a.Y)) / every
		for k := 1.0; k < n; k++ {
			t := vg.Length(k / n)
			out = append(out, vg.Point{X: a.X + t*(q.X-a.X), Y: a.Y + t*(q.Y-a.Y)})
		}
	}
	return out
}

// fillOver records a filled area, for notes to avoid.
func (p *pane) fillOver(polygon []vg.Point) { p.fills = append(p.fills, polygon) }

// inkBox is what a text covers whose baseline begins at a point.
func inkBox(at vg.Point, markup string, size vg.Length) vg.Rectangle {
	l := typeset.Parse(markup)
	below, above := l.Ink()
	return vg.Rectangle{
		Min: vg.Point{X: at.X, Y: at.Y - size*vg.Length(below)},
		Max: vg.Point{X: at.X + size*vg.Length(l.Width), Y: at.Y + size*vg.Length(above)},
	}
}

// drawNotes puts every note where it covers least.
func (p *pane) drawNotes() {
	for _, n := range p.notes {
		var best vg.Rectangle
		var at vg.Point
		least := math.Inf(1)
		for i, place := range n.places {
			r := inkBox(place, n.text, p.label)
			if cost := p.cover(r) + 0.01*float64(i); cost < least {
				best, at, least = r, place, cost
			}
		}
		if covered(best, p.busy) > 0 { // it stands on lines after all
			p.SetColor(color.NRGBA{255, 255, 255, 190})
			p.Fill(rectangle(best))
		}
		p.taken = append(p.taken, best)
		p.text(at, n.text, p.label, n.color, alignLeft)
	}
}

// cover is what speaks against a label's place: the ink under it, in points of
// lines and parts of fills, labels, and what would stand outside.
func (p *pane) cover(r vg.Rectangle) float64 {
	cost := float64(covered(r, p.busy))
	for _, polygon := range p.fills {
		for _, q := range []vg.Point{r.Min, r.Max, {X: r.Min.X, Y: r.Max.Y}, {X: r.Max.X, Y: r.Min.Y}} {
			if inPolygon(q, polygon) {
				cost += 0.5
			}
		}
	}
	for _, t := range p.taken {
		if r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y {
			cost += 100
		}
	}
	outside := max(0, p.box.Min.X-r.Min.X) + max(0, r.Max.X-p.box.Max.X) +
		max(0, p.box.Min.Y-r.Min.Y) + max(0, r.Max.Y-p.box.Max.Y-p.label*0.2)
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

// inPolygon counts the edges that a ray to the right crosses.
func inPolygon(q vg.Point, polygon []vg.Point) (in bool) {
	for i, b := range polygon {
		a := polygon[(i+len(polygon)-1)%len(polygon)]
		if (a.Y > q.Y) != (b.Y > q.Y) && q.X < a.X+(q.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

func rectangle(r vg.Rectangle) vg.Path {
	var path vg.Path
	path.Move(r.Min)
	path.Line(vg.Point{X: r.Max.X, Y: r.Min.Y})
	path.Line(r.Max)
	path.Line(vg.Point{X: r.Min.X, Y: r.Max.Y})
	path.Close()
	return path
}
