package plotting

import (
	"bytes"
	"fmt"

	"qhlab/plotting/internal/render"
)

// Format is a file format of a figure.
type Format string

// The formats.
const (
	PNG Format = "png" // 300 dots per inch
)

// Resolutions in pixels per inch: of a PNG file for print, and of a picture in a
// notebook, whose browser shows it at half its size on a plain screen and in full
// on one of double density.
const (
	printDPI  = 300
	screenDPI = 2 * notebookDPI
	// notebookDPI makes type of 8 points 12 pixels high, so that it is as
	// large as the notebook's own small print.
	notebookDPI = 108
)

// Encode draws the figure. The same figure gives the same bytes.
func Encode(f Figure, format Format) ([]byte, error) {
	switch format {
	case PNG:
		b, _, err := f.png(printDPI)
		return b, err
	}
	return nil, fmt.Errorf("plotting: unknown format %q", format)
}

// png draws the figure at a resolution and returns its width in pixels.
func (f Figure) png(dpi float64) (data []byte, width int, err error) {
	pl, err := f.plan()
	if err != nil {
		return nil, 0, err
	}
	c, img := render.NewRaster(pl.width, pl.height, dpi)
	pl.drawOn(c, f)
	var b bytes.Buffer
	if err := render.WritePNG(&b, img, dpi); err != nil {
		return nil, 0, err
	}
	return b.Bytes(), img.Bounds().Dx(), nil
}
