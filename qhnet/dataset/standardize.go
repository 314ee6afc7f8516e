package dataset

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Standardization is the affine map x ↦ (x - Mean)/Deviation, one pair a
// column. Fit it on training data and apply it to test data.
type Standardization struct {
	Mean, Deviation []float64
}

// Standardization returns the map that gives the set zero mean and unit
// variance: per column for plain vectors, per channel for images (a pixel that
// is black in every image would otherwise be blown up). A column or channel that
// is constant up to rounding is only centred.
func (s Set) Standardization() Standardization {
	n, d := s.X.Dims()
	group := s.groupSize(d)
	z := Standardization{make([]float64, d), make([]float64, d)}
	for start := 0; start < d; start += group {
		mean, deviation := moments(s.X.Slice(0, n, start, start+group))
		for j := start; j < start+group; j++ {
			z.Mean[j], z.Deviation[j] = mean, deviation
		}
	}
	return z
}

// groupSize returns how many neighbouring columns share one mean and deviation.
func (s Set) groupSize(d int) int {
	if len(s.Shape) == 3 {
		return s.Shape[1] * s.Shape[2]
	}
	return 1
}

// moments sums differences to the first entry, so that the mean of equal entries
// is exact. A deviation of a few units in the last place of the mean is rounding
// and counts as none.
func moments(x mat.Matrix) (mean, deviation float64) {
	n, d := x.Dims()
	first, size := x.At(0, 0), float64(n*d)
	sum := 0.0
	for i := range n {
		for j := range d {
			sum += x.At(i, j) - first
		}
	}
	mean = first + sum/size
	for i := range n {
		for j := range d {
			v := x.At(i, j) - mean
			deviation += v * v
		}
	}
	if deviation = math.Sqrt(deviation / size); deviation <= 8*0x1p-52*math.Abs(mean) {
		deviation = 1
	}
	return mean, deviation
}

// Apply returns the set with every input mapped.
func (z Standardization) Apply(s Set) Set {
	n, d := s.X.Dims()
	if d != len(z.Mean) {
		panic(fmt.Sprintf("dataset: standardization of %d columns applied to %d", len(z.Mean), d))
	}
	x := mat.NewDense(n, d, nil)
	for i := range n {
		row := x.RawRowView(i)
		for j, v := range s.X.RawRowView(i) {
			row[j] = (v - z.Mean[j]) / z.Deviation[j]
		}
	}
	s.X = x
	return s
}

// Standardize applies the set's own [Standardization] to it.
func (s Set) Standardize() Set { return s.Standardization().Apply(s) }
