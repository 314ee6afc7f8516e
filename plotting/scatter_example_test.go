package plotting_test

import (
	"fmt"
	"math/rand/v2"

	"qhlab/plotting"
)

func cloud(rng *rand.Rand, n int, x, y, s float64) (xs, ys []float64) {
	for range n {
		xs, ys = append(xs, x+s*rng.NormFloat64()), append(ys, y+s*rng.NormFloat64())
	}
	return xs, ys
}

// Two classes; rings mark the support vectors.
func ExampleScatter() {
	rng := rand.New(rand.NewPCG(1, 2))
	x0, y0 := cloud(rng, 40, -1, -0.6, 0.35)
	x1, y1 := cloud(rng, 40, 1, 0.6, 0.35)
	compare("scatter", plotting.Figure{
		Panels: []plotting.Panel{{
			Equal: true,
			X:     plotting.Axis{Label: "x_1"},
			Y:     plotting.Axis{Label: "x_2"},
			Layers: []plotting.Layer{
				plotting.Scatter{X: x0, Y: y0, Label: "y = −1", Role: plotting.Class(0), Ringed: []int{3, 14}},
				plotting.Scatter{X: x1, Y: y1, Label: "y = +1", Role: plotting.Class(1), Ringed: []int{5}},
			},
		}},
	})
	// Output: same picture as testdata/scatter.png
}

// Small multiples: the same axes in every panel, so that only the data differ.
func ExampleFigure_multiples() {
	rng := rand.New(rand.NewPCG(3, 4))
	var panels []plotting.Panel
	for k := range 6 {
		p := plotting.Panel{
			Title: fmt.Sprintf("seed %d", k), Equal: true,
			X: plotting.Axis{Label: "feature 1"}, Y: plotting.Axis{Label: "feature 2"},
		}
		for c := range 4 {
			xs, ys := cloud(rng, 12, float64(c%2), float64(c/2), 0.3/float64(k+1))
			p.Layers = append(p.Layers, plotting.Scatter{X: xs, Y: ys, Role: plotting.Class(c)})
		}
		panels = append(panels, p)
	}
	compare("multiples", plotting.Figure{Panels: panels, Columns: 3, ShareX: true, ShareY: true})
	// Output: same picture as testdata/multiples.png
}
