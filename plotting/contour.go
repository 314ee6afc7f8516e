package plotting

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// Contours draws level lines of a function of the plane: the decision boundary
// and the margins of a classifier, or the level sets of a norm.
type Contours struct {
	// F is the function, or Batch is: the values at many points at once.
	F     func(x, y float64) float64
	Batch func(x, y []float64) []float64

	// Levels are the values to draw lines at. Nil: 0.
	Levels []float64

	// Labels are written into the lines, one per level. Nil: none.
	Labels []string

	Role Role

	// Style is that of the level 0, or of all levels if 0 is not among them;
	// beside a level 0 the others are dashed.
	Style Style
}

func (c Contours) name() string { return "contours" }

func (c Contours) texts() []string { return c.Labels }

func (c Contours) extend(*extent) error { return surface{c.F, c.Batch}.check() }

func (c Contours) draw(p *pane) {
	l, err := p.sample(surface{c.F, c.Batch})
	if err != nil {
		p.fail(c, err)
		return
	}
	levels := c.Levels
	if levels == nil {
		levels = []float64{0}
	}
	lines := make([][][]vg.Point, len(levels))
	for k, level := range levels {
		lines[k] = l.level(level)
	}
	for k, level := range levels {
		style, thin := c.style(level, slices.Contains(levels, 0))
		if k < len(c.Labels) && c.Labels[k] != "" {
			lines[k] = c.labelLevel(p, k, lines)
		}
		for _, line := range lines[k] {
			p.stroke(line, c.Role, style, thin)
		}
	}
}

// style returns how a level is drawn, beside level 0 or not.
func (c Contours) style(level float64, hasZero bool) (s Style, thin bool) {
	switch {
	case hasZero && level != 0:
		return Dashed, true
	case c.Style == RoleStyle && c.Role != Reference:
		return Solid, false
	}
	return c.Style, false
}

// labelLevel writes the label of level k into a gap of its lines, where it is far
// from points, lines and the other levels, and returns what remains of the lines.
// Beside lines that are too short for a gap it asks for a note.
func (c Contours) labelLevel(p *pane, k int, lines [][][]vg.Point) (pieces [][]vg.Point) {
	label := c.Labels[k]
	obstacles := p.data()
	for other := range lines {
		for _, line := range lines[other] {
			if other != k {
				obstacles = append(obstacles, dense(line)...)
			}
		}
	}
	var best vg.Rectangle
	const most = 50 // a gap on another label, or outside, costs more
	least := float64(most)
	for _, line := range lines[k] {
		own := dense(line)
		for i, r := range p.gaps(line, label) {
			// A line that turns within the gap is lost, so little of it is best.
			cost := float64(covered(r, obstacles)) + p.cover(r) + 0.05*float64(covered(r, own)) + 0.01*float64(i)
			if cost < least {
				best, least = r, cost
			}
		}
	}
	if least == most {
		p.annotate(label, c.Role.Color(), p.alongLines(lines[k], label)...)
		return lines[k]
	}
	for _, line := range lines[k] {
		pieces = append(pieces, without(best, line)...)
	}
	p.taken = append(p.taken, best)
	below, _ := typeset.Parse(label).Ink()
	at := vg.Point{X: (best.Min.X + best.Max.X) / 2, Y: best.Min.Y + p.gapMargin() + p.label*vg.Length(below)}
	p.text(at, label, p.label, readable(c.Role.Color()), alignCenter)
	return pieces
}

// gapMargin is the space between a label and the line it interrupts.
func (p *pane) gapMargin() vg.Length { return p.label * 0.3 }

// gaps returns boxes around a label that stands on a line, from the middle of the
// line to its ends; none if the line is not much longer than the label.
func (p *pane) gaps(line []vg.Point, label string) (boxes []vg.Rectangle) {
	box := inkBox(vg.Point{}, label, p.label)
	size := vg.Point{X: box.Size().X + 2*p.gapMargin(), Y: box.Size().Y + 2*p.gapMargin()}
	points := dense(line)
	if vg.Length(len(points))*2 < 3*size.X {
		return nil
	}
	const candidates = 24
	for k := range candidates - 1 {
		// Middle, one before, one after, …
		at := candidates/2 + (k+1)/2*(1-2*(k%2))
		q := points[at*(len(points)-1)/candidates]
		low := vg.Point{X: q.X - size.X/2, Y: q.Y - size.Y/2}
		boxes = append(boxes, vg.Rectangle{Min: low, Max: low.Add(size)})
	}
	return boxes
}

// data returns where the points and lines of the panel's data are, those included
// that are not drawn yet.
func (p *pane) data() (out []vg.Point) {
	for _, l := range p.Layers {
		if d, ok := l.(interface{ ink(p *pane) []vg.Point }); ok {
			out = append(out, d.ink(p)...)
		}
	}
	return out
}

// alongLines returns places for a label just beside the lines.
func (p *pane) alongLines(lines [][]vg.Point, label string) (places []vg.Point) {
	const candidates = 16
	w := float64(width(label, p.label))
	h := float64(p.label)
	for _, line := range lines {
		for k := 1; k < candidates; k++ {
			at := k * (len(line) - 1) / candidates
			q, next := line[at], line[min(at+1, len(line)-1)]
			dx, dy := float64(next.X-q.X), float64(next.Y-q.Y)
			length := math.Hypot(dx, dy)
			if length == 0 {
				continue
			}
			nx, ny := -dy/length, dx/length
			away := math.Abs(nx)*w/2 + math.Abs(ny)*h/2 + h/4
			for _, side := range []float64{1, -1} {
				places = append(places, vg.Point{
					X: q.X + vg.Length(side*nx*away-w/2),
					Y: q.Y + vg.Length(side*ny*away-0.36*h),
				})
			}
		}
	}
	return places
}

// level returns the level line as polylines, by marching squares; where a cell is
// a saddle, its two segments are those that cut off the corners above the level.
func (l *lattice) level(level float64) [][]vg.Point {
	links := make(map[int][]int) // from a crossed edge to its neighbours
	place := make(map[int]vg.Point)
	var order []int
	for j := range l.ny {
		for i := range l.nx {
			if !l.crossed(i, j, level) {
				continue
			}
			c := l.cell(l.values[0], i, j)
			var cut []int
			for k := range 4 {
				a, b := c[k]-level, c[(k+1)%4]-level
				if (a >= 0) == (b >= 0) {
					continue
				}
				e := l.edge(i, j, k)
				if _, ok := place[e]; !ok {
					place[e] = l.crossing(a, b, i, j, k)
					order = append(order, e)
				}
				cut = append(cut, e)
			}
			if len(cut) == 4 && c[0] >= level {
				cut[0], cut[1], cut[2], cut[3] = cut[3], cut[0], cut[1], cut[2]
			}
			for k := 0; k+1 < len(cut); k += 2 {
				links[cut[k]] = append(links[cut[k]], cut[k+1])
				links[cut[k+1]] = append(links[cut[k+1]], cut[k])
			}
		}
	}
	return trace(order, links, place)
}

// crossed reports whether the corners of a cell lie on both sides of a level.
func (l *lattice) crossed(i, j int, level float64) bool {
	below := l.values[0][j*(l.nx+1)+i:]
	above := l.values[0][(j+1)*(l.nx+1)+i:]
	side := below[0] >= level
	return side != (below[1] >= level) || side != (above[0] >= level) || side != (above[1] >= level)
}

// trace joins linked crossings to polylines: open ones first, from their ends.
func trace(order []int, links map[int][]int, place map[int]vg.Point) (lines [][]vg.Point) {
	done := make(map[int]bool)
	follow := func(e int) {
		line := []vg.Point{place[e]}
		start := e
		for done[e] = true; ; {
			next := -1
			for _, n := range links[e] {
				if !done[n] {
					next = n
					break
				}
			}
			if next < 0 {
				break
			}
			e = next
			done[e] = true
			line = append(line, place[e])
		}
		if len(line) > 2 && len(links[start]) == 2 {
			line = append(line, line[0])
		}
		lines = append(lines, line)
	}
	for _, e := range order {
		if len(links[e]) == 1 && !done[e] {
			follow(e)
		}
	}
	for _, e := range order {
		if !done[e] {
			follow(e)
		}
	}
	return lines
}
