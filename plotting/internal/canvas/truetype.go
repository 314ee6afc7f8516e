package canvas

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// unitsPerEm is the resolution of the fonts that trueType writes, that of DejaVu.
const unitsPerEm = 2048

// trueType writes a font of the given glyphs, with the tables that fpdf reads (OpenType
// specification 1.9, chapters of their names). Cubic curves become quadratic ones.
func trueType(glyphs map[rune]label.Glyph) []byte {
	runes := slices.Sorted(maps.Keys(glyphs))
	var f fontTables
	f.glyph(nil, 0) // the glyph of characters that are missing
	for _, r := range runes {
		f.glyph(glyphs[r].Outline(), glyphs[r].Advance()/glyphs[r].Size)
	}
	f.loca = u32(f.loca, len(f.glyf))
	n := len(runes) + 1

	const size = 54
	head := make([]byte, size)
	binary.BigEndian.PutUint32(head, 1<<16)
	binary.BigEndian.PutUint32(head[12:], 0x5f0f3cf5) // the magic number
	binary.BigEndian.PutUint16(head[18:], unitsPerEm)
	for i, v := range [4]int{f.box[0], f.box[1], f.box[2], f.box[3]} {
		binary.BigEndian.PutUint16(head[36+2*i:], uint16(v))
	}
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets
	hhea := u16(u32(nil, 1<<16), f.box[3], f.box[1], 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, n)
	maxp := u16(u32(nil, 1<<16), n, f.points, f.contours, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
	post := append(u32(nil, 3<<16), make([]byte, 28)...)
	return fontFile(map[string][]byte{
		"cmap": characterMap(runes), "glyf": f.glyf, "head": head, "hhea": hhea, "hmtx": f.hmtx,
		"loca": f.loca, "maxp": maxp, "name": u16(nil, 0, 0, 6), "post": post,
	})
}

func u16(b []byte, values ...int) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func u32(b []byte, v int) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// characterMap maps the runes to the glyphs 1, 2, …, each in a segment of its own.
func characterMap(runes []rune) []byte {
	n := len(runes) + 1
	power, log := 1, 0
	for 2*power <= n {
		power, log = 2*power, log+1
	}
	var ends, starts, deltas []int
	for i, r := range runes {
		ends, starts, deltas = append(ends, int(r)), append(starts, int(r)), append(deltas, i+1-int(r))
	}
	ends, starts, deltas = append(ends, 0xffff), append(starts, 0xffff), append(deltas, 1)
	b := u16(nil, 0, 1, 3, 1, 0, 12, 4, 16+8*n, 0, 2*n, 2*power, log, 2*n-2*power)
	b = u16(u16(b, ends...), 0)
	return u16(u16(u16(b, starts...), deltas...), make([]int, n)...)
}

type fontTables struct {
	glyf, loca, hmtx []byte
	box              [4]int // least and greatest x and y
	points, contours int    // the most of any glyph
}

type outlinePoint struct {
	x, y int
	on   bool // on the curve
}

// glyph appends a simple glyph.
func (f *fontTables) glyph(outline vg.Path, advance float64) {
	f.loca = u32(f.loca, len(f.glyf))
	contours := trueTypeContours(outline)
	var all []outlinePoint
	var ends []int
	for _, c := range contours {
		all = append(all, c...)
		ends = append(ends, len(all)-1)
	}
	left := 0
	if len(all) > 0 {
		box := extremes(all)
		left = box[0]
		f.glyf = u16(f.glyf, len(contours), box[0], box[1], box[2], box[3])
		f.glyf = u16(u16(f.glyf, ends...), 0) // no hints
		f.glyf = appendOutline(f.glyf, all)
		f.glyf = append(f.glyf, make([]byte, -len(f.glyf)&3)...)
		f.box = [4]int{min(f.box[0], box[0]), min(f.box[1], box[1]), max(f.box[2], box[2]), max(f.box[3], box[3])}
	}
	f.points, f.contours = max(f.points, len(all)), max(f.contours, len(contours))
	f.hmtx = u16(f.hmtx, units(advance), left)
}

func units(ems float64) int { return int(math.Round(ems * unitsPerEm)) }

func extremes(points []outlinePoint) [4]int {
	b := [4]int{points[0].x, points[0].y, points[0].x, points[0].y}
	for _, p := range points {
		b = [4]int{min(b[0], p.x), min(b[1], p.y), max(b[2], p.x), max(b[3], p.y)}
	}
	return b
}

// appendOutline writes flags, then the steps along x, then those along y.
func appendOutline(b []byte, points []outlinePoint) []byte {
	const onCurve, shortX, shortY, sameX, sameY = 1, 2, 4, 16, 32
	var xs, ys []byte
	last := outlinePoint{}
	for _, p := range points {
		flag := 0
		if p.on {
			flag = onCurve
		}
		var fx, fy int
		xs, fx = appendStep(xs, p.x-last.x, shortX, sameX)
		ys, fy = appendStep(ys, p.y-last.y, shortY, sameY)
		b = append(b, byte(flag|fx|fy))
		last = p
	}
	return append(append(b, xs...), ys...)
}

// appendStep writes a coordinate's change in no, one or two bytes.
func appendStep(b []byte, d, short, same int) ([]byte, int) {
	switch {
	case d == 0:
		return b, same
	case d > 0 && d < 256:
		return append(b, byte(d)), short | same
	case d < 0 && d > -256:
		return append(b, byte(-d)), short
	}
	return u16(b, d), 0
}

// trueTypeContours converts an outline in ems.
func trueTypeContours(outline vg.Path) (contours [][]outlinePoint) {
	var c []outlinePoint
	var at point
	add := func(p point, on bool) { c = append(c, outlinePoint{units(p.x), units(p.y), on}) }
	for _, s := range outline {
		to := pointOf(s.Pos)
		switch {
		case s.Type == vg.CloseComp:
			if n := len(c); n > 1 && c[n-1] == c[0] {
				c = c[:n-1]
			}
			contours, c = append(contours, c), nil
			continue
		case s.Type == vg.CurveComp && len(s.Control) == 1:
			add(pointOf(s.Control[0]), false)
		case s.Type == vg.CurveComp:
			quadratics(at, pointOf(s.Control[0]), pointOf(s.Control[1]), to, add)
		}
		add(to, true)
		at = to
	}
	return contours
}

// quadratics adds the quadratic curves that follow a cubic one, but for its end. Cut into n,
// they differ by at most √3/36·|d - 3c + 3b - a|/n³ from it.
func quadratics(a, b, c, d point, add func(p point, on bool)) {
	const tolerance = 0.5 / unitsPerEm
	third := math.Hypot(d.x-3*c.x+3*b.x-a.x, d.y-3*c.y+3*b.y-a.y)
	n := max(1, math.Ceil(math.Cbrt(math.Sqrt(3)/36*third/tolerance)))
	at := func(t float64) (p, slope point) {
		u := 1 - t
		mix := func(a, b, c, d float64) (float64, float64) {
			return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d, 3 * (u*u*(b-a) + 2*u*t*(c-b) + t*t*(d-c))
		}
		p.x, slope.x = mix(a.x, b.x, c.x, d.x)
		p.y, slope.y = mix(a.y, b.y, c.y, d.y)
		return p, slope
	}
	for i := range int(n) {
		p, v := at(float64(i) / n)
		q, w := at(float64(i+1) / n)
		if i > 0 {
			add(p, true)
		}
		add(point{(p.x+q.x)/2 + (v.x-w.x)/(4*n), (p.y+q.y)/2 + (v.y-w.y)/(4*n)}, false)
	}
}

// fontFile writes the tables with their directory.
func fontFile(tables map[string][]byte) []byte {
	names := slices.Sorted(maps.Keys(tables))
	n := len(names)
	b := u16(u32(nil, 1<<16), n, 128, 3, 16*n-128) // 8 is the power of two below 9 tables
	var body []byte
	for _, name := range names {
		b = u32(append(b, name...), 0) // fpdf makes the checksums
		b = u32(u32(b, 12+16*n+len(body)), len(tables[name]))
		body = append(body, tables[name]...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	return append(b, body...)
}
