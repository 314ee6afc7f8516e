package qhnet

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
)

// CollapsePoint is the state of collapse at one recorded point of a training.
type CollapsePoint struct {
	LogInverse float64 // log(1/L)
	Margin     float64 // q_min/‖W‖_F with the classifier W
	Collapse
}

// History measures the collapse along a trajectory of the meter's network. With a
// normalization before the classifier and no trainable scale between them the
// margin tends to √(C d)/(C-1), if the features are free: see [IdealProblem]. A
// point costs a pass through the network and a singular value decomposition of
// the class means; if one fails or ctx is cancelled, those before it are returned
// with the error.
func (m *CollapseMeter) History(ctx context.Context, tr *Trajectory) ([]CollapsePoint, error) {
	history := make([]CollapsePoint, len(tr.Points))
	for i, p := range tr.Points {
		if err := ctx.Err(); err != nil {
			return history[:i], fmt.Errorf("qhnet: collapse: %d of %d points measured: %w", i, len(tr.Points), err)
		}
		c, err := m.At(p.Theta)
		if err != nil {
			return history[:i], fmt.Errorf("qhnet: collapse: at point %d of %d: %w", i, len(tr.Points), err)
		}
		history[i] = CollapsePoint{
			LogInverse: p.LogInverse(),
			Margin:     p.Margin / floats.Norm(m.weight.Of(p.Theta), 2),
			Collapse:   c,
		}
	}
	return history, nil
}
