//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
)

var activations = map[string]nn.Layer{"tanh": nn.Tanh(), "softplus": nn.Softplus(), "relu": nn.ReLU()}

// ringFlow is gradient flow of a 2-8-8-1 network with biases, 105 parameters, on 30
// points of two rings, from where the points are separated.
type ringFlow struct {
	qhnet.Flow
	set        dataset.Set
	logInverse float64 // log(1/L) at the start
}

var ringFlows = map[string]*ringFlow{}

// follow answers "rings tanh" with log(1/L) at the start, θ there, the points and
// their signs, and "rings tanh 1e3 1e-6", an end and a tolerance, with seconds, steps,
// and θ. A tolerance below 1e-10 is that of a reference, for which the method is
// RadauIIA.
func follow(request string) (numbers []float64, err error) {
	var what, activation string
	var end, tolerance float64
	found, err := fmt.Sscan(request, &what, &activation, &end, &tolerance)
	if found < 2 {
		return nil, err
	}
	r := ringFlows[activation]
	if r == nil {
		if r, err = newRingFlow(activations[activation]); err != nil {
			return nil, err
		}
		ringFlows[activation] = r
	}
	if found < 4 {
		return r.about(), nil
	}
	f := r.Flow
	f.Until, f.Tolerance = end, tolerance
	if tolerance < 1e-10 {
		f.Method, f.MaxSteps = ode.RadauIIA{Iterations: 20}, 1e6
	}
	var path *qhnet.Trajectory
	seconds := perRun(1, func() { path, err = f.Run(context.Background()) })
	if err != nil {
		return nil, err
	}
	return append([]float64{seconds, float64(path.Work.Steps)}, path.Last().Theta...), nil
}

func newRingFlow(layer nn.Layer) (*ringFlow, error) {
	const points, separated = 30, 4 // log(1/L), above log 30
	rng := rand.New(rand.NewPCG(1, 2))
	r := &ringFlow{set: dataset.Set{Name: "rings", X: mat.NewDense(points, 2, nil), Classes: 2}}
	for k := range points {
		radius, angle := 0.5+float64(k%2), 2*math.Pi*rng.Float64()
		r.set.X.SetRow(k, []float64{radius*math.Cos(angle) + 0.1*rng.NormFloat64(), radius*math.Sin(angle) + 0.1*rng.NormFloat64()})
		r.set.Labels = append(r.set.Labels, k%2)
	}
	model, err := nn.New(nn.Input(2), nn.Dense(8), layer, nn.Dense(8), layer, nn.Dense(1))
	if err != nil {
		return nil, err
	}
	if r.Margins, err = qhnet.NewMargins(model, r.set); err != nil {
		return nil, err
	}
	r.Start, r.Until = model.Start(rand.New(rand.NewPCG(3, 4)), nn.He), separated
	path, err := r.Run(context.Background())
	if err != nil {
		return nil, err
	}
	r.Start, r.logInverse = path.Last().Theta, path.Last().LogInverse()
	return r, nil
}

func (r *ringFlow) about() []float64 {
	about := append([]float64{r.logInverse}, r.Start...)
	about = append(about, r.set.X.RawMatrix().Data...)
	for _, label := range r.set.Labels {
		about = append(about, float64(2*label-1))
	}
	return about
}
