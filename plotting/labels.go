package plotting

import (
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
)

// endLabelled layers have a label at their right end.
type endLabelled interface {
	endRoom(p *pane) vg.Length
}

// endLabel is the direct label of a line, beside the point where it ends.
type endLabel struct {
	at    vg.Point
	text  string
	color color.NRGBA
	y     vg.Length // where it was moved to
}

// labelEnd asks for a label at a point that is on the page.
func (p *pane) labelEnd(at vg.Point, text string, c color.NRGBA) {
	if text != "" && !p.Key {
		p.ends = append(p.ends, endLabel{at: at, text: text, color: readable(c), y: at.Y})
	}
}

// room is the space a label needs right of the plotting area.
func (p *pane) labelRoom(text string) vg.Length {
	if text == "" {
		return 0
	}
	return width(text, p.label) + p.label*1.3
}

// drawEnds places the labels at line ends: those that end near each other move
// up or down by as little as possible, in the sense of least squares, until
// none overlap.
func (p *pane) drawEnds() {
	sort.SliceStable(p.ends, func(i, j int) bool { return p.ends[i].at.X < p.ends[j].at.X })
	for start := 0; start < len(p.ends); {
		end := start + 1
		for end < len(p.ends) && p.ends[end].at.X-p.ends[start].at.X < 3*p.label {
			end++
		}
		p.drawCluster(p.ends[start:end])
		start = end
	}
}

func (p *pane) drawCluster(ends []endLabel) {
	sort.SliceStable(ends, func(i, j int) bool { return ends[i].at.Y < ends[j].at.Y })
	p.spread(ends)
	moved := false
	x := ends[0].at.X
	for _, e := range ends {
		moved = moved || math.Abs(float64(e.y-e.at.Y)) > float64(p.label)*0.35
		x = max(x, e.at.X)
	}
	for _, e := range ends {
		at := e.at.X + p.label*0.45
		if moved {
			at = x + p.label*1.1
			p.pen(tint(e.color, 0.55), p.axis, nil)
			p.segment(vg.Point{X: e.at.X + p.label*0.2, Y: e.at.Y}, vg.Point{X: at - p.label*0.25, Y: e.y})
		}
		p.text(vg.Point{X: at, Y: e.y - p.label*0.36}, e.text, p.label, e.color, alignLeft)
	}
}

// spread solves min Σ (y_i - d_i)² subject to y_{i+1} - y_i ≥ spacing by pooling
// adjacent violators, and keeps the labels near the plotting area.
func (p *pane) spread(ends []endLabel) {
	spacing := p.label * 1.2
	type pool struct {
		sum   vg.Length
		count int
	}
	var pools []pool
	for i, e := range ends {
		pools = append(pools, pool{e.at.Y - vg.Length(i)*spacing, 1})
		for n := len(pools); n > 1; n = len(pools) {
			a, b := pools[n-2], pools[n-1]
			if a.sum/vg.Length(a.count) <= b.sum/vg.Length(b.count) {
				break
			}
			pools = append(pools[:n-2], pool{a.sum + b.sum, a.count + b.count})
		}
	}
	i := 0
	for _, q := range pools {
		for range q.count {
			ends[i].y = q.sum/vg.Length(q.count) + vg.Length(i)*spacing
			i++
		}
	}
	top := p.box.Max.Y + spacing/2
	for i := len(ends) - 1; i >= 0; i-- {
		ends[i].y = min(ends[i].y, top-vg.Length(len(ends)-1-i)*spacing)
	}
	for i := range ends {
		ends[i].y = max(ends[i].y, p.box.Min.Y+vg.Length(i)*spacing)
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

// key is an entry of the row above a panel.
type key struct {
	text   string
	role   Role
	marker Marker // 0 for a line
	dash   []float64
	hollow bool
}

// keyed layers name themselves in the row above the panel; lines do so when the
// panel's Key is set.
type keyed interface{ keys(p *pane) []key }

func (p *pane) keys() []key {
	var out []key
	for _, l := range p.Layers {
		if k, ok := l.(keyed); ok {
			out = append(out, k.keys(p)...)
		}
	}
	return out
}

// keyGap is the space between entries, and keyRow the height of a row, in label
// sizes.
const (
	keyGap = 1.4
	keyRow = 1.5
)

// sample is the length of the marker or the line of an entry and the space after.
func (k key) sample(p *pane) vg.Length {
	if k.marker != RoleMarker {
		return 2*p.marker + p.label*0.4
	}
	return p.label * 2.5
}

// keyRows breaks the entries into rows no wider than the panel.
func (p *pane) keyRows() (rows [][]key) {
	room := p.box.Max.X - p.yLabelX()
	var x vg.Length
	for _, k := range p.keys() {
		w := k.sample(p) + width(k.text, p.label)
		if len(rows) == 0 || x+w > room {
			rows = append(rows, nil)
			x = 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], k)
		x += w + p.label*keyGap
	}
	return rows
}

// drawKeys draws the rows of entries below y.
func (p *pane) drawKeys(y vg.Length) {
	for _, row := range p.keyRows() {
		y -= p.label * keyRow
		x := p.yLabelX()
		for _, k := range row {
			p.drawKey(k, vg.Point{X: x, Y: y + p.label*0.45})
			x += k.sample(p) + width(k.text, p.label) + p.label*keyGap
		}
	}
}

func (p *pane) drawKey(k key, at vg.Point) {
	c := k.role.Color()
	middle := at.Y + p.label*0.33
	if k.marker != RoleMarker {
		p.stampMarker(k.marker, p.marker, c, k.hollow, []vg.Point{{X: at.X + p.marker, Y: middle}})
	} else {
		p.pen(c, p.look.line, k.dash)
		p.segment(vg.Point{X: at.X, Y: middle}, vg.Point{X: at.X + p.label*2, Y: middle})
	}
	at.X += k.sample(p)
	p.text(at, k.text, p.label, readable(c), alignLeft)
}
