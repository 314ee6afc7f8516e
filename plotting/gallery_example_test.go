package plotting_test

import (
	"math"

	"qhlab/plotting"
)

// A slide has the same figure with type to be read from afar.
func ExampleWidth_beamer() {
	compare("beamer", plotting.Figure{
		Width: plotting.Beamer,
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "depth L"}, Y: plotting.Axis{Label: "loss exponent 2 − 2λ_{max}"}, Key: true,
			Layers: []plotting.Layer{
				plotting.Line{X: []float64{1, 2, 3, 4}, Y: []float64{0, 1, 4. / 3, 1.5}, Marker: plotting.Disc, Label: "dense, λ_{max} = 1/L", Role: plotting.Highest},
				plotting.ReferenceY{At: 2, Label: "limit of deep networks"},
				plotting.Note{X: 2.6, Y: 0.4, Label: "shallower: slower"},
			},
		}},
	})
	// Output: same picture as testdata/beamer.png
}

// A whole cell: what is predicted, what is measured, and where something happens.
func Example() {
	radii := linspace(0.62, 1.1, 12)
	closedForm := func(r float64) float64 {
		s := math.Sqrt(max(0, r*r-0.36))
		return s * (1 - s) / r
	}
	plotting.Show(plotting.Figure{
		Name:    "robustness",
		Caption: "Robustness rises from zero beyond r = m2 and falls again.",
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: "radius r"},
			Y: plotting.Axis{Label: "robustness"},
			Layers: []plotting.Layer{
				plotting.ReferenceCurve{F: closedForm, Label: "closed form"},
				plotting.Scatter{X: radii, Y: apply(radii, closedForm), Label: "flow", Role: plotting.Highest},
				plotting.ReferenceX{At: 0.6, Label: "r = m_2"},
			},
		}},
	})
	// Output: Figure: Robustness rises from zero beyond r = m2 and falls again.
}
