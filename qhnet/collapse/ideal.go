package collapse

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// IdealProblem is the unconstrained features model: every point has its own trainable feature
// vector, as if the layers below could place it anywhere, and only normalization and
// classifier are left of the network,
//
//	f_k = W h_k (+ b),   h_k = normalization of the free vector z_k ∈ R^d.
//
// Collapse can be computed exactly here: see [IdealProblem.Collapsed]. As a [nn.Network] it
// reads one-hot inputs, so that its first layer holds the free vectors, one a column. See
// Mixon, Parshall and Pi, arXiv:2011.11619, and Zhu et al., arXiv:2105.02375.
type IdealProblem struct {
	Classes, PerClass int
	Features          int // d
	Normalization     Normalization
	Bias              bool // a trainable b
}

// Normalization is the normalization of an [IdealProblem], such as RMS or RMS.WithScale().
type Normalization int

const (
	None  Normalization = iota
	Batch               // [nn.BatchNorm]
	Layer               // [nn.LayerNorm]
	RMS                 // [nn.RMSNorm]

	scaled = 8 // added to those with a trainable scale
)

// WithScale returns the normalization followed by a trainable scale γ.
func (n Normalization) WithScale() Normalization { return n | scaled }

func (n Normalization) hasScale() bool { return n&scaled != 0 }

func (n Normalization) plain() Normalization { return n &^ scaled }

// String names the normalization.
func (n Normalization) String() string {
	if n.plain() < None || n.plain() > RMS {
		return fmt.Sprintf("Normalization(%d)", int(n))
	}
	name := [...]string{"none", "batch", "layer", "RMS"}[n.plain()]
	if n.hasScale() {
		name += " with scale"
	}
	return name
}

// normalization returns the layers of a network that normalize, one or none.
func (p IdealProblem) normalization() ([]nn.Layer, error) {
	var options []nn.Option
	if p.Normalization.hasScale() {
		options = append(options, nn.WithScale())
	}
	kinds := map[Normalization]func(...nn.Option) nn.Layer{Batch: nn.BatchNorm, Layer: nn.LayerNorm, RMS: nn.RMSNorm}
	switch kind := kinds[p.Normalization.plain()]; {
	case kind != nil:
		return []nn.Layer{nn.Named("normalization", kind(options...))}, nil
	case p.Normalization == None:
		return nil, nil
	case p.Normalization.plain() == None:
		return nil, errors.New("qhnet: ideal problem: a scale needs a normalization before it; use Batch, Layer or RMS")
	}
	return nil, fmt.Errorf("qhnet: ideal problem: there is no %v; use None, Batch, Layer or RMS", p.Normalization)
}

// Network returns the model, with the layers "features", "normalization" (if there is one) and
// "classifier". It is an error if there are fewer than two classes, no points, or less room than an
// ETF needs: d ≥ C-1, and d ≥ C if every feature vector must sum to zero.
func (p IdealProblem) Network() (*nn.Network, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	least := p.Classes - 1
	if p.Normalization.plain() == Layer {
		least++
	}
	if p.Features < least {
		return nil, fmt.Errorf("qhnet: ideal problem: %d features have no room for the ETF of %d classes; use at least %d", p.Features, p.Classes, least)
	}
	layers := []nn.Layer{nn.Input(p.points()), nn.Named("features", nn.Dense(p.Features, nn.NoBias()))}
	normalization, err := p.normalization()
	if err != nil {
		return nil, err
	}
	layers = append(layers, normalization...)
	var options []nn.Option
	if !p.Bias {
		options = append(options, nn.NoBias())
	}
	return nn.New(append(layers, nn.Named("classifier", nn.Dense(p.Classes, options...)))...)
}

func (p IdealProblem) check() error {
	if p.Classes < 2 || p.PerClass < 1 || float64(p.Classes)*float64(p.PerClass) > 1<<14 {
		return fmt.Errorf("qhnet: ideal problem: %d classes of %d points; it needs at least 2 classes of 1, and its one-hot inputs allow 16384 points", p.Classes, p.PerClass)
	}
	return nil
}

// Set returns one-hot inputs, labels in order of the classes. It panics if Network refuses the number.
func (p IdealProblem) Set() dataset.Set {
	if err := p.check(); err != nil {
		panic(err.Error())
	}
	n := p.points()
	set := dataset.Set{Name: "ideal problem", X: mat.NewDense(n, n, nil), Labels: make([]int, n), Classes: p.Classes}
	for k := range n {
		set.X.Set(k, k, 1)
		set.Labels[k] = k / p.PerClass
	}
	return set
}

// Collapsed returns parameters at which the features have collapsed to an ETF,
// the smallest margin is 1, and the highest-rate parameters are as small as
// margins of 1 allow. With normalization and no scale,
//
//	‖W‖²_F = (C-1)²/(C d),   so q_min/‖W‖_F = √(C d)/(C-1).
//
// With a scale γ, of rate 1/2 like W, columns satisfy ‖w_j‖ = |γ_j| and
//
//	‖W‖²_F = ‖γ‖² = (C-1)/√C          batch normalization
//	‖W‖²_F = ‖γ‖² = (C-1)^{3/2}/√(C d)  RMS normalization, with C-1 features in use
//
// The second is the least of ETFs only. For an even number of classes, features at both ends of C/2
// axes cost 2 (C/2)^{3/2}/(C-1)^{3/2} times as much, which is less from six classes on (0.93, the
// octahedron): there Collapsed satisfies the first-order conditions and is no optimum.
//
// Without normalization, for n_c points a class and the matrix Z of features, ‖W‖²_F = ‖Z‖²_F =
// (C-1)√n_c. The bias is 0. It is an error if the ETF is not a solution (layer normalization with a
// scale, where features that sum to zero have more room in some directions than in others).
func (p IdealProblem) Collapsed() ([]float64, error) {
	n, err := p.Network()
	if err != nil {
		return nil, err
	}
	means, err := p.means()
	if err != nil {
		return nil, err
	}
	theta, points := make([]float64, qhnet.NumParameters(n)), p.points()
	size := mat.Norm(means.RowView(0), 2)
	ratio := float64(p.Classes-1) / (size * size * float64(p.Classes)) // W = ratio·M makes every margin ⟨w_y - w_c, μ_y⟩ = 1
	scale := make([]float64, p.Features)                               // γ_j = √‖v_j‖ shares the columns v_j = γ_j w_j at least cost
	for j := range scale {
		scale[j] = math.Sqrt(ratio * mat.Norm(means.ColView(j), 2))
	}
	for _, b := range n.Blocks() {
		part := b.Of(theta)
		switch b.Name {
		case "features.weight": // a column for each point
			for i := range part {
				part[i] = means.At(i%points/p.PerClass, i/points)
			}
		case "classifier.weight":
			for i := range part {
				j := i % p.Features
				if part[i] = ratio * means.At(i/p.Features, j); p.Normalization.hasScale() && scale[j] > 0 {
					part[i] /= scale[j]
				}
			}
		case "normalization.scale":
			copy(part, scale)
		}
	}
	return theta, nil
}

// means returns the collapsed class means, an ETF in the orientation that the
// normalization asks for: the columns of basis are orthonormal.
func (p IdealProblem) means() (*mat.Dense, error) {
	d, k, radius := p.Features, p.Classes-1, math.Sqrt(float64(p.Features))
	basis := mat.NewDense(d, k, nil)
	switch plain := p.Normalization.plain(); {
	case plain == Layer && p.Normalization.hasScale():
		return nil, errors.New("qhnet: ideal problem: with a trainable scale, features that sum to zero do not collapse to an ETF")
	case plain == Layer: // columns that sum to zero
		basis.Scale(math.Sqrt(float64(d-1)/float64(d)), SimplexETF(d, d-1).Slice(0, d, 0, k))
	case plain == Batch && k < d:
		evenBasis(basis)
	default:
		for j := range k {
			basis.Set(j, j, 1)
		}
	}
	if p.Normalization == None {
		// ‖μ‖² C n_c = ‖W‖², which is smallest when both are (C-1)√n_c.
		radius = math.Sqrt(float64(k) / (float64(p.Classes) * math.Sqrt(float64(p.PerClass))))
	}
	var means mat.Dense
	means.Mul(SimplexETF(p.Classes, k), basis.T())
	means.Scale(radius, &means)
	return &means, nil
}

func (p IdealProblem) points() int { return p.Classes * p.PerClass }

// SimplexETF returns the simplex equiangular tight frame of C directions in R^d, one a row:
// unit vectors that sum to zero and are as far apart as C vectors can be,
//
//	⟨e_i, e_j⟩ = -1/(C-1) for i ≠ j
//
// (Papyan, Han and Donoho, arXiv:2008.08186). Entries beyond column C-1 are zero. The rows are
// those of a scaled Helmert matrix, so every entry is one correctly rounded square root. It
// panics if C < 2 or d < C-1, where no such frame exists.
func SimplexETF(classes, d int) *mat.Dense {
	if classes < 2 || d < classes-1 || float64(classes)*float64(d) > 1<<30 {
		panic(fmt.Sprintf("qhnet: no simplex ETF of %d classes in %d dimensions: it needs at least 2 classes and d ≥ C-1, and at most 2³⁰ entries", classes, d))
	}
	frame := mat.NewDense(classes, d, nil)
	ratio := float64(classes) / float64(classes-1)
	for j := range classes - 1 {
		k := float64(j + 1)
		for i := range j + 1 {
			frame.Set(i, j, math.Sqrt(ratio/(k*(k+1))))
		}
		frame.Set(j+1, j, -math.Sqrt(ratio*k/(k+1)))
	}
	return frame
}

// evenBasis sets basis to k < d columns whose rows all have the norm √(k/d): cosines and sines of
// the same frequency, with a constant column if k is odd, the harmonic frame.
func evenBasis(basis *mat.Dense) {
	d, k := basis.Dims()
	for i := range d {
		if k%2 == 1 {
			basis.Set(i, 0, 1/math.Sqrt(float64(d)))
		}
		for frequency := 1; frequency <= k/2; frequency++ {
			sin, cos := math.Sincos(2 * math.Pi * float64(frequency*i%d) / float64(d))
			j := k%2 + 2*(frequency-1)
			basis.Set(i, j, cos*math.Sqrt(2/float64(d)))
			basis.Set(i, j+1, sin*math.Sqrt(2/float64(d)))
		}
	}
}
