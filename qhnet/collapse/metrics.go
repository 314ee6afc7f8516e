// Package collapse measures Neural Collapse: features that equal their class means,
// means that form a simplex equiangular tight frame (ETF), a classifier aligned with
// them. [IdealProblem] is the maximum-margin problem in which all of it is exact.
package collapse

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

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

// Metrics is every collapse metric of one set of features and one classifier.
// All but BiasNorm are unchanged by a rotation and a rescaling of feature space
// and are 0 at collapse, if the features have room for an ETF.
type Metrics struct {
	Classes, Features, Points int
	SmallestClass             int // points of the smallest class
	LargestClass              int // points of the largest class

	NC1      float64 // [ClassFeatures.WithinClassVariability]
	NC1Ratio float64 // [ClassFeatures.VariabilityRatio]
	CDNV     float64 // [ClassFeatures.CDNV]

	MeanEquinorm, WeightEquinorm       float64 // NC2, [Equinorm] of M and W
	MeanEquiangular, WeightEquiangular float64 // NC2, [Equiangularity] of M and W
	MeanETF, WeightETF                 float64 // NC2, [ETFDistance] of M and W

	NC3    float64 // [SelfDuality]
	NC3ETF float64 // [DualETFDistance]
	NC4    float64 // [ClassFeatures.NearestMeanDisagreement]

	BiasNorm float64 // ‖b‖, 0 without a bias
	ETFFloor float64 // [ETFFloor], above 0 if there are more than d+1 classes
}

// Measure computes all metrics for the n×d features h of labelled
// points under the classifier f = W h + b, W of shape C×d; b may be nil. Errors
// are those of [NewClassFeatures]. It panics if shapes differ.
func Measure(h *mat.Dense, labels []int, w *mat.Dense, b []float64) (Metrics, error) {
	classes, d := w.Dims()
	if _, width := h.Dims(); width != d {
		panic(fmt.Sprintf("qhnet: %d features but the classifier reads %d", width, d))
	}
	if b != nil && len(b) != classes {
		panic(fmt.Sprintf("qhnet: bias of length %d for %d classes", len(b), classes))
	}
	f, err := NewClassFeatures(h, labels, classes)
	if err != nil {
		return Metrics{}, err
	}
	m := f.Centred
	return Metrics{
		Classes: classes, Features: d, Points: len(labels),
		SmallestClass: slices.Min(f.Counts), LargestClass: slices.Max(f.Counts),
		NC1: f.WithinClassVariability(), NC1Ratio: f.VariabilityRatio(), CDNV: f.CDNV(),
		MeanEquinorm: Equinorm(m), WeightEquinorm: Equinorm(w),
		MeanEquiangular: Equiangularity(m), WeightEquiangular: Equiangularity(w),
		MeanETF: ETFDistance(m), WeightETF: ETFDistance(w),
		NC3: SelfDuality(w, m), NC3ETF: DualETFDistance(w, m),
		NC4: f.NearestMeanDisagreement(w, b), BiasNorm: floats.Norm(b, 2), ETFFloor: ETFFloor(classes, d),
	}, nil
}

// String lays the metrics out as a table, with a remark where classes are
// imbalanced or too many for an ETF.
func (c Metrics) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d classes, %d features, %d points\n", c.Classes, c.Features, c.Points)
	fmt.Fprintf(&s, "%-34s %9s %9s\n", "", "means", "weights")
	row := func(name string, values ...float64) {
		fmt.Fprintf(&s, "%-34s", name)
		for _, v := range values {
			fmt.Fprintf(&s, " %9.2e", v)
		}
		s.WriteByte('\n')
	}
	row("NC1  tr(Σ_W Σ_B⁺)/C", c.NC1)
	row("NC1  trΣ_W/trΣ_B", c.NC1Ratio)
	row("NC1  CDNV", c.CDNV)
	row("NC2  equinorm", c.MeanEquinorm, c.WeightEquinorm)
	row("NC2  equiangular", c.MeanEquiangular, c.WeightEquiangular)
	row("NC2  ETF distance", c.MeanETF, c.WeightETF)
	row("NC3  ‖W/‖W‖ - M/‖M‖‖²", c.NC3)
	row("NC3  ETF distance of W Mᵀ", c.NC3ETF)
	row("NC4  share not at nearest mean", c.NC4)
	row("bias norm", c.BiasNorm)
	if c.SmallestClass != c.LargestClass {
		fmt.Fprintf(&s, "Classes have %d to %d points; every class counts the same.\n", c.SmallestClass, c.LargestClass)
	}
	if c.ETFFloor > 0 {
		fmt.Fprintf(&s, "No ETF of %d classes fits into %d dimensions: ETF distances are at least %.3f.\n", c.Classes, c.Features, c.ETFFloor)
	}
	return s.String()
}
