package plotting

import (
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
)

// endLabelled layers have a label at their right end, or in the key.
type endLabelled interface {
	endRoom(p *pane) vg.Length
	stands() (label string, r Role, s Style)
}

// atEnd reports whether lines of a role have their labels at their ends. In a panel
// with a key those of the theory still do if there are several, all dotted alike.
func (p *pane) atEnd(r Role) bool {
	return !p.Key || r == Reference && p.theories > 1
}

// countTheories counts the labelled lines of the theory. There are none to tell
// apart if their labels at the ends would take most of the width.
func (p *pane) countTheories() (n int) {
	for _, l := range p.Layers {
		if e, ok := l.(endLabelled); ok {
			if label, r, _ := e.stands(); label != "" && r == Reference {
				n++
				if e.endRoom(p) > p.box.Size().X*mostForLabels {
					return 0
				}
			}
		}
	}
	return n
}

// mostForLabels is the share of the width that labels at the ends of lines may
// take; wider ones stand in the key.
const mostForLabels = 0.45

// endLabel is the direct label of a line, beside the point where it ends.
type endLabel struct {
	at    vg.Point
	text  string
	color color.NRGBA
	y     vg.Length // where it was moved to
}

// labelEnd asks for a label at a point that is on the page.
func (p *pane) labelEnd(at vg.Point, text string, r Role) {
	if text != "" && p.atEnd(r) {
		p.ends = append(p.ends, endLabel{at: at, text: text, color: readable(r.Color()), y: at.Y})
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

// annotateEnd asks for a note near the end of a line instead of a label right at it
// if that would stand on other lines.
func (p *pane) annotateEnd(e endLabel) bool {
	right := vg.Point{X: e.at.X + p.label*0.45, Y: e.at.Y - p.label*0.36}
	if covered(inkBox(right, e.text, p.label), p.busy) == 0 {
		return false
	}
	left := e.at.X - p.label*0.45 - width(e.text, p.label)
	var places []vg.Point
	for _, rise := range []vg.Length{0, 0.8, -0.8, 1.5, -1.5} {
		y := right.Y + rise*p.label
		places = append(places, vg.Point{X: right.X, Y: y}, vg.Point{X: left, Y: y})
	}
	p.annotate(e.text, e.color, places...)
	return true
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
		if !moved && p.annotateEnd(e) {
			continue
		}
		at := e.at.X + p.label*0.45
		if moved {
			at = x + p.label*1.1
			p.pen(tint(e.color, 0.55), p.axis, nil)
			p.segment(vg.Point{X: e.at.X + p.label*0.2, Y: e.at.Y}, vg.Point{X: at - p.label*0.25, Y: e.y})
		}
		base := vg.Point{X: at, Y: e.y - p.label*0.36}
		p.taken = append(p.taken, inkBox(base, e.text, p.label))
		p.text(base, e.text, p.label, e.color, alignLeft)
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
