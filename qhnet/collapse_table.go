package qhnet

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Collapse is every collapse metric of one set of features and one classifier.
// All but BiasNorm are unchanged by a rotation and a rescaling of feature space
// and are 0 at collapse, if the features have room for an ETF.
type Collapse struct {
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

// MeasureCollapse computes all metrics for the n×d features h of labelled
// points under the classifier f = W h + b, W of shape C×d; b may be nil. Errors
// are those of [NewClassFeatures]. It panics if shapes differ.
func MeasureCollapse(h *mat.Dense, labels []int, w *mat.Dense, b []float64) (Collapse, error) {
	classes, d := w.Dims()
	if _, width := h.Dims(); width != d {
		panic(fmt.Sprintf("qhnet: %d features but the classifier reads %d", width, d))
	}
	if b != nil && len(b) != classes {
		panic(fmt.Sprintf("qhnet: bias of length %d for %d classes", len(b), classes))
	}
	f, err := NewClassFeatures(h, labels, classes)
	if err != nil {
		return Collapse{}, err
	}
	m := f.Centred
	return Collapse{
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
func (c Collapse) String() string {
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
