package canvas

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/label"
)

// A fontFile is a TrueType font of the glyphs in use, for fpdf to embed. Given a whole font,
// fpdf embeds its hints as well, 10 kB for DejaVu Sans, takes three times as long, and refuses
// cubic curves, which Latin Modern has. The OpenType specification describes the tables.
type fontFile struct {
	glyf, loca, hmtx []byte
	box              [4]int // least x and y, greatest x and y
	points, contours int    // the most of any glyph
}

// unitsPerEm is the resolution of the fonts written, that of DejaVu.
const unitsPerEm = 2048

// trueType writes the font of the given glyphs.
func trueType(glyphs map[rune]label.Glyph) []byte {
	runes := slices.Sorted(maps.Keys(glyphs))
	f := new(fontFile)
	f.glyph(nil, 0) // what stands for missing characters
	for _, r := range runes {
		f.glyph(glyphs[r].Outline())
	}
	f.loca = u32(f.loca, len(f.glyf))
	n := len(runes) + 1

	const magic = 0x5f0f3cf5
	head := u16(u32(u32(make([]byte, 8), 0), magic), 0, unitsPerEm, 0, 0, 0, 0, 0, 0, 0, 0)
	head = u16(u16(head, f.box[:]...), 0, 0, 2, 1, 0) // left to right, long offsets
	return f.file(map[string][]byte{
		"cmap": characterMap(runes), "glyf": f.glyf, "head": head, "hmtx": f.hmtx, "loca": f.loca,
		"hhea": u16(nil, 1, 0, f.box[3], f.box[1], 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, n),
		"maxp": u16(nil, 1, 0, n, f.points, f.contours, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
		"name": u16(nil, 0, 0, 6), "post": append(u16(nil, 3, 0), make([]byte, 28)...),
	})
}

func u16(b []byte, values ...int) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func u32(b []byte, v int) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// characterMap maps the runes to the glyphs 1, 2, …, each in a segment of its own. The fields
// for binary search are left out: fpdf reads all and writes a map of its own.
func characterMap(runes []rune) []byte {
	n := len(runes) + 1
	var codes, deltas []int
	for i, r := range runes {
		codes, deltas = append(codes, int(r)), append(deltas, i+1-int(r))
	}
	codes, deltas = append(codes, 0xffff), append(deltas, 1)
	b := u16(nil, 0, 1, 3, 1, 0, 12, 4, 16+8*n, 0, 2*n, 0, 0, 0)
	b = u16(u16(b, codes...), 0)
	return u16(u16(u16(b, codes...), deltas...), make([]int, n)...)
}

// glyph appends a simple glyph.
func (f *fontFile) glyph(outline vg.Path, advance float64) {
	f.loca = u32(f.loca, len(f.glyf))
	var flags, xs, ys []byte
	var ends []int
	x, y, n := 0, 0, 0
	var box [4]int
	quadratic(outline, func(p vg.Point, flag byte) {
		lastX, lastY := x, y
		x, y = units(p.X), units(p.Y)
		if n == 0 {
			box = [4]int{x, y, x, y}
		}
		flags, xs, ys, n = append(flags, flag), u16(xs, x-lastX), u16(ys, y-lastY), n+1
		box = [4]int{min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)}
	}, func() { ends = append(ends, n-1) })
	if n > 0 {
		f.glyf = u16(u16(u16(f.glyf, len(ends)), box[:]...), ends...)
		f.glyf = append(append(append(u16(f.glyf, 0), flags...), xs...), ys...) // no hints
		f.glyf = append(f.glyf, make([]byte, -len(f.glyf)&3)...)
		f.box = [4]int{min(f.box[0], box[0]), min(f.box[1], box[1]), max(f.box[2], box[2]), max(f.box[3], box[3])}
	}
	f.points, f.contours = max(f.points, n), max(f.contours, len(ends))
	f.hmtx = u16(f.hmtx, units(vg.Length(advance)), box[0])
}

func units(ems vg.Length) int { return int(math.Round(float64(ems) * unitsPerEm)) }

// quadratic gives the points of an outline, on the curve (flag 1) or controlling it (0), with
// quadratic curves for cubic ones, and the ends of its contours.
func quadratic(outline vg.Path, add func(p vg.Point, flag byte), end func()) {
	var at vg.Point
	for _, c := range outline {
		switch {
		case c.Type == vg.CloseComp:
			end()
			continue
		case len(c.Control) == 1:
			add(c.Control[0], 0)
		case len(c.Control) == 2:
			split(at, c.Control[0], c.Control[1], c.Pos, add)
		}
		add(c.Pos, 1)
		at = c.Pos
	}
}

// split gives the points before d of n quadratic curves that follow a cubic one; they
// differ from it by at most √3/36·|d - 3c + 3b - a|/n³.
func split(a, b, c, d vg.Point, add func(p vg.Point, flag byte)) {
	const tolerance = 0.5 / unitsPerEm
	third := d.Sub(a).Add(b.Sub(c).Scale(3))
	n := max(1, math.Ceil(math.Cbrt(math.Sqrt(3)/36*math.Hypot(third.X.Points(), third.Y.Points())/tolerance)))
	at := func(t, u vg.Length) (p, slope vg.Point) {
		p = a.Scale(u * u * u).Add(b.Scale(3 * u * u * t)).Add(c.Scale(3 * u * t * t)).Add(d.Scale(t * t * t))
		return p, b.Sub(a).Scale(3 * u * u).Add(c.Sub(b).Scale(6 * u * t)).Add(d.Sub(c).Scale(3 * t * t))
	}
	for i := range int(n) {
		t, next := vg.Length(float64(i)/n), vg.Length(float64(i+1)/n)
		p, v := at(t, 1-t)
		q, w := at(next, 1-next)
		if i > 0 {
			add(p, 1)
		}
		add(p.Add(q).Scale(0.5).Add(v.Sub(w).Scale(vg.Length(1/(4*n)))), 0)
	}
}

// file writes the tables behind their directory; fpdf makes the checksums.
func (f *fontFile) file(tables map[string][]byte) []byte {
	names := slices.Sorted(maps.Keys(tables))
	b := u16(nil, 1, 0, len(names), 0, 0, 0)
	at := len(b) + 16*len(names)
	var body []byte
	for _, name := range names {
		b = u32(u32(u32(append(b, name...), 0), at+len(body)), len(tables[name]))
		body = append(body, tables[name]...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	return append(b, body...)
}
