package plotting

import (
	"errors"
	"fmt"
	"slices"

	"qhlab/plotting/internal/typeset"
)

// Panel is one pair of axes and what is drawn on them, first layers lowest.
type Panel struct {
	Title  string
	X, Y   Axis
	Layers []Layer

	// Equal draws a unit of x as long as a unit of y.
	Equal bool

	// Bare leaves out axes and ticks.
	Bare bool

	// Key lists the labels of lines in a row above the panel, instead of at
	// the lines' ends.
	Key bool

	// Height is relative to the other rows. Zero: 1.
	Height float64
}

// A Layer is one thing drawn in a panel: a Line, a Scatter, a HeatMap, …
type Layer interface {
	// name describes the layer in an error.
	name() string
	// extend grows the data's extent and reports data that cannot be drawn.
	extend(e *extent) error
	draw(p *pane)
}

// extent collects what the layers of a panel cover. Layers that are drawn over
// whatever range there is (curves) add to it in the second pass, when the limits
// of x are known.
type extent struct {
	xAxis, yAxis Axis
	x, y         span
	second       bool
	tight        bool // no margin around the data
	cloud        bool // points, which need a margin left and right as well
}

func (e *extent) add(x, y []float64) error { return e.addNamed(x, "Y", y) }

// addNamed adds points whose second coordinate is not called Y.
func (e *extent) addNamed(x []float64, name string, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("has %d values of X and %d of %s", len(x), len(y), name)
	}
	if len(x) == 0 {
		return errors.New("has no points")
	}
	if err := addAll(&e.x, e.xAxis, "X", x); err != nil {
		return err
	}
	return addAll(&e.y, e.yAxis, name, y)
}

func addAll(s *span, a Axis, coordinate string, values []float64) error {
	for i, v := range values {
		if err := a.admits(v); err != nil {
			return fmt.Errorf("%s[%d] %w", coordinate, i, err)
		}
		s.add(a.position(v))
	}
	return nil
}

// measureX checks the panel and returns its limits of x.
func (p Panel) measureX() (extent, error) {
	p = p.squared()
	e := extent{xAxis: p.X, yAxis: p.Y}
	if err := p.X.check(); err != nil {
		return e, fmt.Errorf("x axis: %w", err)
	}
	if err := p.Y.check(); err != nil {
		return e, fmt.Errorf("y axis: %w", err)
	}
	for _, s := range p.texts() {
		if err := typeset.Check(typeset.Parse(s).Plain()); err != nil {
			return e, err
		}
	}
	if len(p.Layers) == 0 {
		return e, errors.New("has no layers")
	}
	if err := e.visit(p.Layers); err != nil {
		return e, err
	}
	e.x = p.X.limits(e.x, e.xMargin(p))
	return e, nil
}

// measureY adds the limits of y, given those of x that the panel is drawn with.
func (e *extent) measureY(p Panel) error {
	p = p.squared()
	x := e.x
	e.second = true
	if err := e.visit(p.Layers); err != nil {
		return err
	}
	e.x, e.y = x, p.Y.limits(e.y, e.yMargin(p))
	return nil
}

func (e *extent) visit(layers []Layer) error {
	for i, l := range layers {
		if err := l.extend(e); err != nil {
			return fmt.Errorf("layer %d (%s): %w", i+1, l.name(), err)
		}
	}
	return nil
}

// xMargin and yMargin are the shares of the data's span left free around it. A
// line begins at the y axis and ends at its label.
func (e *extent) xMargin(p Panel) float64 {
	if e.cloud || p.Equal {
		return e.yMargin(p)
	}
	return 0
}

func (e *extent) yMargin(p Panel) float64 {
	if e.tight {
		return 0
	}
	return 0.05
}

// texts returns all that is written in the panel, numbers aside.
func (p Panel) texts() []string {
	out := []string{p.Title, p.X.Label, p.Y.Label}
	for _, t := range append(slices.Clone(p.X.Ticks), p.Y.Ticks...) {
		out = append(out, t.Label)
	}
	for _, l := range p.Layers {
		if t, ok := l.(interface{ texts() []string }); ok {
			out = append(out, t.texts()...)
		}
	}
	return out
}

// squared returns the panel without axes if a layer brings its own, as a heat map
// does.
func (p Panel) squared() Panel {
	for _, l := range p.Layers {
		if _, ok := l.(interface{ square() }); ok {
			p.Bare, p.Equal = true, true
		}
	}
	return p
}
