package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// LinearDistances returns for every point its exact distance to the decision
// hyperplane of a model linear in x,
//
//	y_k (β·x_k + b) / ‖β‖,
//
// negative for a misclassified point. Neither class needs to have points. It is
// an error if the data have other classes than 0 and 1 or do not fit the model,
// or if β = 0.
func LinearDistances(model *Product, theta []float64, set dataset.Set) ([]float64, error) {
	if err := set.CheckPoints(); err != nil {
		return nil, fmt.Errorf("qhnet: distances: %w", err)
	}
	l, err := linearMargins(set, 0, model.bias)
	if err != nil {
		return nil, err
	}
	if l.inputs != model.Inputs() {
		return nil, fmt.Errorf("qhnet: distances: the model takes %d inputs and the data have %d", model.Inputs(), l.inputs)
	}
	beta := model.Coefficients(nil, theta)
	norm := floats.Norm(beta[:l.inputs], 2)
	if norm == 0 {
		return nil, fmt.Errorf("qhnet: distances: β = 0 has no hyperplane")
	}
	distances := l.Of(nil, beta)
	floats.Scale(1/norm, distances)
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
// and leaky ReLU of slope between -1 and 1, chains, sums and residual blocks;
// any other layer is an error that names it.
func CertifiedDistances(n *Network, theta []float64, set dataset.Set) ([]float64, error) {
	if err := checkEvaluation(n, set); err != nil {
		return nil, err
	}
	margins, err := bindMargins(n, set)
	if err != nil {
		return nil, err
	}
	q, err := margins.Forward(theta)
	if err != nil {
		return nil, err
	}
	constant, err := newMarginConstants(n, theta)
	if err != nil {
		return nil, err
	}
	distances := make([]float64, set.Len())
	for k, y := range set.Labels {
		distances[k] = math.Inf(1)
		for c, v := range q[k*margins.PerPoint() : (k+1)*margins.PerPoint()] {
			if c >= y { // the margins leave out the point's own class
				c++
			}
			distance := 0.0 // also if the constant is 0
			if v > 0 {
				distance = v / constant.of(y, c)
			}
			distances[k] = math.Min(distances[k], distance)
		}
	}
	return distances, nil
}

// marginConstants bounds the Lipschitz constants of margins: that of all layers
// but a last dense one, times the norm of a difference of its rows.
type marginConstants struct {
	body float64
	last *mat.Dense // nil if the last layer is not dense
	one  bool       // one output: the margin is ±f
}

func newMarginConstants(n *Network, theta []float64) (*marginConstants, error) {
	layers := n.layers[1:]
	c := &marginConstants{one: n.outputs == 1}
	w := &lipschitz{blocks: n.plan.blocks, theta: theta}
	var err error
	if last := len(layers) - 1; last >= 0 {
		if _, ok := unnamed(layers[last]).(dense); ok {
			if c.body, err = w.chain(layers[:last]); err != nil {
				return nil, err
			}
			c.last = w.weight()
			return c, nil
		}
	}
	c.body, err = w.chain(layers)
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

// lipschitz walks layers in order and takes their weights from the blocks.
type lipschitz struct {
	blocks []Block
	theta  []float64
}

// weight takes the next matrix and passes over the biases before it.
func (w *lipschitz) weight() *mat.Dense {
	for w.blocks[0].Kind != "weight" {
		w.blocks = w.blocks[1:]
	}
	b := w.blocks[0]
	w.blocks = w.blocks[1:]
	return mat.NewDense(b.Shape[0], b.Shape[1], append([]float64(nil), b.Of(w.theta)...))
}

func (w *lipschitz) chain(layers []Layer) (float64, error) {
	product := 1.0
	for _, l := range layers {
		k, err := w.layer(l)
		if err != nil {
			return 0, err
		}
		product *= k
	}
	return product, nil
}

func (w *lipschitz) layer(l Layer) (float64, error) {
	switch l := unnamed(l).(type) {
	case dense:
		var svd mat.SVD
		if !svd.Factorize(w.weight(), mat.SVDNone) {
			return 0, fmt.Errorf("%w: the spectral norm of a dense layer", ErrNoConvergence)
		}
		return svd.Values(nil)[0], nil
	case bias, linear, flatten:
		return 1, nil
	case rectifier:
		return math.Max(1, math.Abs(l.leak)), nil
	case chain:
		return w.chain(l)
	case sum:
		return w.sum(l...)
	case residual:
		if len(l) > 0 {
			if _, ok := unnamed(l[len(l)-1]).(projection); !ok {
				return w.sum(chain(nil), chain(l))
			}
		}
	}
	return 0, fmt.Errorf("qhnet: certified distances: no Lipschitz bound is known for a layer of kind %q; use an attack, which bounds from above", l.kind())
}

// sum bounds a sum of branches by the sum of their constants.
func (w *lipschitz) sum(branches ...Layer) (float64, error) {
	total := 0.0
	for _, b := range branches {
		k, err := w.layer(b)
		if err != nil {
			return 0, err
		}
		total += k
	}
	return total, nil
}

func unnamed(l Layer) Layer {
	for {
		n, ok := l.(named)
		if !ok {
			return l
		}
		l = n.Layer
	}
}
