package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Glyphs describes a set of rendered characters, one class a character: the
// outline of a random font, rotated, scaled and shifted at random, rasterized
// with exact area coverage, then given Gaussian noise. Ink is 1 and paper 0.
// The zero value of a field takes its default; a negative amount of rotation,
// scaling, shift or noise means none.
type Glyphs struct {
	Characters string   // the classes, in order; default "0123456789"
	PerClass   int      // points a class; default 50
	Size       int      // height and width in pixels; default 16
	Rotation   float64  // largest angle in radians; default 0.2
	Scaling    float64  // largest relative change of size; default 0.1
	Shift      float64  // largest shift, as a share of Size; default 0.06
	Noise      float64  // standard deviation of the noise of a pixel; default 0.05
	Fonts      [][]byte // TrueType fonts to choose from; default five of the Go fonts
}

// Sample draws the set. The same settings and the same state of rng give the
// same set. It is an error if a font cannot be read or lacks a character, if
// fewer than two characters or one of them twice are given, if PerClass or
// Size is negative, or if an amount is not finite, a Rotation above π, a Scaling above
// 0.9 or a Shift above 1.
func (g Glyphs) Sample(rng *rand.Rand) (Set, error) {
	err := g.checkAmounts()
	g = g.withDefaults()
	characters := []rune(g.Characters)
	if err := cmp.Or(err, g.check(characters)); err != nil {
		return Set{}, fmt.Errorf("dataset: glyphs: %w", err)
	}
	outlines, err := g.outlines(characters)
	if err != nil {
		return Set{}, err
	}
	set := blank("glyphs", len(characters), g.PerClass, g.Size*g.Size, g.Noise, rng)
	set.Shape = []int{1, g.Size, g.Size}
	pen, canvas := vector.NewRasterizer(g.Size, g.Size), image.NewAlpha(image.Rect(0, 0, g.Size, g.Size))
	for k, c := range set.Labels {
		outlines[rng.IntN(len(outlines))][c].draw(pen, g.pose(rng))
		pen.DrawOp = draw.Src
		pen.Draw(canvas, canvas.Rect, image.Opaque, image.Point{})
		pen.Reset(g.Size, g.Size)
		row := set.X.RawRowView(k)
		for i, v := range canvas.Pix {
			row[i] = float64(v) / 255
		}
		if g.Noise > 0 {
			jitter(row, row, g.Noise, rng)
		}
	}
	return set, nil
}

func (g Glyphs) withDefaults() Glyphs {
	g.Characters = cmp.Or(g.Characters, "0123456789")
	g.PerClass, g.Size = cmp.Or(g.PerClass, 50), cmp.Or(g.Size, 16)
	if g.Fonts == nil {
		g.Fonts = [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF, goitalic.TTF, gomono.TTF}
	}
	g.Rotation, g.Scaling = max(cmp.Or(g.Rotation, 0.2), 0), max(cmp.Or(g.Scaling, 0.1), 0)
	g.Shift, g.Noise = max(cmp.Or(g.Shift, 0.06), 0), max(cmp.Or(g.Noise, 0.05), 0)
	return g
}

func (g Glyphs) checkAmounts() error {
	for _, a := range []struct {
		name    string
		v, most float64
	}{{"Rotation", g.Rotation, math.Pi}, {"Scaling", g.Scaling, 0.9}, {"Shift", g.Shift, 1}, {"Noise", g.Noise, math.MaxFloat32}} {
		if a.v-a.v != 0 || a.v > a.most {
			return fmt.Errorf("%s is %v; use a number up to %.2g, negative for none", a.name, a.v, a.most)
		}
	}
	return nil
}

func (g Glyphs) check(characters []rune) error {
	switch {
	case len(characters) < 2:
		return fmt.Errorf("%d character(s) in %q; at least 2 classes are needed", len(characters), g.Characters)
	case len(g.Fonts) == 0:
		return errors.New("no font in Fonts; leave it nil for the Go fonts")
	case g.PerClass < 1 || g.Size < 1:
		return fmt.Errorf("%d points a class of %d×%d pixels; use positive numbers", g.PerClass, g.Size, g.Size)
	case float64(len(characters))*float64(g.PerClass)*float64(g.Size)*float64(g.Size) > mostEntries:
		return fmt.Errorf("%d classes of %d images of %d×%d pixels; at most %d entries are made", len(characters), g.PerClass, g.Size, g.Size, mostEntries)
	}
	for i, c := range characters {
		if slices.Contains(characters[:i], c) {
			return fmt.Errorf("the character %q is two classes of %q; give each once", c, g.Characters)
		}
	}
	return nil
}

// pose draws the placement of one glyph on the canvas.
func (g Glyphs) pose(rng *rand.Rand) pose {
	symmetric := func(width float64) float64 { return width * (2*rng.Float64() - 1) }
	size := float64(g.Size)
	// 0.72 of the image for the height of a capital leaves room for the moves.
	scale := 0.72 * size * (1 + symmetric(g.Scaling))
	sin, cos := math.Sincos(symmetric(g.Rotation))
	return pose{
		a: scale * cos, b: scale * sin,
		x: size/2 + size*symmetric(g.Shift), y: size/2 + size*symmetric(g.Shift),
	}
}

// pose maps (x, y) to (a x - b y + pose.x, b x + a y + pose.y).
type pose struct{ a, b, x, y float64 }

// outline is a glyph's path in a font's own units, its centre and the height of a
// capital letter.
type outline struct {
	path                sfnt.Segments
	x, y, capitalHeight float64
}

// outlines reads the characters of every font.
func (g Glyphs) outlines(characters []rune) ([][]outline, error) {
	all := make([][]outline, len(g.Fonts))
	for i, data := range g.Fonts {
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
		return outline{}, err
	}
	if index == 0 {
		return outline{}, errors.New("the font has no such character")
	}
	em := fixed.I(int(f.UnitsPerEm()))
	metrics, err := f.Metrics(&buffer, em, font.HintingNone)
	if err != nil {
		return outline{}, err
	}
	path, err := f.LoadGlyph(&buffer, index, em, nil)
	box := path.Bounds()
	return outline{
		path: slices.Clone(path), // the buffer's own
		x:    float64(box.Min.X+box.Max.X) / 2, y: float64(box.Min.Y+box.Max.Y) / 2, capitalHeight: float64(metrics.CapHeight),
	}, err
}

// draw adds the path to a pen, with capitals of height 1 before the pose.
func (o outline) draw(pen *vector.Rasterizer, p pose) {
	for _, s := range o.path {
		var to [3][2]float32
		for i, v := range s.Args {
			x, y := (float64(v.X)-o.x)/o.capitalHeight, (float64(v.Y)-o.y)/o.capitalHeight
			to[i] = [2]float32{float32(p.a*x - p.b*y + p.x), float32(p.b*x + p.a*y + p.y)}
		}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			pen.ClosePath()
			pen.MoveTo(to[0][0], to[0][1])
		case sfnt.SegmentOpLineTo:
			pen.LineTo(to[0][0], to[0][1])
		case sfnt.SegmentOpQuadTo:
			pen.QuadTo(to[0][0], to[0][1], to[1][0], to[1][1])
		case sfnt.SegmentOpCubeTo:
			pen.CubeTo(to[0][0], to[0][1], to[1][0], to[1][1], to[2][0], to[2][1])
		}
	}
	pen.ClosePath()
}
