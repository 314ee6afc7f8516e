package dataset

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Image returns point k of the set as a gray image: its first channel, with the
// range of the values stretched to black and white. The set must have a shape
// of channels, height and width.
func (s Set) Image(k int) *image.Gray {
	if len(s.Shape) != 3 {
		panic(fmt.Sprintf("dataset: %s: inputs of shape %v are no images", s.title(), s.Shape))
	}
	height, width := s.Shape[1], s.Shape[2]
	pixels := s.X.RawRowView(k)[:height*width]
	x := mat.NewDense(height, width, pixels)
	low, high := mat.Min(x), mat.Max(x)
	gray := image.NewGray(image.Rect(0, 0, width, height))
	if high > low {
		for i, v := range pixels {
			gray.Pix[i] = uint8(math.Round(255 * (v - low) / (high - low)))
		}
	}
	return gray
}
