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
func (c Curve) sample(a Axis, s span) (pieces [][2][]float64, err error) {
	if !c.everywhere() {
		s = span{a.position(c.From), a.position(c.To), true}
	}
	var x, y []float64
	for i := range samples + 1 {
		v := a.value(s.lo + (s.hi-s.lo)*float64(i)/samples)
		fv := c.F(v)
		if math.IsInf(fv, 0) {
			return nil, fmt.Errorf("the value F(%g) is infinite", v)
		}
		if math.IsNaN(fv) {
			if len(x) > 0 {
				pieces = append(pieces, [2][]float64{x, y})
			}
			x, y = nil, nil
			continue
		}
		x, y = append(x, v), append(y, fv)
	}
	if len(x) > 0 {
		pieces = append(pieces, [2][]float64{x, y})
	}
	if len(pieces) == 0 {
		return nil, fmt.Errorf("the function F is NaN everywhere between %g and %g", a.value(s.lo), a.value(s.hi))
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
	pieces, err := c.sample(e.xAxis, e.x)
	if err != nil {
		return err
	}
	for _, piece := range pieces {
		if err := addAll(&e.y, e.yAxis, "F", piece[1]); err != nil {
			return err
		}
	}
	return nil
}

func (c Curve) draw(p *pane) {
	pieces, _ := c.sample(p.X, p.x)
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

func (c Curve) keys(p *pane) []key { return p.lineKey(c.Label, c.Role, c.Style) }
