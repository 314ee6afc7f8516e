package plotting

import (
	"errors"
	"fmt"

	"qhlab/plotting/internal/typeset"
)

// Figure is a picture made of panels, a value: nothing is drawn until Show, Save
// or Encode. Panels fill rows from the left.
type Figure struct {
	// Name is the file name, without extension, under which Save and an export
	// of the notebook write the figure.
	Name string

	// Title, which may be empty, stands above the panels.
	Title string

	// Caption says in a sentence or two what the figure shows. It is the text
	// alternative of the picture everywhere.
	Caption string

	// Panels, at least one.
	Panels []Panel

	// Columns is the number of panels in a row. Zero: all in one row, three at
	// most. One: stacked.
	Columns int

	// ShareX and ShareY give all panels the same limits and write tick labels
	// on the outer panels only. Stacked panels on one x axis are Columns: 1,
	// ShareX: true; small multiples set both.
	ShareX, ShareY bool

	// Width is the preset width. Zero: Double.
	Width Width

	// Aspect is height over width of a panel's plotting area. Zero: what suits
	// the number of panels; panels with Equal follow their data.
	Aspect float64
}

// Width is a preset width of a figure.
type Width int

// The widths: of two columns of a paper (6.75 in), of one (3.25 in), and of a
// slide (10 in, with type to be read from afar).
const (
	Double Width = iota
	Single
	Slide
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
// whatever range there is (curves) add to it in the second pass.
type extent struct {
	xAxis, yAxis Axis
	x, y         span
	second       bool
	tight        bool // no margin around the data
	cloud        bool // points, which need a margin left and right as well
}

func (e *extent) add(x, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("X has %d values and Y has %d", len(x), len(y))
	}
	if len(x) == 0 {
		return errors.New("has no points")
	}
	if err := addAll(&e.x, e.xAxis, "X", x); err != nil {
		return err
	}
	return addAll(&e.y, e.yAxis, "Y", y)
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

// Check returns an error if the figure cannot be drawn: no panels, a layer without
// points, a NaN, an infinity, a value its axis cannot show, a character the font
// does not have. The error names the layer.
func (f Figure) Check() error {
	_, err := f.measure()
	return err
}

func (f Figure) errorf(format string, args ...any) error {
	name := f.Name
	if name == "" {
		name = f.Title
	}
	return fmt.Errorf("plotting: figure %q: %w", name, fmt.Errorf(format, args...))
}

// measure checks the panels and returns the limits of each.
func (f Figure) measure() ([]extent, error) {
	if len(f.Panels) == 0 {
		return nil, f.errorf("has no panels")
	}
	if err := typeset.Check(typeset.Parse(f.Title).Plain()); err != nil {
		return nil, f.errorf("title: %w", err)
	}
	extents := make([]extent, len(f.Panels))
	for i, p := range f.Panels {
		e, err := p.measure()
		if err != nil {
			return nil, f.errorf("panel %d%s: %w", i+1, quoted(p.Title), err)
		}
		extents[i] = e
	}
	f.share(extents)
	return extents, nil
}

func (f Figure) share(extents []extent) {
	var x, y span
	for _, e := range extents {
		x.join(e.x)
		y.join(e.y)
	}
	for i := range extents {
		if f.ShareX {
			extents[i].x = x
		}
		if f.ShareY {
			extents[i].y = y
		}
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}

// measure returns the limits of the panel's axes.
func (p Panel) measure() (extent, error) {
	p = p.squared()
	e := extent{xAxis: p.X, yAxis: p.Y}
	if err := p.X.check(); err != nil {
		return e, fmt.Errorf("x axis: %w", err)
	}
	if err := p.Y.check(); err != nil {
		return e, fmt.Errorf("y axis: %w", err)
	}
	for _, s := range append(p.texts(), p.Title, p.X.Label, p.Y.Label) {
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
	x := p.X.limits(e.x, e.xMargin(p))
	e.x, e.second = x, true
	if err := e.visit(p.Layers); err != nil {
		return e, err
	}
	e.x, e.y = x, p.Y.limits(e.y, e.yMargin(p))
	return e, nil
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

// texts returns the labels of the panel's layers.
func (p Panel) texts() []string {
	var out []string
	for _, l := range p.Layers {
		if t, ok := l.(interface{ texts() []string }); ok {
			out = append(out, t.texts()...)
		}
	}
	return out
}
