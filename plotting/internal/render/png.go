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
// colours are reduced to a palette of 256, which shrinks the file to about a
// third: pictures here are few colours and their blends with the paper.
func WritePNG(w io.Writer, img *image.RGBA, dpi float64) error {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, quantize(img)); err != nil {
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

// quantize returns the image in at most 256 colours. Colours that agree in their
// leading bits share the most frequent of them, with as many bits as fit; so
// the flat colours of a figure stay exact and only blends move.
func quantize(img *image.RGBA) *image.Paletted {
	counts := make(map[uint32]int)
	var last uint32
	run := 0
	for i := 0; i < len(img.Pix); i += 4 {
		c := uint32(img.Pix[i])<<16 | uint32(img.Pix[i+1])<<8 | uint32(img.Pix[i+2])
		if c == last {
			run++
			continue
		}
		counts[last] += run
		last, run = c, 1
	}
	counts[last] += run
	for shift := uint(0); ; shift++ {
		if to, palette := merge(counts, shift); len(palette) <= 256 {
			return remap(img, to, palette)
		}
	}
}

// merge drops the last bits of each channel and returns the palette index of
// every colour.
func merge(counts map[uint32]int, shift uint) (to map[uint32]uint8, palette color.Palette) {
	colors := make([]uint32, 0, len(counts))
	for c := range counts {
		colors = append(colors, c)
	}
	sort.Slice(colors, func(i, j int) bool {
		a, b := colors[i], colors[j]
		if counts[a] != counts[b] {
			return counts[a] > counts[b]
		}
		return a < b
	})
	mask := uint32(0xff>>shift<<shift) * 0x010101
	bins := make(map[uint32]uint8)
	to = make(map[uint32]uint8, len(colors))
	for _, c := range colors {
		k, ok := bins[c&mask]
		if !ok {
			if len(palette) == 256 {
				return nil, make(color.Palette, 257)
			}
			k = uint8(len(palette))
			bins[c&mask] = k
			palette = append(palette, color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255})
		}
		to[c] = k
	}
	return to, palette
}

func remap(img *image.RGBA, to map[uint32]uint8, palette color.Palette) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), palette)
	last, index := uint32(1<<31), uint8(0)
	for i := range out.Pix {
		p := img.Pix[4*i:]
		c := uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
		if c != last {
			last, index = c, to[c]
		}
		out.Pix[i] = index
	}
	return out
}
