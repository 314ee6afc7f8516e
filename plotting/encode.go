package plotting

import (
	"bytes"

	"qhlab/plotting/internal/render"
)

// Format is a file format of a figure.
type Format string

// The formats.
const (
	PNG Format = "png" // 300 pixels per inch
	SVG Format = "svg" // text as text, with fallback fonts
	PDF Format = "pdf" // fonts embedded, as far as used
	PGF Format = "pgf" // for \input in LaTeX, set in the document's font
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

// Sizes of the palettes of PNG pictures. A notebook keeps its pictures in one
// file, so they are small; lines and points lose nothing that is seen at double
// density.
const (
	fullPalette  = 256
	smallPalette = 96
)

// screenPalette is the palette for a notebook: small unless colours run into each
// other.
func (f Figure) screenPalette() int {
	for _, p := range f.Panels {
		for _, l := range p.Layers {
			switch l.(type) {
			case HeatMap, Scene:
				return fullPalette
			}
		}
	}
	return smallPalette
}

// Encode draws the figure. The same figure gives the same bytes.
func Encode(f Figure, format Format) ([]byte, error) {
	if format == PNG {
		b, _, err := f.png(printDPI, fullPalette)
		return b, err
	}
	pl, err := f.plan()
	if err != nil {
		return nil, err
	}
	c, document := pl.document(f, format)
	if document == nil {
		return nil, f.errorf("cannot be drawn as %q; the formats are png, svg, pdf and pgf", format)
	}
	if err := pl.drawOn(c, f); err != nil {
		return nil, err
	}
	data, err := document.Bytes()
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	return data, nil
}

// document starts a vector drawing.
func (pl *plan) document(f Figure, format Format) (canvas, interface{ Bytes() ([]byte, error) }) {
	switch format {
	case SVG:
		return render.NewSVG(pl.width, pl.height, f.heading(), f.Caption)
	case PDF:
		return render.NewPDF(pl.width, pl.height, f.heading())
	case PGF:
		return render.NewPGF(pl.width, pl.height, f.alternative())
	}
	return nil, nil
}

// png draws the figure at a resolution in a number of colours and returns its width
// in pixels.
func (f Figure) png(dpi float64, colors int) (data []byte, width int, err error) {
	pl, err := f.plan()
	if err != nil {
		return nil, 0, err
	}
	c, img := render.NewRaster(pl.width, pl.height, dpi)
	if err := pl.drawOn(c, f); err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	if err := render.WritePNG(&b, img, dpi, colors); err != nil {
		return nil, 0, err
	}
	return b.Bytes(), img.Bounds().Dx(), nil
}
