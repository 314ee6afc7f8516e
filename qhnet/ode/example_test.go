package ode_test

import (
	"context"
	"fmt"

	"qhlab/qhnet/ode"
)

func ExampleSolve() {
	logistic := ode.Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error {
			dst[0] = y[0] * (1 - y[0])
			return nil
		},
		Start: 0, End: 10, Initial: []float64{0.01},
	}
	solution, err := ode.Solve(context.Background(), logistic, ode.Options{
		Method:  ode.DormandPrince{},
		Control: &ode.Control{Relative: 1e-9, Absolute: 1e-12},
		Record:  ode.Recording{At: []float64{2, 4, 6}},
		Events: []ode.Event{{
			Name:  "half",
			Value: func(_ float64, y []float64) float64 { return y[0] - 0.5 },
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, t := range solution.Times {
		fmt.Printf("y(%v) = %.6f\n", t, solution.Values[i][0])
	}
	fmt.Printf("%s at t = %.6f (log 99 = 4.595120)\n", solution.Events[0].Name, solution.Events[0].T)
	// Output:
	// y(2) = 0.069453
	// y(4) = 0.355461
	// y(6) = 0.802957
	// half at t = 4.595120 (log 99 = 4.595120)
}
