package collapse

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/vector"
	"qhlab/qhnet/nn"
)

// Meter measures the collapse of a network whose last layer is dense,
// the classifier: its features are what that layer reads. Use one per goroutine.
type Meter struct {
	evaluation *nn.Evaluation
	features   string // the layer that gives the features
	parameters int
	weight     qhnet.Block
	bias       *qhnet.Block
	labels     []int
}

// NewMeter binds a network to the points to measure. It is an error if the last layer is no dense
// layer with one output a class, or reads the input itself.
func NewMeter(n *nn.Network, set dataset.Set) (*Meter, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: collapse: %w", err)
	}
	meter := &Meter{labels: set.Labels, parameters: qhnet.NumParameters(n)}
	if err := meter.findClassifier(n, set.Classes); err != nil {
		return nil, err
	}
	e, err := n.Bind(set.X)
	if err != nil {
		return nil, fmt.Errorf("qhnet: collapse: %w", err)
	}
	meter.evaluation = e.(*nn.Evaluation)
	return meter, nil
}

func (m *Meter) findClassifier(n *nn.Network, classes int) error {
	parts := n.Parts()
	last := parts[len(parts)-1]
	if last.Kind != nn.Matrix || len(parts) < 3 {
		return fmt.Errorf("qhnet: collapse: the last layer, %s, must be Dense and read features of a layer before it", last.Name)
	}
	if n.Outputs() != classes {
		return fmt.Errorf("qhnet: collapse: %d outputs for %d classes; collapse needs one output a class, also for two", n.Outputs(), classes)
	}
	for _, b := range n.Blocks() {
		switch {
		case b.Layer == last.Name && b.Kind == "weight":
			m.weight = b
		case b.Layer == last.Name:
			m.bias = &b
		}
	}
	m.features = parts[len(parts)-2].Name
	return nil
}

// At measures the collapse at θ.
func (m *Meter) At(theta []float64) (Metrics, error) {
	h, err := m.Features(theta)
	if err != nil {
		return Metrics{}, err
	}
	var b []float64
	if m.bias != nil {
		b = m.bias.Of(theta)
	}
	return Measure(h, m.labels, m.Classifier(theta), b)
}

// Features returns the n×d features at θ. They share memory that the next call overwrites.
func (m *Meter) Features(theta []float64) (*mat.Dense, error) {
	m.check()
	if _, err := m.evaluation.Forward(theta); err != nil {
		return nil, err
	}
	return mat.NewDense(len(m.labels), m.weight.Shape[1], m.evaluation.Layer(m.features)), nil
}

// check panics if there is no network, as where an error of [NewMeter] was ignored.
func (m *Meter) check() {
	if m == nil || m.evaluation == nil {
		panic("qhnet: a nil or zero Meter; make meters by NewMeter, and look at its error")
	}
}

// Classifier returns the C×d weights of the last layer, without copying.
func (m *Meter) Classifier(theta []float64) *mat.Dense {
	m.check()
	vector.CheckLength("theta", len(theta), m.parameters)
	return mat.NewDense(m.weight.Shape[0], m.weight.Shape[1], m.weight.Of(theta))
}

// Snapshot is the state of collapse at one recorded point of a training.
type Snapshot struct {
	LogInverse float64 // log(1/L)
	Margin     float64 // q_min/‖W‖_F with the classifier W
	Metrics
}

// History measures the collapse along a trajectory of the meter's network. With a normalization
// before the classifier and no trainable scale between them, the margin is at most √(C d)/(C-1) if
// classes are balanced: see [IdealProblem]. A point costs a pass through the network and a singular value
// decomposition of the class means; if one fails or ctx is cancelled, those before it are
// returned with the error.
func (m *Meter) History(ctx context.Context, tr *qhnet.Trajectory) ([]Snapshot, error) {
	if m.check(); tr == nil {
		panic("qhnet: the history of a nil Trajectory; look at the error of its run")
	}
	history := make([]Snapshot, len(tr.Points))
	for i, p := range tr.Points {
		if err := ctx.Err(); err != nil {
			return history[:i], fmt.Errorf("qhnet: collapse: %d of %d points measured: %w", i, len(tr.Points), err)
		}
		c, err := m.At(p.Theta)
		if err != nil {
			return history[:i], fmt.Errorf("qhnet: collapse: at point %d of %d: %w", i, len(tr.Points), err)
		}
		history[i] = Snapshot{
			LogInverse: p.LogInverse(),
			Margin:     p.Margin / floats.Norm(m.weight.Of(p.Theta), 2),
			Metrics:    c,
		}
	}
	return history, nil
}
