package render

import (
	"math"

	"gonum.org/v1/plot/vg"
)

type point struct{ x, y float64 }

// scaling maps (x, y) to (ax + c, by + d).
type scaling struct{ a, b, c, d float64 }

func (m scaling) apply(p point) point { return point{m.a*p.x + m.c, m.b*p.y + m.d} }

// A path is moves, lines, cubic curves and closings.
type path []step

type step struct {
	op byte // 'M', 'L', 'C' or 'Z'
	p  [3]point
}

// newPath reads a gonum path of moves, lines and arcs, which become cubics.
func newPath(p vg.Path) path {
	out := make(path, 0, len(p))
	for _, c := range p {
		switch c.Type {
		case vg.MoveComp:
			out = append(out, step{op: 'M', p: [3]point{pointOf(c.Pos)}})
		case vg.LineComp:
			out = append(out, step{op: 'L', p: [3]point{pointOf(c.Pos)}})
		case vg.ArcComp:
			out = out.arc(c)
		case vg.CloseComp:
			out = append(out, step{op: 'Z'})
		default:
			panic("plotting: a path with curves other than arcs")
		}
	}
	return out
}

// arc appends an arc as cubics of at most a quarter turn, whose error is below
// 3e-4 of the radius.
func (p path) arc(c vg.PathComp) path {
	n := int(math.Ceil(math.Abs(c.Angle)/(math.Pi/2) - 1e-9))
	r, cx, cy := float64(c.Radius), float64(c.Pos.X), float64(c.Pos.Y)
	on := func(a float64) (at, tangent point) {
		sin, cos := math.Sincos(a)
		return point{cx + r*cos, cy + r*sin}, point{-r * sin, r * cos}
	}
	at, t0 := on(c.Start)
	op := byte('L')
	if len(p) == 0 || p[len(p)-1].op == 'Z' {
		op = 'M'
	}
	p = append(p, step{op: op, p: [3]point{at}})
	delta := c.Angle / float64(max(n, 1))
	k := 4.0 / 3 * math.Tan(delta/4)
	for i := 1; i <= n; i++ {
		end, t1 := on(c.Start + float64(i)*delta)
		c1 := point{at.x + k*t0.x, at.y + k*t0.y}
		c2 := point{end.x - k*t1.x, end.y - k*t1.y}
		p = append(p, step{'C', [3]point{c1, c2, end}})
		at, t0 = end, t1
	}
	return p
}

// flatten returns the path's polylines with curves cut into chords that stay
// within tolerance of them, and whether each is closed.
func (p path) flatten(tolerance float64) (lines [][]point, closed []bool) {
	var line []point
	end := func(shut bool) {
		if len(line) > 0 {
			lines, closed = append(lines, line), append(closed, shut)
		}
		line = nil
	}
	for _, s := range p {
		switch s.op {
		case 'M':
			end(false)
			line = []point{s.p[0]}
		case 'L':
			line = append(line, s.p[0])
		case 'C':
			line = appendCubic(line, s.p, tolerance)
		case 'Z':
			start := line[0]
			end(true)
			line = append(line, start)
		}
	}
	if len(line) > 1 || len(lines) == 0 {
		end(false)
	}
	return lines, closed
}

// appendCubic cuts a cubic into n equal parameter steps; its chords deviate by
// at most |second difference|·(3/4)/n².
func appendCubic(line []point, c [3]point, tolerance float64) []point {
	a := line[len(line)-1]
	d1 := math.Hypot(a.x-2*c[0].x+c[1].x, a.y-2*c[0].y+c[1].y)
	d2 := math.Hypot(c[0].x-2*c[1].x+c[2].x, c[0].y-2*c[1].y+c[2].y)
	n := int(math.Ceil(math.Sqrt(0.75 * math.Max(d1, d2) / tolerance)))
	for i := 1; i < n; i++ {
		t := float64(i) / float64(n)
		u := 1 - t
		b0, b1, b2, b3 := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		line = append(line, point{
			b0*a.x + b1*c[0].x + b2*c[1].x + b3*c[2].x,
			b0*a.y + b1*c[0].y + b2*c[1].y + b3*c[2].y,
		})
	}
	return append(line, c[2])
}
