package plotting

import "gonum.org/v1/plot/vg"

// ReferenceY is a dotted horizontal line: the value the theory predicts. Its label
// stands at its right end.
type ReferenceY struct {
	At    float64
	Label string
}

func (r ReferenceY) name() string { return "reference" + quoted(r.Label) }

func (r ReferenceY) texts() []string { return []string{r.Label} }

func (r ReferenceY) extend(e *extent) error {
	return addAll(&e.y, e.yAxis, "At", []float64{r.At})
}

func (r ReferenceY) draw(p *pane) {
	v := p.Y.position(r.At)
	points := []vg.Point{p.at(p.x.lo, v), p.at(p.x.hi, v)}
	p.stroke(points, Reference, RoleStyle, false)
	p.labelLine(points, r.Label, Reference)
}

func (r ReferenceY) endRoom(p *pane) vg.Length { return p.labelRoom(r.Label) }

func (r ReferenceY) stands() (string, Role, Style) { return r.Label, Reference, RoleStyle }

// ReferenceX is a dotted vertical line: where something happens. Its label stands
// beside it.
type ReferenceX struct {
	At    float64
	Label string
}

func (r ReferenceX) name() string { return "reference" + quoted(r.Label) }

func (r ReferenceX) texts() []string { return []string{r.Label} }

func (r ReferenceX) extend(e *extent) error {
	if e.second {
		return nil
	}
	return addAll(&e.x, e.xAxis, "At", []float64{r.At})
}

func (r ReferenceX) draw(p *pane) {
	u := p.X.position(r.At)
	top := p.at(u, p.y.hi)
	p.stroke([]vg.Point{p.at(u, p.y.lo), top}, Reference, RoleStyle, false)
	right := top.X + p.label*0.5
	left := top.X - p.label*0.5 - width(r.Label, p.label)
	var places []vg.Point
	for _, share := range []vg.Length{0, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85} {
		y := top.Y - p.label - share*p.box.Size().Y
		places = append(places, vg.Point{X: right, Y: y}, vg.Point{X: left, Y: y})
	}
	p.annotate(r.Label, soft, places...)
}

// ReferenceCurve is a dotted curve: the function the theory predicts.
type ReferenceCurve struct {
	F        func(x float64) float64
	From, To float64
	Label    string
}

func (r ReferenceCurve) curve() Curve {
	return Curve{F: r.F, From: r.From, To: r.To, Label: r.Label, Role: Reference}
}

func (r ReferenceCurve) name() string                  { return "reference" + quoted(r.Label) }
func (r ReferenceCurve) texts() []string               { return []string{r.Label} }
func (r ReferenceCurve) extend(e *extent) error        { return r.curve().extend(e) }
func (r ReferenceCurve) draw(p *pane)                  { r.curve().draw(p) }
func (r ReferenceCurve) endRoom(p *pane) vg.Length     { return r.curve().endRoom(p) }
func (r ReferenceCurve) stands() (string, Role, Style) { return r.curve().stands() }
