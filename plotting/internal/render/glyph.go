package render

import (
	"image/color"

	"golang.org/x/image/font/sfnt"

	"qhlab/plotting/internal/typeset"
)

func (r *raster) text(s string, size float64, at point, c color.NRGBA) {
	glyphs, _ := typeset.Shape(s)
	unit := size / typeset.Em()
	for _, g := range glyphs {
		outline, ok := r.glyphs[g.ID]
		if !ok {
			outline = typeset.Outline(g.ID)
			r.glyphs[g.ID] = outline
		}
		// An outline has y down.
		place := scaling{unit, -unit, at.x + g.X*size, at.y + g.Y*size}
		if p := glyphPath(outline, place); len(p) > 0 {
			r.fill(p, &state{color: c})
		}
	}
}

func (r *raster) label(l typeset.Label, size float64, a Alignment, at point, c color.NRGBA) {
	drawRuns(r, l, size, a, at, c)
}

func glyphPath(outline []sfnt.Segment, m scaling) path {
	var p path
	var at point
	vec := func(s sfnt.Segment, i int) point {
		return point{float64(s.Args[i].X), float64(s.Args[i].Y)}
	}
	for _, s := range outline {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			at = vec(s, 0)
			p = append(p, step{op: 'M', p: [3]point{m.apply(at)}})
		case sfnt.SegmentOpLineTo:
			at = vec(s, 0)
			p = append(p, step{op: 'L', p: [3]point{m.apply(at)}})
		case sfnt.SegmentOpQuadTo:
			q, to := vec(s, 0), vec(s, 1)
			c1 := point{at.x + 2*(q.x-at.x)/3, at.y + 2*(q.y-at.y)/3}
			c2 := point{to.x + 2*(q.x-to.x)/3, to.y + 2*(q.y-to.y)/3}
			p = append(p, step{'C', [3]point{m.apply(c1), m.apply(c2), m.apply(to)}})
			at = to
		case sfnt.SegmentOpCubeTo:
			at = vec(s, 2)
			p = append(p, step{'C', [3]point{m.apply(vec(s, 0)), m.apply(vec(s, 1)), m.apply(at)}})
		}
	}
	return p
}
