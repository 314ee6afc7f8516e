package render

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"sort"
)

// WritePNG writes an opaque image with its resolution in pixels per inch. The
// colours are reduced to a palette of at most so many, 256 or fewer, which shrinks
// the file to a third and less: figures are few colours and their blends with
// the paper.
func WritePNG(w io.Writer, img *image.RGBA, dpi float64, colors int) error {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := encoder.Encode(&b, quantize(img, colors)); err != nil {
		return err
	}
	// pHYs stands between IHDR, which ends at byte 33, and the image data.
	const header = 33
	if _, err := w.Write(b.Bytes()[:header]); err != nil {
		return err
	}
	if _, err := w.Write(physical(dpi)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes()[header:])
	return err
}

// physical is the PNG chunk that states the resolution in pixels per metre.
func physical(dpi float64) []byte {
	const inch = 0.0254
	perMetre := uint32(math.Round(dpi / inch))
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = append(chunk, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// quantize returns the image in at most limit colours. Two thirds of the palette cover
// the whole range of colours in use, the rest is the most frequent ones, so
// that the flat colours of a figure stay exact and only blends at edges move.
func quantize(img *image.RGBA, limit int) *image.Paletted {
	colors := histogram(img)
	palette := representatives(colors, limit*2/3)
	if len(colors) <= limit {
		palette = nil
	}
	chosen := make(map[uint32]bool)
	for _, c := range palette {
		chosen[c] = true
	}
	for _, c := range colors {
		if len(palette) == limit {
			break
		}
		if !chosen[c.rgb] {
			palette = append(palette, c.rgb)
		}
	}
	to := make(map[uint32]uint8, len(colors))
	for _, c := range colors {
		to[c.rgb] = nearest(palette, c.rgb)
	}
	return remap(img, to, palette)
}

// frequency is how often a colour, 0xRRGGBB, occurs.
type frequency struct {
	rgb   uint32
	count int
}

func rgbAt(pix []uint8) uint32 { return uint32(pix[0])<<16 | uint32(pix[1])<<8 | uint32(pix[2]) }

// histogram returns the colours of an image, the most frequent first.
func histogram(img *image.RGBA) []frequency {
	counts := make(map[uint32]int)
	last, run := rgbAt(img.Pix), 0
	for i := 0; i < len(img.Pix); i += 4 {
		if c := rgbAt(img.Pix[i:]); c != last {
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
	sort.Slice(colors, func(i, j int) bool {
		a, b := colors[i], colors[j]
		if a.count != b.count {
			return a.count > b.count
		}
		return a.rgb < b.rgb
	})
	return colors
}

// representatives returns the most frequent colour of each group of colours that
// agree in their leading bits, with as many bits as give at most limit groups.
func representatives(colors []frequency, limit int) []uint32 {
	for shift := uint(0); ; shift++ {
		mask := uint32(0xff>>shift<<shift) * 0x010101
		seen := make(map[uint32]bool)
		var out []uint32
		for _, c := range colors {
			if !seen[c.rgb&mask] {
				seen[c.rgb&mask] = true
				out = append(out, c.rgb)
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
		dr, dg, db := int(p>>16)-int(c>>16), int(p>>8&255)-int(c>>8&255), int(p&255)-int(c&255)
		if d := dr*dr + dg*dg + db*db; d < least {
			best, least = k, d
		}
	}
	return uint8(best)
}

func remap(img *image.RGBA, to map[uint32]uint8, palette []uint32) *image.Paletted {
	colors := make(color.Palette, len(palette))
	for k, c := range palette {
		colors[k] = color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255}
	}
	out := image.NewPaletted(img.Bounds(), colors)
	last, index := uint32(1<<31), uint8(0)
	for i := range out.Pix {
		if c := rgbAt(img.Pix[4*i:]); c != last {
			last, index = c, to[c]
		}
		out.Pix[i] = index
	}
	return out
}
