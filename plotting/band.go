package plotting

import "gonum.org/v1/plot/vg"

// Band fills between two lines over the same x, as for a spread over seeds.
type Band struct {
	X, Low, High []float64
	Label        string // stands at the right end of the band's middle
	Role         Role
}

func (b Band) name() string { return "band" + quoted(b.Label) }

func (b Band) texts() []string { return []string{b.Label} }

func (b Band) extend(e *extent) error {
	if err := e.addNamed(b.X, "Low", b.Low); err != nil {
		return err
	}
	return e.addNamed(b.X, "High", b.High)
}

func (b Band) draw(p *pane) {
	low, high := p.points(b.X, b.Low), p.points(b.X, b.High)
	outline := append([]vg.Point(nil), low...)
	for i := len(high) - 1; i >= 0; i-- {
		outline = append(outline, high[i])
	}
	p.SetColor(tint(b.Role.Color(), 0.18))
	p.polygon(outline)
	n := len(low) - 1
	middle := vg.Point{X: low[n].X, Y: (low[n].Y + high[n].Y) / 2}
	if p.within(middle) {
		p.labelEnd(middle, b.Label, b.Role)
	}
}

func (b Band) endRoom(p *pane) vg.Length { return Line{X: b.X, Label: b.Label}.endRoom(p) }

func (b Band) stands() (string, Role, Style) { return b.Label, b.Role, Solid }
