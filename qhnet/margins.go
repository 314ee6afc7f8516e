package qhnet

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// Margins evaluates the constraints of the maximum-margin problem,
//
//	q_k  = y_k f(x_k; θ)                          one output, y_k = ±1
//	q_kc = f_{y_k}(x_k; θ) - f_c(x_k; θ), c ≠ y_k  C outputs
//
// as an [Evaluation] whose outputs are the q, point by point. All points are classified
// correctly exactly when every q is positive. Use them in one goroutine, and for one run, at
// a time.
type Margins struct {
	running atomic.Bool // a run is moving them

	model    Model
	points   int
	perPoint int
	outputs  Evaluation
	mapping  marginMap

	f                                                          []float64 // the outputs at the point of the last Forward
	q, outputWeights, outputTangent, tangentWeights, curvature []float64
	gradient                                                   []float64 // of length m
}

// marginMap takes a model's outputs f to margins q(f).
type marginMap interface {
	margins(q, f []float64) error
	pullBack(weights, multipliers, f []float64) // weights = (∂q/∂f)ᵀ multipliers
	pushForward(dq, df, f []float64)            // dq = (∂q/∂f) df
}

// NewMargins binds a model of C outputs to labelled points of C classes, or of two if C = 1.
// It is an error if the set is empty or inconsistent, or does not fit the model.
func NewMargins(m Model, set dataset.Set) (*Margins, error) {
	if err := set.CheckPoints(); err != nil {
		return nil, fmt.Errorf("qhnet: margins: %w", err)
	}
	blocksOf(m)
	if classes := max(m.Outputs(), 2); set.Classes < classes {
		return nil, fmt.Errorf("qhnet: margins of %q: %d classes for a model of %d outputs; use one output a class", set.Name, set.Classes, classes)
	}
	return bindMargins(m, set)
}

// bindMargins is NewMargins for a set that may lack some of the classes.
func bindMargins(m Model, set dataset.Set) (*Margins, error) {
	if len(blocksOf(m)) == 0 {
		return nil, fmt.Errorf("qhnet: margins of %q: the model has no parameters to move; Predict and Accuracy take it", set.Name)
	}
	outputs, err := m.Bind(set.X)
	if err != nil {
		return nil, fmt.Errorf("qhnet: margins of %q: %w", set.Name, err)
	}
	if err := checkLabels(m, set); err != nil {
		return nil, err
	}
	n, width := set.Len(), m.Outputs()
	if width == 1 {
		return newMargins(m, outputs, binaryMargins(set.Labels), n, 1, n), nil
	}
	return newMargins(m, outputs, classMargins{set.Labels, width}, n, width-1, n*width), nil
}

// NewBallMargins returns the exact worst-case margins over balls of one radius,
//
//	q_k = min_{‖δ‖ ≤ r} y_k f(c_k + δ) = y_k (β·c_k + b) - r ‖β‖,
//
// of a one-output model affine in its input, f(x) = β(θ)·x + b(θ). It is an error if the model
// is not affine in x or the radius is not a finite number ≥ 0.
func NewBallMargins(m Model, centres dataset.Set, radius float64) (*Margins, error) {
	if !(radius >= 0) || math.IsInf(radius, 0) {
		return nil, fmt.Errorf("qhnet: ball margins: the radius is %v; use a finite number ≥ 0", radius)
	}
	if err := centres.CheckPoints(); err != nil {
		return nil, fmt.Errorf("qhnet: ball margins: %w", err)
	}
	n, d := centres.X.Dims()
	for k, label := range centres.Labels {
		if label > 1 {
			return nil, fmt.Errorf("qhnet: ball margins: centre %d has label %d; use the classes 0 and 1", k, label)
		}
	}
	if err := checkAffine(m, d); err != nil {
		return nil, err
	}
	outputs, err := m.Bind(corners(d+1, d))
	if err != nil {
		return nil, fmt.Errorf("qhnet: ball margins: %w", err)
	}
	return newMargins(m, outputs, newBallMap(centres, radius), n, 1, d+1), nil
}

func newMargins(m Model, outputs Evaluation, mapping marginMap, points, perPoint, width int) *Margins {
	vector := func() []float64 { return make([]float64, width) }
	return &Margins{
		model: m, points: points, perPoint: perPoint, outputs: outputs, mapping: mapping, q: make([]float64, points*perPoint),
		outputWeights: vector(), outputTangent: vector(), tangentWeights: vector(), curvature: vector(),
		gradient: make([]float64, NumParameters(m)),
	}
}

// Model returns the model whose margins these are.
func (m *Margins) Model() Model {
	m.check()
	return m.model
}

// check panics if there are no margins, as where an error of [NewMargins] was ignored.
func (m *Margins) check() {
	if m == nil || m.model == nil {
		panic("qhnet: nil or zero Margins; make them by NewMargins, and look at its error")
	}
}

// Points returns the number of points n.
func (m *Margins) Points() int { return m.points }

// run marks margins as those of a run until the end of it. It panics if another moves them, as the
// two would take each other's values for their own.
func (m *Margins) run() (end func()) {
	if !m.running.CompareAndSwap(false, true) {
		panic("qhnet: two runs have the same Margins at the same time; make Margins for each of them by NewMargins")
	}
	return func() { m.running.Store(false) }
}

// PerPoint returns the number of margins of one point: 1, or C-1.
func (m *Margins) PerPoint() int { return m.perPoint }

// Len returns the number of margins, n·PerPoint.
func (m *Margins) Len() int { return len(m.q) }

// Forward moves to θ and returns the margins there.
func (m *Margins) Forward(theta []float64) ([]float64, error) {
	m.check()
	f, err := m.outputs.Forward(theta)
	if err != nil {
		return nil, err
	}
	m.f = f
	return m.q, m.mapping.margins(m.q, f)
}

// Gradient sets dst to Σ μ_j ∇q_j.
func (m *Margins) Gradient(dst, multipliers []float64) {
	m.checkMultipliers(multipliers)
	m.mapping.pullBack(m.outputWeights, multipliers, m.f)
	m.outputs.Gradient(dst, m.outputWeights)
}

// Directional sets dst to ⟨∇q_j, v⟩ for every margin.
func (m *Margins) Directional(dst, v []float64) {
	m.checkMultipliers(dst)
	m.outputs.Directional(m.outputTangent, v)
	m.mapping.pushForward(dst, m.outputTangent, m.f)
}

// HessianVector sets dst to Σ μ_j ∇²q_j v.
func (m *Margins) HessianVector(dst, multipliers, v []float64) {
	m.checkMultipliers(multipliers)
	clear(m.tangentWeights)
	m.gradientTangent(dst, multipliers, v)
}

// GradientTangent sets dst to the derivative of Gradient when θ moves along v and the
// multipliers along tangentMultipliers, Σ μ_j ∇²q_j v + Σ μ̇_j ∇q_j. An [Evaluation] with
// a method of that name does it in one pass; otherwise it takes a HessianVector and a
// Gradient.
func (m *Margins) GradientTangent(dst, multipliers, tangentMultipliers, v []float64) {
	m.checkMultipliers(multipliers)
	m.checkMultipliers(tangentMultipliers)
	m.mapping.pullBack(m.tangentWeights, tangentMultipliers, m.f)
	m.gradientTangent(dst, multipliers, v)
}

// gradientTangent is GradientTangent with given tangents of the outputs' weights, but for
// those that a curved margin map adds.
func (m *Margins) gradientTangent(dst, multipliers, v []float64) {
	m.mapping.pullBack(m.outputWeights, multipliers, m.f)
	if b := m.curved(); b != nil {
		m.outputs.Directional(m.outputTangent, v)
		b.curvature(m.curvature, multipliers, m.outputTangent, m.f)
		floats.Add(m.tangentWeights, m.curvature)
	}
	if own, ok := m.outputs.(interface {
		GradientTangent(dst, weights, tangentWeights, v []float64)
	}); ok {
		own.GradientTangent(dst, m.outputWeights, m.tangentWeights, v)
		return
	}
	m.outputs.HessianVector(dst, m.outputWeights, v)
	m.outputs.Gradient(m.gradient, m.tangentWeights)
	floats.Add(dst, m.gradient)
}

// curved returns the only margin map with curvature, that of balls, or nil.
func (m *Margins) curved() *ballMap {
	if b, ok := m.mapping.(*ballMap); ok && b.radius > 0 {
		return b
	}
	return nil
}

// RoundKinks rounds the kinks of the model's rectifiers, or restores them if the
// width is 0, and reports whether the model has any. The slope of a rounded rectifier
// at a pre-activation h is a ramp,
//
//	α(h) = leak + (1 - leak) a² (3 - 2a)   for |h| < δ,   a = (1 + h/δ)/2,
//
// with δ = width·(root mean square of the point's pre-activations in the layer), and its
// value is the integral of that, at most 3/16 (1 - leak) δ from the rectifier's. As δ grows
// with the pre-activations, the layer stays homogeneous: Euler's identity and the conserved
// quantities hold as before, but where they tell the units of one layer apart.
//
// A flow needs it, and rounds a copy of its own. Gradient flow of a ReLU network is a
// differential inclusion: pre-activations come to rest exactly on a kink and slide along
// it, where a single-valued gradient jumps and no solver with error control advances.
func (m *Margins) RoundKinks(width float64) (found bool) {
	m.outputs, found = m.withKinks(width)
	return found
}

// rounded returns the margins with kinks rounded, itself if there are none.
func (m *Margins) rounded(width float64) (same *Margins, found bool) {
	outputs, found := m.withKinks(width)
	if !found {
		return m, false
	}
	return newMargins(m.model, outputs, m.mapping, m.points, m.perPoint, len(m.outputWeights)), true
}

func (m *Margins) withKinks(width float64) (outputs Evaluation, found bool) {
	m.check()
	if !(width >= 0) || width > 1 {
		panic(fmt.Sprintf("qhnet: RoundKinks: width %v is not in [0, 1]", width))
	}
	if kinked, ok := m.outputs.(KinkRounder); ok {
		return kinked.RoundKinks(width)
	}
	return m.outputs, false
}

// rank returns the number of values of the model that the margins are made of.
func (m *Margins) rank() int { return len(m.outputWeights) }

func (m *Margins) checkMultipliers(s []float64) {
	if m.check(); m.f == nil {
		panic("qhnet: margins: a derivative before a successful Forward")
	}
	if len(s) != len(m.q) {
		panic(fmt.Sprintf("qhnet: margins: got %d values for %d margins", len(s), len(m.q)))
	}
}

// SmoothedMargin returns at every recorded point
//
//	γ̄ = log(1/(nL)) / ‖θ‖_Λ^{1/λ_max},
//
// which along the flow of the exponential loss never decreases once nL < 1, for
// every admissible Λ. It is NaN before. For Λ = I/D it is, up to a constant factor, the
// smoothed margin of Lyu and Li, arXiv:1906.05890.
func (tr *Trajectory) SmoothedMargin(rates *Rates) []float64 {
	tr.check()
	highest, _ := rates.Max()
	power := -1 / highest
	return tr.Series(func(p Point) float64 {
		excess := -p.LogLoss - math.Log(float64(tr.margins.Points()))
		if excess <= 0 {
			return math.NaN()
		}
		return excess * math.Pow(Seminorm(rates, p.Theta), power)
	})
}

// Class returns the class that a point's outputs say: that of the largest output, the first
// of them if outputs tie; with a single output class 1 where it is positive, otherwise 0.
func Class(outputs []float64) int {
	if len(outputs) == 0 || floats.HasNaN(outputs) {
		panic(fmt.Sprintf("qhnet: Class of the outputs %v; use numbers, at least one", outputs))
	}
	if len(outputs) > 1 {
		return floats.MaxIdx(outputs)
	}
	if outputs[0] > 0 {
		return 1
	}
	return 0
}

// Predict returns the [Class] of each row of x. It is an error if x does not fit the model
// or the outputs are not finite. A model that mixes points, such as a network with batch
// normalization, sees the rows of x as one batch; freeze it first to predict point by
// point.
func Predict(m Model, theta []float64, x *mat.Dense) ([]int, error) {
	blocksOf(m)
	e, err := m.Bind(x)
	if err != nil {
		return nil, fmt.Errorf("qhnet: predict: %w", err)
	}
	f, err := e.Forward(theta)
	if err != nil {
		return nil, fmt.Errorf("qhnet: predict: %w", err)
	}
	var classes []int
	for row := range slices.Chunk(f, m.Outputs()) {
		classes = append(classes, Class(row))
	}
	return classes, nil
}

// Accuracy returns the share of points whose class a model predicts. Its errors are those
// of [CheckPoints] and [Predict].
func Accuracy(m Model, theta []float64, set dataset.Set) (float64, error) {
	if err := CheckPoints(m, set); err != nil {
		return 0, err
	}
	classes, err := Predict(m, theta, set.X)
	if err != nil {
		return 0, err
	}
	right := 0
	for k, c := range classes {
		if c == set.Labels[k] {
			right++
		}
	}
	return float64(right) / float64(set.Len()), nil
}

// CheckPoints reports what makes points and labels unfit for the model. Classes may be empty.
func CheckPoints(m Model, set dataset.Set) error {
	if err := set.CheckPoints(); err != nil {
		return fmt.Errorf("qhnet: %w", err)
	}
	blocksOf(m)
	_, d := set.X.Dims()
	if sized, ok := m.(interface{ Inputs() int }); ok && sized.Inputs() != d {
		return fmt.Errorf("qhnet: the model takes points of %d entries, those of %q have %d", sized.Inputs(), set.Name, d)
	}
	return checkLabels(m, set)
}

// checkLabels reports a label that is no class of the model.
func checkLabels(m Model, set dataset.Set) error {
	classes := max(m.Outputs(), 2)
	for k, label := range set.Labels {
		if label >= classes {
			return fmt.Errorf("qhnet: point %d of %q has label %d, but a model with %d output(s) knows the classes 0..%d", k, set.Name, label, m.Outputs(), classes-1)
		}
	}
	return nil
}
