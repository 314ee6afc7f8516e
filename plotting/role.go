package plotting

import (
	"fmt"
	"image/color"
)

// A Role says what a layer stands for; the role chooses its colour, and its line
// style or marker as a second channel, the same in every figure. The zero Role
// is Neutral.
//
// The colours of the rates differ by at least 10 in lightness L* from each
// other, so they survive a black-and-white print, and stay apart under the
// three dichromacies, and so do those of four classes; a test measures both.
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

// Rate returns the role of the k-th highest rate, counted from 0 to 3. It panics
// beyond: four rates are what a reader tells apart.
func Rate(k int) Role {
	if k < 0 || Highest+Role(k) > Fourth {
		panic(fmt.Sprintf("plotting: Rate(%d): rates have the roles Rate(0) to Rate(3); Series(%d) is a role for anything", k, k))
	}
	return Highest + Role(k)
}

// Class returns the role of class k of a classification problem, counted from 0.
// In binary problems 0 is y = -1 and 1 is y = +1. There are six colours and seven
// markers and line styles, so that 42 classes look different.
func Class(k int) Role {
	if k < 0 {
		panic("plotting: negative class index")
	}
	return firstClass + Role(k)
}

// Series returns a role for the k-th of several lines or clouds that are neither
// rates nor classes, counted from 0: seeds, tolerances, layers. It looks like
// Class(k), so a figure shows either classes or series.
func Series(k int) Role {
	if k < 0 {
		panic("plotting: negative series index")
	}
	return Class(k)
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
		{0xd8, 0x54, 0x90, 255},
		{0x60, 0x24, 0x00, 255},
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
