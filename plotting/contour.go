package plotting

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// Contours draws level lines of a function of the plane: the decision boundary
// and the margins of a classifier, or the level sets of a norm.
type Contours struct {
	// F is the function, or Batch is: the values at many points at once.
	F     func(x, y float64) float64
	Batch func(x, y []float64) []float64

	// Levels are the values to draw lines at. Nil: 0.
	Levels []float64

	// Labels are written on the lines, one per level. Nil: none.
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
	hasZero := false
	for _, level := range levels {
		hasZero = hasZero || level == 0
	}
	for k, level := range levels {
		style, thin := c.Style, false
		if hasZero && level != 0 {
			style, thin = Dashed, true
		} else if style == RoleStyle && c.Role != Reference {
			style = Solid
		}
		lines := l.level(level)
		for _, line := range lines {
			p.stroke(line, c.Role, style, thin)
		}
		if k < len(c.Labels) {
			p.annotate(c.Labels[k], c.Role.Color(), p.alongLines(lines, c.Labels[k])...)
		}
	}
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
