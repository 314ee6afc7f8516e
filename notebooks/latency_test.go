package main

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkEditToFigure measures what a user waits for after changing a number:
// the time from sending a cell with a figure until the kernel is idle again.
// Every iteration changes the cell, so nothing is compiled already.
func BenchmarkEditToFigure(b *testing.B) {
	p := withKernel(b)
	k := start(b, p)
	first := "%noautoget\nimport (\n\t\"math\"\n\t\"qhlab/plotting\"\n)"
	if _, err := execute(b, b.Context(), k, first); err != nil {
		b.Fatal(err)
	}
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		begun := time.Now()
		c, err := execute(b, b.Context(), k, fmt.Sprintf(plotCell, 1+float64(i)/100))
		if err != nil {
			b.Fatal(err, c.errorText())
		}
		times = append(times, time.Since(begun))
		if len(c.Outputs) == 0 || c.Outputs[len(c.Outputs)-1].Data["image/png"] == nil {
			b.Fatal("the cell shows no picture")
		}
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2].Seconds(), "s/median")
}

const plotCell = `%%%%
x, y := make([]float64, 500), make([]float64, 500)
for i := range x {
	x[i] = float64(i) / 50
	y[i] = math.Sin(%g * x[i])
}
plotting.Show(plotting.Figure{
	Caption: "A sine.",
	Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: x, Y: y, Role: plotting.Highest}}}},
})`
