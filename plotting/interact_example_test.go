package plotting_test

import (
	"math"

	"qhlab/plotting"
)

// Outside of JupyterLab the figure is drawn once.
func ExampleInteract() {
	plotting.Interact([]plotting.Slider{
		{Label: "D", Min: 1, Max: 4, Step: 1, Value: 2},
		{Label: "x", Min: 0, Max: 2, Value: 1},
	}, func(v []float64) plotting.Figure {
		power := func(x float64) float64 { return math.Pow(x, v[0]) }
		return plotting.Figure{
			Caption: "A power of x.",
			Panels: []plotting.Panel{{Layers: []plotting.Layer{
				plotting.Curve{F: power, From: 0, To: 2},
				plotting.ReferenceX{At: v[1]},
			}}},
		}
	})
	// Output:
	// Figure: A power of x.
	// D = 2 · x = 1.00 (in JupyterLab, sliders change this)
}
