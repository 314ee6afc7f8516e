package plotting

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
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
	const every = 2 // points
	for i, q := range points {
		p.busy = append(p.busy, q)
		if i == 0 {
			continue
		}
		a := points[i-1]
		n := math.Hypot(float64(q.X-a.X), float64(q.Y-a.Y)) / every
		for k := 1.0; k < n; k++ {
			t := vg.Length(k / n)
			p.busy = append(p.busy, vg.Point{X: a.X + t*(q.X-a.X), Y: a.Y + t*(q.Y-a.Y)})
		}
	}
}

// drawNotes puts every note where it covers least.
func (p *pane) drawNotes() {
	var taken []vg.Rectangle
	for _, n := range p.notes {
		size := vg.Point{X: width(n.text, p.label), Y: p.label}
		best, least := vg.Rectangle{}, math.Inf(1)
		for i, place := range n.places {
			r := vg.Rectangle{Min: vg.Point{X: place.X, Y: place.Y - p.label*0.25}}
			r.Max = r.Min.Add(size)
			if cost := p.cover(r, taken) + 0.01*float64(i); cost < least {
				best, least = r, cost
			}
		}
		taken = append(taken, best)
		if least >= 1 { // it stands on ink after all
			p.SetColor(color.NRGBA{255, 255, 255, 190})
			p.Fill(rectangle(best))
		}
		p.text(vg.Point{X: best.Min.X, Y: best.Min.Y + p.label*0.25}, n.text, p.label, n.color, alignLeft)
	}
}

// cover counts the ink under a label, and what speaks against its place.
func (p *pane) cover(r vg.Rectangle, taken []vg.Rectangle) float64 {
	cost := 0.0
	for _, q := range p.busy {
		if q.X > r.Min.X-1 && q.X < r.Max.X+1 && q.Y > r.Min.Y && q.Y < r.Max.Y {
			cost++
		}
	}
	for _, t := range taken {
		if r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y {
			cost += 100
		}
	}
	outside := max(0, p.box.Min.X-r.Min.X) + max(0, r.Max.X-p.box.Max.X) +
		max(0, p.box.Min.Y-r.Min.Y) + max(0, r.Max.Y-p.box.Max.Y-p.label*0.2)
	return cost + 50*float64(outside)
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
