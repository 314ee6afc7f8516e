package plotting

import "image/color"

// A Role says what a layer stands for; the role chooses its colour, and its line
// style or marker as a second channel, the same in every figure. The zero Role
// is Neutral.
//
// The colours of the rates differ by at least 10 in lightness L* from each
// other, so they survive a black-and-white print, and stay apart under the
// three dichromacies; a test measures both.
type Role int

// The roles. Rates are named from the highest down; a class is Class(0),
// Class(1), …
const (
	Neutral   Role = iota // a quantity that belongs to no rate or class
	Highest               // the highest rate λ_max
	Second                // the second-highest rate
	Third                 // the third-highest rate
	Fourth                // the fourth-highest rate
	Reference             // the theory's value, always dotted
	firstClass
)

// Rate returns the role of the k-th highest rate, counted from 0.
func Rate(k int) Role {
	if k < 0 {
		panic("plotting: negative rate index")
	}
	return Highest + Role(min(k, int(Fourth-Highest)))
}

// Class returns the role of class k of a classification problem, counted from 0.
// In binary problems 0 is y = -1 and 1 is y = +1. Colours repeat after six classes
// while markers go on differing.
func Class(k int) Role {
	if k < 0 {
		panic("plotting: negative class index")
	}
	return firstClass + Role(k)
}

var (
	ink        = color.NRGBA{0x26, 0x26, 0x26, 255} // titles and neutral lines
	soft       = color.NRGBA{0x59, 0x59, 0x59, 255} // axis text, 7:1 on white
	faint      = color.NRGBA{0xb8, 0xb8, 0xb8, 255} // axes and ticks
	paper      = color.NRGBA{0xff, 0xff, 0xff, 255}
	roleColors = [...]color.NRGBA{
		Neutral:   ink,
		Highest:   {0xd2, 0x44, 0x2b, 255},
		Second:    {0x11, 0x56, 0xb3, 255},
		Third:     {0x3b, 0xa2, 0xa7, 255},
		Fourth:    {0x60, 0x28, 0x64, 255},
		Reference: soft,
	}
	classColors = [...]color.NRGBA{
		{0x6f, 0x2d, 0xa8, 255},
		{0x3a, 0x7d, 0x44, 255},
		{0xb3, 0x90, 0x00, 255},
		{0x14, 0x22, 0x4d, 255},
		{0xc2, 0x47, 0x7a, 255},
		{0x7f, 0x7f, 0x7f, 255},
	}
)

// Color returns the role's colour.
func (r Role) Color() color.NRGBA {
	if r >= firstClass {
		return classColors[int(r-firstClass)%len(classColors)]
	}
	return roleColors[r]
}

// tint mixes a colour with paper; 0 is paper, 1 the colour.
func tint(c color.NRGBA, amount float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(255 + amount*(float64(v)-255) + 0.5) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// A Style is how a line is drawn. The zero Style is the role's own.
type Style int

// The line styles.
const (
	RoleStyle Style = iota
	Solid
	Dashed
	DashDotted
	Dotted
)

// dash returns the pattern of a style, in line widths.
func (s Style) dash(r Role) []float64 {
	if s == RoleStyle {
		s = Solid
		switch r {
		case Second:
			return []float64{6, 1.6}
		case Third:
			return []float64{3, 1.5}
		case Fourth:
			s = DashDotted
		case Reference:
			s = Dotted
		}
	}
	switch s {
	case Dashed:
		return []float64{4, 2}
	case DashDotted:
		return []float64{6, 1.6, 1.4, 1.6}
	case Dotted:
		return []float64{1, 1.8}
	}
	return nil
}

// A Marker is the shape of a point. The zero Marker is the role's own.
type Marker int

// The markers.
const (
	RoleMarker Marker = iota
	Disc
	Square
	Triangle
	Diamond
	Cross
	Plus
)

func (m Marker) of(r Role) Marker {
	if m != RoleMarker {
		return m
	}
	if r >= firstClass {
		return Disc + Marker(int(r-firstClass)%int(Plus))
	}
	if r >= Highest && r <= Fourth {
		return Disc + Marker(r-Highest)
	}
	return Disc
}
