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
	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/vector"
)

// ClassFeatures holds the last-layer features of labelled points and the class statistics that
// the collapse metrics are made of. Every class counts the same, whatever its number of points:
//
//	μ_c = mean of class c,  μ_G = (1/C) Σ_c μ_c,  M = rows μ_c - μ_G
//	Σ_W = (1/C) Σ_c mean over class c of (h - μ_c)(h - μ_c)ᵀ
//	Σ_B = (1/C) Mᵀ M
//
// With balanced classes this is the usual definition. Published code that averages over points
// weighs large classes more; here an exact ETF gives 0 on every metric under any imbalance.
type ClassFeatures struct {
	H        *mat.Dense // n×d features
	Labels   []int      // n
	Means    *mat.Dense // C×d, rows μ_c
	Global   []float64  // d, μ_G
	Centred  *mat.Dense // C×d, M
	Variance []float64  // C, σ²_c = mean over class c of ‖h - μ_c‖²
	Counts   []int      // C
}

// The metrics square their input twice, so it has to lie between these sizes.
const smallest, largest = 1e-70, 1e70

// checkSize returns an error unless squares and their squares can be trusted.
func checkSize(what string, a mat.Matrix) error {
	if size := mat.Norm(a, 2); !(size >= smallest && size <= largest) {
		return fmt.Errorf("qhnet: collapse: the norm of %s is %.3g; scale it to be finite and not zero, between %g and %g, which changes no metric", what, size, smallest, largest)
	}
	return nil
}

// coincide is the distance, relative to their length, below which two class means are one.
const coincide = 1e-13

// NewClassFeatures computes the class statistics of the n×d features h. It is an
// error if there are fewer than two classes, a class has no points, a feature is
// not finite, or all class means coincide up to rounding. It panics if lengths differ.
func NewClassFeatures(h *mat.Dense, labels []int, classes int) (*ClassFeatures, error) {
	vector.CheckMatrix("the features", h)
	n, d := h.Dims()
	if n != len(labels) {
		panic(fmt.Sprintf("qhnet: %d feature rows but %d labels", n, len(labels)))
	}
	if classes < 2 || classes > n {
		return nil, fmt.Errorf("qhnet: collapse of %d class(es) with %d points: the metrics compare classes, at least 2 are needed, each with a point", classes, n)
	}
	f := &ClassFeatures{
		H: h, Labels: labels, Means: mat.NewDense(classes, d, nil), Global: make([]float64, d),
		Centred: mat.NewDense(classes, d, nil), Variance: make([]float64, classes), Counts: make([]int, classes),
	}
	if err := f.average(); err != nil {
		return nil, err
	}
	for c := range classes {
		floats.AddScaled(f.Global, 1/float64(classes), f.Means.RawRowView(c))
	}
	for c := range classes {
		floats.SubTo(f.Centred.RawRowView(c), f.Means.RawRowView(c), f.Global)
	}
	for k, c := range labels {
		distance := floats.Distance(h.RawRowView(k), f.Means.RawRowView(c), 2)
		f.Variance[c] += distance * distance / float64(f.Counts[c])
	}
	if mat.Norm(f.Centred, 2) <= coincide*mat.Norm(f.Means, 2) {
		return nil, errors.New("qhnet: collapse: all class means coincide, so no angle between them exists")
	}
	if err := checkSize("the centred class means", f.Centred); err != nil {
		return nil, err
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
		if s := floats.Sum(row); s-s != 0 {
			return fmt.Errorf("qhnet: collapse: a feature of class %d is not finite", c)
		}
	}
	return nil
}

// nc1 is tr(Σ_W Σ_B⁺)/C. The pseudoinverse keeps the singular values of M that exceed the
// largest by a factor max(C, d)·2⁻⁵², at most min(C-1, d) of them.
func (f *ClassFeatures) nc1() float64 {
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

// betweenDirections returns the singular values of M above zero, and right vectors, one a column.
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

// cdnv returns the mean over pairs of classes, +Inf if the means of two coincide.
func (f *ClassFeatures) cdnv() float64 {
	classes, total := len(f.Counts), 0.0
	for i := range classes {
		for j := range i {
			a, b := f.Means.RawRowView(i), f.Means.RawRowView(j)
			gap := floats.Distance(a, b, 2)
			if gap <= coincide*(floats.Norm(a, 2)+floats.Norm(b, 2)) {
				return math.Inf(1)
			}
			total += (f.Variance[i] + f.Variance[j]) / (2 * gap * gap)
		}
	}
	return total / float64(classes*(classes-1)/2)
}

// disagreement returns the share of points that f = W h + b does not give the class of
// the nearest mean, of equally near ones the first.
func (f *ClassFeatures) disagreement(w *mat.Dense, b []float64) float64 {
	logits, gaps := make([]float64, len(f.Counts)), make([]float64, len(f.Counts))
	wrong := 0
	for k := range f.Labels {
		h := f.H.RawRowView(k)
		for c := range logits {
			logits[c], gaps[c] = floats.Dot(w.RawRowView(c), h), floats.Distance(h, f.Means.RawRowView(c), 2)
			if b != nil {
				logits[c] += b[c]
			}
		}
		if qhnet.Class(logits) != floats.MinIdx(gaps) {
			wrong++
		}
	}
	return float64(wrong) / float64(len(f.Labels))
}

// Metrics is every collapse metric of one set of features and one classifier f = W h + b. Published
// code disagrees on some of them, so each comes with its formula. All but BiasNorm are unchanged by
// a rotation and a rescaling of feature space and are 0 at collapse, if the features have room for
// an ETF. A class mean at the centre, or a class without weights, has no angle: its metric is NaN.
type Metrics struct {
	Classes, Features, Points int
	SmallestClass             int // points of the smallest class
	LargestClass              int // points of the largest class

	// NC1 is tr(Σ_W Σ_B⁺)/C of [ClassFeatures], the within-class scatter in units of the
	// between-class scatter (Papyan, Han and Donoho, arXiv:2008.08186). Some published code
	// omits the division by C.
	NC1      float64
	NC1Ratio float64 // trΣ_W/trΣ_B, without a pseudoinverse (Tirer and Bruna, arXiv:2202.08087)

	// CDNV is the class-distance normalized variance of Galanti, György and Hutter
	// (arXiv:2112.15121), the mean over pairs of classes of (σ²_i + σ²_j)/(2 ‖μ_i - μ_j‖²).
	// It is infinite if two class means coincide up to rounding.
	CDNV float64

	// NC2 of the centred class means M and of the weights W (Papyan, Han and Donoho,
	// arXiv:2008.08186): the coefficient of variation std_c ‖a_c‖ / mean_c ‖a_c‖ of the
	// rows' norms, with division by C; the mean over i ≠ j of |cos∠(a_i, a_j) + 1/(C-1)|;
	// and, for both at once, ‖A Aᵀ/‖A Aᵀ‖_F - (I - 11ᵀ/C)/√(C-1)‖_F, which Zhu et al.,
	// arXiv:2105.02375, apply to W.
	MeanEquinorm, WeightEquinorm       float64
	MeanEquiangular, WeightEquiangular float64
	MeanETF, WeightETF                 float64

	NC3    float64 // ‖W/‖W‖_F - M/‖M‖_F‖²_F, from 0 to 4 (Papyan et al.)
	NC3ETF float64 // ‖W Mᵀ/‖W Mᵀ‖_F - (I - 11ᵀ/C)/√(C-1)‖_F (Zhu et al., arXiv:2105.02375)
	NC4    float64 // share of points whose [qhnet.Class] is not that of the nearest mean, the first of equally near ones

	BiasNorm float64 // ‖b‖, 0 without a bias
	ETFFloor float64 // √(2 - 2√(d/(C-1))), the least MeanETF in d < C-1 dimensions, where no ETF fits; otherwise 0
}

// Measure computes all metrics for the n×d features h of labelled points under the classifier f = W
// h + b, W of shape C×d; b may be nil. Errors are those of [NewClassFeatures], a classifier that is
// zero, and one that is not finite. It panics if shapes differ.
func Measure(h *mat.Dense, labels []int, w *mat.Dense, b []float64) (Metrics, error) {
	vector.CheckMatrix("the features", h)
	vector.CheckMatrix("the classifier", w)
	classes, d := w.Dims()
	if _, width := h.Dims(); width != d {
		panic(fmt.Sprintf("qhnet: %d features but the classifier reads %d", width, d))
	}
	if b != nil && len(b) != classes {
		panic(fmt.Sprintf("qhnet: bias of length %d for %d classes", len(b), classes))
	}
	if size := mat.Norm(w, 2) + floats.Norm(b, 2); size-size != 0 {
		return Metrics{}, fmt.Errorf("qhnet: collapse: the norm of the classifier is %v; every weight and bias must be finite", size)
	}
	f, err := NewClassFeatures(h, labels, classes)
	if err != nil {
		return Metrics{}, err
	}
	if mat.Norm(w, 2) == 0 {
		return Metrics{}, errors.New("qhnet: collapse: all weights of the classifier are zero, so it has no direction")
	}
	if err := checkSize("the classifier", w); err != nil {
		return Metrics{}, err
	}
	c := Metrics{
		Classes: classes, Features: d, Points: len(labels),
		SmallestClass: slices.Min(f.Counts), LargestClass: slices.Max(f.Counts),
		NC1: f.nc1(), NC1Ratio: floats.Sum(f.Variance) / math.Pow(mat.Norm(f.Centred, 2), 2), CDNV: f.cdnv(),
		MeanETF: etfDistance(f.Centred, f.Centred), WeightETF: etfDistance(w, w),
		NC3ETF: etfDistance(w, f.Centred), NC4: f.disagreement(w, b),
		BiasNorm: floats.Norm(b, 2), ETFFloor: math.Sqrt(2 - 2*math.Sqrt(min(float64(d)/float64(classes-1), 1))),
	}
	c.MeanEquinorm, c.MeanEquiangular = equality(f.Centred)
	c.WeightEquinorm, c.WeightEquiangular = equality(w)
	var gap, means mat.Dense
	means.Scale(1/mat.Norm(f.Centred, 2), f.Centred)
	gap.Scale(1/mat.Norm(w, 2), w)
	gap.Sub(&gap, &means)
	c.NC3 = math.Pow(mat.Norm(&gap, 2), 2)
	return c, nil
}

// equality returns how unequal the norms of the rows of a are, and their angles.
func equality(a *mat.Dense) (norm, angle float64) {
	classes, _ := a.Dims()
	norms := make([]float64, classes)
	for i := range norms {
		norms[i] = floats.Norm(a.RawRowView(i), 2)
		for j := range i {
			cosine := floats.Dot(a.RawRowView(i), a.RawRowView(j)) / (norms[i] * norms[j])
			angle += math.Abs(cosine+1/float64(classes-1)) / float64(classes*(classes-1)/2)
		}
	}
	mean, deviation := stat.PopMeanStdDev(norms, nil)
	return deviation / mean, angle
}

// etfDistance returns the Frobenius distance of A Bᵀ, divided by its norm, from the Gram
// matrix (I - 11ᵀ/C)/√(C-1) of a simplex ETF.
func etfDistance(a, b mat.Matrix) float64 {
	var gram mat.Dense
	gram.Mul(a, b.T())
	classes, _ := gram.Dims()
	gram.Scale(1/mat.Norm(&gram, 2), &gram)
	root := math.Sqrt(float64(classes - 1))
	for i := range classes {
		floats.AddConst(1/(float64(classes)*root), gram.RawRowView(i))
		gram.Set(i, i, gram.At(i, i)-1/root)
	}
	return mat.Norm(&gram, 2)
}

// String makes a table, with a remark where classes are imbalanced or too many for an ETF.
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
