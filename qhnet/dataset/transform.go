package dataset

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Pool returns the images at a coarser resolution: the means of squares of side×side pixels, such
// as MNIST at 14×14 for side 2. It panics unless side divides height and width.
func (s Set) Pool(side int) Set {
	channels, height, width := s.sides()
	if side < 1 || height%side != 0 || width%side != 0 {
		panic(fmt.Sprintf("dataset: %s: squares of side %d do not tile images of %d×%d", s.title(), side, height, width))
	}
	rows, columns := height/side, width/side
	x := mat.NewDense(s.Len(), channels*rows*columns, nil)
	for k := range s.Labels {
		pooled := x.RawRowView(k)
		for i, v := range s.X.RawRowView(k) {
			channel, row, column := i/(height*width), i/width%height, i%width
			pooled[(channel*rows+row/side)*columns+column/side] += v / float64(side*side)
		}
	}
	s.X, s.Shape = x, []int{channels, rows, columns}
	return s
}

func (s Set) sides() (channels, height, width int) {
	if s.dims(); len(s.Shape) != 3 {
		panic(fmt.Sprintf("dataset: %s: inputs of shape %v are no images", s.title(), s.Shape))
	}
	return s.Shape[0], s.Shape[1], s.Shape[2]
}

// Standardization is the affine map x ↦ (x - Mean)/Deviation, one pair a
// column. Fit it on training data and apply it to test data.
type Standardization struct {
	Mean, Deviation []float64
}

// Standardization returns the map that gives the set zero mean and unit variance: per column for
// plain vectors, per channel for images (a pixel that is black in every image would otherwise be
// blown up). A column or channel that is constant up to rounding is only centred.
func (s Set) Standardization() Standardization {
	n, d := s.dims()
	group := 1 // neighbouring columns that share one mean and deviation
	if len(s.Shape) == 3 {
		group = s.Shape[1] * s.Shape[2]
	}
	z := Standardization{make([]float64, d), make([]float64, d)}
	for start := 0; start < d; start += group {
		mean, deviation := moments(s.X.Slice(0, n, start, start+group))
		if deviation-deviation != 0 {
			panic(fmt.Sprintf("dataset: %s: column %d has the mean %v and the deviation %v; see Check", s.title(), start, mean, deviation))
		}
		for j := start; j < start+group; j++ {
			z.Mean[j], z.Deviation[j] = mean, deviation
		}
	}
	return z
}

// moments sums differences to the first entry, so that the mean of equal entries is exact. A
// deviation of a few units in the last place of the mean is rounding and counts as none.
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
	n, d := s.dims()
	if d != len(z.Mean) || d != len(z.Deviation) {
		panic(fmt.Sprintf("dataset: standardization of %d means and %d deviations applied to %d columns", len(z.Mean), len(z.Deviation), d))
	}
	for j, deviation := range z.Deviation {
		if m := z.Mean[j]/deviation + deviation; m-m != 0 || !(deviation > 0) {
			panic(fmt.Sprintf("dataset: standardization of column %d by the mean %v and the deviation %v; use finite numbers, a deviation above 0", j, z.Mean[j], deviation))
		}
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
