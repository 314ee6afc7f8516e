package plotting

import "gonum.org/v1/plot/vg"

// key is an entry of the row above a panel.
type key struct {
	text   string
	role   Role
	marker Marker // 0 for a line
	dash   []float64
	hollow bool
}

// keys returns the entries: points, and the lines whose labels do not stand at
// their ends.
func (p *pane) keys() (out []key) {
	for _, l := range p.Layers {
		switch l := l.(type) {
		case Scatter:
			if l.Label != "" {
				out = append(out, key{text: l.Label, role: l.Role, marker: l.Marker.of(l.Role), hollow: l.Hollow})
			}
		case endLabelled:
			if label, r, s := l.stands(); label != "" && !p.atEnd(r) {
				out = append(out, key{text: label, role: r, dash: s.dash(r)})
			}
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
	if p.keyless {
		return nil
	}
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
