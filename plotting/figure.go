package plotting

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figure is a picture made of panels, a value: nothing is drawn until Show, Save
// or Encode. Panels fill rows from the left.
type Figure struct {
	// Name is the name, without extension, of the files that are saved.
	Name string

	// Title, which may be empty, stands above the panels.
	Title string

	// Caption says in a sentence or two what the figure shows, as its text alternative.
	Caption string

	// Panels, at least one.
	Panels []Panel

	// Columns is the number of panels in a row. Zero: all in one row, three at most. One: stacked.
	Columns int

	// ShareX and ShareY give all panels the same limits, which cover those of each, fixed ones too,
	// and write tick labels on the outer panels only. A key that the panel before has is left out.
	ShareX, ShareY bool

	// Width is a preset, or a length and a font of your own. Zero: Double.
	Width Width

	// Aspect is height over width of a panel's plotting area. Zero: what suits the number of panels;
	// panels with Equal follow their data. A figure is at most 320 points high, 480 pixels in a
	// notebook, and its panels lower if need be.
	Aspect float64

	other Drawing // instead of the panels
}

// Panel is one pair of axes and what is drawn on them, first layers lowest.
type Panel struct {
	Title string
	X, Y  Axis

	// Layers are any plotters: those of this package, gonum's, your own.
	Layers []plot.Plotter

	// Equal draws a unit of x as long as a unit of y.
	Equal bool

	// Bare leaves out axes and ticks.
	Bare bool

	// Key lists the labels of lines in a row above the panel, instead of at the lines' ends.
	Key bool

	// Height is relative to the other rows. Zero: 1.
	Height float64
}

// measure adds the limits of x, or given those, of y.
func (e *extent) measure(p Panel) error {
	x := e.x
	for i, l := range p.Layers {
		if err := e.visit(l); err != nil {
			return layerError(i, l, err)
		}
	}
	if e.second {
		e.x = x
		e.y.span = p.Y.limits(e.y, !e.tight)
	} else {
		// A line begins at the y axis and ends at its label.
		e.x.span = p.X.limits(e.x, !e.tight && (e.cloud || p.Equal))
	}
	return nil
}

func (p Panel) check() error {
	if err := p.X.check(); err != nil {
		return fmt.Errorf("x axis: %w", err)
	}
	if err := p.Y.check(); err != nil {
		return fmt.Errorf("y axis: %w", err)
	}
	if h := p.Height; h != 0 && !(h >= slimmest && h <= 1/slimmest) {
		return fmt.Errorf("has Height = %g; use a number between %g and %g, or zero", h, slimmest, 1/slimmest)
	}
	if len(p.Layers) == 0 {
		return errors.New("has no layers")
	}
	return nil
}

func layerError(i int, l plot.Plotter, err error) error {
	return fmt.Errorf("layer %d (%s): %w", i+1, nameOf(l), err)
}

// square layers draw cells or space: equal axes, and none shown that has no label.
type square interface{ square() bool }

// prepared returns the panels with layers for pointers to them, and with the axes of square layers.
func (f Figure) prepared() Figure {
	f.Panels = slices.Clone(f.Panels)
	for i := range f.Panels {
		p := &f.Panels[i]
		p.Layers = slices.Clone(p.Layers)
		for k, l := range p.Layers {
			if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer && !v.IsNil() {
				if own, ok := v.Elem().Interface().(layer); ok {
					p.Layers[k] = own
				}
			}
			if s, ok := p.Layers[k].(square); ok && s.square() {
				p.Equal = true
				p.Bare = p.Bare || p.X.Label == "" && p.Y.Label == "" && p.X.Ticks == nil && p.Y.Ticks == nil
				if _, matrix := s.(HeatMap); matrix && p.Y.Scale == nil {
					p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}} // rows are counted downwards
				}
			}
		}
	}
	return f
}

// Draw draws the figure on a canvas of gonum's, as large as fits, from the top. It
// panics if the figure cannot be drawn, with the error that Encode returns.
func (f Figure) Draw(c draw.Canvas) {
	size := c.Size()
	f.Width.Length = size.X
	pl, err := f.plan(paper)
	if err == nil {
		scale := min(1, float64(size.Y/pl.height), float64(size.X/pl.width))
		c.Push()
		defer c.Pop()
		c.Translate(vg.Point{X: c.Min.X, Y: c.Max.Y - pl.height*vg.Length(scale)})
		c.Scale(scale, scale)
		err = pl.draw(draw.NewCanvas(c.Canvas, pl.width, pl.height), f)
	}
	if err != nil {
		panic(err.Error())
	}
}

func (f Figure) errorf(format string, args ...any) error {
	return fmt.Errorf("plotting: figure %q: %w", cmp.Or(f.Name, f.Title), fmt.Errorf(format, args...))
}

func (f Figure) panelError(i int, err error) error {
	return f.errorf("panel %d%s: %w", i+1, quoted(f.Panels[i].Title), err)
}

// slimmest is the least height of a panel for its width, and that of a row for another's.
const slimmest = 0.01

// measure checks the panels and returns the limits of each: those of x first, on which those
// of y may depend.
func (f Figure) measure() ([]extent, error) {
	if len(f.Panels) == 0 {
		return nil, f.errorf("has no panels")
	}
	if a := f.Aspect; a != 0 && !(a >= slimmest && a <= 1/slimmest) || f.Columns < 0 {
		return nil, f.errorf("has Aspect = %g and %d Columns; use an Aspect between %g and %g and positive Columns, or zeros", a, f.Columns, slimmest, 1/slimmest)
	}
	extents := make([]extent, len(f.Panels))
	for i, p := range f.Panels {
		extents[i] = extent{x: p.X.mapping(), y: p.Y.mapping()}
		if err := p.check(); err != nil {
			return nil, f.panelError(i, err)
		}
	}
	for _, second := range []bool{false, true} {
		for i, p := range f.Panels {
			extents[i].second = second
			if err := extents[i].measure(p); err != nil {
				return nil, f.panelError(i, err)
			}
		}
		if err := f.share(extents, second); err != nil {
			return nil, err
		}
	}
	return extents, nil
}

// share gives all panels the limits of x or y that cover those of each, if it is wanted.
func (f Figure) share(extents []extent, second bool) error {
	name, wanted, of := "X", f.ShareX, func(e *extent) *mapping { return &e.x }
	if second {
		name, wanted, of = "Y", f.ShareY, func(e *extent) *mapping { return &e.y }
	}
	if !wanted {
		return nil
	}
	all, first := span{}, of(&extents[0])
	for i := range extents {
		m := of(&extents[i])
		if m.scale != first.scale || !reflect.DeepEqual(m.other, first.other) {
			return f.panelError(i, fmt.Errorf("its axis has another scale than that of panel 1, so Share%s cannot join them", name))
		}
		all.add(m.lo)
		all.add(m.hi)
	}
	for i := range extents {
		of(&extents[i]).span = all
	}
	return nil
}
