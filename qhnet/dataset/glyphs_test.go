package dataset_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/dataset"
)

func ExampleGlyphs() {
	// An upright seven without any randomness but the font's.
	glyphs := dataset.Glyphs{Characters: "7L", PerClass: 1, Size: 12, Rotation: -1, Scaling: -1, Shift: -1, Noise: -1}
	set, err := glyphs.Sample(rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		fmt.Println(err)
		return
	}
	seven := set.Image(0)
	for y := 1; y < 11; y++ {
		line := ""
		for x := range 12 {
			line += string(" .oO@"[seven.GrayAt(x, y).Y/52])
		}
		fmt.Println("|" + line + "|")
	}
	// Output:
	// |   ......   |
	// |   O@@@@O   |
	// |       @o   |
	// |      o@    |
	// |      @.    |
	// |     OO     |
	// |    .@.     |
	// |    O@      |
	// |    @O      |
	// |    .       |
}

// Ink must not depend on where the glyph sits: coverage is exact.
func TestGlyphInkIsPreservedByRotationAndShift(t *testing.T) {
	ink := func(g dataset.Glyphs) []float64 {
		g.Scaling, g.Noise, g.PerClass, g.Fonts = -1, -1, 12, [][]byte{goregular.TTF}
		set, err := g.Sample(seeded(4))
		if err != nil {
			t.Fatal(err)
		}
		total := make([]float64, set.Len())
		for k := range total {
			total[k] = floats.Sum(set.X.RawRowView(k))
		}
		return total
	}
	still := ink(dataset.Glyphs{Rotation: -1, Shift: -1})
	moved := ink(dataset.Glyphs{})
	for k := range still {
		// The rasterizer's fixed point rounds corners to 1/512 pixel and coverage to 1/255.
		if math.Abs(moved[k]-still[k]) > 0.01*still[k] {
			t.Errorf("glyph %d: ink %v at rest, %v moved", k, still[k], moved[k])
		}
	}
}

func TestGlyphsRejectBadSettings(t *testing.T) {
	for _, test := range []struct {
		glyphs dataset.Glyphs
		want   string
	}{
		{dataset.Glyphs{Characters: "7"}, "at least 2 classes"},
		{dataset.Glyphs{Characters: "0水"}, "'水': the font has no such character"},
		{dataset.Glyphs{Fonts: [][]byte{[]byte("no font")}}, "font 0"},
		{dataset.Glyphs{Fonts: [][]byte{}}, "no font in Fonts"},
		{dataset.Glyphs{Characters: "0O0"}, "'0' is two classes"},
		{dataset.Glyphs{PerClass: -1}, "-1 points a class of 16×16 pixels"},
		{dataset.Glyphs{Size: -1}, "of -1×-1 pixels"},
		{dataset.Glyphs{Size: 1 << 20}, "at most 1073741824 entries"},
		{dataset.Glyphs{PerClass: math.MaxInt}, "at most 1073741824 entries"},
		{dataset.Glyphs{Rotation: math.NaN()}, "Rotation is NaN"},
		{dataset.Glyphs{Scaling: math.Inf(1)}, "Scaling is +Inf"},
		{dataset.Glyphs{Shift: math.NaN()}, "Shift is NaN"},
		{dataset.Glyphs{Noise: math.NaN()}, "Noise is NaN"},
	} {
		_, err := test.glyphs.Sample(seeded(1))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}

func BenchmarkGlyphs(b *testing.B) {
	for _, size := range []int{12, 16, 28} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			rng := seeded(1)
			for b.Loop() {
				if _, err := (dataset.Glyphs{Size: size}).Sample(rng); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
