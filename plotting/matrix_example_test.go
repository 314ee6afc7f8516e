package plotting_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"qhlab/plotting"
)

// The Gram matrix of the class means of an exact simplex frame, beside that of
// noisy features grouped by class.
func ExampleHeatMap() {
	const classes, each = 4, 8
	etf := mat.NewDense(classes, classes, nil)
	features := mat.NewDense(classes*each, classes*each, nil)
	gram := func(i, j int) float64 {
		if i == j {
			return 1
		}
		return -1. / (classes - 1)
	}
	for i := range classes * each {
		for j := range classes * each {
			etf.Set(i%classes, j%classes, gram(i%classes, j%classes))
			features.Set(i, j, gram(i/each, j/each)*(0.8+0.2*math.Cos(float64(3*i*j+i+j))))
		}
	}
	names := []string{"1", "2", "3", "4"}
	compare("heatmap", plotting.Figure{
		Panels: []plotting.Panel{
			{Title: "simplex frame", Layers: []plotting.Layer{plotting.HeatMap{Values: etf, Diverging: true, Groups: names, NoBar: true}}},
			{Title: "features", Layers: []plotting.Layer{plotting.HeatMap{Values: features, Diverging: true, Groups: names, Label: "cos ∠"}}},
		},
	})
	// Output: same picture as testdata/heatmap.png
}

// All values of one sign: light is little, dark is much.
func ExampleHeatMap_sequential() {
	m := mat.NewDense(20, 30, nil)
	for i := range 20 {
		for j := range 30 {
			m.Set(i, j, math.Exp(-(math.Pow(float64(i)-8, 2)+math.Pow(float64(j)-17, 2))/60))
		}
	}
	compare("sequential", plotting.Figure{
		Width:  plotting.Single,
		Panels: []plotting.Panel{{Layers: []plotting.Layer{plotting.HeatMap{Values: m, Label: "density"}}}},
	})
	// Output: same picture as testdata/sequential.png
}

// Class probabilities of three classes as training goes on.
func ExampleSimplex() {
	p := plotting.Panel{Bare: true, Equal: true, Layers: []plotting.Layer{plotting.Simplex{Corners: [3]string{"class 1", "class 2", "class 3"}}}}
	for c := range 3 {
		var xs, ys []float64
		for k := range 12 {
			weights := [3]float64{1, 1, 1}
			weights[c] += 0.12 * float64(k*k)
			weights[(c+1)%3] += 0.3 * math.Sin(float64(k))
			x, y := plotting.SimplexPoint(weights)
			xs, ys = append(xs, x), append(ys, y)
		}
		p.Layers = append(p.Layers,
			plotting.Line{X: xs, Y: ys, Role: plotting.Class(c), Thin: true},
			plotting.Scatter{X: xs, Y: ys, Role: plotting.Class(c), Label: fmt.Sprintf("y = %d", c+1)})
	}
	compare("simplex", plotting.Figure{Panels: []plotting.Panel{p}})
	// Output: same picture as testdata/simplex.png
}

// Two balls in space, the direction between them and a separating plane.
func ExampleScene() {
	mu := plotting.Point3{1, 0.5, 0.6}
	scene := func(normal plotting.Point3, r plotting.Role, label string) plotting.Panel {
		return plotting.Panel{Title: label, Layers: []plotting.Layer{plotting.Scene{Shapes: []plotting.Shape{
			plotting.Plane{Normal: normal, Side: 2.2, Role: r},
			plotting.Ball{Center: mu, Radius: 0.5, Role: plotting.Class(1), Label: "y = +1"},
			plotting.Ball{Center: plotting.Point3{-mu[0], -mu[1], -mu[2]}, Radius: 0.5, Role: plotting.Class(0), Label: "y = −1"},
			plotting.Vector{To: plotting.Point3{normal[0] * 0.6, normal[1] * 0.6, normal[2] * 0.6}, Role: r, Label: "β̂"},
		}}}}
	}
	compare("scene", plotting.Figure{
		ShareX: true, ShareY: true,
		Panels: []plotting.Panel{
			scene(plotting.Point3{0.79, 0.39, 0.47}, plotting.Second, "symmetric"),
			scene(plotting.Point3{0.1, 0.62, 0.77}, plotting.Highest, "asymmetric"),
		},
	})
	// Output: same picture as testdata/scene.png
}

func ExampleTable() {
	fmt.Println(plotting.Table{
		Columns: []string{"block", "rate", "‖θ̂‖"},
		Rows:    [][]string{{"w", "1", "0.527"}, {"a", "½", "12.25"}},
	})
	// Output:
	// block  rate    ‖θ̂‖
	// ─────  ────  ─────
	// w         1  0.527
	// a         ½  12.25
}
