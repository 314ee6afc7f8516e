package plotting

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Contours draws level lines of a function of the plane: the decision boundary
// and the margins of a classifier, or the level sets of a norm.
//
// gonum's plotter.Contour draws level lines as well, from a grid; it takes 50 ms where
// this takes 4, and has no labels in its lines.
type Contours struct {
	// F is the function, or Batch is: the values at many points at once.
	F     func(x, y float64) float64
	Batch func(x, y []float64) []float64

	// Levels are the values to draw lines at. Nil: 0.
	Levels []float64

	// Labels are written into the lines, one per level. Nil: none.
	Labels []string

	// Label names all lines in the key.
	Label string

	Role Role

	// Style is that of the level 0, or of all levels if 0 is not among them;
	// beside a level 0 the others are dashed.
	Style LineStyle

	// Wide draws wide pale lines, to be seen below lines that lie on them.
	Wide bool
}

func (c Contours) extend(*extent) error {
	if n := max(1, len(c.Levels)); len(c.Labels) > n {
		return fmt.Errorf("has %d Labels for %d levels", len(c.Labels), n)
	}
	return surface{c.F, c.Batch}.check()
}

func (c Contours) entry() entry {
	s, _ := c.style(0, false)
	return entry{text: c.Label, role: c.Role, dash: s.dash(c.Role), wide: c.Wide}
}

func (c Contours) draw(p *pane) {
	l, err := p.sample(surface{c.F, c.Batch})
	if err != nil {
		p.fail(err)
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
			p.stroke(line, c.Role, style, thin, c.Wide)
		}
	}
}

// style returns how a level is drawn, beside level 0 or not.
func (c Contours) style(level float64, hasZero bool) (s LineStyle, thin bool) {
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
		for i, r := range p.gaps(own, label) {
			// A line that turns within the gap is lost, so little of it is best.
			cost := float64(covered(r, obstacles)) + p.cover(r) + 0.05*float64(covered(r, own)) + 0.01*float64(i)
			if cost < least {
				best, least = r, cost
			}
		}
	}
	if least == most {
		var places []vg.Point
		for _, line := range lines[k] {
			for _, q := range thin(line) {
				places = append(places, p.around(q, 0, label)...)
			}
		}
		p.annotate(label, p.color(c.Role), places...)
		return lines[k]
	}
	for _, line := range lines[k] {
		pieces = append(pieces, without(best, line)...)
	}
	p.taken = append(p.taken, best)
	at := vg.Point{X: (best.Min.X + best.Max.X) / 2, Y: best.Min.Y + p.gapMargin() - p.inkBox(vg.Point{}, label, p.label).Min.Y}
	p.text(at, label, p.label, p.readable(p.color(c.Role)), draw.XCenter)
	return pieces
}

// gapMargin is the space between a label and the line it interrupts.
func (p *pane) gapMargin() vg.Length { return p.label * 0.3 }

// gaps returns boxes around a label that stands on a line, given as points two apart,
// from the middle of the line to its ends; none if the line is not much longer than the
// label.
func (p *pane) gaps(line []vg.Point, label string) (boxes []vg.Rectangle) {
	size := p.inkBox(vg.Point{}, label, p.label).Size().Add(vg.Point{X: 2 * p.gapMargin(), Y: 2 * p.gapMargin()})
	if vg.Length(len(line))*2 < 3*size.X {
		return nil
	}
	const candidates = 24
	for k := range candidates - 1 {
		// Middle, one before, one after, …
		at := candidates/2 + (k+1)/2*(1-2*(k%2))
		low := line[at*(len(line)-1)/candidates].Sub(size.Scale(0.5))
		boxes = append(boxes, vg.Rectangle{Min: low, Max: low.Add(size)})
	}
	return boxes
}

// data returns where the points and lines of the panel's data are, those included
// that are not drawn yet.
func (p *pane) data() (out []vg.Point) {
	for _, l := range p.panel.Layers {
		if d, ok := l.(interface{ ink(p *pane) []vg.Point }); ok {
			out = append(out, d.ink(p)...)
		}
	}
	return out
}

// without returns the pieces of a polyline outside of a box.
func without(box vg.Rectangle, points []vg.Point) (pieces [][]vg.Point) {
	inside := func(q vg.Point) bool {
		return q.X > box.Min.X && q.X < box.Max.X && q.Y > box.Min.Y && q.Y < box.Max.Y
	}
	var piece []vg.Point
	for _, q := range dense(points) {
		if !inside(q) {
			piece = append(piece, q)
			continue
		}
		if len(piece) > 1 {
			pieces = append(pieces, piece)
		}
		piece = nil
	}
	if len(piece) > 1 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// Regions tints where a classifier decides for each class. With one output the
// classes are f < 0 (class 0) and f ≥ 0 (class 1); with several the decision is the
// largest.
type Regions struct {
	// F is the output of a binary classifier.
	F func(x, y float64) float64

	// Batch, instead of F, returns the outputs at many points: all outputs of
	// the first point, then of the second, …
	Batch func(x, y []float64) []float64

	// Labels name the classes in the key.
	Labels []string
}

func (r Regions) entries() (out []entry) {
	for c, label := range r.Labels {
		out = append(out, entry{text: label, role: Class(c), area: true})
	}
	return out
}

func (r Regions) extend(*extent) error { return surface{r.F, r.Batch}.check() }

// regionTint is light enough for points and labels of any colour to stand on.
const regionTint = 0.16

func (r Regions) draw(p *pane) {
	l, err := p.sample(surface{r.F, r.Batch})
	if err == nil && len(l.values) > len(p.classes) {
		err = fmt.Errorf("%d classes, and only %d colours are told apart; draw fewer, or Contours", len(l.values), len(p.classes))
	}
	if err != nil {
		p.fail(err)
		return
	}
	for class, lead := range l.leads() {
		var path vg.Path
		for _, loop := range l.outlines(lead) {
			path = append(path, polyline(thin(loop))...)
		}
		p.SetColor(p.tint(p.color(Class(class)), regionTint))
		p.Canvas.Fill(path)
	}
}

// leads returns, for each class, by how much its output exceeds the best other.
func (l *lattice) leads() (leads [][]float64) {
	outputs := l.values
	if len(outputs) == 1 { // f < 0 is class 0
		outputs = [][]float64{make([]float64, len(outputs[0])), outputs[0]}
	}
	for c := range outputs {
		lead := make([]float64, len(outputs[c]))
		for k := range lead {
			lead[k] = outputs[c][k] - math.Max(best(outputs[:c], k), best(outputs[c+1:], k))
		}
		leads = append(leads, lead)
	}
	return leads
}

func best(outputs [][]float64, k int) float64 {
	m := math.Inf(-1)
	for _, v := range outputs {
		m = math.Max(m, v[k])
	}
	return m
}

// A function of the plane is given point by point or, where many points at once
// are cheaper (a network), as a batch. Exactly one of the two is set.
type surface struct {
	f     func(x, y float64) float64
	batch func(x, y []float64) []float64
}

func (s surface) check() error {
	if (s.f == nil) == (s.batch == nil) {
		return errors.New("needs either F or Batch")
	}
	return nil
}

// The side in points of the cells that a surface is sampled on, and how many cells there
// are at most; level lines are straight within a cell.
const (
	cellSize  = 1
	mostCells = 32000
)

// lattice holds a surface's values at the corners of nx × ny cells that cover
// the plotting area; values[c] are those of output c, row by row from below.
type lattice struct {
	nx, ny int
	values [][]float64
	box    vg.Rectangle
}

// sample evaluates a surface over the plotting area.
func (p *pane) sample(s surface) (*lattice, error) {
	size := p.Size()
	cell := max(cellSize, vg.Length(math.Sqrt(float64(size.X*size.Y)/mostCells)))
	l := &lattice{nx: max(2, int(size.X/cell)), ny: max(2, int(size.Y/cell)), box: p.Rectangle}
	n := (l.nx + 1) * (l.ny + 1)
	x, y := make([]float64, 0, n), make([]float64, 0, n)
	for j := range l.ny + 1 {
		v := p.y.at(float64(j) / float64(l.ny))
		for i := range l.nx + 1 {
			x, y = append(x, p.x.at(float64(i)/float64(l.nx))), append(y, v)
		}
	}
	flat, err := s.evaluate(x, y)
	if err != nil {
		return nil, err
	}
	outputs := len(flat) / n
	for c := range outputs {
		v := make([]float64, n)
		for k := range v {
			v[k] = flat[k*outputs+c]
		}
		l.values = append(l.values, v)
	}
	return l, nil
}

func (s surface) evaluate(x, y []float64) (out []float64, err error) {
	if s.batch != nil {
		out = s.batch(x, y)
		if len(out) == 0 || len(out)%len(x) != 0 {
			return nil, fmt.Errorf("the function Batch returned %d values for %d points", len(out), len(x))
		}
	} else {
		for k := range x {
			out = append(out, s.f(x[k], y[k]))
		}
	}
	each := len(out) / len(x)
	for k, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the value at (%g, %g) is %g", x[k/each], y[k/each], v)
		}
	}
	return out, nil
}

// cellCorners are the offsets of a cell's corners, counterclockwise. Edge k of a
// cell leads from corner k to the next.
var cellCorners = [4][2]int{{0, 0}, {1, 0}, {1, 1}, {0, 1}}

// outlines returns the closed outlines of where v ≥ 0, counterclockwise around it, by
// marching squares. The lattice is continued by a ring of cells without width where v is
// negative, so that outlines close along the border.
func (l *lattice) outlines(v []float64) (loops [][]vg.Point) {
	next := make(map[int]int) // the crossing that follows one, the area at its left
	place := make(map[int]vg.Point)
	var order []int
	for j := -1; j <= l.ny; j++ {
		for i := -1; i <= l.nx; i++ {
			c := l.cell(v, i, j)
			for k := range 4 {
				if c[k] < 0 || c[(k+1)%4] >= 0 {
					continue // the area does not end on this edge
				}
				e := l.edge(i, j, k)
				place[e] = l.crossing(c[k], c[(k+1)%4], i, j, k)
				order = append(order, e)
				m := k + 1
				for c[m%4] >= 0 || c[(m+1)%4] < 0 {
					m++
				}
				next[e] = l.edge(i, j, m%4)
			}
		}
	}
	done := make(map[int]bool)
	for _, start := range order {
		var loop []vg.Point
		for e := start; !done[e]; e = next[e] {
			done[e] = true
			loop = append(loop, place[e])
		}
		if len(loop) > 2 {
			loops = append(loops, append(loop, loop[0]))
		}
	}
	return loops
}

// level returns the lines where the first output has a value: the outlines of where it is
// greater, without what runs along the border.
func (l *lattice) level(value float64) (lines [][]vg.Point) {
	v := make([]float64, len(l.values[0]))
	for k := range v {
		v[k] = l.values[0][k] - value
	}
	for _, loop := range l.outlines(v) {
		lines = append(lines, l.inner(loop)...)
	}
	return lines
}

// inner returns the pieces of a closed outline that do not run along the border.
func (l *lattice) inner(loop []vg.Point) (pieces [][]vg.Point) {
	outer := func(i int) bool {
		a, b := loop[i], loop[i+1]
		return a.X == b.X && (a.X == l.box.Min.X || a.X == l.box.Max.X) || a.Y == b.Y && (a.Y == l.box.Min.Y || a.Y == l.box.Max.Y)
	}
	n, first := len(loop)-1, 0
	for first < n && !outer(first) {
		first++
	}
	if first == n {
		return [][]vg.Point{loop}
	}
	var piece []vg.Point
	for k := 1; k <= n; k++ {
		i := (first + k) % n
		if !outer(i) {
			if len(piece) == 0 {
				piece = append(piece, loop[i])
			}
			piece = append(piece, loop[i+1])
		} else if len(piece) > 0 {
			pieces = append(pieces, piece)
			piece = nil
		}
	}
	return pieces
}

// cell returns the values at the corners of a cell of the continued lattice.
func (l *lattice) cell(v []float64, i, j int) (out [4]float64) {
	for k, o := range cellCorners {
		x, y := i+o[0], j+o[1]
		out[k] = -1
		if x >= 0 && x <= l.nx && y >= 0 && y <= l.ny {
			out[k] = v[y*(l.nx+1)+x]
		}
	}
	return out
}

// crossing is where the zero lies on edge k of a cell, whose ends have values a
// and b. What lies outside of the plotting area is moved to its border.
func (l *lattice) crossing(a, b float64, i, j, k int) vg.Point {
	t := a / (a - b)
	o, q := cellCorners[k], cellCorners[(k+1)%4]
	x := math.Min(1, math.Max(0, (float64(i+o[0])+t*float64(q[0]-o[0]))/float64(l.nx)))
	y := math.Min(1, math.Max(0, (float64(j+o[1])+t*float64(q[1]-o[1]))/float64(l.ny)))
	c := draw.Canvas{Rectangle: l.box}
	return vg.Point{X: c.X(x), Y: c.Y(y)}
}

// edge numbers the edges of the lattice and of a ring of cells around it:
// horizontal ones even, vertical ones odd.
func (l *lattice) edge(i, j, k int) int {
	switch k {
	case 1:
		i++
	case 2:
		j++
	}
	return 2*((j+1)*(l.nx+3)+i+1) + k%2
}
