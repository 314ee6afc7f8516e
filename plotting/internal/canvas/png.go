package canvas

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"git.sr.ht/~sbinet/gg"
	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/vector"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"qhlab/plotting/internal/label"
)

// raster is gonum's canvas of pixels; it adds stamps, labels from outlines, images with
// sharp edges, and files with a palette.
type raster struct {
	*vgimg.Canvas
	context       *gg.Context
	pixels        *image.RGBA
	width, height vg.Length
	dpi           float64
	colors        int
}

func newRaster(width, height vg.Length, o Options) (*raster, error) {
	r := &raster{width: width, height: height, dpi: o.DPI, colors: o.Colors}
	if r.dpi == 0 {
		r.dpi = 300
	}
	if r.colors == 0 {
		r.colors = 256
	}
	size := func(l vg.Length) int { return int(math.Round(l.Dots(r.dpi))) }
	r.pixels = image.NewRGBA(image.Rect(0, 0, max(1, size(width)), max(1, size(height))))
	r.context = gg.NewContextForRGBA(r.pixels)
	r.context.SetLineCapButt()
	r.context.InvertY()
	r.Canvas = vgimg.NewWith(vgimg.UseImageWithContext(r.pixels, r.context), vgimg.UseDPI(int(math.Round(r.dpi))))
	background := o.Background
	if background == nil {
		background = color.Transparent
	}
	draw.Draw(r.pixels, r.pixels.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	return r, nil
}

// Size returns the size that was asked for, not that of whole pixels.
func (r *raster) Size() (width, height vg.Length) { return r.width, r.height }

// SetLine fills the outlines of a line.
func (r *raster) SetLine(l *label.Line, size vg.Length, at vg.Point, align text.XAlignment) {
	r.Push()
	r.Translate(at.Add(vg.Point{X: vg.Length(float64(align)*l.Width) * size}))
	r.Fill(l.Path(size))
	r.Pop()
}

// DrawImage draws every pixel of the image as a cell, without smoothing.
func (r *raster) DrawImage(box vg.Rectangle, img image.Image) {
	r.context.SetInterpolator(xdraw.NearestNeighbor)
	r.Canvas.DrawImage(box, img)
	r.context.SetInterpolator(xdraw.BiLinear)
}

// phases is how many positions within a pixel, in each direction, a stamp is
// drawn at; a quarter of a pixel is finer than the eye at any resolution used.
const phases = 4

// Stamp rasterizes the shape once per phase and lays the masks down.
func (r *raster) Stamp(p vg.Path, fill color.Color, at []vg.Point) {
	shape := newPath(p, r.linear())
	var masks [phases * phases]*image.Alpha
	src := image.NewUniform(nrgba(fill))
	for _, a := range at {
		x, y := r.context.TransformPoint(a.X.Dots(r.dpi), a.Y.Dots(r.dpi))
		fx, fy := math.Floor(x*phases)/phases, math.Floor(y*phases)/phases
		ix, iy := math.Floor(fx), math.Floor(fy)
		k := int((fx-ix)*phases)*phases + int((fy-iy)*phases)
		if masks[k] == nil {
			masks[k] = mask(shape, fx-ix, fy-iy)
		}
		m := masks[k]
		draw.DrawMask(r.pixels, m.Rect.Add(image.Pt(int(ix), int(iy))), src, image.Point{}, m, m.Rect.Min, draw.Over)
	}
}

// linear maps points to pixels, but for the translation.
func (r *raster) linear() matrix {
	ex, ey := r.context.TransformPoint(0, 0)
	dots := vg.Length(1).Dots(r.dpi)
	ax, ay := r.context.TransformPoint(dots, 0)
	bx, by := r.context.TransformPoint(0, dots)
	return matrix{a: ax - ex, b: ay - ey, c: bx - ex, d: by - ey}
}

// mask rasterizes a shape around the origin, moved by a part of a pixel.
func mask(shape path, dx, dy float64) *image.Alpha {
	reach := 0.0
	for i := range shape {
		for _, p := range shape[i].points() {
			reach = math.Max(reach, math.Max(math.Abs(p.x), math.Abs(p.y)))
		}
	}
	n := int(math.Ceil(reach)) + 2
	m := image.NewAlpha(image.Rect(-n, -n, n, n))
	z := vector.NewRasterizer(2*n, 2*n)
	z.DrawOp = draw.Src
	at := func(p point) (float32, float32) {
		return float32(p.x + dx + float64(n)), float32(p.y + dy + float64(n))
	}
	for _, s := range shape {
		x, y := at(s.p[0])
		switch s.op {
		case 'M':
			z.MoveTo(x, y)
		case 'L':
			z.LineTo(x, y)
		case 'C':
			x2, y2 := at(s.p[1])
			x3, y3 := at(s.p[2])
			z.CubeTo(x, y, x2, y2, x3, y3)
		case 'Z':
			z.ClosePath()
		}
	}
	z.Draw(m, m.Rect, image.Opaque, image.Point{})
	return m
}

// WriteTo writes a PNG with a palette and its resolution.
func (r *raster) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, quantize(r.pixels, min(r.colors, 256))); err != nil {
		return 0, err
	}
	// pHYs stands between IHDR, which ends at byte 33, and the image data.
	const header = 33
	file := append(b.Bytes()[:header:header], physical(r.dpi)...)
	n, err := w.Write(append(file, b.Bytes()[header:]...))
	return int64(n), err
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
