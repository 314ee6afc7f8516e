package qhnet

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ClassFeatures holds the last-layer features of labelled points and the class
// statistics that the collapse metrics are made of. Every class counts the
// same, whatever its number of points:
//
//	μ_c = mean of class c,  μ_G = (1/C) Σ_c μ_c,  M = rows μ_c - μ_G
//	Σ_W = (1/C) Σ_c mean over class c of (h - μ_c)(h - μ_c)ᵀ
//	Σ_B = (1/C) Mᵀ M
//
// With balanced classes this is the usual definition. With imbalance, published
// code that averages over points weighs large classes more, and an ETF of the
// means is then not centred at its μ_G; here an exact ETF gives 0 on every
// metric under any imbalance.
type ClassFeatures struct {
	H        *mat.Dense // n×d features
	Labels   []int      // n
	Means    *mat.Dense // C×d, rows μ_c
	Global   []float64  // d, μ_G
	Centred  *mat.Dense // C×d, M
	Variance []float64  // C, σ²_c = mean over class c of ‖h - μ_c‖²
	Counts   []int      // C
}

// NewClassFeatures computes the class statistics of the n×d features h. It is an
// error if there are fewer than two classes, a class has no points, a feature is
// not finite, or all class means coincide. It panics if lengths differ.
func NewClassFeatures(h *mat.Dense, labels []int, classes int) (*ClassFeatures, error) {
	n, d := h.Dims()
	if n != len(labels) {
		panic(fmt.Sprintf("qhnet: %d feature rows but %d labels", n, len(labels)))
	}
	if classes < 2 {
		return nil, fmt.Errorf("qhnet: collapse of %d class(es): the metrics compare classes, at least 2 are needed", classes)
	}
	f := &ClassFeatures{
		H: h, Labels: labels, Means: mat.NewDense(classes, d, nil), Global: make([]float64, d),
		Centred: mat.NewDense(classes, d, nil), Variance: make([]float64, classes), Counts: make([]int, classes),
	}
	if err := f.average(); err != nil {
		return nil, err
	}
	f.centre()
	f.spread()
	if mat.Norm(f.Centred, 2) == 0 {
		return nil, errors.New("qhnet: collapse: all class means coincide, so no angle between them exists")
	}
	return f, nil
}

func (f *ClassFeatures) average() error {
	for k, c := range f.Labels {
		if c < 0 || c >= len(f.Counts) {
			return fmt.Errorf("qhnet: collapse: label %d of point %d is outside 0..%d", c, k, len(f.Counts)-1)
		}
		f.Counts[c]++
		floats.Add(f.Means.RawRowView(c), f.H.RawRowView(k))
	}
	for c, count := range f.Counts {
		if count == 0 {
			return fmt.Errorf("qhnet: collapse: class %d has no points, so it has no mean", c)
		}
		row := f.Means.RawRowView(c)
		floats.Scale(1/float64(count), row)
		if s := floats.Sum(row); math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("qhnet: collapse: a feature of class %d is not finite", c)
		}
	}
	return nil
}

func (f *ClassFeatures) centre() {
	classes := len(f.Counts)
	for c := range classes {
		floats.AddScaled(f.Global, 1/float64(classes), f.Means.RawRowView(c))
	}
	for c := range classes {
		floats.SubTo(f.Centred.RawRowView(c), f.Means.RawRowView(c), f.Global)
	}
}

func (f *ClassFeatures) spread() {
	for k, c := range f.Labels {
		distance := floats.Distance(f.H.RawRowView(k), f.Means.RawRowView(c), 2)
		f.Variance[c] += distance * distance / float64(f.Counts[c])
	}
}

// WithinClassVariability returns the NC1 of Papyan, Han and Donoho,
// arXiv:2008.08186,
//
//	tr(Σ_W Σ_B⁺)/C,
//
// the within-class scatter measured in units of the between-class scatter. Some
// published code omits the division by C. The pseudoinverse keeps the singular
// values of M that exceed the largest by a factor max(C, d)·2⁻⁵², at most
// min(C-1, d) of them.
func (f *ClassFeatures) WithinClassVariability() float64 {
	values, directions := f.betweenDirections()
	classes, n := len(f.Counts), len(f.Labels)
	var along mat.Dense
	along.Mul(f.H, directions)
	var centres mat.Dense
	centres.Mul(f.Means, directions)
	total := 0.0
	for k := range n {
		c := f.Labels[k]
		for i, s := range values {
			deviation := (along.At(k, i) - centres.At(c, i)) / s
			total += deviation * deviation / float64(f.Counts[c])
		}
	}
	// Σ_W carries 1/C and Σ_B⁺ carries C, which cancel: the division by C is left.
	return total / float64(classes)
}

// betweenDirections returns the non-zero singular values of M and its right
// singular vectors, one a column.
func (f *ClassFeatures) betweenDirections() ([]float64, mat.Matrix) {
	classes, d := f.Centred.Dims()
	var svd mat.SVD
	if !svd.Factorize(f.Centred, mat.SVDThin) {
		panic("qhnet: singular value decomposition of finite class means failed")
	}
	values := svd.Values(nil)
	rank := min(classes-1, d)
	cutoff := values[0] * float64(max(classes, d)) * 0x1p-52
	for rank > 1 && values[rank-1] <= cutoff {
		rank--
	}
	var v mat.Dense
	svd.VTo(&v)
	return values[:rank], v.Slice(0, d, 0, rank)
}

// VariabilityRatio returns trΣ_W/trΣ_B, the form of NC1 that needs no
// pseudoinverse (Tirer and Bruna, arXiv:2202.08087).
func (f *ClassFeatures) VariabilityRatio() float64 {
	size := mat.Norm(f.Centred, 2)
	return floats.Sum(f.Variance) / (size * size)
}

// CDNV returns the class-distance normalized variance of Galanti, György and
// Hutter, arXiv:2112.15121,
//
//	mean over pairs i < j of (σ²_i + σ²_j)/(2 ‖μ_i - μ_j‖²).
//
// It is infinite if two class means coincide.
func (f *ClassFeatures) CDNV() float64 {
	classes := len(f.Counts)
	total := 0.0
	for i := range classes {
		for j := range i {
			gap := floats.Distance(f.Means.RawRowView(i), f.Means.RawRowView(j), 2)
			total += (f.Variance[i] + f.Variance[j]) / (2 * gap * gap)
		}
	}
	return total / float64(classes*(classes-1)/2)
}

// NearestMeanDisagreement returns NC4 of Papyan, Han and Donoho,
// arXiv:2008.08186: the share of points whose largest logit W h + b is not that
// of the nearest class mean. W is C×d; b may be nil. Classes whose logits tie
// with the largest all count as agreeing.
func (f *ClassFeatures) NearestMeanDisagreement(w *mat.Dense, b []float64) float64 {
	classes := len(f.Counts)
	logits := make([]float64, classes)
	wrong := 0
	for k := range f.Labels {
		h := f.H.RawRowView(k)
		for c := range logits {
			logits[c] = floats.Dot(w.RawRowView(c), h)
			if b != nil {
				logits[c] += b[c]
			}
		}
		if logits[f.nearest(h)] < floats.Max(logits) {
			wrong++
		}
	}
	return float64(wrong) / float64(len(f.Labels))
}

func (f *ClassFeatures) nearest(h []float64) int {
	best, smallest := 0, math.Inf(1)
	for c := range f.Counts {
		if distance := floats.Distance(h, f.Means.RawRowView(c), 2); distance < smallest {
			best, smallest = c, distance
		}
	}
	return best
}
