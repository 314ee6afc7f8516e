package plotting

import (
	"image"
	"image/color"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/render"
)

// drawOn draws a laid-out figure.
func (pl *plan) drawOn(c canvas, f Figure) error {
	for i, p := range pl.panes {
		p.canvas = c
		for _, l := range p.Layers {
			l.draw(p)
		}
		if p.err != nil {
			return f.panelError(i, p.err)
		}
		p.drawAxes()
		p.drawEnds()
		p.drawNotes()
	}
	if f.Title != "" && len(pl.panes) > 0 {
		p := pl.panes[0]
		p.text(vg.Point{X: p.yLabelX(), Y: pl.height - pl.title*1.25}, f.Title, pl.title, ink, alignLeft)
	}
	return nil
}

// blank is a canvas that shows nothing, to find the mistakes that drawing finds.
type blank struct{}

func (blank) SetColor(color.Color)                                {}
func (blank) SetLineWidth(vg.Length)                              {}
func (blank) SetLineDash([]vg.Length)                             {}
func (blank) Stroke(vg.Path)                                      {}
func (blank) Fill(vg.Path)                                        {}
func (blank) Stamp(vg.Path, []vg.Point)                           {}
func (blank) DrawImage(vg.Rectangle, image.Image)                 {}
func (blank) Label(vg.Point, string, vg.Length, render.Alignment) {}
