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

// CertifiedDistances returns for every point a lower bound on its distance to the decision
// boundary of a network, zero for a misclassified point:
//
//	min_c q_kc / K_c,
//
// where K_c bounds the Lipschitz constant of the margin f_y - f_c in x by the product of the
// layers' spectral norms (Szegedy et al., arXiv:1312.6199). It can be far below the true
// distance, and is +Inf for a point whose margins are positive and do not depend on x.
// Classes may be without points. Layers other than dense ones, biases, identities,
// flattening, ReLU and leaky ReLU, chains, sums and residual blocks are an error.
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
	body, rows, err := marginBound(n, theta)
	if err != nil {
		return nil, err
	}
	distances := make([]float64, set.Len())
	for k, y := range set.Labels {
		own := f[k*n.Outputs() : (k+1)*n.Outputs()]
		if len(own) == 1 { // class 0 has the output 0
			own = []float64{0, own[0]}
		}
		distances[k] = math.Inf(1)
		for c := range own {
			if c == y {
				continue
			}
			reach := 0.0 // also if the constant is 0
			if margin := own[y] - own[c]; margin > 0 {
				reach = margin / (body * floats.Distance(rows[y], rows[c], 2))
			}
			distances[k] = math.Min(distances[k], reach)
		}
	}
	return distances, nil
}

// marginBound returns the Lipschitz constant of all parts of a network but a last dense
// one, and the rows by whose differences the last one makes margins of what it reads.
func marginBound(n *nn.Network, theta []float64) (body float64, rows [][]float64, err error) {
	l := lipschitz{}
	for _, b := range n.Blocks() {
		if b.Kind == "weight" && len(b.Shape) == 2 {
			l[b.Layer] = mat.NewDense(b.Shape[0], b.Shape[1], b.Of(theta))
		}
	}
	parts := n.Parts()[1:]
	last, classes := len(parts)-1, n.Outputs()
	matrix := mat.NewDense(classes, classes, nil)
	if last >= 0 && parts[last].Kind == nn.Matrix {
		matrix, parts = l[parts[last].Name], parts[:last]
	} else {
		for c := range classes {
			matrix.Set(c, c, 1)
		}
	}
	if classes == 1 {
		_, width := matrix.Dims()
		rows = append(rows, make([]float64, width))
	}
	for _, row := range rowsOf(matrix) {
		rows = append(rows, row)
	}
	body, err = l.sequence(parts)
	return body, rows, err
}

// lipschitz bounds the constants of parts, whose matrices it holds by name.
type lipschitz map[string]*mat.Dense

func (l lipschitz) sequence(parts []nn.Part) (float64, error) {
	product := 1.0
	for _, part := range parts {
		k, err := l.part(part)
		if err != nil {
			return 0, err
		}
		product *= k
	}
	return product, nil
}

func (l lipschitz) part(part nn.Part) (float64, error) {
	switch {
	case part.Kind == nn.Matrix:
		var svd mat.SVD
		if !svd.Factorize(l[part.Name], mat.SVDNone) {
			return 0, fmt.Errorf("%w: the spectral norm of %s", qp.ErrNoConvergence, part.Name)
		}
		return svd.Values(nil)[0], nil
	case part.Kind == nn.Sequence:
		return l.sequence(part.Inside)
	case part.Kind == nn.Total: // the constants of a sum add
		sum := 0.0
		for _, branch := range part.Inside {
			k, err := l.part(branch)
			if err != nil {
				return 0, err
			}
			sum += k
		}
		return sum, nil
	case part.Lipschitz > 0:
		return part.Lipschitz, nil
	}
	return 0, fmt.Errorf("qhnet: certified distances: no Lipschitz bound is known for %s; use an attack, which bounds from above", part.Name)
}
