package qhnet

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

// CollapseMeter measures the collapse of a network whose last layer is dense,
// the classifier: its features are what that layer reads. Use one per goroutine.
type CollapseMeter struct {
	evaluation *NetworkEvaluation
	features   string // the layer that gives the features
	weight     Block
	bias       *Block
	labels     []int
}

// NewCollapseMeter binds a network to the points to measure. It is an error if
// the last layer is no dense layer with one output a class, or reads the input
// itself.
func NewCollapseMeter(n *Network, set dataset.Set) (*CollapseMeter, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: collapse: %w", err)
	}
	meter := &CollapseMeter{labels: set.Labels}
	if err := meter.findClassifier(n, set.Classes); err != nil {
		return nil, err
	}
	e, err := n.Bind(set.X)
	if err != nil {
		return nil, fmt.Errorf("qhnet: collapse: %w", err)
	}
	meter.evaluation = e.(*NetworkEvaluation)
	return meter, nil
}

func (m *CollapseMeter) findClassifier(n *Network, classes int) error {
	last := n.plan.last()
	for _, b := range n.Blocks() {
		switch b.Name {
		case last + ".weight":
			m.weight = b
		case last + ".bias":
			m.bias = &b
		}
	}
	records := n.plan.records
	if len(m.weight.Shape) != 2 || len(records) < 3 {
		return fmt.Errorf("qhnet: collapse: the last layer, %s, must be Dense and read features of a layer before it", last)
	}
	if n.Outputs() != classes {
		return fmt.Errorf("qhnet: collapse: %d outputs for %d classes; collapse needs one output a class, also for two", n.Outputs(), classes)
	}
	m.features = records[len(records)-2].name
	return nil
}

// At measures the collapse at θ.
func (m *CollapseMeter) At(theta []float64) (Collapse, error) {
	h, err := m.Features(theta)
	if err != nil {
		return Collapse{}, err
	}
	var b []float64
	if m.bias != nil {
		b = m.bias.Of(theta)
	}
	return MeasureCollapse(h, m.labels, m.Classifier(theta), b)
}

// Features returns the n×d features at θ. They share memory that the next call
// overwrites.
func (m *CollapseMeter) Features(theta []float64) (*mat.Dense, error) {
	if _, err := m.evaluation.Forward(theta); err != nil {
		return nil, err
	}
	return mat.NewDense(len(m.labels), m.weight.Shape[1], m.evaluation.Layer(m.features)), nil
}

// Classifier returns the C×d weights of the last layer, without copying.
func (m *CollapseMeter) Classifier(theta []float64) *mat.Dense {
	return mat.NewDense(m.weight.Shape[0], m.weight.Shape[1], m.weight.Of(theta))
}
