package experiment_test

import (
	"context"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/experiment"
	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/store"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	p, x := experiment.NewPowers(1, 0.5), mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	theta := []float64{0.5, 0.25}
	b.Float("NewPowers", func(v float64) (any, error) { return experiment.NewPowers(1, v), nil })
	b.Refuse("NewPowers of nothing", func() (any, error) { return experiment.NewPowers(), nil })
	b.Matrix("Powers.Bind", x, func(x *mat.Dense) (any, error) {
		if x != nil && x.RawMatrix().Rows == 4 {
			x = mat.NewDense(3, 1, nil) // any number of points will do
		}
		return p.Bind(x)
	})
	b.Vector("Powers.Forward", theta, func(v []float64) (any, error) {
		e, err := p.Bind(x)
		if err != nil {
			t.Fatal(err)
		}
		return e.Forward(v)
	})
	b.Length("Powers.Coefficients dst", theta, func(v []float64) (any, error) { return p.Coefficients(v, theta), nil })
	b.Length("Powers.Coefficients", theta, func(v []float64) (any, error) { return p.Coefficients(nil, v), nil })
	b.Refuse("Find nothing", func() (any, error) { return experiment.Find(store.Default(), "none") })
	b.Int("Rings", func(n int) (any, error) { return experiment.Rings(n), nil }, 1)
	for _, e := range experiment.All(store.Store{Dir: t.TempDir()}) {
		b.Refuse(e.Name+" of no shard", func() (any, error) { return nil, e.Shard(context.Background(), 0, 0, 1, nil) })
		b.Refuse(e.Name+" merged before it ran", func() (any, error) { return nil, e.Merge(nil) })
	}
}
