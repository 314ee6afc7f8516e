package ode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

// logistic is y' = y (1 - y) from 0.01.
var logistic = ode.Problem{
	Derivative: func(dst []float64, _ float64, y []float64) error {
		dst[0] = y[0] * (1 - y[0])
		return nil
	},
	Start: 0, End: 10, Initial: []float64{0.01},
}

func ExampleSolve() {
	solution, err := ode.Solve(context.Background(), logistic, ode.Options{
		Method:  ode.DormandPrince{},
		Control: &ode.Control{Relative: 1e-9, Absolute: 1e-12},
		Record:  ode.Recording{At: []float64{2, 4, 6}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, t := range solution.Times {
		fmt.Printf("y(%v) = %.6f\n", t, solution.Values[i][0])
	}
	fmt.Println(solution.Status)
	// Output:
	// y(2) = 0.069453
	// y(4) = 0.355461
	// y(6) = 0.802957
	// end reached
}

func ExampleEvent() {
	solution, err := ode.Solve(context.Background(), logistic, ode.Options{
		Control: &ode.Control{Relative: 1e-10, Absolute: 1e-12},
		Events: []ode.Event{{
			Name:      "half full",
			Value:     func(_ float64, y []float64) float64 { return y[0] - 0.5 },
			Direction: ode.Rising,
			Terminal:  true,
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	event := solution.Events[0]
	fmt.Printf("%s at t = %.8f, log 99 = %.8f\n", event.Name, event.T, math.Log(99))
	// Output:
	// half full at t = 4.59511985, log 99 = 4.59511985
}

func ExampleRadauIIA() {
	// Van der Pol's oscillator with μ = 1e6 relaxes within 1e-6 of its period.
	const stiffness = 1e6
	solution, err := ode.Solve(context.Background(), ode.Problem{
		Derivative: func(dst []float64, _ float64, y []float64) error {
			dst[0] = y[1]
			dst[1] = stiffness * ((1-y[0]*y[0])*y[1] - y[0])
			return nil
		},
		Jacobian: func(dst *mat.Dense, _ float64, y []float64) error {
			dst.Set(0, 1, 1)
			dst.Set(1, 0, stiffness*(-2*y[0]*y[1]-1))
			dst.Set(1, 1, stiffness*(1-y[0]*y[0]))
			return nil
		},
		End: 2, Initial: []float64{2, 0},
	}, ode.Options{Method: ode.RadauIIA{}, Control: &ode.Control{Relative: 1e-8, Absolute: 1e-8}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("y(2) = %.6f, %.6f in fewer than 2000 steps: %v\n", solution.Y[0], solution.Y[1], solution.Statistics.Steps < 2000)
	// Output:
	// y(2) = 1.706168, -0.892810 in fewer than 2000 steps: true
}

func ExampleRKC() {
	// The heat equation on 200 points, from a sine wave, decays at the rate π².
	p := heat(200)
	for i := range p.Initial {
		p.Initial[i] = math.Sin(math.Pi * float64(i+1) / 201)
	}
	solution, err := ode.Solve(context.Background(), p, ode.Options{
		Method:  ode.RKC{},
		Control: &ode.Control{Relative: 1e-5, Absolute: 1e-7},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("decayed to %.4f, exp(-π²/10) = %.4f\n", solution.Y[99]/math.Sin(math.Pi*100/201), math.Exp(-math.Pi*math.Pi/10))
	// Output:
	// decayed to 0.3727, exp(-π²/10) = 0.3727
}

func ExampleAuto() {
	// Robertson's kinetics is not stiff at first, and very stiff later.
	p := robertson().problem
	var first, last string
	_, err := ode.Solve(context.Background(), p, ode.Options{
		Method:  ode.Auto{},
		Control: &ode.Control{Relative: 1e-6, Absolute: 1e-10},
		OnStep: func(s *ode.Stretch) error {
			if last = s.Method(); first == "" {
				first = last
			}
			return nil
		},
	})
	fmt.Println(first, last, err)
	// Output:
	// DormandPrince RadauIIA <nil>
}

func ExampleStretch() {
	// The integral of a solution, by Simpson's rule on every stretch.
	var area float64
	middle := make([]float64, 1)
	_, err := ode.Solve(context.Background(), logistic, ode.Options{
		Control: &ode.Control{Relative: 1e-8, Absolute: 1e-10},
		OnStep: func(s *ode.Stretch) error {
			s.At(middle, (s.T0+s.T1)/2)
			area += (s.T1 - s.T0) / 6 * (s.Y0[0] + 4*middle[0] + s.Y1[0])
			return nil
		},
	})
	exact := math.Log(1 + 0.01*(math.Exp(10)-1))
	fmt.Printf("%.5f, exactly %.5f, %v\n", area, exact, err)
	// Output:
	// 5.39931, exactly 5.39931, <nil>
}

func ExampleState() {
	options := ode.Options{Method: ode.RadauIIA{}, Checkpoint: ode.Checkpoint{Every: 5}}
	whole, _ := ode.Solve(context.Background(), logistic, options)

	// A second run saves its state, and is cut off half-way.
	var saved []byte
	cut := options
	cut.Checkpoint.Save = func(s *ode.State) (err error) {
		saved, err = json.Marshal(s)
		return err
	}
	cut.Stop.AfterStep = func(t float64, _ []float64) bool { return t > 5 }
	_, _ = ode.Solve(context.Background(), logistic, cut)

	// A third one continues where the second was saved.
	resumed := options
	resumed.Resume = new(ode.State)
	if err := json.Unmarshal(saved, resumed.Resume); err != nil {
		fmt.Println(err)
		return
	}
	rest, _ := ode.Solve(context.Background(), logistic, resumed)
	fmt.Println("the same bits:", rest.Y[0] == whole.Y[0], rest.Statistics == whole.Statistics)
	// Output:
	// the same bits: true true
}
