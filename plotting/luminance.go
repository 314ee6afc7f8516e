package plotting

import (
	"image/color"
	"math"
)

// luminance is the relative luminance Y of an sRGB colour, 0 to 1 (IEC 61966-2-1).
func luminance(c color.NRGBA) float64 {
	lin := linearRGB(c)
	return 0.2126*lin[0] + 0.7152*lin[1] + 0.0722*lin[2]
}

func linearRGB(c color.NRGBA) [3]float64 {
	var lin [3]float64
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		s := float64(v) / 255
		if s <= 0.04045 {
			lin[i] = s / 12.92
		} else {
			lin[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return lin
}

// readable darkens a colour until text in it has a contrast of 4.5 to 1 on
// paper, the level AA of WCAG 2.
func readable(c color.NRGBA) color.NRGBA {
	for (1.05)/(luminance(c)+0.05) < 4.5 {
		c.R, c.G, c.B = uint8(float64(c.R)*0.96), uint8(float64(c.G)*0.96), uint8(float64(c.B)*0.96)
	}
	return c
}
