package render

import (
	"image"
	"image/color"
	"math"
)

// Viewers smooth an image as they like, so few cells are drawn as rectangles, and
// more as an image of print resolution, in which a smoothed edge is not seen.

// mostCells is the number of cells up to which an image is drawn as rectangles.
const mostCells = 64 * 64

func few(img image.Image) bool {
	return img.Bounds().Dx()*img.Bounds().Dy() <= mostCells
}

// cell is a rectangle of one colour.
type cell struct {
	color  color.NRGBA
	lo, hi point
}

// overlap is by how many points a cell reaches under the next one to the right
// and below: viewers show the paper between two cells that only touch.
const overlap = 0.2

// cells returns the pixels of an image over the box from lo to hi, equal neighbours
// of a row in one, to be drawn in their order.
func cells(img image.Image, lo, hi point) (out []cell) {
	b := img.Bounds()
	dx, dy := (hi.x-lo.x)/float64(b.Dx()), (hi.y-lo.y)/float64(b.Dy())
	at := func(x, y int) color.NRGBA {
		return color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
	}
	for y := range b.Dy() {
		for x, end := 0, 0; x < b.Dx(); x = end {
			for end = x + 1; end < b.Dx() && at(end, y) == at(x, y); end++ {
			}
			out = append(out, cell{
				color: at(x, y),
				lo:    point{lo.x + dx*float64(x), math.Max(lo.y, hi.y-dy*float64(y+1)-overlap)},
				hi:    point{math.Min(hi.x, lo.x+dx*float64(end)+overlap), hi.y - dy*float64(y)},
			})
		}
	}
	return out
}

// enlarged returns an image whose cells are several pixels wide, 300 to an inch at
// least.
func enlarged(img image.Image, lo, hi point) *image.NRGBA {
	const perPoint = 300.0 / 72
	b := img.Bounds()
	kx := max(1, int(math.Ceil((hi.x-lo.x)*perPoint/float64(b.Dx()))))
	ky := max(1, int(math.Ceil((hi.y-lo.y)*perPoint/float64(b.Dy()))))
	out := image.NewNRGBA(image.Rect(0, 0, kx*b.Dx(), ky*b.Dy()))
	for y := range b.Dy() {
		row := out.Pix[y*ky*out.Stride : (y*ky+1)*out.Stride]
		for x := range b.Dx() {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			for k := range kx {
				copy(row[4*(x*kx+k):], []uint8{c.R, c.G, c.B, c.A})
			}
		}
		for k := 1; k < ky; k++ {
			copy(out.Pix[(y*ky+k)*out.Stride:], row)
		}
	}
	return out
}
