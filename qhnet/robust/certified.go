package robust

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/qp"
	"qhlab/qhnet/nn"
)

// LinearDistances returns for every point its exact distance to the decision
// hyperplane of a model linear in x,
//
//	y_k (β·x_k + b) / ‖β‖,
//
// negative for a misclassified point. Neither class needs to have points. It is
// an error if the data have other classes than 0 and 1 or do not fit the model,
// or if β = 0.
func LinearDistances(model *nn.Product, theta []float64, set dataset.Set) ([]float64, error) {
	if err := qhnet.CheckPoints(model, set); err != nil {
		return nil, err
	}
	d := model.Inputs()
	if _, have := set.X.Dims(); have != d {
		return nil, fmt.Errorf("qhnet: distances: the model takes %d inputs and the data have %d", d, have)
	}
	beta, b := model.Coefficients(nil, theta), 0.0
	if len(beta) > d {
		b = beta[d]
	}
	norm := floats.Norm(beta[:d], 2)
	if norm == 0 {
		return nil, fmt.Errorf("qhnet: distances: β = 0 has no hyperplane")
	}
	distances := make([]float64, set.Len())
	for k, label := range set.Labels {
		distances[k] = float64(2*label-1) * (floats.Dot(beta[:d], set.X.RawRowView(k)) + b) / norm
	}
	return distances, nil
}

// CertifiedDistances returns for every point a lower bound on its distance to
// the decision boundary of a network, zero for a misclassified point:
//
//	min_c q_kc / K_c,
//
// where K_c bounds the Lipschitz constant of the margin f_y - f_c in x by the
// product of the layers' spectral norms (Szegedy et al., arXiv:1312.6199). Within
// the bound no input has another class, whatever an attack finds. It can be far
// below the true distance, and is +Inf for a point whose margins are positive
// and do not depend on x. Classes may be without points.
//
// The network may be made of dense layers, biases, identities, flattening, ReLU
// and leaky ReLU, chains, sums and residual blocks; any other layer is an error that
// names it.
func CertifiedDistances(n *nn.Network, theta []float64, set dataset.Set) ([]float64, error) {
	if err := qhnet.CheckPoints(n, set); err != nil {
		return nil, err
	}
	e, err := n.Bind(set.X)
	if err != nil {
		return nil, err
	}
	f, err := e.Forward(theta)
	if err != nil {
		return nil, err
	}
	constant, err := newMarginConstants(n, theta)
	if err != nil {
		return nil, err
	}
	distances := make([]float64, set.Len())
	for k, y := range set.Labels {
		own := f[k*n.Outputs() : (k+1)*n.Outputs()]
		if len(own) == 1 {
			distances[k] = certified(float64(2*y-1)*own[0], constant.of(y, 1-y))
			continue
		}
		distances[k] = math.Inf(1)
		for c := range own {
			if c != y {
				distances[k] = math.Min(distances[k], certified(own[y]-own[c], constant.of(y, c)))
			}
		}
	}
	return distances, nil
}

// certified is how far a margin of the given Lipschitz constant stays positive.
func certified(margin, constant float64) float64 {
	if margin > 0 {
		return margin / constant
	}
	return 0 // also if the constant is 0
}

// marginConstants bounds the Lipschitz constants of margins: that of all parts
// but a last dense one, times the norm of a difference of its rows.
type marginConstants struct {
	body float64
	last *mat.Dense // nil if the last part is not dense
	one  bool       // one output: the margin is ±f
}

func newMarginConstants(n *nn.Network, theta []float64) (*marginConstants, error) {
	parts := n.Parts()[1:]
	c := &marginConstants{one: n.Outputs() == 1}
	w := lipschitz{weights: map[string]*mat.Dense{}}
	for _, b := range n.Blocks() {
		if b.Kind == "weight" && len(b.Shape) == 2 {
			w.weights[b.Layer] = mat.NewDense(b.Shape[0], b.Shape[1], b.Of(theta))
		}
	}
	if last := len(parts) - 1; last >= 0 && parts[last].Kind == nn.Matrix {
		c.last, parts = w.weights[parts[last].Name], parts[:last]
	}
	var err error
	c.body, err = w.sequence(parts)
	return c, err
}

// of returns the constant of f_y - f_other, or of f if it is the only output.
func (c *marginConstants) of(y, other int) float64 {
	switch {
	case c.last == nil && c.one:
		return c.body
	case c.last == nil:
		return c.body * math.Sqrt2 // ‖e_y - e_c‖
	case c.one:
		return c.body * floats.Norm(c.last.RawRowView(0), 2)
	}
	return c.body * floats.Distance(c.last.RawRowView(y), c.last.RawRowView(other), 2)
}

// lipschitz bounds the constants of parts, whose matrices it knows by name.
type lipschitz struct{ weights map[string]*mat.Dense }

func (w lipschitz) sequence(parts []nn.Part) (float64, error) {
	product := 1.0
	for _, part := range parts {
		k, err := w.part(part)
		if err != nil {
			return 0, err
		}
		product *= k
	}
	return product, nil
}

func (w lipschitz) part(part nn.Part) (float64, error) {
	switch {
	case part.Kind == nn.Matrix:
		var svd mat.SVD
		if !svd.Factorize(w.weights[part.Name], mat.SVDNone) {
			return 0, fmt.Errorf("%w: the spectral norm of %s", qp.ErrNoConvergence, part.Name)
		}
		return svd.Values(nil)[0], nil
	case part.Kind == nn.Sequence:
		return w.sequence(part.Inside)
	case part.Kind == nn.Total:
		return w.total(part)
	case part.Lipschitz > 0:
		return part.Lipschitz, nil
	}
	return 0, fmt.Errorf("qhnet: certified distances: no Lipschitz bound is known for %s; use an attack, which bounds from above", part.Name)
}

// total bounds a sum of branches by the sum of their constants.
func (w lipschitz) total(part nn.Part) (float64, error) {
	sum := 0.0
	for _, branch := range part.Inside {
		k, err := w.part(branch)
		if err != nil {
			return 0, err
		}
		sum += k
	}
	return sum, nil
}
