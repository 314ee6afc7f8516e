package plotting_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"qhlab/plotting"
)

// The five figures that bench/compare.py draws with matplotlib as well.
func benchFigures() map[string]plotting.Figure {
	one := func(layers ...plotting.Layer) plotting.Figure {
		return plotting.Figure{Aspect: 0.6, Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "x"}, Y: plotting.Axis{Label: "y"}, Layers: layers,
		}}}
	}
	var lines []plotting.Layer
	for k := range 5 {
		x := linspace(0, 10, 1000)
		lines = append(lines, plotting.Line{
			X: x, Y: apply(x, func(v float64) float64 { return math.Sin(v+float64(k)) * math.Exp(-v/10) }),
			Label: fmt.Sprintf("line %d", k), Role: plotting.Role(k), Style: plotting.Solid,
		})
	}
	const n = 100
	m := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			m.Set(i, j, math.Sin(float64(i)/9)*math.Cos(float64(j)/7))
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	xs, ys := cloud(rng, 10000, 0, 0, 1)
	wave := func(x, y float64) float64 { return math.Sin(2*x) * math.Cos(3*y) * math.Exp(-(x*x+y*y)/8) }
	contour := one(plotting.Contours{F: wave, Levels: []float64{-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6}})
	contour.Panels[0].X.Min, contour.Panels[0].X.Max = -3, 3
	contour.Panels[0].Y.Min, contour.Panels[0].Y.Max = -2, 2
	var panels []plotting.Panel
	for k := range 4 {
		x := apply(linspace(0, 6, 200), func(u float64) float64 { return math.Pow(10, u) })
		panels = append(panels, plotting.Panel{
			X: plotting.Axis{Label: "log(1/L)", Scale: plotting.Log}, Y: plotting.Axis{Label: "norm", Scale: plotting.Log},
			Layers: []plotting.Layer{
				plotting.Line{X: x, Y: apply(x, func(v float64) float64 { return math.Pow(v, 1/float64(k+1)) }), Label: "flow", Role: plotting.Highest},
				plotting.ReferenceY{At: 10, Label: "limit"},
			},
		})
	}
	return map[string]plotting.Figure{
		"lines":   one(lines...),
		"heatmap": {Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.HeatMap{Values: m, Label: "value"}}}}},
		"contour": contour,
		"scatter": one(plotting.Scatter{X: xs, Y: ys, Role: plotting.Class(0), Size: 0.6}),
		"stacked": {Columns: 1, ShareX: true, Panels: panels},
	}
}

func BenchmarkEncode(b *testing.B) {
	figures := benchFigures()
	for _, name := range []string{"lines", "heatmap", "contour", "scatter", "stacked"} {
		for _, format := range []plotting.Format{plotting.PNG, plotting.SVG, plotting.PDF, plotting.PGF} {
			b.Run(name+"/"+string(format), func(b *testing.B) {
				size, start := 0, cpuTime(b)
				for b.Loop() {
					data, err := plotting.Encode(figures[name], format)
					if err != nil {
						b.Fatal(err)
					}
					size = len(data)
				}
				b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
				b.ReportMetric(float64(size), "bytes")
			})
		}
	}
}

// cpuTime is what this process has computed, which other work on the machine does not
// change as much as the time on the clock.
func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkShow is what a cell waits for after its figure is computed.
func BenchmarkShow(b *testing.B) {
	const screen = 216 // pixels per inch, as Show draws
	f := benchFigures()["lines"]
	for b.Loop() {
		if _, err := plotting.Preview(f, screen, true); err != nil {
			b.Fatal(err)
		}
	}
}
