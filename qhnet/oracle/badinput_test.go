package oracle_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	set := dataset.Set{Name: "toy", X: mat.NewDense(2, 2, []float64{2, 1, -1, -2}), Labels: []int{1, 0}, Classes: 2}
	groups := []nn.Group{{Coordinates: []int{0}, Depth: 1}, {Coordinates: []int{1}, Depth: 2}}
	linear := func(radius float64) *oracle.LinearMargins {
		l, err := oracle.NewLinearMargins(set, radius, true)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}

	b.Set("NewLinearMargins", set, func(s dataset.Set) (any, error) { return oracle.NewLinearMargins(s, 0, true) })
	b.Float("NewLinearMargins radius", func(v float64) (any, error) { return oracle.NewLinearMargins(set, v, true) }, 0, 1e-320, 1e300)
	b.Float("HardMargin radius", func(v float64) (any, error) {
		l, err := oracle.NewLinearMargins(set, v, true)
		if err != nil {
			return nil, err
		}
		return l.HardMargin()
	}, 0, 1e-320)
	b.Refuse("NewLinearMargins of three classes", func() (any, error) {
		return oracle.NewLinearMargins(dataset.Rings(3, 2, 0, rand.New(rand.NewPCG(1, 1))), 0, false)
	})
	for name, x := range map[string][]float64{"equal points": {1, 1, 1, 1}, "zero": {0, 0, 0, 0}, "one zero": {1, 1, 0, 0}, "tiny": {1e-320, 0, -1e-320, 0}, "huge": {1e300, 0, -1e300, 1}} {
		other := set
		other.X = mat.NewDense(2, 2, x)
		judge := b.Refuse
		if name == "tiny" || name == "huge" {
			judge = b.Either
		}
		judge("SolveCascade of points that are "+name, func() (any, error) {
			l, err := oracle.NewLinearMargins(other, 0, false)
			if err != nil {
				return nil, err
			}
			return oracle.SolveCascade(l, groups...)
		})
	}
	for name, l := range map[string]*oracle.LinearMargins{"nil": nil, "zero": {}} {
		b.Refuse("SolveCascade of "+name+" LinearMargins", func() (any, error) { return oracle.SolveCascade(l, groups...) })
		b.Refuse("HardMargin of "+name+" LinearMargins", func() (any, error) { return l.HardMargin() })
		b.Refuse("Len of "+name+" LinearMargins", func() (any, error) { return l.Len(), nil })
		b.Refuse("Of of "+name+" LinearMargins", func() (any, error) { return l.Of(nil, []float64{1, 1}), nil })
	}
	b.Vector("LinearMargins.Of", []float64{1, 1, 1}, func(v []float64) (any, error) { return linear(0.1).Of(nil, v), nil })
	b.Length("LinearMargins.Of dst", []float64{1, 1}, func(v []float64) (any, error) { return linear(0.1).Of(v, []float64{1, 1, 1}), nil })
	b.Int("SolveCascade depth", func(n int) (any, error) {
		return oracle.SolveCascade(linear(0), nn.Group{Coordinates: []int{0}, Depth: n}, nn.Group{Coordinates: []int{1}, Depth: 1})
	}, 1, badinput.Far, math.MaxInt)
	b.Int("SolveCascade coordinate", func(n int) (any, error) {
		return oracle.SolveCascade(linear(0), nn.Group{Coordinates: []int{0}, Depth: 1}, nn.Group{Coordinates: []int{n}, Depth: 2})
	}, 1)
	b.Refuse("SolveCascade without groups", func() (any, error) { return oracle.SolveCascade(linear(0)) })
	b.Refuse("SolveCascade of a zero group", func() (any, error) { return oracle.SolveCascade(linear(0), nn.Group{}) })
	b.Refuse("SolveCascade of fewer coordinates", func() (any, error) { return oracle.SolveCascade(linear(0), groups[0]) })

	for name, of := range map[string]func(b oracle.TwoBalls) (any, error){
		"Check":          func(b oracle.TwoBalls) (any, error) { return nil, b.Check() },
		"Direction":      func(b oracle.TwoBalls) (any, error) { return b.Direction(nil), nil },
		"Robustness":     func(b oracle.TwoBalls) (any, error) { return b.Robustness(), nil },
		"BestRobustness": func(b oracle.TwoBalls) (any, error) { return b.BestRobustness(), nil },
		"Sample":         func(b oracle.TwoBalls) (any, error) { return b.Sample(2, rand.New(rand.NewPCG(1, 1))), nil },
		"Centers":        func(b oracle.TwoBalls) (any, error) { return b.Centers(), nil },
		"Groups":         func(b oracle.TwoBalls) (any, error) { return b.Groups(1, 2), nil },
		"RestNorm":       func(b oracle.TwoBalls) (any, error) { return b.RestNorm(), nil },
		"Discards":       func(b oracle.TwoBalls) (any, error) { return b.Discards(), nil },
		"RobustnessOf":   func(b oracle.TwoBalls) (any, error) { return b.RobustnessOf([]float64{1, 1}), nil },
	} {
		b.Refuse("TwoBalls."+name+" of nothing", func() (any, error) { return of(oracle.TwoBalls{}) })
		b.Float("TwoBalls."+name+" Center", func(v float64) (any, error) {
			return of(oracle.TwoBalls{Center: []float64{1, v}, High: []int{0}, Radius: 0.1})
		}, -1, 0, 1e-320, 1e300)
		b.Float("TwoBalls."+name+" Radius", func(v float64) (any, error) {
			return of(oracle.TwoBalls{Center: []float64{1, 0.5}, High: []int{0}, Radius: v})
		}, 0, 1e-320)
		b.Int("TwoBalls."+name+" High", func(n int) (any, error) {
			return of(oracle.TwoBalls{Center: []float64{1, 0.5}, High: []int{n}, Radius: 0.1})
		}, 0, 1)
	}
	balls := oracle.TwoBalls{Center: []float64{1, 0.5}, High: []int{0}, Radius: 0.6}
	b.Length("TwoBalls.Direction dst", []float64{1, 1}, func(v []float64) (any, error) { return balls.Direction(v), nil })
	b.Vector("TwoBalls.RobustnessOf", []float64{1, 1}, func(v []float64) (any, error) { return balls.RobustnessOf(v), nil })
	b.Int("TwoBalls.Sample", func(n int) (any, error) { return balls.Sample(n, rand.New(rand.NewPCG(1, 1))), nil }, 1)
	b.Refuse("TwoBalls.Sample without rng", func() (any, error) { return balls.Sample(1, nil), nil })
	b.Int("TwoBalls.Groups", func(n int) (any, error) { return nn.Groups(balls.Groups(n, 2)...), nil }, 1)
	b.Refuse("TwoBalls.Start of no model", func() (any, error) { return balls.Start(nil, 1), nil })
	b.Refuse("TwoBalls.Start of another model", func() (any, error) { return balls.Start(nn.Diagonal(1), 1), nil })
	b.Float("TwoBalls.Start", func(v float64) (any, error) { return balls.Start(nn.Diagonal(1, 1), v), nil }, -1, 0, 1e-320, 1e300)
	b.Float("BiasOnLine left", func(v float64) (any, error) { w, c := oracle.BiasOnLine(v, 2); return []float64{w, c}, nil }, -1, 0, 1e-320)
	b.Float("BiasOnLine right", func(v float64) (any, error) { w, c := oracle.BiasOnLine(-2, v); return []float64{w, c}, nil }, -1, 0, 1e300)

	model := nn.Diagonal(1, 1)
	margins, err := qhnet.NewMargins(model, set)
	if err != nil {
		t.Fatal(err)
	}
	rates, err := qhnet.RatesOf(model)
	if err != nil {
		t.Fatal(err)
	}
	start := []float64{1, 1}
	good, err := oracle.SolveDirect(context.Background(), margins, rates, start)
	if err != nil {
		t.Fatal(err)
	}
	b.Vector("SolveDirect", start, func(v []float64) (any, error) { return oracle.SolveDirect(context.Background(), margins, rates, v) })
	b.Refuse("SolveDirect of unseparable points", func() (any, error) {
		other := set
		other.X = mat.NewDense(2, 2, []float64{1, 1, 1, 1})
		m, err := qhnet.NewMargins(model, other)
		if err != nil {
			t.Fatal(err)
		}
		return oracle.SolveDirect(context.Background(), m, rates, start)
	})
	for name, m := range map[string]*qhnet.Margins{"nil": nil, "zero": {}} {
		b.Refuse("SolveDirect of "+name+" Margins", func() (any, error) { return oracle.SolveDirect(context.Background(), m, rates, start) })
		b.Refuse("CurvatureOf "+name+" Margins", func() (any, error) { return oracle.CurvatureOf(m, rates, good) })
	}
	for name, r := range map[string]*qhnet.Rates{"nil": nil, "zero": {}, "other": qhnet.Diag(1, 1, 1)} {
		b.Refuse("SolveDirect with "+name+" Rates", func() (any, error) { return oracle.SolveDirect(context.Background(), margins, r, start) })
		b.Refuse("CurvatureOf with "+name+" Rates", func() (any, error) { return oracle.CurvatureOf(margins, r, good) })
	}
	b.Refuse("SolveDirect without a context", func() (any, error) { return oracle.SolveDirect(badinput.NoContext, margins, rates, start) })
	b.Refuse("CurvatureOf no certificate", func() (any, error) { return oracle.CurvatureOf(margins, rates, nil) })
	b.Refuse("CurvatureOf a zero certificate", func() (any, error) { return oracle.CurvatureOf(margins, rates, &qhnet.Certificate{}) })
}
