package plotting

import (
	"math"
	"reflect"

	"gonum.org/v1/plot/vg"

	"qhlab/plotting/internal/typeset"
)

// plan says where everything of a figure stands. Lengths are in points, y up.
type plan struct {
	look
	width, height vg.Length
	panes         []*pane
}

func width(markup string, size vg.Length) vg.Length {
	return vg.Length(typeset.Parse(markup).Width) * size
}

func (f Figure) columns() int {
	if f.Columns > 0 {
		return min(f.Columns, len(f.Panels))
	}
	return min(3, len(f.Panels))
}

// plan lays the figure out. The room for tick labels depends on the ticks, and
// the ticks on the size of the panel, so it is done twice.
func (f Figure) plan() (*plan, error) {
	extents, err := f.measure()
	if err != nil {
		return nil, err
	}
	pl := &plan{look: f.Width.look()}
	for i, p := range f.Panels {
		p = p.squared()
		pl.panes = append(pl.panes, &pane{
			Panel: p, look: &pl.look, x: extents[i].x, y: extents[i].y,
			inner: f.inner(i),
		})
	}
	size := vg.Point{X: pl.look.width / vg.Length(f.columns()) * 0.8, Y: 120}
	for _, p := range pl.panes {
		p.box.Max = size
		// Labels that would take most of the width stand above instead.
		p.Key = p.Key || p.endRoom() > size.X*mostForLabels
		p.theories = p.countTheories()
	}
	f.omitRepeated(pl.panes)
	pl.arrange(f)
	pl.arrange(f)
	return pl, nil
}

// omitRepeated leaves out the keys that panels on shared axes have in common with
// the panel before, and the colour bars they have in common with the next in
// their row.
func (f Figure) omitRepeated(panes []*pane) {
	for i, p := range panes {
		if i+1 < len(panes) && (i+1)%f.columns() > 0 {
			bar, next := p.colorBar(), panes[i+1].colorBar()
			p.barless = bar != nil && next != nil && *bar == *next
		}
		if i > 0 && (f.ShareX || f.ShareY) {
			p.keyless = reflect.DeepEqual(p.keys(), panes[i-1].keys())
		}
	}
}

// inner says which tick labels a panel leaves to its neighbours.
func (f Figure) inner(i int) (inner struct{ x, y bool }) {
	inner.x = f.ShareX && i+f.columns() < len(f.Panels)
	inner.y = f.ShareY && i%f.columns() > 0
	return inner
}

// arrange sets the panes' boxes from the frames their present size asks for.
func (pl *plan) arrange(f Figure) {
	columns := f.columns()
	rows := (len(pl.panes) + columns - 1) / columns
	left, right := make([]vg.Length, columns), make([]vg.Length, columns)
	top, bottom := make([]vg.Length, rows), make([]vg.Length, rows)
	for i, p := range pl.panes {
		fr := p.frame()
		r, c := i/columns, i%columns
		left[c], right[c] = max(left[c], fr.left), max(right[c], fr.right)
		top[r], bottom[r] = max(top[r], fr.top), max(bottom[r], fr.bottom)
	}
	free := pl.look.width - pl.gap*vg.Length(columns-1) - sum(left) - sum(right)
	plot := max(free/vg.Length(columns), 20)
	heights := pl.heights(f, &plot, rows, columns)

	pl.width = pl.gap*vg.Length(columns-1) + sum(left) + sum(right) + plot*vg.Length(columns)
	pl.height = pl.gap*vg.Length(rows-1)/2 + sum(top) + sum(bottom) + sum(heights)
	y := pl.height
	if f.Title != "" {
		pl.height += pl.title * 2
		y = pl.height - pl.title*2
	}
	for r := range rows {
		y -= top[r] + heights[r]
		x := vg.Length(0)
		for c := range columns {
			x += left[c]
			if i := r*columns + c; i < len(pl.panes) {
				pl.panes[i].box = vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + plot, Y: y + heights[r]}}
				pl.panes[i].head, pl.panes[i].left = top[r], left[c]-2
				pl.panes[i].fit()
			}
			x += plot + right[c] + pl.gap
		}
		y -= bottom[r] + pl.gap/2
	}
}

func sum(lengths []vg.Length) vg.Length {
	var s vg.Length
	for _, l := range lengths {
		s += l
	}
	return s
}

// tallest is the greatest height of a panel with equal axes that has a row to
// itself, in label sizes.
const tallest = 28

// heights returns the height of each row's plotting areas, and narrows them
// where equal axes would make them too tall.
func (pl *plan) heights(f Figure, plot *vg.Length, rows, columns int) []vg.Length {
	ratio := 0.0
	for _, p := range pl.panes {
		if p.Equal {
			ratio = math.Max(ratio, (p.y.hi-p.y.lo)/(p.x.hi-p.x.lo))
		}
	}
	ratio = math.Min(ratio, 1.6)
	if f.Aspect > 0 {
		ratio = f.Aspect
	}
	if limit := tallest * pl.label; ratio > 0 && f.Aspect == 0 && *plot*vg.Length(ratio) > limit {
		*plot = limit / vg.Length(ratio)
	}
	if ratio == 0 {
		ratio = defaultAspect(f.Width, rows, columns)
	}
	heights := make([]vg.Length, rows)
	for i, p := range pl.panes {
		weight := p.Height
		if weight == 0 {
			weight = 1
		}
		heights[i/columns] = max(heights[i/columns], *plot*vg.Length(ratio*weight))
	}
	return heights
}

func defaultAspect(w Width, rows, columns int) float64 {
	narrow := w == Single
	switch {
	case columns == 1 && rows > 1 && narrow:
		return 0.42
	case columns == 1 && rows > 1:
		return 0.24
	case columns == 1 && narrow:
		return 0.68
	case columns == 1:
		return 0.42
	case columns == 2:
		return 0.7
	}
	return 0.85
}

// fit widens the limits of a panel with equal axes to fill its box.
func (p *pane) fit() {
	if !p.Equal {
		return
	}
	size := p.box.Size()
	perPoint := math.Max((p.x.hi-p.x.lo)/float64(size.X), (p.y.hi-p.y.lo)/float64(size.Y))
	grow := func(s *span, length vg.Length) {
		extra := perPoint*float64(length) - (s.hi - s.lo)
		s.lo, s.hi = s.lo-extra/2, s.hi+extra/2
	}
	grow(&p.x, size.X)
	grow(&p.y, size.Y)
}
