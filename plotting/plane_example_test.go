package plotting_test

import (
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"

	"gonum.org/v1/plot/plotter"

	"qhlab/plotting"
)

// A classifier of the plane: its regions, its boundary, its margins, and the
// support vectors, which lie on them.
func ExampleRegions() {
	rng := rand.New(rand.NewPCG(5, 6))
	f := func(x, y float64) float64 { return 1.4*x + 1.1*y - 0.5*x*x*x }
	var x, y [2][]float64
	var support [2][]int
	for len(x[0])+len(x[1]) < 90 {
		a, b := 4*rng.Float64()-2, 3*rng.Float64()-1.5
		q := f(a, b)
		if math.Abs(q) < 1 {
			continue
		}
		c := 0
		if q > 0 {
			c = 1
		}
		if math.Abs(q) < 1.12 {
			support[c] = append(support[c], len(x[c]))
		}
		x[c], y[c] = append(x[c], a), append(y[c], b)
	}
	compare("regions", plotting.Figure{
		Panels: []plotting.Panel{{
			Equal: true,
			X:     plotting.Axis{Label: "x_1"}, Y: plotting.Axis{Label: "x_2"},
			Layers: []plotting.Layer{
				plotting.Regions{F: f},
				plotting.Contours{F: f, Levels: []float64{-1, 0, 1}, Labels: []string{"f = −1", "f = 0", "f = +1"}},
				plotting.Scatter{X: x[0], Y: y[0], Label: "y = −1", Role: plotting.Class(0), Ringed: support[0]},
				plotting.Scatter{X: x[1], Y: y[1], Label: "y = +1", Role: plotting.Class(1), Ringed: support[1]},
			},
		}},
	})
	// Output: same picture as testdata/regions.png
}

// Four classes: the decision is the largest of four outputs.
func ExampleRegions_classes() {
	rng := rand.New(rand.NewPCG(7, 8))
	means := [4][2]float64{{-1, -0.7}, {1, -0.7}, {-0.7, 0.9}, {1.1, 0.8}}
	p := plotting.Panel{Equal: true, X: plotting.Axis{Label: "x_1"}, Y: plotting.Axis{Label: "x_2"}}
	p.Layers = append(p.Layers, plotting.Regions{Batch: func(x, y []float64) (out []float64) {
		for k := range x {
			for _, m := range means {
				out = append(out, -(x[k]-m[0])*(x[k]-m[0])-(y[k]-m[1])*(y[k]-m[1]))
			}
		}
		return out
	}})
	for c, m := range means {
		xs, ys := cloud(rng, 25, m[0], m[1], 0.25)
		p.Layers = append(p.Layers, plotting.Scatter{X: xs, Y: ys, Label: fmt.Sprintf("class %d", c+1), Role: plotting.Class(c)})
	}
	compare("classes", plotting.Figure{Panels: []plotting.Panel{p}})
	// Output: same picture as testdata/classes.png
}

// field is Λθ on a lattice, for gonum's Field.
type field struct{ lambda [2]float64 }

func (field) Dims() (columns, rows int) { return 17, 13 }
func (field) X(column int) float64      { return -2 + 0.25*float64(column) }
func (field) Y(row int) float64         { return -1.5 + 0.25*float64(row) }
func (f field) Vector(column, row int) plotter.XY {
	return plotter.XY{X: f.lambda[0] * f.X(column), Y: f.lambda[1] * f.Y(row)}
}

// The field Λθ as gonum draws fields, three of its characteristic curves, and the level sets of the
// seminorm, which every curve crosses once.
func ExamplePanel_field() {
	lambda := [2]float64{1, 1. / 3}
	arrows := plotter.NewField(field{lambda})
	arrows.LineStyle.Color = color.Gray{190}
	var curves []plotting.Layer
	for k, angle := range []float64{0.35, 0.9, 1.35} {
		sin, cos := math.Sincos(angle)
		alpha := linspace(-3, 3, 80)
		curves = append(curves, plotting.Line{
			X:    apply(alpha, func(a float64) float64 { return cos * math.Exp(lambda[0]*a) }),
			Y:    apply(alpha, func(a float64) float64 { return sin * math.Exp(lambda[1]*a) }),
			Role: plotting.Rate(k),
		})
	}
	compare("field", plotting.Figure{
		Panels: []plotting.Panel{{
			Title: "Characteristic curves ψ_α(θ) = e^{αΛ} θ",
			Equal: true,
			X:     plotting.Axis{Label: "θ_1, rate 1", Min: -2, Max: 2},
			Y:     plotting.Axis{Label: "θ_2, rate ⅓", Min: -1.5, Max: 1.5},
			Layers: append([]plotting.Layer{
				arrows,
				plotting.Contours{
					F:      func(x, y float64) float64 { return math.Sqrt(lambda[0]*x*x + lambda[1]*y*y) },
					Levels: []float64{0.4, 0.8, 1.2}, Labels: []string{"0.4", "0.8", "‖θ‖_Λ = 1.2"}, Role: plotting.Reference,
				},
			}, curves...),
		}},
	})
	// Output: same picture as testdata/field.png
}

// The two balls in the plane and the boundaries of the two classifiers.
func ExampleCircle() {
	boundary := func(bx, by float64) func(float64) float64 {
		return func(x float64) float64 { return -bx / by * x }
	}
	compare("balls", plotting.Figure{
		Panels: []plotting.Panel{{
			Equal: true,
			X:     plotting.Axis{Label: "x_1, highest rate", Min: -2, Max: 2}, Y: plotting.Axis{Label: "x_2", Min: -1.4, Max: 1.4},
			Layers: []plotting.Layer{
				plotting.Circle{X: 1, Y: 0.6, R: 0.7, Role: plotting.Class(1), Filled: true, Label: "y = +1"},
				plotting.Circle{X: -1, Y: -0.6, R: 0.7, Role: plotting.Class(0), Filled: true, Label: "y = −1"},
				plotting.Line{X: []float64{-0.8, 0.8}, Y: apply([]float64{-0.8, 0.8}, boundary(1, 0.6)), Label: "symmetric", Role: plotting.Second},
				plotting.Line{X: []float64{-1.7, 1.7}, Y: apply([]float64{-1.7, 1.7}, boundary(0.36, 0.6)), Label: "asymmetric", Role: plotting.Highest},
				plotting.Line{X: []float64{0, 1}, Y: []float64{0, 0.6}, Arrow: true}, plotting.Note{X: 0.4, Y: 0.5, Label: "μ"},
			},
		}},
	})
	// Output: same picture as testdata/balls.png
}
