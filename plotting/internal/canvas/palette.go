package canvas

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// quantize returns the image in at most limit colours, which shrinks the file to a third
// and less. Two thirds of the palette cover the whole range of colours in use, the rest is
// the most frequent ones, so that the flat colours of a figure stay exact and only blends
// at edges move.
func quantize(img *image.RGBA, limit int) *image.Paletted {
	colors := histogram(img)
	var palette []uint32
	if len(colors) > limit {
		palette = representatives(colors, limit*2/3)
	}
	chosen := make(map[uint32]bool)
	for _, c := range palette {
		chosen[c] = true
	}
	for _, c := range colors {
		if len(palette) == limit {
			break
		}
		if !chosen[c.rgba] {
			palette = append(palette, c.rgba)
		}
	}
	to := make(map[uint32]uint8, len(colors))
	for _, c := range colors {
		to[c.rgba] = nearest(palette, c.rgba)
	}
	return remap(img, to, palette)
}

// frequency is how often a colour occurs, premultiplied, 0xRRGGBBAA.
type frequency struct {
	rgba  uint32
	count int
}

func rgbaAt(pix []uint8) uint32 {
	return uint32(pix[0])<<24 | uint32(pix[1])<<16 | uint32(pix[2])<<8 | uint32(pix[3])
}

// histogram returns the colours of an image, the most frequent first.
func histogram(img *image.RGBA) []frequency {
	counts := make(map[uint32]int)
	last, run := rgbaAt(img.Pix), 0
	for i := 0; i < len(img.Pix); i += 4 {
		if c := rgbaAt(img.Pix[i:]); c != last {
			counts[last] += run
			last, run = c, 0
		}
		run++
	}
	counts[last] += run
	colors := make([]frequency, 0, len(counts))
	for c, n := range counts {
		colors = append(colors, frequency{c, n})
	}
	slices.SortFunc(colors, func(a, b frequency) int {
		if a.count != b.count {
			return b.count - a.count
		}
		return int(int64(a.rgba) - int64(b.rgba))
	})
	return colors
}

// representatives returns the most frequent colour of each group of colours that
// agree in their leading bits, with as many bits as give at most limit groups.
func representatives(colors []frequency, limit int) []uint32 {
	for shift := uint(0); ; shift++ {
		mask := uint32(0xff>>shift<<shift) * 0x01010101
		seen := make(map[uint32]bool)
		var out []uint32
		for _, c := range colors {
			if !seen[c.rgba&mask] {
				seen[c.rgba&mask] = true
				out = append(out, c.rgba)
			}
		}
		if len(out) <= limit {
			return out
		}
	}
}

// nearest returns the index of the palette's colour nearest to c.
func nearest(palette []uint32, c uint32) uint8 {
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

func remap(img *image.RGBA, to map[uint32]uint8, palette []uint32) *image.Paletted {
	colors := make(color.Palette, len(palette))
	for k, c := range palette {
		colors[k] = color.RGBA{uint8(c >> 24), uint8(c >> 16), uint8(c >> 8), uint8(c)}
	}
	out := image.NewPaletted(img.Bounds(), colors)
	last := rgbaAt(img.Pix)
	index := to[last]
	for i := range out.Pix {
		if c := rgbaAt(img.Pix[4*i:]); c != last {
			last, index = c, to[c]
		}
		out.Pix[i] = index
	}
	return out
}
