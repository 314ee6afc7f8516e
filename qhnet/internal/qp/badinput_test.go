package qp_test

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/internal/badinput"
	"qhlab/qhnet/internal/qp"
)

func TestBadInput(t *testing.T) {
	b := badinput.New(t)
	a := mat.NewDense(2, 2, []float64{1, 0.5, 0, 1})
	right, dst := []float64{1, 1}, make([]float64, 2)
	for name, solve := range map[string]func(dst []float64, a *mat.Dense, b []float64) (any, error){
		"NNLS": func(dst []float64, a *mat.Dense, b []float64) (any, error) {
			if a == nil {
				return qp.NNLS(dst, nil, b)
			}
			return qp.NNLS(dst, a, b)
		},
		"LeastDistance": func(dst []float64, a *mat.Dense, b []float64) (any, error) {
			if a == nil {
				return qp.LeastDistance(dst, nil, b)
			}
			_, err := qp.LeastDistance(dst, a, b)
			return dst, err
		},
	} {
		b.Matrix(name+" matrix", a, func(a *mat.Dense) (any, error) { return solve(dst, a, right) })
		b.Vector(name+" right side", right, func(v []float64) (any, error) { return solve(dst, a, v) })
		b.Length(name+" dst", dst, func(v []float64) (any, error) { return solve(v, a, right) })
		fine := []float64{-1, 0, 1e300}
		if name == "LeastDistance" { // NNLS cannot tell 1e-320 from 0
			fine = append(fine, 1e-320)
		}
		b.Float(name+" entry", func(v float64) (any, error) {
			return solve(dst, mat.NewDense(2, 2, []float64{v, 0.5, 0, 1}), right)
		}, fine...)
	}
	b.Refuse("LeastDistance of nothing possible", func() (any, error) {
		return qp.LeastDistance(dst, mat.NewDense(2, 2, []float64{1, 0, -1, 0}), right)
	})
}
