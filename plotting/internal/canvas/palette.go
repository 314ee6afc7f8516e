package canvas

import (
	"encoding/binary"
	"image"
	"image/color"
	"maps"
	"slices"
)

// quantize returns the image in at most limit colours, which shrinks the file to a third
// and less. Two thirds of the palette cover the whole range of colours in use, the rest is
// the most frequent ones, so that the flat colours of a figure stay exact and only blends
// at edges move.
func quantize(img *image.RGBA, limit int) *image.Paletted {
	colors := histogram(img)
	chosen := colors
	if len(colors) > limit {
		chosen = representatives(colors, limit*2/3)
		for _, c := range colors {
			if len(chosen) < limit && !slices.Contains(chosen, c) {
				chosen = append(chosen, c)
			}
		}
	}
	out := image.NewPaletted(img.Rect, nil)
	for _, c := range chosen {
		out.Palette = append(out.Palette, rgba(c))
	}
	index := make(map[uint32]uint8, len(colors))
	for _, c := range colors {
		index[c] = uint8(out.Palette.Index(rgba(c)))
	}
	last := binary.BigEndian.Uint32(img.Pix)
	i := index[last]
	for k := range out.Pix {
		if c := binary.BigEndian.Uint32(img.Pix[4*k:]); c != last {
			last, i = c, index[c]
		}
		out.Pix[k] = i
	}
	return out
}

// rgba is a pixel's colour, 0xRRGGBBAA.
func rgba(c uint32) color.RGBA {
	return color.RGBA{uint8(c >> 24), uint8(c >> 16), uint8(c >> 8), uint8(c)}
}

// histogram returns the pixels' colours, the most frequent first.
func histogram(img *image.RGBA) []uint32 {
	counts := make(map[uint32]int)
	last, run := binary.BigEndian.Uint32(img.Pix), 0
	for i := 0; i < len(img.Pix); i += 4 {
		if c := binary.BigEndian.Uint32(img.Pix[i:]); c != last {
			counts[last] += run
			last, run = c, 0
		}
		run++
	}
	counts[last] += run
	return slices.SortedFunc(maps.Keys(counts), func(a, b uint32) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return int(int64(a) - int64(b))
	})
}

// representatives returns the most frequent colour of each group of colours that
// agree in their leading bits, with as many bits as give at most limit groups.
func representatives(colors []uint32, limit int) []uint32 {
	for shift := 0; ; shift++ {
		mask := uint32(0xff>>shift<<shift) * 0x01010101
		seen := make(map[uint32]bool)
		out := slices.DeleteFunc(slices.Clone(colors), func(c uint32) bool {
			again := seen[c&mask]
			seen[c&mask] = true
			return again
		})
		if len(out) <= limit {
			return out
		}
	}
}
