package plotting

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
)

// Curve is the graph of a function, drawn over the panel's range of x or from
// From to To. Gaps where F is NaN stay gaps.
type Curve struct {
	F        func(x float64) float64
	From, To float64
	Label    string
	Role     Role
	Style    Style
}

func (c Curve) name() string { return "curve" + quoted(c.Label) }

func (c Curve) texts() []string { return []string{c.Label} }

func (c Curve) everywhere() bool { return c.From == 0 && c.To == 0 }

// samples is how many points a curve is drawn with: at the widest preset they
// are two points of print apart.
const samples = 400

// sample returns the points of the curve in data units, cut into pieces at NaN.
func (c Curve) sample(xAxis, yAxis Axis, s span) (pieces [][2][]float64, err error) {
	hint := ""
	if c.everywhere() {
		hint = "; set From and To"
	} else {
		s = span{xAxis.position(c.From), xAxis.position(c.To), true}
	}
	var x, y []float64
	for i := range samples + 1 {
		v := xAxis.value(s.lo + (s.hi-s.lo)*float64(i)/samples)
		fv := c.F(v)
		if math.IsNaN(fv) {
			if len(x) > 0 {
				pieces = append(pieces, [2][]float64{x, y})
			}
			x, y = nil, nil
			continue
		}
		if err := yAxis.admits(fv); err != nil {
			return nil, fmt.Errorf("F(%g) %w%s", v, err, hint)
		}
		x, y = append(x, v), append(y, fv)
	}
	if len(x) > 0 {
		pieces = append(pieces, [2][]float64{x, y})
	}
	if len(pieces) == 0 {
		return nil, fmt.Errorf("the function F is NaN everywhere between %g and %g", xAxis.value(s.lo), xAxis.value(s.hi))
	}
	return pieces, nil
}

func (c Curve) extend(e *extent) error {
	if c.F == nil {
		return errors.New("has no function F")
	}
	if !e.second {
		if !c.everywhere() {
			return addAll(&e.x, e.xAxis, "limit", []float64{c.From, c.To})
		}
		return nil
	}
	pieces, err := c.sample(e.xAxis, e.yAxis, e.x)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		for _, v := range piece[1] {
			e.y.add(e.yAxis.position(v))
		}
	}
	return nil
}

func (c Curve) draw(p *pane) {
	pieces, err := c.sample(p.X, p.Y, p.x)
	if err != nil {
		p.fail(c, err)
		return
	}
	var last []vg.Point
	for _, piece := range pieces {
		last = p.points(piece[0], piece[1])
		p.stroke(last, c.Role, c.Style, false)
	}
	p.labelLine(last, c.Label, c.Role)
}

func (c Curve) endRoom(p *pane) vg.Length {
	if c.everywhere() {
		return p.labelRoom(c.Label)
	}
	return p.endRoomAt(p.X.position(c.To), c.Label)
}

func (c Curve) stands() (string, Role, Style) { return c.Label, c.Role, c.Style }
