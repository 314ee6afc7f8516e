//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// A trainer takes steps of gradient descent on all points at once: margins,
// loss, gradient, update.
type trainer struct {
	margins     *qhnet.Margins
	loss        qhnet.Loss
	theta, g, p []float64
	optimizer   qhnet.Optimizer
}

var trainers = map[string]*trainer{}

// step answers "step 2-16-1 100 500": a perceptron of these widths, points,
// repetitions. "+norm" behind the widths puts batch normalization before each
// ReLU; "conv" stands for the small convolutional network.
func step(request string) ([]float64, error) {
	var what, network string
	var points, count int
	if _, err := fmt.Sscan(request, &what, &network, &points, &count); err != nil {
		return nil, err
	}
	key := network + " " + strconv.Itoa(points)
	t := trainers[key]
	if t == nil {
		var err error
		if t, err = newTrainer(network, points); err != nil {
			return nil, err
		}
		trainers[key] = t
	}
	var failed error
	seconds := perRun(count, func() {
		if err := t.step(); err != nil {
			failed = err
		}
	})
	return []float64{seconds}, failed
}

func (t *trainer) step() error {
	q, err := t.margins.Forward(t.theta)
	if err != nil {
		return err
	}
	log := t.loss.Log(t.p, q, t.margins.PerPoint())
	t.margins.Gradient(t.g, t.p)
	t.optimizer.Update(t.theta, t.g, log)
	return nil
}

func newTrainer(network string, points int) (*trainer, error) {
	layers, inputs, classes, err := layersOf(network)
	if err != nil {
		return nil, err
	}
	net, err := nn.New(layers...)
	if err != nil {
		return nil, err
	}
	set := dataset.Set{X: mat.NewDense(points, inputs, normal(points*inputs)), Classes: classes, Name: "normal"}
	for k := range points {
		set.Labels = append(set.Labels, k%classes)
	}
	margins, err := qhnet.NewMargins(net, set)
	if err != nil {
		return nil, err
	}
	t := &trainer{margins: margins, loss: qhnet.Exponential{}, optimizer: &qhnet.GradientDescent{Step: 1e-3}}
	if classes > 2 {
		t.loss = qhnet.Logistic{}
	}
	t.theta = net.Start(rand.New(rand.NewPCG(1, 1)), nn.He)
	t.g, t.p = make([]float64, len(t.theta)), make([]float64, margins.Len())
	return t, nil
}

func layersOf(network string) (layers []nn.Layer, inputs, classes int, err error) {
	if network == "conv" {
		return []nn.Layer{
			nn.Input(1, 28, 28),
			nn.Conv(8, 3, nn.Padding(1)), nn.ReLU(), nn.MaxPool(2),
			nn.Conv(16, 3, nn.Padding(1)), nn.ReLU(), nn.MaxPool(2),
			nn.Flatten(), nn.Dense(10),
		}, 28 * 28, 10, nil
	}
	widths, normalized := strings.CutSuffix(network, "+norm")
	var width int
	for i, s := range strings.Split(widths, "-") {
		if width, err = strconv.Atoi(s); err != nil {
			return nil, 0, 0, err
		}
		switch {
		case i == 0:
			layers, inputs = append(layers, nn.Input(width)), width
			continue
		case i > 1 && normalized:
			layers = append(layers, nn.BatchNorm(nn.Affine()), nn.ReLU())
		case i > 1:
			layers = append(layers, nn.ReLU())
		}
		layers = append(layers, nn.Dense(width))
	}
	return layers, inputs, max(width, 2), nil
}
