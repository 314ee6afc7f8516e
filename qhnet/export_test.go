package qhnet

import (
	"testing"
	"time"

	"qhlab/qhnet/ode"
)

// What the tests of package qhnet_test see beside the exported names. They are
// outside of the package because its own tests could not import nn.

type Keeper = keeper

var (
	NewField        = newField
	FieldDerivative = (*field).derivative
	FieldJacobian   = (*field).jacobian
	FieldLowRank    = (*field).lowRank
	MarginsRank     = (*Margins).rank
)

// TrajectoryOf returns a trajectory that nothing has followed.
func TrajectoryOf(m *Margins, points ...Point) *Trajectory {
	return &Trajectory{margins: m, Points: points}
}

// Wrap puts something around the model's evaluation.
func (m *Margins) Wrap(wrap func(Evaluation) Evaluation) { m.outputs = wrap(m.outputs) }

// Hasten makes runs write checkpoints at every step, for one test.
func Hasten(t *testing.T) {
	checkpointInterval = 0
	t.Cleanup(func() { checkpointInterval = time.Second })
}

// Linearizations returns those of a flow with the clock Automatic: of its first
// phase, and of the late one with the flow's own Method.
func (f Flow) Linearizations() (first, late ode.Linearization, err error) {
	if err := f.validate(); err != nil {
		return nil, nil, err
	}
	r := newFlowRun(&f)
	if err := r.begin(); err != nil {
		return nil, nil, err
	}
	p, err := r.problem(Scaled)
	return p.Linearization, r.linearization(LogLogLoss), err
}
