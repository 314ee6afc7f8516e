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
// gonum's plotter.Contour takes 50 ms where this takes 4, and has no labels in its lines.
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

func (c Contours) levels() []float64 {
	if c.Levels == nil {
		return []float64{0}
	}
	return c.Levels
}

func (c Contours) extend(*extent) error {
	if n := len(c.levels()); len(c.Labels) > n {
		return fmt.Errorf("has %d Labels for %d levels", len(c.Labels), n)
	}
	return new(mapping).addAll("Levels", c.Levels)
}

func (c Contours) entry() entry {
	s, _ := c.style(0)
	return entry{text: c.Label, role: c.Role, dash: s.dash(c.Role), wide: c.Wide}
}

func (c Contours) draw(p *pane) {
	l, err := p.sample(c.F, c.Batch)
	if err == nil && len(l.values) != 1 {
		err = fmt.Errorf("%d values for a point; lines need one, such as the largest output minus the second", len(l.values))
	}
	if err != nil {
		p.fail(err)
		return
	}
	for k, level := range c.levels() {
		lines := l.level(level)
		if k < len(c.Labels) && c.Labels[k] != "" && p.coming != nil {
			lines = p.labelLevel(c.Labels[k], c.Role, lines)
		}
		style, thin := c.style(level)
		for _, line := range lines {
			p.stroke(line, c.Role, style, thin, c.Wide)
		}
	}
}

// style returns how a level is drawn.
func (c Contours) style(level float64) (s LineStyle, thin bool) {
	switch {
	case level != 0 && slices.Contains(c.Levels, 0):
		return Dashed, true
	case c.Style == RoleStyle && c.Role != Reference:
		return Solid, false
	}
	return c.Style, false
}

// labelLevel writes a label into a gap of a level's lines, where it covers least, and returns what
// remains of them. If all are too short it asks for a note beside them.
func (p *pane) labelLevel(text string, role Role, lines [][]vg.Point) (pieces [][]vg.Point) {
	const candidates, most = 24, 50 // a gap on another label, or outside, costs more
	margin := p.label * 0.3         // between a label and the line it interrupts
	ink := p.inkBox(vg.Point{}, text, p.label)
	var inside, beside, all []vg.Point
	for _, line := range lines {
		own := dense(thin(line))
		all = append(all, own...)
		for k := range candidates - 1 {
			// Middle, one before, one after, …
			at := candidates/2 + (k+1)/2*(1-2*(k%2))
			q := own[at*(len(own)-1)/candidates]
			beside = append(beside, p.around(q, 0, text)...)
			if vg.Length(len(own))*2 > 3*(ink.Size().X+2*margin) {
				inside = append(inside, q.Sub(ink.Max.Add(ink.Min).Scale(0.5)))
			}
		}
	}
	at, box, cost := p.best(text, inside, p.coming, all)
	if cost > most {
		p.annotate(text, p.color(role), beside...)
		return lines
	}
	p.taken = append(p.taken, box)
	box.Min, box.Max = box.Min.Sub(vg.Point{X: margin, Y: margin}), box.Max.Add(vg.Point{X: margin, Y: margin})
	for _, line := range lines {
		pieces = append(pieces, without(box, line)...)
	}
	p.text(at, text, p.label, p.readable(p.color(role)), draw.XLeft)
	return pieces
}

// without returns the pieces of a polyline outside of a box.
func without(box vg.Rectangle, points []vg.Point) [][]vg.Point {
	points = dense(points)
	return split(points, func(i int) bool {
		q := points[i]
		return !(q.X > box.Min.X && q.X < box.Max.X && q.Y > box.Min.Y && q.Y < box.Max.Y)
	})
}

// split returns the runs of points that are kept, of two at least.
func split(points []vg.Point, keep func(i int) bool) (runs [][]vg.Point) {
	start := 0
	for i := range len(points) + 1 {
		if i < len(points) && keep(i) {
			continue
		}
		if i-start > 1 {
			runs = append(runs, points[start:i:i])
		}
		start = i + 1
	}
	return runs
}

// Regions tints where a classifier decides for each class: with one output f < 0 is class 0 and
// f ≥ 0 class 1; with several the largest decides.
type Regions struct {
	// F is the output of a binary classifier.
	F func(x, y float64) float64

	// Batch, instead of F, returns all outputs of the first point, then of the second, …
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

func (r Regions) extend(*extent) error { return nil }

func (r Regions) draw(p *pane) {
	const tint = 0.16 // light enough for points and labels of any colour to stand on
	l, err := p.sample(r.F, r.Batch)
	if err == nil && len(l.values) > len(p.classes) {
		err = fmt.Errorf("%d classes, and only %d colours are told apart; draw fewer, or Contours", len(l.values), len(p.classes))
	}
	if err != nil {
		p.fail(err)
		return
	}
	outputs := l.values
	if len(outputs) == 1 { // f < 0 is class 0
		outputs = [][]float64{make([]float64, len(outputs[0])), outputs[0]}
	}
	for class := range outputs {
		var path vg.Path
		for _, loop := range l.outlines(func(k int) float64 { return lead(outputs, class, k) }) {
			path = append(path, polyline(thin(places(append(loop, loop[0]))))...)
		}
		p.SetColor(p.tint(p.color(Class(class)), tint))
		p.Canvas.Fill(path)
	}
}

// lead is by how much a class's output exceeds the best other at point k.
func lead(outputs [][]float64, class, k int) float64 {
	other := math.Inf(-1)
	for c, v := range outputs {
		if c != class {
			other = math.Max(other, v[k])
		}
	}
	return outputs[class][k] - other
}

// lattice holds a function's values at the corners of nx × ny cells that cover
// the plotting area; values[c] are those of output c, row by row from below.
type lattice struct {
	nx, ny int
	values [][]float64
	area   draw.Canvas

	ringed []float64 // room for outlines
	next   []int     // likewise; all zero between calls
}

// sample evaluates a function over the plotting area, given point by point or as a batch.
func (p *pane) sample(f func(x, y float64) float64, batch func(x, y []float64) []float64) (*lattice, error) {
	if (f == nil) == (batch == nil) {
		return nil, errors.New("needs either F or Batch")
	}
	// The side of the cells in points, and how many there are at most; level lines are
	// straight within a cell.
	const side, most = 1, 32000
	size := p.Size()
	cell := max(side, vg.Length(math.Sqrt(float64(size.X*size.Y)/most)))
	l := &lattice{nx: max(2, int(size.X/cell)), ny: max(2, int(size.Y/cell)), area: draw.Canvas{Rectangle: p.Rectangle}}
	n := (l.nx + 1) * (l.ny + 1)
	x, y := make([]float64, 0, n), make([]float64, 0, n)
	for j := range l.ny + 1 {
		v := p.y.at(float64(j) / float64(l.ny))
		for i := range l.nx + 1 {
			x, y = append(x, p.x.at(float64(i)/float64(l.nx))), append(y, v)
		}
	}
	corners := (l.nx + 3) * (l.ny + 3)
	l.ringed, l.next = slices.Repeat([]float64{-1}, corners), make([]int, 4*corners)
	var out []float64
	if batch != nil {
		out = batch(x, y)
	} else {
		for k := range x {
			out = append(out, f(x[k], y[k]))
		}
	}
	if len(out) == 0 || len(out)%n != 0 {
		return nil, fmt.Errorf("the function Batch returned %d values for %d points", len(out), n)
	}
	l.values = make([][]float64, len(out)/n)
	for k, v := range out {
		c, at := k%len(l.values), k/len(l.values)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the value at (%g, %g) is %g", x[at], y[at], v)
		}
		l.values[c] = append(l.values[c], v)
	}
	return l, nil
}

// level returns the lines where the first output has a value: the outlines of where it is
// greater, without what runs along the border.
func (l *lattice) level(value float64) (lines [][]vg.Point) {
	for _, loop := range l.outlines(func(k int) float64 { return l.values[0][k] - value }) {
		first := max(0, slices.IndexFunc(loop, func(c crossing) bool { return c.border }))
		loop = slices.Concat(loop[first:], loop[:first+1])
		lines = append(lines, split(places(loop), func(i int) bool { return !loop[i].border })...)
	}
	return lines
}

// A crossing is where an outline crosses an edge between two neighbours of the lattice, or
// follows its border.
type crossing struct {
	at     vg.Point
	border bool
}

func places(loop []crossing) []vg.Point {
	points := make([]vg.Point, len(loop))
	for i, c := range loop {
		points[i] = c.at
	}
	return points
}

// outlines returns the closed outlines of where f, of the corners, is not negative,
// counterclockwise around it, by marching squares. A ring of negative corners around the
// lattice, without width, closes outlines along the border.
func (l *lattice) outlines(f func(k int) float64) (loops [][]crossing) {
	width, height, v, next := l.nx+3, l.ny+3, l.ringed, l.next
	for k := range (l.nx + 1) * (l.ny + 1) {
		v[(k/(l.nx+1)+1)*width+k%(l.nx+1)+1] = f(k)
	}
	// An edge from corner k, in the area, to one out of it is 4k + direction. Each is followed
	// by another, the area at the outline's left.
	step := [4]int{1, width, -1, -width}
	var order []int
	for k := range width*(height-1) - 1 {
		in := v[k] >= 0
		flat := in == (v[k+1] >= 0) && in == (v[k+width] >= 0) && in == (v[k+width+1] >= 0)
		if flat || k%width == width-1 {
			continue
		}
		corners := [4]int{k, k + 1, k + 1 + width, k + width} // counterclockwise
		for e := range 4 {
			if v[corners[e]] < 0 || v[corners[(e+1)%4]] >= 0 {
				continue
			}
			m := e + 1
			for v[corners[m%4]] >= 0 || v[corners[(m+1)%4]] < 0 {
				m++
			}
			order = append(order, 4*corners[e]+e)
			next[4*corners[e]+e] = 4*corners[(m+1)%4] + (m+2)%4
		}
	}
	for _, e := range order {
		var loop []crossing
		for next[e] != 0 { // which is no edge: corner 0 is not in the area
			a := e / 4
			b := a + step[e%4]
			loop = append(loop, l.crossing(a, b, v[a]/(v[a]-v[b])))
			e, next[e] = next[e], 0
		}
		if len(loop) > 2 {
			loops = append(loops, loop)
		}
	}
	return loops
}

// crossing is at a share of the way between two corners of the ringed lattice.
func (l *lattice) crossing(a, b int, share float64) crossing {
	border := false
	corner := func(k int) vg.Point {
		i, j := k%(l.nx+3)-1, k/(l.nx+3)-1
		x, y := min(max(i, 0), l.nx), min(max(j, 0), l.ny)
		border = border || x != i || y != j
		return vg.Point{X: l.area.X(float64(x) / float64(l.nx)), Y: l.area.Y(float64(y) / float64(l.ny))}
	}
	from, to := corner(a), corner(b)
	return crossing{from.Add(to.Sub(from).Scale(vg.Length(share))), border}
}
