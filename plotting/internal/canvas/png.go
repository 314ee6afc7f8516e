package canvas

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"maps"
	"math"
	"slices"

	"git.sr.ht/~sbinet/gg"
	xdraw "golang.org/x/image/draw"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// raster is gonum's canvas of pixels, with what that lacks.
type raster struct {
	*vgimg.Canvas
	context *gg.Context
	pixels  *image.RGBA
	dpi     float64
	colors  int
}

func newRaster(width, height vg.Length, o Options) *raster {
	r := &raster{dpi: cmp.Or(o.DPI, 300), colors: o.Colors}
	size := func(l vg.Length) int { return max(1, int(math.Round(l.Dots(r.dpi)))) }
	r.pixels = image.NewRGBA(image.Rect(0, 0, size(width), size(height)))
	r.context = gg.NewContextForRGBA(r.pixels)
	r.context.SetLineCapButt()
	r.context.InvertY()
	r.Canvas = vgimg.NewWith(vgimg.UseImageWithContext(r.pixels, r.context), vgimg.UseDPI(int(math.Round(r.dpi))))
	draw.Draw(r.pixels, r.pixels.Bounds(), image.NewUniform(cmp.Or[color.Color](o.Background, color.Transparent)), image.Point{}, draw.Src)
	return r
}

// DrawImage draws every pixel of the image as a cell, without smoothing.
func (r *raster) DrawImage(box vg.Rectangle, img image.Image) {
	r.context.SetInterpolator(xdraw.NearestNeighbor)
	r.Canvas.DrawImage(box, img)
	r.context.SetInterpolator(xdraw.BiLinear)
}

// Stamp lays down masks of the shape, one for each phase, which is a place within a pixel.
func (r *raster) Stamp(p vg.Path, fill color.Color, at []vg.Point) {
	const phases = 4
	masks := make(map[[2]float64]*image.Alpha)
	src := image.NewUniform(nrgba(fill))
	for _, a := range at {
		x, y := r.context.TransformPoint(a.X.Dots(r.dpi), a.Y.Dots(r.dpi))
		left, top := math.Floor(x), math.Floor(y)
		phase := [2]float64{math.Floor((x-left)*phases) / phases, math.Floor((y-top)*phases) / phases}
		if masks[phase] == nil {
			masks[phase] = r.mask(p, phase[0], phase[1])
		}
		mask := masks[phase]
		corner := image.Pt(int(left)-mask.Rect.Dx()/2, int(top)-mask.Rect.Dy()/2)
		draw.DrawMask(r.pixels, mask.Rect.Add(corner), src, image.Point{}, mask, image.Point{}, draw.Over)
	}
}

// mask rasterizes a shape around the middle of a square, moved by a part of a pixel.
func (r *raster) mask(p vg.Path, dx, dy float64) *image.Alpha {
	x0, y0 := r.context.TransformPoint(0, 0)
	x1, y1 := r.context.TransformPoint(1, 0)
	x2, y2 := r.context.TransformPoint(0, 1)
	across, up := math.Hypot(x1-x0, y1-y0), math.Hypot(x2-x0, y2-y0)
	reach := vg.Length(0)
	for _, c := range p {
		for _, q := range append(c.Control, c.Pos) {
			reach = max(reach, q.X+c.Radius, q.Y+c.Radius, c.Radius-q.X, c.Radius-q.Y)
		}
	}
	n := int(math.Ceil(reach.Dots(r.dpi)*max(across, up))) + 2
	pixels := image.NewRGBA(image.Rect(0, 0, 2*n, 2*n))
	z := gg.NewContextForRGBA(pixels)
	z.Translate(dx+float64(n), dy+float64(n))
	z.Rotate(math.Atan2(y1-y0, x1-x0))
	z.Scale(across, -up)
	c := vgimg.NewWith(vgimg.UseImageWithContext(pixels, z), vgimg.UseDPI(int(math.Round(r.dpi))))
	clear(pixels.Pix) // which that has painted
	c.Fill(p)
	return z.AsMask()
}

// WriteTo writes a PNG with a palette and its resolution.
func (r *raster) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	var img image.Image
	if r.colors > 0 {
		img, _ = quantize(r.pixels, r.colors)
	} else {
		img = smaller(r.pixels)
	}
	if err := png.Encode(&b, img); err != nil {
		return 0, err
	}
	const header, inch = 33, 0.0254 // bytes up to the end of IHDR; metres
	perMetre := uint32(math.Round(r.dpi / inch))
	chunk := binary.BigEndian.AppendUint32([]byte("\x00\x00\x00\x09pHYs"), perMetre)
	chunk = append(binary.BigEndian.AppendUint32(chunk, perMetre), 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	n, err := w.Write(append(append(b.Bytes()[:header:header], chunk...), b.Bytes()[header:]...))
	return int64(n), err
}

// smaller returns the image in 256 colours, which shrinks the file to a third and less, or as it is if
// one would see that, as in a photograph. Figures of this package's layers move 1 pixel of 300.
func smaller(img *image.RGBA) image.Image {
	if out, moved := quantize(img, 256); moved < 0.01 {
		return out
	}
	return img
}

// quantize returns the image in at most limit colours, and the share of its pixels that this moves by
// more than 8 of 255. Two thirds of the palette cover the whole range of colours in use, the rest is the
// most frequent ones, so that the flat colours of a figure stay exact and only blends at edges move.
func quantize(img *image.RGBA, limit int) (out *image.Paletted, moved float64) {
	counts := make(map[uint32]int)
	runs(img, func(c uint32, from, to int) { counts[c] += to - from })
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b uint32) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	chosen := colors
	if len(colors) > limit {
		chosen = representatives(colors, limit*2/3)
		for _, c := range colors {
			if len(chosen) < limit && !slices.Contains(chosen, c) {
				chosen = append(chosen, c)
			}
		}
	}
	rgba := func(c uint32) color.RGBA { return color.RGBA{uint8(c >> 24), uint8(c >> 16), uint8(c >> 8), uint8(c)} }
	out = image.NewPaletted(img.Rect, nil)
	for _, c := range chosen {
		out.Palette = append(out.Palette, rgba(c))
	}
	index := make(map[uint32]byte, len(colors))
	for _, c := range colors {
		i := out.Palette.Index(rgba(c))
		if index[c] = byte(i); farther(chosen[i], c, 8) {
			moved += float64(counts[c]) / float64(len(out.Pix))
		}
	}
	runs(img, func(c uint32, from, to int) {
		i := index[c]
		for k := from; k < to; k++ {
			out.Pix[k] = i
		}
	})
	return out, moved
}

// farther says whether two colours 0xRRGGBBAA differ by more than some in red, green, blue or opacity.
func farther(a, b uint32, some int) bool {
	for shift := 0; shift < 32; shift += 8 {
		if d := int(byte(a>>shift)) - int(byte(b>>shift)); d > some || -d > some {
			return true
		}
	}
	return false
}

// runs gives the colours 0xRRGGBBAA of an image, each with pixels that follow each other.
func runs(img *image.RGBA, visit func(c uint32, from, to int)) {
	from, last := 0, binary.BigEndian.Uint32(img.Pix)
	for i := range len(img.Pix) / 4 {
		if c := binary.BigEndian.Uint32(img.Pix[4*i:]); c != last {
			visit(last, from, i)
			from, last = i, c
		}
	}
	visit(last, from, len(img.Pix)/4)
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
