package qhnet_test

import (
	"bytes"
	"encoding/gob"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// scalarPath is a trajectory of the model f = θ x at the given values of log(1/L).
func scalarPath(t *testing.T, logInverses ...float64) *qhnet.Trajectory {
	t.Helper()
	q := bind(t, nn.Diagonal(1), pairOnLine())
	tr := qhnet.TrajectoryOf(q)
	for _, u := range logInverses {
		tr.Points = append(tr.Points, qhnet.Point{LogLoss: -u, LogTime: u, Theta: []float64{u}})
	}
	return tr
}

// A copy without its model would be of little use, so there is none.
func TestTrajectoryHasNoGobForm(t *testing.T) {
	tr := scalarPath(t, 1, 2)
	for _, value := range []any{tr, *tr, struct{ Path *qhnet.Trajectory }{tr}} {
		if err := gob.NewEncoder(&bytes.Buffer{}).Encode(value); err == nil || !strings.Contains(err.Error(), "Store.Follow") {
			t.Errorf("encoding %T gives %v", value, err)
		}
	}
}

func TestAssumptionsNeedTwoDecades(t *testing.T) {
	rates := qhnet.Diag(1)
	separatedAt := func(u float64, tr *qhnet.Trajectory) *qhnet.Trajectory {
		tr.Separated = &qhnet.Point{LogLoss: -u, LogTime: u}
		return tr
	}
	for want, tr := range map[string]*qhnet.Trajectory{
		"two decades past 1":        scalarPath(t, 1, 10, 99),
		"near log(1/L) = 10":        scalarPath(t, 1, 400, 600, 1000),
		"near log(1/L) = 100":       scalarPath(t, 10, 300, 700, 1000),
		"separated at log(1/L) = 5": separatedAt(50, scalarPath(t, 10, 100, 400, 700, 1000)),
		"the trajectory is empty":   {},
	} {
		if _, err := qhnet.AssumptionsAlong(tr, rates); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	a, err := qhnet.AssumptionsAlong(separatedAt(1, scalarPath(t, 10, 60, 100, 400, 1000)), rates)
	if err != nil || !a.Separated || a.SeparatedAt != 1 || !a.Needed || math.Abs(a.Share-1) > 1e-15 {
		t.Errorf("%+v, %v", a, err)
	}
}

func pairOnLine() dataset.Set {
	return dataset.Set{Name: "pair", X: mat.NewDense(2, 1, []float64{1, -1}), Labels: []int{1, 0}, Classes: 2}
}
