package plotting

import "gonum.org/v1/plot/vg"

// frame is the room a panel needs around its plotting area.
type frame struct{ left, right, top, bottom vg.Length }

// frame measures what stands around the plotting area.
func (p *pane) frame() frame {
	l := p.look
	fr := frame{left: 2, right: 2, top: 2, bottom: 2}
	if !p.Bare {
		if !p.inner.y {
			fr.left = l.tickLength + l.padding + 2
			for _, m := range p.yMarks() {
				fr.left = max(fr.left, width(m.label, l.tick)+l.tickLength+l.padding+2)
			}
		}
		fr.bottom = l.tickLength + l.padding
		if !p.inner.x {
			fr.bottom += l.tick * 1.3
			if p.X.Label != "" {
				fr.bottom += l.label * 1.5
			}
			fr.left, fr.right = p.overhang(fr.left, fr.right)
		}
		fr.top = l.tick * 0.85
	}
	if p.Y.Label != "" && !p.Bare && !p.inner.y {
		fr.top += l.label * 1.5
	}
	fr.top += l.label * keyRow * vg.Length(len(p.keyRows()))
	if p.Title != "" {
		fr.top += l.title * titleRow
	}
	for _, layer := range p.Layers {
		if g, ok := layer.(grouped); ok {
			fr.left = max(fr.left, g.leftRoom(p))
			fr.top += g.topRoom(p)
			fr.bottom += l.tick * 0.4 // half the lowest label of the colour bar
		}
	}
	fr.right = max(fr.right, p.rightRoom())
	return fr
}

// grouped layers name their rows at the left and their columns at the top.
type grouped interface {
	leftRoom(p *pane) vg.Length
	topRoom(p *pane) vg.Length
}

// overhang is the room that the outermost tick labels of the x axis need, two
// points to the edge of the page included.
func (p *pane) overhang(left, right vg.Length) (l, r vg.Length) {
	for _, m := range p.xMarks() {
		half := width(m.label, p.tick) / 2
		at := p.at(m.u, p.y.lo).X
		left = max(left, half+2-(at-p.box.Min.X))
		right = max(right, half+2-(p.box.Max.X-at))
	}
	return left, right
}

// rightRoom is the room for labels at the ends of lines and for colour bars.
func (p *pane) rightRoom() vg.Length {
	room := p.endRoom()
	for _, layer := range p.Layers {
		if b, ok := layer.(interface{ bar(p *pane) vg.Length }); ok {
			room = max(room, b.bar(p))
		}
	}
	return room
}

// endRoom is the room for labels at the ends of lines.
func (p *pane) endRoom() vg.Length {
	var room vg.Length
	for _, layer := range p.Layers {
		if e, ok := layer.(endLabelled); ok {
			if _, r, _ := e.stands(); p.atEnd(r) {
				room = max(room, e.endRoom(p))
			}
		}
	}
	return room
}

// xMarks and yMarks are the ticks, as many as fit.
func (p *pane) xMarks() []mark {
	length := p.box.Size().X
	n := min(8, int(length/(p.tick*4.5)))
	marks := p.X.marks(p.x, n)
	for ; n > 2 && p.crowded(marks, length); n-- {
		marks = p.X.marks(p.x, n-1)
	}
	return marks
}

// crowded reports whether labels of the x axis come too near each other.
func (p *pane) crowded(marks []mark, length vg.Length) bool {
	var total vg.Length
	n := 0
	for _, m := range marks {
		if m.label != "" {
			total += width(m.label, p.tick) + p.tick
			n++
		}
	}
	return n > 2 && total > length
}

func (p *pane) yMarks() []mark {
	return p.Y.marks(p.y, min(8, int(p.box.Size().Y/(p.tick*2.4))))
}
