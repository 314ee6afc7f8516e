package plotting

import "gonum.org/v1/plot/vg"

// look holds the measures of a figure at its printed width, in points.
type look struct {
	width               vg.Length // of the page
	title, label, tick  vg.Length // type sizes
	line, thin, axis    vg.Length // line widths
	marker              vg.Length // radius of a point
	gap                 vg.Length // between panels
	tickLength, padding vg.Length
}

// look returns the measures of a width: type at 7.5 to 9 points in print,
// and scripts of scripts at 5.
func (w Width) look() look {
	l := look{
		width: 486, title: 9, label: 8, tick: 7.5,
		line: 1.5, thin: 0.9, axis: 0.6, marker: 2.4,
		gap: 16, tickLength: 3, padding: 3,
	}
	switch w {
	case Single:
		l.width, l.line, l.marker, l.gap = 234, 1.3, 2, 12
	case Slide:
		l = l.scaled(1.9)
		l.width = 720
	}
	return l
}

func (l look) scaled(k vg.Length) look {
	for _, v := range []*vg.Length{&l.title, &l.label, &l.tick, &l.line, &l.thin, &l.axis, &l.marker, &l.gap, &l.tickLength, &l.padding} {
		*v *= k
	}
	return l
}
