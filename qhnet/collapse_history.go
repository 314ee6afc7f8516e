package qhnet

import "gonum.org/v1/gonum/floats"

// CollapsePoint is the state of collapse at one recorded point of a training.
type CollapsePoint struct {
	LogInverse float64 // log(1/L)
	Margin     float64 // q_min/‖W‖_F with the classifier W
	Collapse
}

// History measures the collapse along a trajectory of the meter's network. With a
// normalization before the classifier and no trainable scale between them the
// margin tends to √(C d)/(C-1), if the features are free: see [IdealProblem].
func (m *CollapseMeter) History(tr *Trajectory) ([]CollapsePoint, error) {
	history := make([]CollapsePoint, len(tr.Points))
	for i, p := range tr.Points {
		c, err := m.At(p.Theta)
		if err != nil {
			return history[:i], err
		}
		history[i] = CollapsePoint{
			LogInverse: p.LogInverse(),
			Margin:     p.Margin / floats.Norm(m.weight.Of(p.Theta), 2),
			Collapse:   c,
		}
	}
	return history, nil
}
