package plotting

import (
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

	// ShareX and ShareY give all panels the same limits, which cover those of
	// each, fixed ones too, and write tick labels on the outer panels only. A
	// key that the panel before has as well is left out. Stacked panels on one
	// x axis are Columns: 1, ShareX: true; small multiples set both.
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

// Check returns an error if the figure cannot be drawn: no panels, a layer without
// points, a NaN, an infinity, a value its axis cannot show, a character the font
// does not have. The error names the layer. It evaluates the figure's functions as
// drawing does.
func (f Figure) Check() error {
	pl, err := f.plan()
	if err != nil {
		return err
	}
	return pl.drawOn(blank{}, f)
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
		e, err := p.measureX()
		if err != nil {
			return nil, f.panelError(i, err)
		}
		extents[i] = e
	}
	if f.ShareX {
		if err := f.share("X", extents, func(e *extent) (Axis, *span) { return e.xAxis, &e.x }); err != nil {
			return nil, err
		}
	}
	for i, p := range f.Panels {
		if err := extents[i].measureY(p); err != nil {
			return nil, f.panelError(i, err)
		}
	}
	if f.ShareY {
		if err := f.share("Y", extents, func(e *extent) (Axis, *span) { return e.yAxis, &e.y }); err != nil {
			return nil, err
		}
	}
	return extents, nil
}

func (f Figure) panelError(i int, err error) error {
	return f.errorf("panel %d%s: %w", i+1, quoted(f.Panels[i].Title), err)
}

// share gives all panels the limits that cover those of each.
func (f Figure) share(name string, extents []extent, of func(e *extent) (Axis, *span)) error {
	first, _ := of(&extents[0])
	var all span
	for i := range extents {
		a, s := of(&extents[i])
		if a.Scale != first.Scale || a.Logged != first.Logged {
			return f.panelError(i, fmt.Errorf("its axis has another scale than that of panel 1, so Share%s cannot join them", name))
		}
		all.join(*s)
	}
	for i := range extents {
		_, s := of(&extents[i])
		*s = all
	}
	return nil
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}
