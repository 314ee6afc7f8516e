package plotting

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
)

// Circle is a circle in the units of the x axis, for panels with Equal.
type Circle struct {
	X, Y, R float64
	Label   string // in the middle, or beside a circle too small for it
	Role    Role
	Filled  bool
	Style   Style
}

func (c Circle) name() string { return "circle" + quoted(c.Label) }

func (c Circle) texts() []string { return []string{c.Label} }

func (c Circle) extend(e *extent) error {
	if !(c.R >= 0) {
		return fmt.Errorf("has the radius %g", c.R)
	}
	return e.add([]float64{c.X - c.R, c.X + c.R}, []float64{c.Y - c.R, c.Y + c.R})
}

func (c Circle) draw(p *pane) {
	const n = 120 // chords; at 3 inches across they leave the circle by 0.04 points
	points := make([]vg.Point, n+1)
	for k := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / n)
		points[k] = p.point(c.X+c.R*cos, c.Y+c.R*sin)
	}
	points[n] = points[0]
	if c.Filled {
		p.SetColor(tint(c.Role.Color(), 0.22))
		p.polygon(points[:n])
	}
	style := c.Style
	if style == RoleStyle && c.Role != Reference {
		style = Solid
	}
	p.stroke(points, c.Role, style, true)
	middle, w := p.point(c.X, c.Y), width(c.Label, p.label)
	right := points[n/8]
	inside := vg.Point{X: middle.X - w/2, Y: middle.Y - p.label*0.36}
	beside := vg.Point{X: right.X + p.label*0.3, Y: right.Y + p.label*0.4}
	above := vg.Point{X: middle.X - w/2, Y: points[n/4].Y + p.label*0.4}
	if w > (points[0].X-middle.X)*1.6 {
		p.annotate(c.Label, c.Role.Color(), beside, above)
		return
	}
	p.annotate(c.Label, c.Role.Color(), inside, beside, above)
}

// Arrow points from (X, Y) to (ToX, ToY). Its label stands at its head.
type Arrow struct {
	X, Y, ToX, ToY float64
	Label          string
	Role           Role
}

func (a Arrow) name() string { return "arrow" + quoted(a.Label) }

func (a Arrow) texts() []string { return []string{a.Label} }

func (a Arrow) extend(e *extent) error {
	return e.add([]float64{a.X, a.ToX}, []float64{a.Y, a.ToY})
}

func (a Arrow) draw(p *pane) {
	from, to := p.point(a.X, a.Y), p.point(a.ToX, a.ToY)
	p.shaft(from, to, a.Role)
	p.labelHead(from, to, a.Label, a.Role)
}

// shaft draws an arrow whose line ends within its head.
func (p *pane) shaft(from, to vg.Point, r Role) {
	length := vg.Length(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
	if length == 0 {
		return
	}
	cut := min(p.look.line*2, length) / length
	p.pen(r.Color(), p.look.line, nil)
	p.line([]vg.Point{from, {X: to.X - cut*(to.X-from.X), Y: to.Y - cut*(to.Y-from.Y)}})
	p.arrowHead(from, to, r)
}

// labelHead puts a label beyond the head of an arrow, or beside it.
func (p *pane) labelHead(from, to vg.Point, label string, r Role) {
	w := width(label, p.label)
	angle := math.Atan2(float64(to.Y-from.Y), float64(to.X-from.X))
	var places []vg.Point
	for _, turn := range []float64{0, 0.7, -0.7, 1.4, -1.4, math.Pi} {
		sin, cos := math.Sincos(angle + turn)
		c := vg.Point{
			X: to.X + vg.Length(cos)*(w/2+p.label*0.4),
			Y: to.Y + vg.Length(sin)*p.label*0.8,
		}
		places = append(places, vg.Point{X: c.X - w/2, Y: c.Y - p.label*0.36})
	}
	p.annotate(label, r.Color(), places...)
}

// Text is a word at a point.
type Text struct {
	X, Y  float64
	Label string
	Role  Role
}

func (t Text) name() string { return "text" + quoted(t.Label) }

func (t Text) texts() []string { return []string{t.Label} }

func (t Text) extend(e *extent) error {
	if t.Label == "" {
		return errors.New("has no Label")
	}
	return e.add([]float64{t.X}, []float64{t.Y})
}

func (t Text) draw(p *pane) {
	at := p.point(t.X, t.Y)
	at.Y -= p.label * 0.36
	at.X -= width(t.Label, p.label) / 2
	p.taken = append(p.taken, inkBox(at, t.Label, p.label))
	p.text(at, t.Label, p.label, readable(t.Role.Color()), alignLeft)
}
