package plotting

import (
	"errors"
	"math"

	"gonum.org/v1/plot/vg"
)

// VectorField draws arrows of a vector field on a square lattice, centred on the
// points they belong to. Their length grows with the cube root of the field's,
// so that weak and strong parts are both seen.
type VectorField struct {
	F    func(x, y float64) (dx, dy float64)
	Role Role
	Unit bool // arrows of equal length: directions only
}

func (v VectorField) name() string { return "vector field" }

func (v VectorField) extend(*extent) error {
	if v.F == nil {
		return errors.New("has no function F")
	}
	return nil
}

func (v VectorField) draw(p *pane) {
	spacing := p.label * 2.4
	size := p.box.Size()
	nx, ny := max(1, int(size.X/spacing)), max(1, int(size.Y/spacing))
	var at, along []vg.Point
	longest := 0.0
	for j := range ny {
		for i := range nx {
			u := p.x.lo + (p.x.hi-p.x.lo)*(float64(i)+0.5)/float64(nx)
			w := p.y.lo + (p.y.hi-p.y.lo)*(float64(j)+0.5)/float64(ny)
			d, err := v.direction(p, u, w)
			if err != nil {
				p.fail(v, err)
				return
			}
			at, along = append(at, p.at(u, w)), append(along, d)
			longest = math.Max(longest, math.Hypot(float64(d.X), float64(d.Y)))
		}
	}
	for k, d := range along {
		length := math.Hypot(float64(d.X), float64(d.Y))
		if length <= 1e-9*longest {
			continue
		}
		share := 1.0
		if !v.Unit {
			share = math.Cbrt(length / longest)
		}
		half := vg.Length(share/length) * spacing * 0.4
		p.arrow(vg.Point{X: at[k].X - half*d.X, Y: at[k].Y - half*d.Y}, vg.Point{X: at[k].X + half*d.X, Y: at[k].Y + half*d.Y}, v.Role)
	}
}

// direction returns the field at a position as it looks on the page, which on
// scaled axes differs from (dx, dy): a small step is followed.
func (v VectorField) direction(p *pane, u, w float64) (vg.Point, error) {
	x, y := p.X.value(u), p.Y.value(w)
	dx, dy := v.F(x, y)
	if math.IsNaN(dx+dy) || math.IsInf(dx+dy, 0) {
		return vg.Point{}, errors.New("a vector is NaN or infinite at (" + number(x, -1) + ", " + number(y, -1) + ")")
	}
	a := p.at(u, w)
	if p.X.Scale == Linear && p.Y.Scale == Linear {
		b := p.at(u+dx, w+dy)
		return vg.Point{X: b.X - a.X, Y: b.Y - a.Y}, nil
	}
	h := 1e-6 / (1 + math.Hypot(dx, dy))
	b := p.point(x+h*dx, y+h*dy)
	return vg.Point{X: (b.X - a.X) / vg.Length(h), Y: (b.Y - a.Y) / vg.Length(h)}, nil
}

// arrow draws a thin arrow; its head is small enough for a field of them.
func (p *pane) arrow(from, to vg.Point, r Role) {
	c := tint(r.Color(), 0.5)
	p.pen(c, p.thin*0.8, nil)
	p.segment(from, to)
	p.occupy([]vg.Point{from, to})
	length := vg.Length(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
	if length == 0 {
		return
	}
	ux, uy := (to.X-from.X)/length, (to.Y-from.Y)/length
	head := min(p.label*0.45, length*0.5)
	base := vg.Point{X: to.X - ux*head, Y: to.Y - uy*head}
	p.SetColor(c)
	p.polygon([]vg.Point{
		{X: to.X + ux*p.thin, Y: to.Y + uy*p.thin},
		{X: base.X - uy*head*0.45, Y: base.Y + ux*head*0.45},
		{X: base.X + uy*head*0.45, Y: base.Y - ux*head*0.45},
	})
}
