package plotting_test

import (
	"math"

	"qhlab/plotting"
)

// linspace returns n+1 numbers from a to b.
func linspace(a, b float64, n int) []float64 {
	x := make([]float64, n+1)
	for i := range x {
		x[i] = a + (b-a)*float64(i)/float64(n)
	}
	return x
}

func apply(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

// The robustness of the two-ball problem with μ = (1; 0.6) as a function of the
// radius, and the best that any linear classifier reaches.
func ExampleLine() {
	asymmetric := func(r float64) float64 {
		if s := math.Sqrt(max(0, r*r-0.36)); r > 0.6 {
			return s * (1 - s) / r
		}
		return 0.6 - r
	}
	r := linspace(0.05, 1.1, 42)
	compare("line", plotting.Figure{
		Caption: "Robustness of the asymmetric and the best classifier against the radius.",
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "radius r"},
			Y: plotting.Axis{Label: "robustness β̂·μ − r"},
			Layers: []plotting.Layer{
				plotting.Line{X: r, Y: apply(r, asymmetric), Label: "asymmetric", Role: plotting.Highest},
				plotting.Curve{F: func(r float64) float64 { return math.Sqrt(1.36) - r }, Label: "symmetric", Role: plotting.Second},
				plotting.ReferenceX{At: 0.6, Label: "r = m_2"},
				plotting.ReferenceY{At: 0, Label: "no margin"},
			},
		}},
	})
	// Output: same picture as testdata/line.png
}

// Loss, norm and margin of one run, stacked on the logarithm of a time that
// reaches 10^(10^6). The data are natural logarithms.
func ExampleFigure_stacked() {
	nu := linspace(1, 14.5, 60)
	logTime := apply(nu, math.Exp) // log t
	compare("stacked", plotting.Figure{
		Title:   "Gradient flow, far past separability",
		Columns: 1, ShareX: true,
		Panels: []plotting.Panel{{
			Y: plotting.Axis{Label: "loss L", Scale: plotting.Log, Logged: true},
			X: plotting.Axis{Scale: plotting.LogLog, Logged: true},
			Layers: []plotting.Layer{
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return -l - math.Log(l) }), Label: "flow"},
			},
		}, {
			X: plotting.Axis{Scale: plotting.LogLog, Logged: true},
			Y: plotting.Axis{Label: "block norms", Scale: plotting.Log},
			Layers: []plotting.Layer{
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return l }), Label: "λ = 1", Role: plotting.Highest},
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return 2 * math.Sqrt(l) }), Label: "λ = ½", Role: plotting.Second},
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return 2.2 * math.Cbrt(l) }), Label: "λ = ⅓", Role: plotting.Third},
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return 2.1 * math.Pow(l, .25) }), Label: "λ = ¼", Role: plotting.Fourth},
			},
		}, {
			X: plotting.Axis{Label: "time t", Scale: plotting.LogLog, Logged: true},
			Y: plotting.Axis{Label: "normalized margin γ̄"},
			Layers: []plotting.Layer{
				plotting.ReferenceY{At: 1, Label: "theory"},
				plotting.Line{X: logTime, Y: apply(logTime, func(l float64) float64 { return 1 - 1/l }), Label: "flow"},
			},
		}},
	})
	// Output: same picture as testdata/stacked.png
}

func ExampleBand() {
	x := linspace(1, 1e8, 1)
	x = append(x[:0], apply(linspace(0, 8, 80), func(u float64) float64 { return math.Pow(10, u) })...)
	middle := func(u float64) float64 { return 1 / math.Sqrt(1+u) }
	compare("band", plotting.Figure{
		Width: plotting.Single,
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "log(1/L)", Scale: plotting.Log},
			Y: plotting.Axis{Label: "direction error", Scale: plotting.Log},
			Layers: []plotting.Layer{
				plotting.Band{X: x, Low: apply(x, func(u float64) float64 { return middle(u) / 3 }), High: apply(x, func(u float64) float64 { return middle(u) * 2 }), Role: plotting.Highest},
				plotting.Line{X: x, Y: apply(x, middle), Label: "median", Role: plotting.Highest},
				plotting.ReferenceCurve{F: func(u float64) float64 { return 1 / u }, Label: "slope −1"},
			},
		}},
	})
	// Output: same picture as testdata/band.png
}
