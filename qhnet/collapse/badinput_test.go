package collapse_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/collapse"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/nn"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	h := mat.NewDense(4, 2, []float64{1, 0, 1, 0.1, -1, 0, -1, -0.1})
	labels, w := []int{0, 0, 1, 1}, mat.NewDense(2, 2, []float64{1, 0, -1, 0})

	b.Matrix("NewClassFeatures", h, func(m *mat.Dense) (any, error) {
		if m != nil && m.RawMatrix().Cols == 3 {
			m = &mat.Dense{} // any width will do
		}
		return collapse.NewClassFeatures(m, labels, 2)
	})
	b.Labels("NewClassFeatures labels", labels, 2, func(l []int) (any, error) { return collapse.NewClassFeatures(h, l, 2) })
	b.Int("NewClassFeatures classes", func(n int) (any, error) { return collapse.NewClassFeatures(h, labels, n) })
	b.Refuse("NewClassFeatures of equal means", func() (any, error) { return collapse.NewClassFeatures(mat.NewDense(4, 2, nil), labels, 2) })
	b.Refuse("NewClassFeatures of means equal up to rounding", func() (any, error) {
		return collapse.NewClassFeatures(mat.NewDense(2, 1, []float64{1, 1 + 0x1p-52}), []int{0, 1}, 2)
	})
	for name, scale := range map[string]float64{"tiny": 1e-200, "subnormal": 1e-310, "large": 1e150, "huge": 1e300} {
		var scaled mat.Dense
		scaled.Scale(scale, h)
		b.Either("Measure of "+name+" features", func() (any, error) { return collapse.Measure(&scaled, labels, w, nil) })
		var weights mat.Dense
		weights.Scale(scale, w)
		b.Either("Measure of "+name+" weights", func() (any, error) { return collapse.Measure(h, labels, &weights, nil) })
	}
	b.Matrix("Measure features", h, func(m *mat.Dense) (any, error) { return collapse.Measure(m, labels, w, nil) })
	b.Labels("Measure labels", labels, 2, func(l []int) (any, error) { return collapse.Measure(h, l, w, nil) })
	b.Matrix("Measure weights", w, func(m *mat.Dense) (any, error) { return collapse.Measure(h, labels, m, nil) })
	b.Refuse("Measure zero weights", func() (any, error) { return collapse.Measure(h, labels, mat.NewDense(2, 2, nil), nil) })
	b.Length("Measure bias", []float64{0, 0}, func(v []float64) (any, error) { return collapse.Measure(h, labels, w, v) })
	b.Float("Measure bias", func(v float64) (any, error) { return collapse.Measure(h, labels, w, []float64{0, v}) }, -1, 0, 1e-320, 1e300)
	b.Int("SimplexETF classes", func(n int) (any, error) { return collapse.SimplexETF(n, 2), nil })
	b.Int("SimplexETF d", func(n int) (any, error) { return collapse.SimplexETF(2, n), nil }, 1)
	b.Int("SimplexETF square", func(n int) (any, error) { return collapse.SimplexETF(n, n), nil })

	for name, of := range map[string]func(p collapse.IdealProblem) (any, error){
		"Network":   func(p collapse.IdealProblem) (any, error) { return p.Network() },
		"Collapsed": func(p collapse.IdealProblem) (any, error) { return p.Collapsed() },
		"Set":       func(p collapse.IdealProblem) (any, error) { _, err := p.Network(); return p.Set(), err },
	} {
		b.Refuse("IdealProblem."+name+" of zero", func() (any, error) { return of(collapse.IdealProblem{}) })
		b.Int("IdealProblem."+name+" Classes", func(n int) (any, error) { return of(collapse.IdealProblem{Classes: n, PerClass: 2, Features: 3}) })
		b.Int("IdealProblem."+name+" PerClass", func(n int) (any, error) { return of(collapse.IdealProblem{Classes: 3, PerClass: n, Features: 3}) }, 1)
		b.Int("IdealProblem."+name+" Features", func(n int) (any, error) { return of(collapse.IdealProblem{Classes: 2, PerClass: 2, Features: n}) }, 1)
		b.Int("IdealProblem."+name+" Normalization", func(n int) (any, error) {
			return of(collapse.IdealProblem{Classes: 3, PerClass: 2, Features: 3, Normalization: collapse.Normalization(n)})
		}, 0, 1)
		b.Refuse("IdealProblem."+name+" with a scale of nothing", func() (any, error) {
			return of(collapse.IdealProblem{Classes: 3, PerClass: 2, Features: 3, Normalization: collapse.None.WithScale()})
		})
	}

	set := dataset.Rings(2, 3, 0.1, rand.New(rand.NewPCG(1, 1)))
	n, err := nn.New(nn.Input(2), nn.Dense(3), nn.Tanh(), nn.Dense(2))
	if err != nil {
		t.Fatal(err)
	}
	theta := n.Start(rand.New(rand.NewPCG(1, 1)), nn.He)
	meter, err := collapse.NewMeter(n, set)
	if err != nil {
		t.Fatal(err)
	}
	b.Set("NewMeter", set, func(s dataset.Set) (any, error) { return collapse.NewMeter(n, s) })
	b.Refuse("NewMeter of no network", func() (any, error) { return collapse.NewMeter(nil, set) })
	b.Refuse("NewMeter of a zero network", func() (any, error) { return collapse.NewMeter(&nn.Network{}, set) })
	b.Refuse("NewMeter of a lone layer", func() (any, error) {
		lone, err := nn.New(nn.Input(2), nn.Dense(2))
		if err != nil {
			t.Fatal(err)
		}
		return collapse.NewMeter(lone, set)
	})
	for name, m := range map[string]*collapse.Meter{"nil": nil, "zero": {}} {
		b.Refuse("At of a "+name+" Meter", func() (any, error) { return m.At(theta) })
		b.Refuse("Features of a "+name+" Meter", func() (any, error) { return m.Features(theta) })
		b.Refuse("Classifier of a "+name+" Meter", func() (any, error) { return m.Classifier(theta), nil })
		b.Refuse("History of a "+name+" Meter", func() (any, error) { return m.History(context.Background(), &qhnet.Trajectory{}) })
	}
	b.Vector("Meter.At", theta, func(v []float64) (any, error) { return meter.At(v) })
	b.Vector("Meter.Features", theta, func(v []float64) (any, error) { return meter.Features(v) })
	b.Length("Meter.Classifier", theta, func(v []float64) (any, error) { return meter.Classifier(v), nil })
	b.Refuse("Meter.At zero", func() (any, error) { return meter.At(make([]float64, len(theta))) })
	b.Refuse("Meter.History of a nil Trajectory", func() (any, error) { return meter.History(context.Background(), nil) })
	b.Refuse("Meter.History of another network", func() (any, error) {
		return meter.History(context.Background(), &qhnet.Trajectory{Points: []qhnet.Point{{Theta: []float64{1}}}})
	})
}
