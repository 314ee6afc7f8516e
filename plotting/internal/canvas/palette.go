package canvas

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// A pixel is a premultiplied colour, 0xRRGGBBAA.
type pixel uint32

func pixelAt(pix []uint8) pixel {
	return pixel(pix[0])<<24 | pixel(pix[1])<<16 | pixel(pix[2])<<8 | pixel(pix[3])
}

// quantize returns the image in at most limit colours, which shrinks the file to a third
// and less. Two thirds of the palette cover the whole range of colours in use, the rest is
// the most frequent ones, so that the flat colours of a figure stay exact and only blends
// at edges move.
func quantize(img *image.RGBA, limit int) *image.Paletted {
	colors := histogram(img)
	palette := colors
	if len(colors) > limit {
		palette = representatives(colors, limit*2/3)
		for _, c := range colors {
			if len(palette) < limit && !slices.Contains(palette, c) {
				palette = append(palette, c)
			}
		}
	}
	index := make(map[pixel]uint8, len(colors))
	for _, c := range colors {
		index[c] = nearest(palette, c)
	}
	out := image.NewPaletted(img.Rect, nil)
	for _, c := range palette {
		out.Palette = append(out.Palette, color.RGBA{uint8(c >> 24), uint8(c >> 16), uint8(c >> 8), uint8(c)})
	}
	last := pixelAt(img.Pix)
	i := index[last]
	for k := range out.Pix {
		if c := pixelAt(img.Pix[4*k:]); c != last {
			last, i = c, index[c]
		}
		out.Pix[k] = i
	}
	return out
}

// histogram returns the colours of an image, the most frequent first.
func histogram(img *image.RGBA) []pixel {
	counts := make(map[pixel]int)
	last, run := pixelAt(img.Pix), 0
	for i := 0; i < len(img.Pix); i += 4 {
		if c := pixelAt(img.Pix[i:]); c != last {
			counts[last] += run
			last, run = c, 0
		}
		run++
	}
	counts[last] += run
	colors := make([]pixel, 0, len(counts))
	for c := range counts {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b pixel) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return int(int64(a) - int64(b))
	})
	return colors
}

// representatives returns the most frequent colour of each group of colours that
// agree in their leading bits, with as many bits as give at most limit groups.
func representatives(colors []pixel, limit int) []pixel {
	for shift := 0; ; shift++ {
		mask := pixel(0xff>>shift<<shift) * 0x01010101
		seen := make(map[pixel]bool)
		var out []pixel
		for _, c := range colors {
			if !seen[c&mask] {
				seen[c&mask] = true
				out = append(out, c)
			}
		}
		if len(out) <= limit {
			return out
		}
	}
}

// nearest returns the index of the palette's colour nearest to c.
func nearest(palette []pixel, c pixel) uint8 {
	best, least := 0, math.MaxInt
	for k, p := range palette {
		d := 0
		for shift := 0; shift < 32; shift += 8 {
			e := int(p>>shift&255) - int(c>>shift&255)
			d += e * e
		}
		if d < least {
			best, least = k, d
		}
	}
	return uint8(best)
}
