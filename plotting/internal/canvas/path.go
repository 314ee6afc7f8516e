package canvas

import (
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// A path is moves, lines, cubic curves and closings.
type path []step

type step struct {
	op byte // 'M', 'L', 'C' or 'Z'
	p  [3]point
}

// points returns what the step needs: one point, three, or none.
func (s *step) points() []point {
	switch s.op {
	case 'Z':
		return nil
	case 'C':
		return s.p[:]
	}
	return s.p[:1]
}

// newPath reads a gonum path, whose arcs and quadratic curves become cubics.
func newPath(p vg.Path, m matrix) path {
	out := make(path, 0, len(p))
	var at point // before the map
	for _, c := range p {
		to := pointOf(c.Pos)
		switch c.Type {
		case vg.MoveComp:
			out = append(out, step{op: 'M', p: [3]point{m.apply(to)}})
		case vg.LineComp:
			out = append(out, step{op: 'L', p: [3]point{m.apply(to)}})
		case vg.ArcComp:
			out, to = out.arc(c, m)
		case vg.CurveComp:
			c1, c2 := control(at, c, to)
			out = append(out, step{'C', [3]point{m.apply(c1), m.apply(c2), m.apply(to)}})
		case vg.CloseComp:
			out = append(out, step{op: 'Z'})
		}
		at = to
	}
	return out
}

// control returns the two control points of a cubic or quadratic curve.
func control(at point, c vg.PathComp, to point) (c1, c2 point) {
	q := pointOf(c.Control[0])
	if len(c.Control) == 2 {
		return q, pointOf(c.Control[1])
	}
	return point{at.x + 2*(q.x-at.x)/3, at.y + 2*(q.y-at.y)/3}, point{to.x + 2*(q.x-to.x)/3, to.y + 2*(q.y-to.y)/3}
}

// arc appends an arc as cubics of at most a quarter turn, whose error is below
// 3e-4 of the radius, and returns where it ends.
func (p path) arc(c vg.PathComp, m matrix) (path, point) {
	n := max(1, int(math.Ceil(math.Abs(c.Angle)/(math.Pi/2)-1e-9)))
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
	p = append(p, step{op: op, p: [3]point{m.apply(at)}})
	delta := c.Angle / float64(n)
	k := 4.0 / 3 * math.Tan(delta/4)
	for i := 1; i <= n; i++ {
		end, t1 := on(c.Start + float64(i)*delta)
		c1 := point{at.x + k*t0.x, at.y + k*t0.y}
		c2 := point{end.x - k*t1.x, end.y - k*t1.y}
		p = append(p, step{'C', [3]point{m.apply(c1), m.apply(c2), m.apply(end)}})
		at, t0 = end, t1
	}
	return p, at
}

// appendNumber writes x with two decimals and no trailing zeros: a hundredth of
// a point is finer than any printer.
func appendNumber(b []byte, x float64) []byte {
	k := int64(math.Round(x * 100))
	if k < 0 {
		b = append(b, '-')
		k = -k
	}
	b = strconv.AppendInt(b, k/100, 10)
	switch d := k % 100; {
	case d == 0:
		return b
	case d%10 == 0:
		return append(b, '.', byte('0'+d/10))
	default:
		return append(b, '.', byte('0'+d/10), byte('0'+d%10))
	}
}

// number is x as appendNumber writes it.
func number(x float64) string { return string(appendNumber(nil, x)) }

// coefficient is a factor of a map, with four decimals.
func coefficient(x float64) string {
	return strconv.FormatFloat(math.Round(x*1e4)/1e4+0, 'g', -1, 64) // + 0: no minus zero
}

// rounded is x as appendNumber rounds it.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }
