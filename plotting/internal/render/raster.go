package render

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/vector"
	"gonum.org/v1/plot/vg"
)

// Raster draws on pixels.
type raster struct {
	img    *image.RGBA
	scale  float64 // pixels per point
	height float64 // of the page in points
	filler *vector.Rasterizer
	glyphs map[sfnt.GlyphIndex][]sfnt.Segment
}

// NewRaster returns a canvas on a white image with the given resolution in
// pixels per inch, and the image.
func NewRaster(width, height vg.Length, dpi float64) (*Canvas, *image.RGBA) {
	scale := dpi / 72
	img := image.NewRGBA(image.Rect(0, 0, int(math.Round(float64(width)*scale)), int(math.Round(float64(height)*scale))))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	r := &raster{
		img: img, scale: scale, height: float64(height),
		filler: vector.NewRasterizer(1, 1),
		glyphs: make(map[sfnt.GlyphIndex][]sfnt.Segment),
	}
	return newCanvas(r), img
}

// pixel maps points with y up to pixels with y down.
func (r *raster) pixel() scaling {
	return scaling{r.scale, -r.scale, 0, r.height * r.scale}
}

func (p path) transform(m scaling) path {
	out := make(path, len(p))
	for i, s := range p {
		out[i] = step{s.op, [3]point{m.apply(s.p[0]), m.apply(s.p[1]), m.apply(s.p[2])}}
	}
	return out
}

// flatness is the greatest distance of a chord from its curve, in pixels: below
// what 256 levels of coverage can show.
const flatness = 0.05

func (r *raster) fill(p path, s *state) {
	lines, _ := p.transform(r.pixel()).flatten(flatness)
	r.polygons(lines, s.color)
}

func (r *raster) stroke(p path, s *state) {
	lines, closed := p.transform(r.pixel()).flatten(flatness)
	var outline [][]point
	for i, line := range lines {
		outline = appendStroke(outline, line, closed[i], s, r.scale)
	}
	if s.color.A < 255 {
		r.polygons(outline, s.color)
		return
	}
	r.pieces(outline, s.color)
}

// pieceArea is the number of pixels above which it pays to draw a stroke in
// pieces: a long curve covers little of its bounding box.
const pieceArea = 1 << 13

// pieces draws the polygons of an opaque stroke a few at a time. Where it cuts a
// line, a disc covers the seam.
func (r *raster) pieces(outline [][]point, c color.NRGBA) {
	start := 0
	var box image.Rectangle
	for i, polygon := range outline {
		grown := box.Union(r.bounds(outline[i : i+1]))
		if i > start && area(grown) > pieceArea && len(polygon) == boxCorners {
			piece := outline[start:i:i]
			if seam, radius := boxStart(polygon); touches(outline[i-1], seam) {
				// Smaller by half a pixel, so that it does not thicken the edges.
				piece = append(piece, disc(seam, max(radius-0.5, radius/2)))
			}
			r.polygons(piece, c)
			start, grown = i, r.bounds(outline[i:i+1])
		}
		box = grown
	}
	r.polygons(outline[start:], c)
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// polygons fills the union of polygons wound in one direction, working on no
// more pixels than they cover.
func (r *raster) polygons(lines [][]point, c color.NRGBA) {
	box := r.bounds(lines)
	if box.Empty() {
		return
	}
	r.trace(lines, box)
	r.filler.DrawOp = draw.Over
	r.filler.Draw(r.img, box, image.NewUniform(c), image.Point{})
}

func (r *raster) bounds(lines [][]point) image.Rectangle {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, line := range lines {
		for _, p := range line {
			lo = point{math.Min(lo.x, p.x), math.Min(lo.y, p.y)}
			hi = point{math.Max(hi.x, p.x), math.Max(hi.y, p.y)}
		}
	}
	if lo.x > hi.x {
		return image.Rectangle{}
	}
	box := image.Rect(int(math.Floor(lo.x)), int(math.Floor(lo.y)), int(math.Ceil(hi.x))+1, int(math.Ceil(hi.y))+1)
	return box.Intersect(r.img.Bounds())
}

func (r *raster) trace(lines [][]point, box image.Rectangle) {
	r.filler.Reset(box.Dx(), box.Dy())
	x, y := float64(box.Min.X), float64(box.Min.Y)
	for _, line := range lines {
		for i, p := range line {
			px, py := float32(p.x-x), float32(p.y-y)
			if i == 0 {
				r.filler.MoveTo(px, py)
			} else {
				r.filler.LineTo(px, py)
			}
		}
		r.filler.ClosePath()
	}
}

// phases is how many positions within a pixel, in each direction, a stamp is
// drawn at; a quarter of a pixel is finer than the eye at any resolution used.
const phases = 4

// stamp rasterizes the path once per phase and lays the masks down.
func (r *raster) stamp(p path, at []point, s *state) {
	linear := scaling{a: r.scale, b: -r.scale}
	lines, _ := p.transform(linear).flatten(flatness)
	var masks [phases * phases]*image.Alpha
	src := image.NewUniform(s.color)
	for _, a := range at {
		q := r.pixel().apply(a)
		fx, fy := math.Floor(q.x*phases)/phases, math.Floor(q.y*phases)/phases
		ix, iy := math.Floor(fx), math.Floor(fy)
		k := int((fx-ix)*phases)*phases + int((fy-iy)*phases)
		if masks[k] == nil {
			masks[k] = r.mask(lines, fx-ix, fy-iy)
		}
		m := masks[k]
		draw.DrawMask(r.img, m.Rect.Add(image.Pt(int(ix), int(iy))), src, image.Point{}, m, m.Rect.Min, draw.Over)
	}
}

func (r *raster) mask(lines [][]point, dx, dy float64) *image.Alpha {
	var reach float64
	for _, line := range lines {
		for _, p := range line {
			reach = math.Max(reach, math.Max(math.Abs(p.x), math.Abs(p.y)))
		}
	}
	n := int(math.Ceil(reach)) + 2
	m := image.NewAlpha(image.Rect(-n, -n, n, n))
	moved := make([][]point, len(lines))
	for i, line := range lines {
		moved[i] = make([]point, len(line))
		for j, p := range line {
			moved[i][j] = point{p.x + dx, p.y + dy}
		}
	}
	r.trace(moved, m.Rect)
	r.filler.DrawOp = draw.Src
	r.filler.Draw(m, m.Rect, image.Opaque, image.Point{})
	return m
}

// image draws every pixel of img as one cell, without smoothing.
func (r *raster) image(img image.Image, lo, hi point) {
	a, b := r.pixel().apply(point{lo.x, hi.y}), r.pixel().apply(point{hi.x, lo.y})
	whole := image.Rect(int(math.Round(a.x)), int(math.Round(a.y)), int(math.Round(b.x)), int(math.Round(b.y)))
	box := whole.Intersect(r.img.Bounds())
	if box.Empty() {
		return
	}
	src := img.Bounds()
	line := make([]uint8, 4*box.Dx())
	last := src.Min.Y - 1
	for y := box.Min.Y; y < box.Max.Y; y++ {
		if sy := src.Min.Y + cellOf(y-whole.Min.Y, src.Dy(), whole.Dy()); sy != last {
			last = sy
			var c color.RGBA
			lastX := src.Min.X - 1
			for x := range box.Dx() {
				if sx := src.Min.X + cellOf(box.Min.X-whole.Min.X+x, src.Dx(), whole.Dx()); sx != lastX {
					lastX = sx
					c = color.RGBAModel.Convert(img.At(sx, sy)).(color.RGBA)
				}
				copy(line[4*x:], []uint8{c.R, c.G, c.B, c.A})
			}
		}
		copy(r.img.Pix[r.img.PixOffset(box.Min.X, y):], line)
	}
}

// cellOf returns in which of n cells the middle of pixel k of size lies.
func cellOf(k, n, size int) int { return (2*k + 1) * n / (2 * size) }
