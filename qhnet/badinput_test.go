package qhnet_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/nn"
)

// a toy separates two points by β = (θ1 θ2, θ3).
type toy struct {
	model   *nn.Product
	set     dataset.Set
	theta   []float64
	margins *qhnet.Margins
	rates   *qhnet.Rates
	tr      *qhnet.Trajectory
}

func newToy(t *testing.T) toy {
	m := nn.Diagonal(2, 1)
	set := dataset.Set{Name: "toy", X: mat.NewDense(2, 2, []float64{2, 1, -1, -2}), Labels: []int{1, 0}, Classes: 2}
	theta := []float64{0.5, 0.6, 0.7}
	margins := bind(t, m, set)
	rates, err := qhnet.RatesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return toy{m, set, theta, margins, rates, run(t, qhnet.Flow{Margins: margins, Start: theta, Until: 1e4})}
}

func TestBadInputOfModels(t *testing.T) {
	b, toy := badinput.New(t), newToy(t)
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	three := network(t, nn.Input(2), nn.Dense(3))

	b.Set("NewMargins", toy.set, func(s dataset.Set) (any, error) { return qhnet.NewMargins(toy.model, s) })
	b.Set("NewBallMargins", toy.set, func(s dataset.Set) (any, error) { return qhnet.NewBallMargins(toy.model, s, 0.1) })
	b.Set("Batches", toy.set, func(s dataset.Set) (any, error) { return qhnet.Batches(toy.model, s, 1, rng()) })
	b.Set("Accuracy", toy.set, func(s dataset.Set) (any, error) { return qhnet.Accuracy(toy.model, toy.theta, s) })
	b.Set("CheckPoints", toy.set, func(s dataset.Set) (any, error) { return nil, qhnet.CheckPoints(toy.model, s) })
	b.Matrix("Predict", toy.set.X, func(x *mat.Dense) (any, error) {
		if x != nil && x.RawMatrix().Rows == 3 {
			x = mat.NewDense(1, 1, nil) // any number of points will do
		}
		return qhnet.Predict(toy.model, toy.theta, x)
	})
	b.Refuse("NewMargins with more classes than outputs", func() (any, error) {
		return qhnet.NewMargins(toy.model, dataset.Rings(3, 2, 0, rng()))
	})
	b.Refuse("NewMargins with fewer classes than outputs", func() (any, error) { return qhnet.NewMargins(three, toy.set) })
	b.Refuse("NewBallMargins of three outputs", func() (any, error) { return qhnet.NewBallMargins(three, toy.set, 0) })
	b.Refuse("NewBallMargins of a ReLU network", func() (any, error) {
		return qhnet.NewBallMargins(network(t, nn.Input(2), nn.Dense(2), nn.ReLU(), nn.Dense(1)), toy.set, 0)
	})
	b.Refuse("Batches without rng", func() (any, error) { return qhnet.Batches(toy.model, toy.set, 1, nil) })
	b.Int("Batches size", func(n int) (any, error) { return qhnet.Batches(toy.model, toy.set, n, rng()) }, 1, badinput.Far, math.MaxInt)
	b.Float("NewBallMargins radius", func(v float64) (any, error) {
		m, err := qhnet.NewBallMargins(toy.model, toy.set, v)
		if err != nil {
			return nil, err
		}
		return m.Forward(toy.theta)
	}, 0, 1e-320, 1e300)
	for name, call := range map[string]func(m qhnet.Model) (any, error){
		"NewMargins":      func(m qhnet.Model) (any, error) { return qhnet.NewMargins(m, toy.set) },
		"NewBallMargins":  func(m qhnet.Model) (any, error) { return qhnet.NewBallMargins(m, toy.set, 1) },
		"Batches":         func(m qhnet.Model) (any, error) { return qhnet.Batches(m, toy.set, 1, rng()) },
		"RatesOf":         func(m qhnet.Model) (any, error) { return qhnet.RatesOf(m) },
		"Audit":           func(m qhnet.Model) (any, error) { return qhnet.Audit(m), nil },
		"Predict":         func(m qhnet.Model) (any, error) { return qhnet.Predict(m, toy.theta, toy.set.X) },
		"Accuracy":        func(m qhnet.Model) (any, error) { return qhnet.Accuracy(m, toy.theta, toy.set) },
		"NumParameters":   func(m qhnet.Model) (any, error) { return qhnet.NumParameters(m), nil },
		"CheckParameters": func(m qhnet.Model) (any, error) { return nil, qhnet.CheckParameters(m, toy.theta) },
		"ConservedBlocks": func(m qhnet.Model) (any, error) { return qhnet.ConservedBlocks(m), nil },
		"ConservedUnits":  func(m qhnet.Model) (any, error) { return qhnet.ConservedUnits(m), nil },
	} {
		b.Refuse(name+" of no model", func() (any, error) { return call(nil) })
		b.Refuse(name+" of a nil Network", func() (any, error) { return call((*nn.Network)(nil)) })
		b.Refuse(name+" of a nil Product", func() (any, error) { return call((*nn.Product)(nil)) })
		b.Refuse(name+" of a zero Product", func() (any, error) { return call(&nn.Product{}) })
	}
	b.Vector("CheckParameters", toy.theta, func(v []float64) (any, error) { return nil, qhnet.CheckParameters(toy.model, v) })
	b.Vector("Predict theta", toy.theta, func(v []float64) (any, error) { return qhnet.Predict(toy.model, v, toy.set.X) })
	b.Refuse("Class of nothing", func() (any, error) { return qhnet.Class(nil), nil })
	b.Float("Class", func(v float64) (any, error) { return qhnet.Class([]float64{v}), nil }, math.Inf(1), math.Inf(-1), -1, 0, 1e-320, 1e300)
	block := toy.model.Blocks()[2]
	b.Length("Block.Of", toy.theta, func(v []float64) (any, error) {
		if len(v) > 3 {
			v = nil // what is longer may belong to a larger model
		}
		return block.Of(v), nil
	})
	b.Int("Shape.Size", func(n int) (any, error) { return qhnet.Shape{n, 4}.Size(), nil }, 1, 0, badinput.Far)

	moved := func() *qhnet.Margins {
		m := bind(t, toy.model, toy.set)
		if _, err := m.Forward(toy.theta); err != nil {
			t.Fatal(err)
		}
		return m
	}
	two, dst := make([]float64, 2), make([]float64, 3)
	b.Vector("Margins.Forward", toy.theta, func(v []float64) (any, error) { return toy.margins.Forward(v) })
	b.Length("Margins.Gradient dst", dst, func(v []float64) (any, error) { moved().Gradient(v, two); return nil, nil })
	b.Length("Margins.Gradient", two, func(v []float64) (any, error) { moved().Gradient(dst, v); return nil, nil })
	b.Length("Margins.Directional dst", two, func(v []float64) (any, error) { moved().Directional(v, toy.theta); return nil, nil })
	b.Length("Margins.Directional", toy.theta, func(v []float64) (any, error) { moved().Directional(two, v); return nil, nil })
	b.Length("Margins.HessianVector dst", dst, func(v []float64) (any, error) { moved().HessianVector(v, two, dst); return nil, nil })
	b.Length("Margins.HessianVector", two, func(v []float64) (any, error) { moved().HessianVector(dst, v, toy.theta); return nil, nil })
	b.Length("Margins.HessianVector v", dst, func(v []float64) (any, error) { moved().HessianVector(make([]float64, 3), two, v); return nil, nil })
	b.Length("Margins.GradientTangent", two, func(v []float64) (any, error) { moved().GradientTangent(dst, two, v, toy.theta); return nil, nil })
	b.Float("Margins.RoundKinks", func(v float64) (any, error) { return moved().RoundKinks(v), nil }, 0, 1e-320)
	for name, call := range map[string]func(m *qhnet.Margins) (any, error){
		"Forward":       func(m *qhnet.Margins) (any, error) { return m.Forward(toy.theta) },
		"Gradient":      func(m *qhnet.Margins) (any, error) { m.Gradient(dst, two); return nil, nil },
		"Directional":   func(m *qhnet.Margins) (any, error) { m.Directional(two, toy.theta); return nil, nil },
		"HessianVector": func(m *qhnet.Margins) (any, error) { m.HessianVector(dst, two, toy.theta); return nil, nil },
		"RoundKinks":    func(m *qhnet.Margins) (any, error) { return m.RoundKinks(0.1), nil },
		"Certify":       func(m *qhnet.Margins) (any, error) { return qhnet.Certify(m, toy.rates, toy.theta, nil) },
		"Flow": func(m *qhnet.Margins) (any, error) {
			return qhnet.Flow{Margins: m, Start: toy.theta, Until: 1}.Run(context.Background())
		},
		"Flow.Key": func(m *qhnet.Margins) (any, error) { return qhnet.Flow{Margins: m, Start: toy.theta, Until: 1}.Key() },
		"Descent": func(m *qhnet.Margins) (any, error) {
			return qhnet.Descent{Margins: m, Start: toy.theta, Steps: 1, Optimizer: &qhnet.Adam{Step: 1}}.Run(context.Background())
		},
	} {
		b.Refuse(name+" of nil Margins", func() (any, error) { return call(nil) })
		b.Refuse(name+" of zero Margins", func() (any, error) { return call(&qhnet.Margins{}) })
	}
	fresh := bind(t, toy.model, toy.set)
	b.Refuse("Margins.Gradient before Forward", func() (any, error) { fresh.Gradient(dst, two); return nil, nil })
	b.Refuse("Margins.Directional before Forward", func() (any, error) { fresh.Directional(two, toy.theta); return nil, nil })
}

func TestBadInputOfRates(t *testing.T) {
	b, toy := badinput.New(t), newToy(t)
	other := qhnet.Diag(1, 1)
	evaluation, err := toy.model.Bind(toy.set.X)
	if err != nil {
		t.Fatal(err)
	}

	b.Float("Diag", func(v float64) (any, error) { return qhnet.Diag(1, v).PerParameter(), nil }, 0, 1e-320, 1e300)
	b.Refuse("Diag of nothing", func() (any, error) { return qhnet.Diag(), nil })
	for name, call := range map[string]func(r *qhnet.Rates) (any, error){
		"Rescale":          func(r *qhnet.Rates) (any, error) { return qhnet.Rescale(nil, 1, r, toy.theta), nil },
		"Curve":            func(r *qhnet.Rates) (any, error) { return qhnet.Curve([]float64{1}, r, toy.theta), nil },
		"Seminorm":         func(r *qhnet.Rates) (any, error) { return qhnet.Seminorm(r, toy.theta), nil },
		"MaxSeminorm":      func(r *qhnet.Rates) (any, error) { return qhnet.MaxSeminorm(r, toy.theta), nil },
		"NormalizedTime":   func(r *qhnet.Rates) (any, error) { return qhnet.NormalizedTime(r, toy.theta) },
		"EulerResidual":    func(r *qhnet.Rates) (any, error) { return qhnet.EulerResidual(evaluation, r, toy.theta) },
		"ScalingResidual":  func(r *qhnet.Rates) (any, error) { return qhnet.ScalingResidual(evaluation, 1, r, toy.theta) },
		"Certify":          func(r *qhnet.Rates) (any, error) { return qhnet.Certify(toy.margins, r, toy.theta, nil) },
		"Growth":           func(r *qhnet.Rates) (any, error) { return toy.tr.Growth(r, 1) },
		"Shares":           func(r *qhnet.Rates) (any, error) { return toy.tr.Shares(r) },
		"AssumptionsAlong": func(r *qhnet.Rates) (any, error) { return qhnet.AssumptionsAlong(toy.tr, r) },
		"SmoothedMargin":   func(r *qhnet.Rates) (any, error) { return toy.tr.SmoothedMargin(r), nil },
		"CheckPoint":       func(r *qhnet.Rates) (any, error) { return nil, r.CheckPoint(toy.model, toy.theta) },
		"Choose":           func(r *qhnet.Rates) (any, error) { return r.Choose([]float64{0.5, 0.5, 1}) },
		"Extreme":          func(r *qhnet.Rates) (any, error) { return r.Extreme([]float64{1, 1, 1}) },
	} {
		b.Refuse(name+" with nil Rates", func() (any, error) { return call(nil) })
		b.Refuse(name+" with zero Rates", func() (any, error) { return call(&qhnet.Rates{}) })
		b.Refuse(name+" with rates of another model", func() (any, error) { return call(other) })
	}
	for name, call := range map[string]func(r *qhnet.Rates) (any, error){
		"Without":       func(r *qhnet.Rates) (any, error) { return r.Without("x"), nil },
		"LastLayerOnly": func(r *qhnet.Rates) (any, error) { _, ok := r.LastLayerOnly(); return ok, nil },
		"Highest":       func(r *qhnet.Rates) (any, error) { return r.Highest(), nil },
		"PerParameter":  func(r *qhnet.Rates) (any, error) { return r.PerParameter(), nil },
		"Range":         func(r *qhnet.Rates) (any, error) { low, _ := r.Range(0); return low, nil },
		"Random":        func(r *qhnet.Rates) (any, error) { return r.Random(rand.New(rand.NewPCG(1, 1))), nil },
		"Strict":        func(r *qhnet.Rates) (any, error) { return nil, r.Strict() },
	} {
		b.Refuse(name+" of nil Rates", func() (any, error) { return call(nil) })
		b.Refuse(name+" of zero Rates", func() (any, error) { return call(&qhnet.Rates{}) })
	}
	b.Length("Rescale dst", toy.theta, func(v []float64) (any, error) { return qhnet.Rescale(v, 1, toy.rates, toy.theta), nil })
	b.Float("Rescale", func(v float64) (any, error) {
		scaled := qhnet.Rescale(nil, v, toy.rates, toy.theta)
		if v == 1e300 && slices.Min(scaled) == math.Inf(1) {
			return nil, nil // as documented
		}
		return scaled, nil
	}, -1, 0, 1e-320, 1e300)
	b.Float("Curve", func(v float64) (any, error) {
		return qhnet.Curve([]float64{math.Copysign(math.Sqrt(math.Abs(v)), v) / 1e148}, toy.rates, toy.theta), nil
	}, -1, 0, 1e-320, 1e300)
	b.Refuse("Curve of no alphas", func() (any, error) { return qhnet.Curve(nil, toy.rates, toy.theta), nil })
	for name, call := range map[string]func(theta []float64) (any, error){
		"Rescale":        func(v []float64) (any, error) { return qhnet.Rescale(nil, 1, toy.rates, v), nil },
		"Seminorm":       func(v []float64) (any, error) { return qhnet.Seminorm(toy.rates, v), nil },
		"MaxSeminorm":    func(v []float64) (any, error) { return qhnet.MaxSeminorm(toy.rates, v), nil },
		"NormalizedTime": func(v []float64) (any, error) { return qhnet.NormalizedTime(toy.rates, v) },
		"Normalize": func(v []float64) (any, error) {
			normalized, _, err := qhnet.Normalize(nil, toy.rates, v)
			return normalized, err
		},
		"EulerResidual":   func(v []float64) (any, error) { return qhnet.EulerResidual(evaluation, toy.rates, v) },
		"ScalingResidual": func(v []float64) (any, error) { return qhnet.ScalingResidual(evaluation, 1, toy.rates, v) },
		"Certify":         func(v []float64) (any, error) { return qhnet.Certify(toy.margins, toy.rates, v, nil) },
		"CheckPoint":      func(v []float64) (any, error) { return nil, toy.rates.CheckPoint(toy.model, v) },
	} {
		b.Vector(name, toy.theta, call)
	}
	zero := []float64{0, 0, 0}
	b.Refuse("NormalizedTime of zero", func() (any, error) { return qhnet.NormalizedTime(toy.rates, zero) })
	b.Refuse("Certify zero", func() (any, error) { return qhnet.Certify(toy.margins, toy.rates, zero, nil) })
	b.Accept("EulerResidual of zero", func() (any, error) { return qhnet.EulerResidual(evaluation, toy.rates, zero) })
	b.Accept("ScalingResidual of zero", func() (any, error) { return qhnet.ScalingResidual(evaluation, 1, toy.rates, zero) })
	b.Float("ScalingResidual", func(v float64) (any, error) { return qhnet.ScalingResidual(evaluation, v, toy.rates, toy.theta) }, -1, 0, 1e-320)
	b.Refuse("EulerResidual of nothing", func() (any, error) { return qhnet.EulerResidual(nil, toy.rates, toy.theta) })
	b.Refuse("ScalingResidual of nothing", func() (any, error) { return qhnet.ScalingResidual(nil, 1, toy.rates, toy.theta) })
	b.Float("Certify Epsilon", func(v float64) (any, error) {
		return qhnet.Certify(toy.margins, toy.rates, toy.tr.Last().Theta, &qhnet.CertificateSettings{Epsilon: v})
	}, 0, 1e-320, 1e300)
	b.Vector("Choose", []float64{0.5, 0.5, 1}, func(v []float64) (any, error) { return toy.rates.Choose(v) })
	b.Vector("Extreme", []float64{1, 2, 3}, func(v []float64) (any, error) { return toy.rates.Extreme(v) })
	b.Int("Range", func(n int) (any, error) { low, high := toy.rates.Range(n); return []float64{low, high}, nil }, 0, 1)
	b.Refuse("Without a block that is none", func() (any, error) { return toy.rates.Without("w"), nil })
	b.Refuse("Random without rng", func() (any, error) { return toy.rates.Random(nil), nil })
	for _, c := range qhnet.ConservedBlocks(toy.model) {
		b.Length("Conserved.Value", toy.theta, func(v []float64) (any, error) { return c.Value(v), nil })
		b.Length("Conserved.Magnitude", toy.theta, func(v []float64) (any, error) { return c.Magnitude(v), nil })
		b.Length("Conserved.Gradient", toy.theta, func(v []float64) (any, error) { c.Gradient(v, toy.theta); return nil, nil })
		b.Length("Conserved.Gradient theta", toy.theta, func(v []float64) (any, error) { c.Gradient(make([]float64, 3), v); return nil, nil })
	}
}

func TestBadInputOfRuns(t *testing.T) {
	b, toy := badinput.New(t), newToy(t)
	flow := func(change func(f *qhnet.Flow)) (any, error) {
		f := qhnet.Flow{Margins: toy.margins, Start: toy.theta, Until: 10}
		change(&f)
		_, keyErr := f.Key()
		tr, err := f.Run(context.Background())
		if err == nil {
			err = keyErr
		}
		if tr == nil {
			return nil, err
		}
		return tr.LogInverses(), err
	}
	b.Vector("Flow.Start", toy.theta, func(v []float64) (any, error) { return flow(func(f *qhnet.Flow) { f.Start = v }) })
	b.Float("Flow.Until", func(v float64) (any, error) { return flow(func(f *qhnet.Flow) { f.Until, f.Tolerance = v, 1e-8 }) }, 1e300)
	b.Float("Flow.Tolerance", func(v float64) (any, error) {
		return flow(func(f *qhnet.Flow) { f.Tolerance, f.MaxSteps = v, 1000 })
	}, 0)
	b.Float("Flow.KinkWidth", func(v float64) (any, error) { return flow(func(f *qhnet.Flow) { f.KinkWidth = v }) }, 0, 1e-320)
	b.Int("Flow.PerDecade", func(n int) (any, error) { return flow(func(f *qhnet.Flow) { f.PerDecade = n }) }, 0, 1)
	b.Int("Flow.MaxSteps", func(n int) (any, error) { return flow(func(f *qhnet.Flow) { f.MaxSteps = n }) }, 0, badinput.Far, math.MaxInt)
	b.Int("Flow.Clock", func(n int) (any, error) { return flow(func(f *qhnet.Flow) { f.Clock = qhnet.Clock(n) }) }, 0, 1)
	b.Refuse("Flow.Checkpoint in no folder", func() (any, error) {
		return flow(func(f *qhnet.Flow) { f.Checkpoint = filepath.Join(t.TempDir(), "none", "file", "\x00") })
	})
	b.Refuse("Flow of unseparable points", func() (any, error) {
		set := toy.set
		set.X = mat.NewDense(2, 2, []float64{1, 1, 1, 1})
		return flow(func(f *qhnet.Flow) { f.Margins = bind(t, toy.model, set) })
	})
	b.Refuse("Flow of a point at zero", func() (any, error) {
		set := toy.set
		set.X = mat.NewDense(2, 2, []float64{2, 1, 0, 0})
		return flow(func(f *qhnet.Flow) { f.Margins = bind(t, toy.model, set) })
	})
	b.Refuse("Flow from zero", func() (any, error) {
		return flow(func(f *qhnet.Flow) { f.Margins, f.Start = bind(t, nn.Diagonal(2, 2), toy.set), make([]float64, 4) })
	})
	for name, loss := range map[string]qhnet.Loss{"NaN": badLoss(math.NaN()), "+Inf": badLoss(math.Inf(1)), "-Inf": badLoss(math.Inf(-1))} {
		b.Refuse("Flow of a loss "+name, func() (any, error) { return flow(func(f *qhnet.Flow) { f.Loss = loss }) })
	}
	b.Refuse("Flow without a context", func() (any, error) {
		return qhnet.Flow{Margins: toy.margins, Start: toy.theta, Until: 10}.Run(badinput.NoContext)
	})

	descent := func(change func(d *qhnet.Descent)) (any, error) {
		d := qhnet.Descent{Margins: toy.margins, Start: toy.theta, Steps: 3, Optimizer: &qhnet.GradientDescent{Step: 0.1}}
		change(&d)
		_, keyErr := d.Key()
		tr, err := d.Run(context.Background())
		if err == nil {
			err = keyErr
		}
		if tr == nil {
			return nil, err
		}
		return tr.LogInverses(), err
	}
	b.Vector("Descent.Start", toy.theta, func(v []float64) (any, error) { return descent(func(d *qhnet.Descent) { d.Start = v }) })
	b.Int("Descent.Steps", func(n int) (any, error) {
		return descent(func(d *qhnet.Descent) { d.Steps, d.Until = n, 1 })
	}, 1, badinput.Far, math.MaxInt)
	b.Int("Descent.PerDecade", func(n int) (any, error) { return descent(func(d *qhnet.Descent) { d.PerDecade = n }) }, 0, 1)
	b.Float("Descent.Until", func(v float64) (any, error) { return descent(func(d *qhnet.Descent) { d.Until = v }) }, math.Inf(1), math.Inf(-1), -1, 0, 1e-320, 1e300)
	b.Float("Descent.WeightDecay", func(v float64) (any, error) { return descent(func(d *qhnet.Descent) { d.WeightDecay = v }) }, 0, 1e-320)
	b.Refuse("Descent without an optimizer", func() (any, error) { return descent(func(d *qhnet.Descent) { d.Optimizer = nil }) })
	b.Refuse("Descent with nil batches", func() (any, error) {
		return descent(func(d *qhnet.Descent) { d.Batches = []*qhnet.Margins{nil} })
	})
	b.Refuse("Descent with batches of no number", func() (any, error) {
		return descent(func(d *qhnet.Descent) { d.Batches = []*qhnet.Margins{} })
	})
	b.Refuse("Descent with batches of another model", func() (any, error) {
		return descent(func(d *qhnet.Descent) { d.Batches = []*qhnet.Margins{bind(t, nn.Diagonal(1, 1), toy.set)} })
	})
	for name, of := range map[string]func(v float64) qhnet.Optimizer{
		"GradientDescent.Step": func(v float64) qhnet.Optimizer { return &qhnet.GradientDescent{Step: v} },
		"LossScaled.Step":      func(v float64) qhnet.Optimizer { return &qhnet.LossScaled{Step: v} },
		"Momentum.Step":        func(v float64) qhnet.Optimizer { return &qhnet.Momentum{Step: v, Decay: 0.5} },
		"Momentum.Decay":       func(v float64) qhnet.Optimizer { return &qhnet.Momentum{Step: 0.1, Decay: v} },
		"Adam.Step":            func(v float64) qhnet.Optimizer { return &qhnet.Adam{Step: v} },
		"Adam.Beta1":           func(v float64) qhnet.Optimizer { return &qhnet.Adam{Step: 0.1, Beta1: v} },
		"Adam.Beta2":           func(v float64) qhnet.Optimizer { return &qhnet.Adam{Step: 0.1, Beta2: v} },
		"Adam.Epsilon":         func(v float64) qhnet.Optimizer { return &qhnet.Adam{Step: 0.1, Epsilon: v} },
	} {
		fine := map[string][]float64{
			"Momentum.Decay": {0, 1e-320}, "Adam.Beta1": {0, 1e-320}, "Adam.Beta2": {0, 1e-320}, "Adam.Epsilon": {0, 1e-320, 1e300},
			"GradientDescent.Step": {1e-320}, "LossScaled.Step": {1e-320, 1e300}, "Momentum.Step": {1e-320}, "Adam.Step": {1e-320},
		}[name]
		b.Float(name, func(v float64) (any, error) { return descent(func(d *qhnet.Descent) { d.Optimizer = of(v) }) }, fine...)
	}
	for _, o := range []qhnet.Optimizer{(*qhnet.Adam)(nil), (*qhnet.Momentum)(nil), (*qhnet.LossScaled)(nil), (*qhnet.GradientDescent)(nil)} {
		b.Refuse("Descent with a nil optimizer", func() (any, error) { return descent(func(d *qhnet.Descent) { d.Optimizer = o }) })
	}
	for what, text := range map[string]string{"empty": "", "foreign": "PK\x03\x04", "text": "a checkpoint\n"} {
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.Refuse("Flow.Checkpoint that is "+what, func() (any, error) { return flow(func(f *qhnet.Flow) { f.Checkpoint = path }) })
		b.Refuse("Descent.Checkpoint that is "+what, func() (any, error) { return descent(func(d *qhnet.Descent) { d.Checkpoint = path }) })
	}
	b.Accept("Flow.Forget without a file", func() (any, error) { return nil, qhnet.Flow{}.Forget() })

	for name, call := range map[string]func(tr *qhnet.Trajectory) (any, error){
		"Last":             func(tr *qhnet.Trajectory) (any, error) { return tr.Last(), nil },
		"BlockNorm":        func(tr *qhnet.Trajectory) (any, error) { return tr.BlockNorm("x1.factor1") },
		"Growth":           func(tr *qhnet.Trajectory) (any, error) { return tr.Growth(toy.rates, 1) },
		"Shares":           func(tr *qhnet.Trajectory) (any, error) { return tr.Shares(toy.rates) },
		"Drift":            func(tr *qhnet.Trajectory) (any, error) { return tr.Drift(qhnet.ConservedBlocks(toy.model)), nil },
		"Certify":          func(tr *qhnet.Trajectory) (any, error) { return tr.Certify(toy.rates, nil) },
		"SmoothedMargin":   func(tr *qhnet.Trajectory) (any, error) { return tr.SmoothedMargin(toy.rates), nil },
		"SurvivingRates":   func(tr *qhnet.Trajectory) (any, error) { return qhnet.SurvivingRates(tr, 1) },
		"AssumptionsAlong": func(tr *qhnet.Trajectory) (any, error) { return qhnet.AssumptionsAlong(tr, toy.rates) },
	} {
		b.Refuse(name+" of a nil Trajectory", func() (any, error) { return call(nil) })
		b.Refuse(name+" of a zero Trajectory", func() (any, error) { return call(&qhnet.Trajectory{}) })
		if name != "Drift" && name != "SmoothedMargin" { // no points, no values
			b.Refuse(name+" past the end", func() (any, error) { return call(toy.tr.Since(1e9)) })
		}
	}
	b.Float("Since", func(v float64) (any, error) { return toy.tr.Since(v).LogInverses(), nil }, math.Inf(1), math.Inf(-1), -1, 0, 1e-320, 1e300)
	b.Float("Growth decades", func(v float64) (any, error) { return toy.tr.Growth(toy.rates, v) })
	b.Float("SurvivingRates decades", func(v float64) (any, error) { return qhnet.SurvivingRates(toy.tr, v) })
	b.Refuse("BlockNorm of no block", func() (any, error) { return toy.tr.BlockNorm("w") })
	b.Refuse("GobEncode", func() (any, error) { return toy.tr.GobEncode() })
	b.Refuse("Series of nothing", func() (any, error) { return toy.tr.Series(nil), nil })

	for name, loss := range map[string]qhnet.Loss{"Exponential": qhnet.Exponential{}, "Logistic": qhnet.Logistic{}} {
		b.Int(name+".Log perPoint", func(n int) (any, error) { return loss.Log(make([]float64, 2), []float64{1, 2}, n), nil }, 1)
		b.Length(name+".Log weights", []float64{1, 2}, func(w []float64) (any, error) { return loss.Log(w, []float64{1, 2}, 1), nil })
		b.Refuse(name+".Log of no margins", func() (any, error) { return loss.Log(nil, nil, 1), nil })
		b.Length(name+".Curvature dst", []float64{1, 2}, func(v []float64) (any, error) {
			loss.Curvature(v, []float64{1, 2}, []float64{1, 2}, []float64{1, 2}, 1)
			return nil, nil
		})
		b.Length(name+".Curvature v", []float64{1, 2}, func(v []float64) (any, error) {
			loss.Curvature(make([]float64, 2), []float64{1, 2}, []float64{1, 2}, v, 1)
			return nil, nil
		})
	}
	for _, e := range []error{&qhnet.NotSeparatedError{}, &qhnet.NoMarginError{}, &qhnet.NotQuasiHomogeneousError{}, &qhnet.PinnedRatesError{}} {
		b.Refuse("the text of a zero error", func() (any, error) { return nil, errors.New(e.Error()) })
	}
}

// badLoss is a loss that is not finite.
type badLoss float64

func (l badLoss) Log(weights, q []float64, perPoint int) float64       { return float64(l) }
func (l badLoss) Curvature(dst, weights, q, v []float64, perPoint int) {}
