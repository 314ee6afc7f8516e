package qhnet_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
)

// Direction and stationarity converge like (log 1/L)^{-2Δλ}, with Δλ the gap
// between the two rates.
func TestRateGapLaw(t *testing.T) {
	ball := qhnet.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
	for _, depth := range [][2]int{{1, 2}, {1, 3}, {1, 4}, {2, 4}, {2, 3}, {1, 6}, {2, 5}, {2, 6}, {3, 6}} {
		model := qhnet.Diagonal(depth[0], depth[1])
		margins := bindBalls(t, model, ball)
		start := make([]float64, qhnet.NumParameters(model))
		for i := range start {
			start[i] = 0.8 + 0.05*float64(i)
		}
		const tolerance = 1e-11
		tr := run(t, qhnet.Flow{Margins: margins, Start: start, Until: 1e7, PerDecade: 4, Tolerance: tolerance})
		lambda := canonical(t, model)
		var u []float64
		falling := map[string][]float64{}
		record := func(name string, v float64) { falling[name] = append(falling[name], math.Log(v)) }
		law := -2 * (1/float64(depth[0]) - 1/float64(depth[1]))
		for _, p := range tr.Since(1e2).Points {
			if math.Pow(p.LogInverse(), law) < 10*tolerance {
				break // what is left is the solver's error
			}
			c, err := qhnet.Certify(margins, lambda, p.Theta, nil)
			if err != nil {
				t.Fatal(err)
			}
			u = append(u, math.Log(p.LogInverse()))
			record("direction", floats.Distance(directionOf(model, p.Theta), ball.Direction(nil), 2))
			record("fitted stationarity", c.Fitted.Stationarity)
			record("softmax stationarity", c.Softmax.Stationarity)
		}
		for name, y := range falling {
			if _, slope := stat.LinearRegression(u, y, nil, false); math.Abs(slope-law) > 0.05 {
				t.Errorf("depths %v: the %s falls with slope %.3f, the law says %.3f", depth, name, slope, law)
			}
		}
	}
}
