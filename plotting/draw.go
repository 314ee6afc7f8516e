package plotting

import "gonum.org/v1/plot/vg"

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
		p.drawNotes()
		p.drawEnds()
	}
	if f.Title != "" && len(pl.panes) > 0 {
		p := pl.panes[0]
		p.text(vg.Point{X: p.yLabelX(), Y: pl.height - pl.title*1.25}, f.Title, pl.title, ink, alignLeft)
	}
	return nil
}
