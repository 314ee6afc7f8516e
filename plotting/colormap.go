package plotting

import (
	"image/color"
	"math"
)

// Two colour maps, both uniform by construction: their colours are chosen in
// Oklab (Ottosson 2020, bottosson.github.io/posts/oklab), whose lightness is
// close to even to the eye, at lightnesses in equal steps.

// sequential maps 0..1 from light to dark; it reads in grey as well.
func sequential(t float64) color.NRGBA {
	// Hue runs from yellow over green to blue as in viridis, light to dark.
	hue := (105 + 165*t) * math.Pi / 180
	chroma := 0.02 + 0.10*math.Sin(math.Pi*(0.15+0.6*t))
	return oklab(0.97-0.72*t, chroma*math.Cos(hue), chroma*math.Sin(hue))
}

// diverging maps -1..1 from blue over white to vermilion; opposite values are
// equally dark.
func diverging(t float64) color.NRGBA {
	hue := 255.0
	if t > 0 {
		hue = 40
	}
	hue *= math.Pi / 180
	s := math.Abs(t)
	chroma := 0.155 * math.Sin(math.Pi/2*s)
	return oklab(0.985-0.435*s, chroma*math.Cos(hue), chroma*math.Sin(hue))
}

// oklab returns the sRGB colour of Oklab coordinates, cut to what a screen shows.
func oklab(lightness, a, b float64) color.NRGBA {
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	return color.NRGBA{
		encodeSRGB(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encodeSRGB(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encodeSRGB(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		255,
	}
}

func cube(x float64) float64 { return x * x * x }

// encodeSRGB is the transfer function of IEC 61966-2-1, to 8 bits.
func encodeSRGB(v float64) uint8 {
	v = math.Min(1, math.Max(0, v))
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * v))
}
