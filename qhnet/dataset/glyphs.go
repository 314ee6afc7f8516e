package dataset

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
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
// fewer than two characters or one of them twice are given, or if PerClass or
// Size is negative.
func (g Glyphs) Sample(rng *rand.Rand) (Set, error) {
	g = g.withDefaults()
	characters := []rune(g.Characters)
	if err := g.check(characters); err != nil {
		return Set{}, fmt.Errorf("dataset: glyphs: %w", err)
	}
	outlines, err := readOutlines(g.Fonts, characters)
	if err != nil {
		return Set{}, err
	}
	set := blank("glyphs", len(characters), g.PerClass, g.Size*g.Size)
	set.Shape = []int{1, g.Size, g.Size}
	canvas := newCanvas(g.Size)
	for k, c := range set.Labels {
		canvas.draw(outlines[rng.IntN(len(outlines))][c], g.pose(rng))
		canvas.read(set.X.RawRowView(k), g.Noise, rng)
	}
	return set, nil
}

func (g Glyphs) withDefaults() Glyphs {
	if g.Characters == "" {
		g.Characters = "0123456789"
	}
	if g.PerClass == 0 {
		g.PerClass = 50
	}
	if g.Size == 0 {
		g.Size = 16
	}
	if g.Fonts == nil {
		g.Fonts = [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF, goitalic.TTF, gomono.TTF}
	}
	orDefault(&g.Rotation, 0.2)
	orDefault(&g.Scaling, 0.1)
	orDefault(&g.Shift, 0.06)
	orDefault(&g.Noise, 0.05)
	return g
}

func (g Glyphs) check(characters []rune) error {
	switch {
	case len(characters) < 2:
		return fmt.Errorf("%d character(s) in %q; at least 2 classes are needed", len(characters), g.Characters)
	case len(g.Fonts) == 0:
		return errors.New("no font in Fonts; leave it nil for the Go fonts")
	case g.PerClass < 1 || g.Size < 1:
		return fmt.Errorf("%d points a class of %d×%d pixels; use positive numbers", g.PerClass, g.Size, g.Size)
	}
	for i, c := range characters {
		if slices.Contains(characters[:i], c) {
			return fmt.Errorf("the character %q is two classes of %q; give each once", c, g.Characters)
		}
	}
	return nil
}

func orDefault(v *float64, value float64) {
	if *v == 0 {
		*v = value
	}
	*v = max(*v, 0)
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
