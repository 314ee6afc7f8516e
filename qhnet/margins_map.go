package qhnet

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// binaryMargins maps one output to q_k = ±f_k.
type binaryMargins []int

func (b binaryMargins) signed(dst, src []float64) {
	for k, label := range b {
		dst[k] = float64(2*label-1) * src[k]
	}
}

func (b binaryMargins) margins(q, f []float64) error               { b.signed(q, f); return nil }
func (b binaryMargins) pullBack(weights, multipliers, _ []float64) { b.signed(weights, multipliers) }
func (b binaryMargins) pushForward(dq, df, _ []float64)            { b.signed(dq, df) }

// classMargins maps C outputs to the C-1 differences q_kc = f_{y_k} - f_c.
type classMargins struct {
	labels  []int
	classes int
}

func (c classMargins) margins(q, f []float64) error { c.pushForward(q, f, nil); return nil }

func (c classMargins) pushForward(dq, df, _ []float64) {
	j := 0
	for k, label := range c.labels {
		row := df[k*c.classes : (k+1)*c.classes]
		for class, v := range row {
			if class != label {
				dq[j] = row[label] - v
				j++
			}
		}
	}
}

func (c classMargins) pullBack(weights, multipliers, _ []float64) {
	j := 0
	for k, label := range c.labels {
		row := weights[k*c.classes : (k+1)*c.classes]
		own := 0.0
		for class := range row {
			if class != label {
				row[class] = -multipliers[j]
				own += multipliers[j]
				j++
			}
		}
		row[label] = own
	}
}

// ballMap maps f = (b, β_1 + b, …, β_d + b), the outputs at the origin and at
// the unit vectors, to q_k = y_k (β·c_k + b) - r ‖β‖.
type ballMap struct {
	centres *mat.Dense // rows y_k c_k
	signs   []float64  // y_k
	radius  float64
	beta    []float64
	dbeta   []float64
}

func newBallMap(set dataset.Set, radius float64) *ballMap {
	n, d := set.X.Dims()
	b := &ballMap{
		centres: mat.DenseCopyOf(set.X), signs: make([]float64, n), radius: radius,
		beta: make([]float64, d), dbeta: make([]float64, d),
	}
	for k, label := range set.Labels {
		b.signs[k] = float64(2*label - 1)
		floats.Scale(b.signs[k], b.centres.RawRowView(k))
	}
	return b
}

// checkApart looks for balls of two classes that overlap, which no hyperplane separates.
func (b *ballMap) checkApart() error {
	for k, sign := range b.signs {
		for j, other := range b.signs[:k] {
			sum := append([]float64(nil), b.centres.RawRowView(k)...)
			floats.Add(sum, b.centres.RawRowView(j)) // of the signed rows, so of two classes a difference
			if apart := floats.Norm(sum, 2); sign != other && !(apart > 2*b.radius) {
				return fmt.Errorf("qhnet: nothing linear separates the balls: those of points %d and %d overlap, whose centres are %.4g apart; use a radius below %.4g instead of %.4g",
					j, k, apart, apart/2, b.radius)
			}
		}
	}
	return nil
}

// slope sets dst to the slope of the affine function with these values.
func slope(dst, values []float64) {
	for j := range dst {
		dst[j] = values[j+1] - values[0]
	}
}

func (b *ballMap) margins(q, f []float64) error {
	slope(b.beta, f)
	norm := floats.Norm(b.beta, 2)
	for k := range q {
		q[k] = floats.Dot(b.centres.RawRowView(k), b.beta) + b.signs[k]*f[0] - b.radius*norm
	}
	if norm == 0 && b.radius > 0 {
		return errors.New("qhnet: ball margins: the predictor β is zero, where the worst case over a ball has no gradient; start from other parameters")
	}
	return nil
}

func (b *ballMap) pullBack(weights, multipliers, f []float64) {
	slope(b.beta, f)
	total, signed := 0.0, 0.0
	for k, mu := range multipliers {
		total += mu
		signed += mu * b.signs[k]
	}
	row := weights[1:]
	clear(row)
	for k, mu := range multipliers {
		floats.AddScaled(row, mu, b.centres.RawRowView(k))
	}
	if b.radius > 0 {
		floats.AddScaled(row, -b.radius*total/floats.Norm(b.beta, 2), b.beta)
	}
	weights[0] = signed - floats.Sum(row)
}

func (b *ballMap) pushForward(dq, df, f []float64) {
	slope(b.beta, f)
	slope(b.dbeta, df)
	dnorm := 0.0
	if b.radius > 0 {
		dnorm = floats.Dot(b.beta, b.dbeta) / floats.Norm(b.beta, 2)
	}
	for k := range dq {
		dq[k] = floats.Dot(b.centres.RawRowView(k), b.dbeta) + b.signs[k]*df[0] - b.radius*dnorm
	}
}

// curvature sets dst to Σ μ_j ∇²q_j df: that of -r ‖β‖ is -r (β̇/‖β‖ - β ⟨β, β̇⟩/‖β‖³).
func (b *ballMap) curvature(dst, multipliers, df, f []float64) {
	slope(b.beta, f)
	slope(b.dbeta, df)
	norm := floats.Norm(b.beta, 2)
	along := floats.Dot(b.beta, b.dbeta) / (norm * norm)
	scale := -b.radius * floats.Sum(multipliers) / norm
	dst[0] = 0
	for j := range b.beta {
		dst[j+1] = scale * (b.dbeta[j] - along*b.beta[j])
		dst[0] -= dst[j+1]
	}
}

// corners returns the origin and the unit vectors as the first of some rows.
func corners(rows, d int) *mat.Dense {
	x := mat.NewDense(rows, d, nil)
	for j := range d {
		x.Set(j+1, j, 1)
	}
	return x
}

// checkAffine compares f at a random input and θ with the affine function through its values
// at the origin and the unit vectors.
func checkAffine(m Model, d int) error {
	if blocksOf(m); m.Outputs() != 1 {
		return fmt.Errorf("qhnet: ball margins need a model with one output; this one has %d", m.Outputs())
	}
	rng := rand.New(rand.NewPCG(1, 2))
	x := corners(d+2, d)
	for j := range d {
		x.Set(d+1, j, rng.NormFloat64())
	}
	e, err := m.Bind(x)
	if err != nil {
		return fmt.Errorf("qhnet: ball margins: %w", err)
	}
	theta := make([]float64, NumParameters(m))
	for i := range theta {
		theta[i] = rng.NormFloat64()
	}
	f, err := e.Forward(theta)
	if err != nil {
		return fmt.Errorf("qhnet: ball margins: %w", err)
	}
	want, size := f[0], math.Abs(f[0])
	for j := range d {
		term := x.At(d+1, j) * (f[j+1] - f[0])
		want += term
		size += math.Abs(term)
	}
	if math.Abs(f[d+1]-want) > 1e-10*size { // rounding of d+1 products stays far below
		return errors.New("qhnet: ball margins: the model is not affine in its input, so the worst case over a ball has no closed form; use NewMargins on sampled points")
	}
	return nil
}
