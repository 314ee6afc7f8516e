package render

import "math"

// appendStroke appends polygons, all wound in one direction, whose union is the
// stroked line: a box per segment and a disc or wedge per bend. Joins and caps are
// round; dashes have flat ends.
func appendStroke(out [][]point, line []point, closed bool, s *state, scale float64) [][]point {
	half := s.lineWidth * scale / 2
	if closed {
		line = append(line[:len(line):len(line)], line[0])
	}
	if len(s.dash) == 0 {
		return appendSolid(out, line, half, closed)
	}
	for _, piece := range dashes(line, s, scale) {
		out = appendSolid(out, piece, half, true)
	}
	return out
}

// appendSolid strokes a polyline, piece after piece from its start. A line that
// ends where it begins is joined there; others have round ends unless flat.
func appendSolid(out [][]point, line []point, half float64, flat bool) [][]point {
	loop := len(line) > 2 && line[0] == line[len(line)-1]
	capped := !flat && !loop && half > 0.5 // thinner caps are less than a pixel
	if capped {
		out = append(out, disc(line[0], half))
	}
	var first, last point
	started := false
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		dx, dy := b.x-a.x, b.y-a.y
		length := math.Hypot(dx, dy)
		if length < 1e-9 {
			continue
		}
		n := point{-dy / length * half, dx / length * half}
		if started {
			out = appendJoin(out, a, last, n, half)
		} else {
			first = n
		}
		out = append(out, []point{
			{a.x + n.x, a.y + n.y}, {b.x + n.x, b.y + n.y},
			{b.x - n.x, b.y - n.y}, {a.x - n.x, a.y - n.y},
		})
		last, started = n, true
	}
	if loop && started {
		out = appendJoin(out, line[0], last, first, half)
	}
	if capped || !started {
		out = append(out, disc(line[len(line)-1], half))
	}
	return out
}

// boxCorners tells a segment's box from joins, which have three corners, and discs,
// which have eight and more.
const boxCorners = 4

// boxStart returns where the segment of a box begins, and half its width.
func boxStart(box []point) (at point, half float64) {
	a, b := box[0], box[3]
	return point{(a.x + b.x) / 2, (a.y + b.y) / 2}, math.Hypot(a.x-b.x, a.y-b.y) / 2
}

// touches reports whether the polygon before a box leads up to its start; a dash
// begins away from the last one.
func touches(polygon []point, at point) bool {
	end := polygon[0] // of a join
	if len(polygon) == boxCorners {
		end = point{(polygon[1].x + polygon[2].x) / 2, (polygon[1].y + polygon[2].y) / 2}
	}
	return math.Hypot(end.x-at.x, end.y-at.y) < 1e-6
}

// appendJoin covers the outer side of a bend from normal m to normal n.
func appendJoin(out [][]point, at, m, n point, half float64) [][]point {
	cross := m.x*n.y - m.y*n.x
	dot := m.x*n.x + m.y*n.y
	if dot > 0 && math.Abs(cross) < 0.02*half*half {
		return out // the gap is under a hundredth of the width
	}
	if dot > 0.7*half*half {
		if cross > 0 { // the outer side is the one away from the normals
			m, n = point{-n.x, -n.y}, point{-m.x, -m.y}
		}
		return append(out, []point{at, {at.x + m.x, at.y + m.y}, {at.x + n.x, at.y + n.y}})
	}
	return append(out, disc(at, half))
}

// disc returns a circle as a polygon wound like the boxes.
func disc(c point, r float64) []point {
	n := max(8, int(math.Ceil(math.Pi/math.Sqrt(2*flatness/math.Max(r, flatness)))))
	p := make([]point, n)
	for i := range p {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		p[i] = point{c.x + r*cos, c.y + r*sin}
	}
	return p
}

// dashes cuts a line into the pieces its pattern draws.
func dashes(line []point, s *state, scale float64) [][]point {
	var total float64
	for _, d := range s.dash {
		total += d
	}
	if total <= 0 {
		return [][]point{line}
	}
	k, left := 0, s.dash[0]*scale
	var out [][]point
	piece := []point{line[0]}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		length := math.Hypot(b.x-a.x, b.y-a.y)
		for done := 0.0; length > 0; {
			if left > length-done {
				left -= length - done
				piece = append(piece, b)
				break
			}
			done += left
			t := done / length
			cut := point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)}
			if k%2 == 0 {
				out = append(out, append(piece, cut))
			}
			piece = []point{cut}
			k++
			left = s.dash[k%len(s.dash)] * scale
		}
	}
	if k%2 == 0 && len(piece) > 1 {
		out = append(out, piece)
	}
	return out
}
