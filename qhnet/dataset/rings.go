package dataset

import (
	"math"
	"math/rand/v2"
)

// Rings draws concentric rings in the plane, class c at radius c+1, with
// Gaussian noise of the given width on both coordinates.
func Rings(classes, perClass int, noise float64, rng *rand.Rand) Set {
	set := blank("rings", classes, perClass, 2)
	for k, c := range set.Labels {
		polar(set.X.RawRowView(k), float64(c+1), 2*math.Pi*rng.Float64(), noise, rng)
	}
	return set
}

// Spirals draws interleaved Archimedean spirals in the plane, one a class: the
// radius grows from 0.1 to 1 while the angle makes the given number of turns
// from a start that differs by 2π/classes, with Gaussian noise on both
// coordinates.
func Spirals(classes, perClass int, turns, noise float64, rng *rand.Rand) Set {
	set := blank("spirals", classes, perClass, 2)
	for k, c := range set.Labels {
		t := rng.Float64()
		angle := 2 * math.Pi * (turns*t + float64(c)/float64(classes))
		polar(set.X.RawRowView(k), 0.1+0.9*t, angle, noise, rng)
	}
	return set
}

func polar(x []float64, radius, angle, noise float64, rng *rand.Rand) {
	sin, cos := math.Sincos(angle)
	jitter(x, []float64{radius * cos, radius * sin}, noise, rng)
}
