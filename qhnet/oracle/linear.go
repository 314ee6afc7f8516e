// Package oracle finds the limits of gradient flow without a flow: in closed form, by
// convex programs, and by a direct solver for any model. A flow that ends elsewhere, or
// an oracle that is wrong, shows at once.
package oracle

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/qp"
	"qhlab/qhnet/internal/vector"
)

// LinearMargins are hard-margin constraints on the coefficients of a linear function,
//
//	y_k (β·x_k + b) - r ‖β‖ ≥ 1,
//
// which no flow ever touches: an oracle's own reading of the data. With r > 0
// every point is an exact ball of that radius.
type LinearMargins struct {
	rows   *mat.Dense // y_k x_k, then y_k if there is a bias
	inputs int
	radius float64
}

// NewLinearMargins reads two-class data. It returns an error if the data are empty, have other
// classes, or hold one input with both labels, since no function of x separates that.
func NewLinearMargins(set dataset.Set, radius float64, bias bool) (*LinearMargins, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: linear margins: %w", err)
	}
	if i, k, found := contradiction(set); found {
		return nil, fmt.Errorf("%w: points %d and %d of %q have the same input and opposite labels; remove one of them", qp.ErrInfeasible, i, k, set.Name)
	}
	if !(radius >= 0) || math.IsInf(radius, 0) {
		return nil, fmt.Errorf("qhnet: linear margins: the radius is %v; use a finite number ≥ 0", radius)
	}
	n, d := set.X.Dims()
	width := d
	if bias {
		width++
	}
	l := &LinearMargins{rows: mat.NewDense(n, width, nil), inputs: d, radius: radius}
	for k, label := range set.Labels {
		if label > 1 {
			return nil, fmt.Errorf("qhnet: linear margins: point %d has label %d; use the classes 0 and 1", k, label)
		}
		y := float64(2*label - 1)
		row := l.rows.RawRowView(k)
		floats.AddScaled(row[:d], y, set.X.RawRowView(k))
		if bias {
			row[d] = y
		}
	}
	return l, nil
}

func contradiction(set dataset.Set) (i, k int, found bool) {
	seen := make(map[string]int, set.Len())
	for k := range set.Labels {
		key := fmt.Sprint(set.X.RawRowView(k))
		if i, ok := seen[key]; !ok {
			seen[key] = k
		} else if set.Labels[i] != set.Labels[k] {
			return i, k, true
		}
	}
	return 0, 0, false
}

// Len returns the number of coefficients: d, and one more with a bias.
func (l *LinearMargins) Len() int {
	if l == nil || l.rows == nil {
		panic("qhnet: nil or zero LinearMargins; make them by NewLinearMargins, and look at its error")
	}
	_, width := l.rows.Dims()
	return width
}

// Of sets dst to the margins y_k (β·x_k + b) - r‖β‖ of coefficients (β, b) and
// returns it. If dst is nil, a new slice is allocated.
func (l *LinearMargins) Of(dst, coefficients []float64) []float64 {
	vector.CheckLength("coefficients", len(coefficients), l.Len())
	vector.CheckFinite("coefficients", coefficients...)
	n, _ := l.rows.Dims()
	if dst == nil {
		dst = make([]float64, n)
	}
	vector.CheckLength("dst", len(dst), n)
	worst := l.radius * floats.Norm(coefficients[:l.inputs], 2)
	for k := range dst {
		dst[k] = floats.Dot(l.rows.RawRowView(k), coefficients) - worst
	}
	return dst
}

// HardMargin returns the coefficients of the widest margin, min ‖β‖ subject to the margins
// being at least 1, the bias (if any) free of cost: the support vector machine. Without a
// bias the flow of f = β·x goes there. Balls only lengthen the answer. The error wraps
// [qp.ErrInfeasible] if the data are not separable, or not with that radius.
func (l *LinearMargins) HardMargin() ([]float64, error) {
	l.Len()
	f, err := newFace(l)
	if err == nil && l.radius == 0 {
		err = f.widest()
	}
	if err != nil {
		return nil, err
	}
	return f.coefficients(), nil
}
