package qhnet

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// Predict returns the class that a model gives each row of x: the one of the
// largest output, the first of them if outputs tie; with a single output class 1
// where it is positive and otherwise class 0. It is an error if x does not fit
// the model or the outputs are not finite.
//
// A model that mixes points, such as a network with batch normalization, sees
// the rows of x as one batch; freeze it first to predict point by point (see
// [Network.Freeze]).
func Predict(m Model, theta []float64, x *mat.Dense) ([]int, error) {
	e, err := m.Bind(x)
	if err != nil {
		return nil, fmt.Errorf("qhnet: predict: %w", err)
	}
	f, err := e.Forward(theta)
	if err != nil {
		return nil, fmt.Errorf("qhnet: predict: %w", err)
	}
	outputs := m.Outputs()
	classes := make([]int, len(f)/outputs)
	for k := range classes {
		switch own := f[k*outputs : (k+1)*outputs]; {
		case outputs > 1:
			classes[k] = floats.MaxIdx(own)
		case own[0] > 0:
			classes[k] = 1
		}
	}
	return classes, nil
}

// Accuracy returns the share of points whose class a model predicts. Classes may
// be without points. Its errors are those of [dataset.Set.CheckPoints] and
// [Predict], and a label that is no class of the model.
func Accuracy(m Model, theta []float64, set dataset.Set) (float64, error) {
	if err := checkEvaluation(m, set); err != nil {
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

// checkEvaluation reports what makes a set unfit for evaluating the model.
func checkEvaluation(m Model, set dataset.Set) error {
	if err := set.CheckPoints(); err != nil {
		return fmt.Errorf("qhnet: %w", err)
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
