package dataset

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// pose maps (x, y) to (a x - b y + pose.x, b x + a y + pose.y).
type pose struct{ a, b, x, y float64 }

func (p pose) at(v [2]float64) (x, y float32) {
	return float32(p.a*v[0] - p.b*v[1] + p.x), float32(p.b*v[0] + p.a*v[1] + p.y)
}

// outline is a glyph's path in units of the font's capital height, y downwards,
// centred on its bounding box.
type outline []curve

type curve struct {
	op   sfnt.SegmentOp
	args [3][2]float64
}

// readOutlines returns the outlines by font, then by character.
func readOutlines(fonts [][]byte, characters []rune) ([][]outline, error) {
	all := make([][]outline, len(fonts))
	for i, data := range fonts {
		f, err := sfnt.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("dataset: glyphs: font %d: %w", i, err)
		}
		for _, character := range characters {
			o, err := readOutline(f, character)
			if err != nil {
				return nil, fmt.Errorf("dataset: glyphs: font %d: %q: %w", i, character, err)
			}
			all[i] = append(all[i], o)
		}
	}
	return all, nil
}

func readOutline(f *sfnt.Font, character rune) (outline, error) {
	var buffer sfnt.Buffer
	index, err := f.GlyphIndex(&buffer, character)
	if err != nil {
		return nil, err
	}
	if index == 0 {
		return nil, errors.New("the font has no such character")
	}
	em := fixed.I(int(f.UnitsPerEm()))
	metrics, err := f.Metrics(&buffer, em, font.HintingNone)
	if err != nil {
		return nil, err
	}
	segments, err := f.LoadGlyph(&buffer, index, em, nil)
	if err != nil {
		return nil, err
	}
	return centred(segments, float64(metrics.CapHeight)), nil
}

func centred(segments sfnt.Segments, unit float64) outline {
	box := segments.Bounds()
	x0 := float64(box.Min.X+box.Max.X) / 2
	y0 := float64(box.Min.Y+box.Max.Y) / 2
	o := make(outline, len(segments))
	for i, s := range segments {
		o[i].op = s.Op
		for j, p := range s.Args {
			o[i].args[j] = [2]float64{(float64(p.X) - x0) / unit, (float64(p.Y) - y0) / unit}
		}
	}
	return o
}

// canvas rasterizes one glyph at a time.
type canvas struct {
	pen   *vector.Rasterizer
	image *image.Alpha
}

func newCanvas(size int) canvas {
	return canvas{vector.NewRasterizer(size, size), image.NewAlpha(image.Rect(0, 0, size, size))}
}

func (c canvas) draw(o outline, p pose) {
	bounds := c.image.Bounds()
	c.pen.Reset(bounds.Dx(), bounds.Dy())
	c.pen.DrawOp = draw.Src
	for _, s := range o {
		ax, ay := p.at(s.args[0])
		bx, by := p.at(s.args[1])
		cx, cy := p.at(s.args[2])
		switch s.op {
		case sfnt.SegmentOpMoveTo:
			c.pen.ClosePath()
			c.pen.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			c.pen.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			c.pen.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			c.pen.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	c.pen.ClosePath()
	c.pen.Draw(c.image, bounds, image.Opaque, image.Point{})
}

// read writes the ink, from 0 to 1, plus noise to dst.
func (c canvas) read(dst []float64, noise float64, rng *rand.Rand) {
	for i, v := range c.image.Pix {
		dst[i] = float64(v) / 255
	}
	if noise > 0 {
		jitter(dst, dst, noise, rng)
	}
}
