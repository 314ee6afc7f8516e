package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// GaussianClusters draws perClass points around every row of centers (C×d), one
// class a row: x = center + spread·ε with ε standard normal.
func GaussianClusters(centers *mat.Dense, perClass int, spread float64, rng *rand.Rand) Set {
	if centers == nil || centers.IsEmpty() {
		panic("dataset: gaussian clusters: no centers; give one row a class")
	}
	classes, d := centers.Dims()
	set := blank("gaussian clusters", classes, perClass, d, spread, rng, mat.DenseCopyOf(centers).RawMatrix().Data...)
	for k, c := range set.Labels {
		jitter(set.X.RawRowView(k), centers.RawRowView(c), spread, rng)
	}
	return set
}

// XOR draws two classes from four Gaussian clusters of width spread at
// (±1, ±1): class 1 where the signs agree. No line separates it.
func XOR(perClass int, spread float64, rng *rand.Rand) Set {
	set := blank("XOR", 2, perClass, 2, spread, rng)
	for k, c := range set.Labels {
		first := 1 - 2*float64(rng.IntN(2))
		jitter(set.X.RawRowView(k), []float64{first, first * float64(2*c-1)}, spread, rng)
	}
	return set
}

// Separable draws two classes of perClass points that a hyperplane through the
// origin separates with the given margin, and returns its unit normal: points
// are standard normal in R^d, then moved along the normal away from the
// hyperplane by margin. The largest possible margin is at least this one.
func Separable(perClass, d int, margin float64, rng *rand.Rand) (set Set, normal []float64) {
	set = blank("separable", 2, perClass, d, margin, rng)
	normal = make([]float64, d)
	jitter(normal, make([]float64, d), 1, rng)
	floats.Scale(1/floats.Norm(normal, 2), normal)
	origin := make([]float64, d)
	for k, c := range set.Labels {
		x := set.X.RawRowView(k)
		jitter(x, origin, 1, rng)
		side, sign := floats.Dot(x, normal), float64(2*c-1)
		floats.AddScaled(x, sign*(math.Abs(side)+margin)-side, normal)
	}
	return set, normal
}

// Rings draws concentric rings in the plane, class c at radius c+1, with
// Gaussian noise of the given width on both coordinates.
func Rings(classes, perClass int, noise float64, rng *rand.Rand) Set {
	set := blank("rings", classes, perClass, 2, noise, rng)
	for k, c := range set.Labels {
		polar(set.X.RawRowView(k), float64(c+1), 2*math.Pi*rng.Float64(), noise, rng)
	}
	return set
}

// Spirals draws interleaved Archimedean spirals in the plane, one a class: the radius grows from
// 0.1 to 1 while the angle makes the given number of turns from a start that differs by 2π/classes,
// with Gaussian noise on both coordinates.
func Spirals(classes, perClass int, turns, noise float64, rng *rand.Rand) Set {
	set := blank("spirals", classes, perClass, 2, noise, rng, turns)
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

// jitter sets x to center + spread·ε.
func jitter(x, center []float64, spread float64, rng *rand.Rand) {
	for j := range x {
		x[j] = center[j] + spread*rng.NormFloat64()
	}
}

// blank returns a balanced set of zero inputs, its points ordered by class. It panics
// unless width is at least 0 and all amounts are finite.
func blank(name string, classes, perClass, d int, width float64, rng *rand.Rand, amounts ...float64) Set {
	checkRandom(name, rng)
	for _, v := range append(amounts, width) {
		if v-v != 0 || width < 0 {
			panic(fmt.Sprintf("dataset: %s: got the number %v; use finite ones, and none below 0 for a width or margin", name, v))
		}
	}
	if classes < 2 || perClass < 1 || d < 1 || float64(classes)*float64(perClass)*float64(d) > mostEntries {
		panic(fmt.Sprintf("dataset: %s: %d classes of %d points in %d dimensions; use positive numbers, and at most %d entries", name, classes, perClass, d, mostEntries))
	}
	labels := make([]int, classes*perClass)
	for k := range labels {
		labels[k] = k / perClass
	}
	return Set{Name: name, X: mat.NewDense(len(labels), d, nil), Labels: labels, Classes: classes}
}
