package plotting_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting"
)

// What cannot be drawn is an error that names the layer and the number.
func TestMistakes(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	two := []float64{1, 2}
	panel := func(layers ...plotting.Layer) plotting.Panel { return plotting.Panel{Layers: layers} }
	for _, c := range []struct {
		name  string
		panel plotting.Panel
		want  string
	}{
		{"no layers", panel(), "has no layers"},
		{"empty line", panel(plotting.Line{Label: "loss"}), `layer 1 (plotting.Line "loss"): has no points`},
		{"unequal lengths", panel(plotting.Line{X: two, Y: two[:1]}), "has 2 values of X and 1 of Y"},
		{"NaN in a line", panel(plotting.Line{X: two, Y: []float64{1, nan}, Label: "loss"}), `layer 1 (plotting.Line "loss"): Y[1] is NaN`},
		{"infinity in points", panel(plotting.Line{X: two, Y: two}, plotting.Scatter{X: []float64{inf}, Y: []float64{1}}), "layer 2 (plotting.Scatter): X[0] is infinite"},
		{"NaN in a band", panel(plotting.Band{X: two, Low: two, High: []float64{nan, 1}}), "layer 1 (plotting.Band): High[0] is NaN"},
		{"NaN reference", panel(plotting.ReferenceY{At: nan, Label: "theory"}), `plotting.ReferenceY "theory"`},
		{"ring without point", panel(plotting.Scatter{X: two, Y: two, Ringed: []int{2}}), "point 2 of 2 is to be ringed"},
		{"curve nowhere", panel(plotting.Curve{F: func(float64) float64 { return nan }}), "F is NaN everywhere"},
		{"curve to infinity", panel(plotting.Curve{F: func(float64) float64 { return inf }}), "is infinite"},
		{"NaN in regions", panel(plotting.Regions{F: func(x, y float64) float64 { return nan }}), "layer 1 (plotting.Regions): the value at"},
		{"no function", panel(plotting.Contours{}), "needs either F or Batch"},
		{"NaN in a matrix", panel(plotting.HeatMap{Values: mat.NewDense(2, 2, []float64{1, 2, nan, 3})}), "value [1, 0] is NaN"},
		{"no matrix", panel(plotting.HeatMap{}), "has no Values"},
		{"NaN in space", panel(plotting.Scene{Shapes: []plotting.Shape{plotting.Points{At: []plotting.Point3{{nan, 0, 0}}, Label: "means"}}}), `shape 1 (plotting.Points "means"): X[0] is NaN`},
		{"negative radius", panel(plotting.Circle{R: -1}), "has the radius -1"},
		{"zero on a logarithmic axis", plotting.Panel{Y: plotting.Axis{Scale: plotting.Log}, Layers: []plotting.Layer{plotting.Line{X: two, Y: []float64{1, 0}}}}, "Y[1] = 0 is not positive"},
		{"half of the limits", plotting.Panel{X: plotting.Axis{Min: 0.5}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "x axis: limits [0.5, 0] are empty; set both"},
		{"half of a bar", panel(plotting.HeatMap{Values: mat.NewDense(1, 1, []float64{1}), Low: 0.5}), "colour bar: limits [0.5, 0] are empty; set both"},
		{"near overflow", panel(plotting.Line{X: two, Y: []float64{1, -1e308}}), "Y[1] = -1e+308 is beyond ±1e+300"},
		{"one on a log-log axis", plotting.Panel{X: plotting.Axis{Scale: plotting.LogLog}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "X[0] = 1 is not above 1"},
		{"empty limits", plotting.Panel{X: plotting.Axis{Min: 2, Max: 1}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "x axis: limits [2, 1] are empty"},
		{"logarithms on a linear axis", plotting.Panel{X: plotting.Axis{Logged: true}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "Logged needs the scale"},
		{"tick outside of a scale", plotting.Panel{X: plotting.Axis{Scale: plotting.Log, Ticks: plot.ConstantTicks{{Value: 1}, {Value: -1}}}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "x axis: tick 1 = -1 is not positive"},
		{"unknown character in a tick", plotting.Panel{Y: plotting.Axis{Ticks: plot.ConstantTicks{{Value: 1, Label: "失"}}}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "panel 1: label \"失\": no font has '失'"},
		{"label as wide as the page", panel(plotting.Line{X: two, Y: two, Label: strings.Repeat("long ", 40)}), "does not fit on the page"},
		{"unknown command", panel(plotting.Line{X: two, Y: two, Label: `$\lamda$`}), `\lamda`},
		{"nil", panel(plotting.Line{X: two, Y: two}, nil), "layer 2 (<nil>): is nil"},
		{"nil pointer", panel((*plotting.Scatter)(nil)), "layer 1 (*plotting.Scatter): is nil"},
		{"no role", panel(plotting.Line{X: two, Y: two, Role: -3}), "layer 1 (plotting.Line): plotting: -3 is no Role"},
		{"no style", panel(plotting.Line{X: two, Y: two, Style: 99}), "plotting: 99 is no LineStyle"},
		{"no marker", panel(plotting.Scatter{X: two, Y: two, Marker: 99}), "plotting: 99 is no Marker"},
		{"no scale", plotting.Panel{X: plotting.Axis{Scale: plotting.Scale(7)}, Layers: []plotting.Layer{plotting.Line{X: two, Y: two}}}, "unknown Scale 7"},
		{"seven regions", panel(plotting.Scatter{X: two, Y: two}, plotting.Regions{Batch: func(x, y []float64) []float64 { return make([]float64, 7*len(x)) }}), "7 classes, and only 6 colours"},
		{"gonum's line with a NaN", panel(&plotter.Line{XYs: plotter.XYs{{X: nan}}}), "layer 1 (*plotter.Line): X[0] is NaN"},
		{"gonum's line on logarithms", plotting.Panel{Y: plotting.Axis{Scale: plotting.Log}, Layers: []plotting.Layer{&plotter.Line{XYs: plotter.XYs{{X: 1, Y: -1}}}}}, "Y[0] = -1 is not positive"},
		{"both kinds of data", panel(plotting.Line{X: two, Y: two, XY: plotter.XYs{{}}}), "has both XY and X, Y"},
		{"too many level labels", panel(plotting.Contours{F: func(x, y float64) float64 { return x }, Labels: []string{"a", "b"}}), "has 2 Labels for 1 levels"},
		{"median of runs of NaN", panel(medianOf(two, []float64{1, nan})), "Y[1] is NaN"},
		{"unknown character", panel(plotting.Line{X: two, Y: two, Label: "损失"}), "no font has '损' (U+635F)"},
	} {
		f := plotting.Figure{Name: "test", Panels: []plotting.Panel{c.panel}}
		_, err := plotting.Preview(f, 36, false)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if !strings.HasPrefix(err.Error(), `plotting: figure "test": panel 1: `) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.want)
		}
	}
	if _, err := plotting.Preview(plotting.Figure{}, 36, false); err == nil {
		t.Error("a figure without panels: no error")
	}
}

func medianOf(x []float64, runs ...[]float64) plotting.Layer {
	line, _ := plotting.Median(x, runs)
	return line
}

func TestQuantile(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		sorted  []float64
		p, want float64
	}{
		{[]float64{1, 2}, 0.5, 1.5}, {[]float64{1, 2, 4}, 0.5, 2}, {[]float64{1, 2, 4}, 0.75, 3},
		{[]float64{7}, 0.25, 7}, {[]float64{1, 2}, 0, 1}, {[]float64{1, 2}, 1, 2},
		{[]float64{-inf, 0, inf}, 0.5, 0}, {[]float64{0, inf}, 0.5, inf}, {nil, 0.5, math.NaN()}, {[]float64{math.NaN(), 1}, 0.5, math.NaN()},
	} {
		if got := plotting.Quantile(c.sorted, c.p); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("quantile %v of %v is %v, want %v", c.p, c.sorted, got, c.want)
		}
	}
}

// A curve is drawn over the range that the panels share, and measured there.
func TestSharedCurve(t *testing.T) {
	line := func(x ...float64) plotting.Layer { return plotting.Line{X: x, Y: x} }
	curve := func(f func(float64) float64) plotting.Layer { return plotting.ReferenceCurve{F: f, Label: "theory"} }
	panel := func(scale plotting.Scale, layers ...plotting.Layer) plotting.Panel {
		return plotting.Panel{Y: plotting.Axis{Scale: scale}, Layers: layers}
	}
	for _, c := range []struct {
		name, want string
		panels     []plotting.Panel
	}{
		{"infinite", `panel 1: layer 2 (plotting.ReferenceCurve "theory"): F(0) is infinite; set From and To`, []plotting.Panel{
			panel(plotting.Linear, line(1, 2), curve(func(x float64) float64 { return 1 / x })), panel(plotting.Linear, line(0, 3))}},
		{"not positive", `panel 1: layer 2 (plotting.ReferenceCurve "theory"): F(0) = -0.5 is not positive`, []plotting.Panel{
			panel(plotting.Log, line(1, 2), curve(func(x float64) float64 { return x - 0.5 })), panel(plotting.Log, plotting.Line{X: []float64{0, 3}, Y: []float64{1, 2}})}},
		{"scales", "panel 2: its axis has another scale than that of panel 1, so ShareY cannot join them", []plotting.Panel{
			panel(plotting.Log, line(1, 2)), panel(plotting.Linear, line(1, 2))}},
	} {
		_, err := plotting.Preview(plotting.Figure{Panels: c.panels, ShareX: true, ShareY: true}, 36, false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	// Equal axes widen the range after it was measured.
	p := plotting.Panel{Equal: true, Layers: []plotting.Layer{plotting.Scatter{X: []float64{1, 2}, Y: []float64{-50, 50}}, curve(func(x float64) float64 { return 1 / math.Max(x, 0) })}}
	if _, err := plotting.Preview(plotting.Figure{Panels: []plotting.Panel{p}}, 36, false); err == nil || !strings.Contains(err.Error(), "is infinite") {
		t.Errorf("widened: %v", err)
	}
}

// Degenerate but honest data are drawn.
func TestUnusualData(t *testing.T) {
	one := []float64{3}
	for name, p := range map[string]plotting.Panel{
		"one point":                    {Layers: []plotting.Layer{plotting.Scatter{X: one, Y: one}}},
		"one point line":               {Layers: []plotting.Layer{plotting.Line{X: one, Y: one, Label: "a"}}},
		"constant":                     {Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, 0}}}},
		"tiny":                         {Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1e-300}, Y: []float64{1e-12, 3e-12}}}},
		"huge":                         {Layers: []plotting.Layer{plotting.Line{X: []float64{-1e300, 1e300}, Y: []float64{-1e9, 3e9}}}},
		"outside limits":               {X: plotting.Axis{Min: 10, Max: 11}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, 1}, Label: "gone"}}},
		"one cell":                     {Layers: []plotting.Layer{plotting.HeatMap{Values: mat.NewDense(1, 1, one)}}},
		"decades":                      {Y: plotting.Axis{Scale: plotting.Log}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{1e-300, 1e300}}}},
		"one value and its neighbours": {Layers: []plotting.Layer{plotting.HeatMap{Values: mat.NewDense(1, 2, []float64{1, 1 + 4e-16})}}},
		"a great value":                {Layers: []plotting.Layer{plotting.HeatMap{Values: mat.NewDense(1, 1, []float64{1e20})}}},
		"ratio of one rounding":        {Y: plotting.Axis{Scale: plotting.Log}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{3, 3 + 4e-16}}}},
		"limits one rounding apart":    {Y: plotting.Axis{Min: 1, Max: 1 + 4e-16}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{1, 1}}}},
		"short beyond overflow":        {Y: plotting.Axis{Scale: plotting.Log, Logged: true}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{1e4, 1e4 + 0.2}}}},
		"short below underflow":        {Y: plotting.Axis{Scale: plotting.Log, Logged: true}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{-1e4, -1e4 + 0.2}}}},
		"logarithms that are huge":     {Y: plotting.Axis{Scale: plotting.Log, Logged: true}, Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{1e250, 1e250}}}},
	} {
		if _, err := plotting.Preview(plotting.Figure{Panels: []plotting.Panel{p}}, 36, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The line of a single point is a disc with the line's label.
func TestLineOfOnePoint(t *testing.T) {
	p := plotting.Panel{Layers: []plotting.Layer{plotting.Line{X: []float64{3}, Y: []float64{3}, Label: "flow", Role: plotting.Highest}}}
	svg := string(encode(t, plotting.Figure{Panels: []plotting.Panel{p}}, plotting.SVG))
	if !strings.Contains(svg, "<use ") || !strings.Contains(svg, ">flow</text>") {
		t.Errorf("no disc or no label in %s", svg)
	}
}

// A figure is seen as a whole, whatever Aspect says.
func TestHeight(t *testing.T) {
	line := []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, 1}, Label: "flow"}}
	panel := plotting.Panel{Title: "a title", X: plotting.Axis{Label: "x"}, Y: plotting.Axis{Label: "y"}, Layers: line, Key: true}
	square, high := panel, panel
	square.Equal, high.Height = true, 3
	for _, panels := range [][]plotting.Panel{{panel}, {square}, {panel, panel}, {panel, high, panel}, {square, square}} {
		for _, aspect := range []float64{0, 0.3, 2} {
			svg := string(encode(t, plotting.Figure{Title: "a title", Columns: 1, ShareX: true, Aspect: aspect, Panels: panels}, plotting.SVG))
			size := regexp.MustCompile(`viewBox="0 0 [\d.]+ ([\d.]+)"`).FindStringSubmatch(svg)
			if height, err := strconv.ParseFloat(size[1], 64); err != nil || height > 320.01 {
				t.Errorf("%d panels, aspect %g: %g points high, %v", len(panels), aspect, height, err)
			}
		}
	}
}

// Titles and labels of y break into lines, and labels that do not fit at line ends stand in
// the key.
func TestMuchText(t *testing.T) {
	long := strings.Repeat("a long title ", 12)
	var lines []plotting.Layer
	for k := range 30 {
		lines = append(lines, plotting.Line{X: []float64{0, 1}, Y: []float64{0, float64(k)}, Label: fmt.Sprintf("line %d", k), Role: plotting.Series(k)})
	}
	f := plotting.Figure{Title: long, Width: plotting.Single, Panels: []plotting.Panel{{Title: long, Y: plotting.Axis{Label: long}, Layers: lines}}}
	svg := string(encode(t, f, plotting.SVG))
	if !strings.Contains(svg, ">line 29<") {
		t.Error("a label is lost")
	}
	if n := strings.Count(svg, strings.TrimSpace(long)+"</text>"); n > 0 {
		t.Errorf("%d titles are in one line", n)
	}
}

// Every preset has a font that is there, and what is no width or font is an error.
func TestWidths(t *testing.T) {
	panels := []plotting.Panel{{Layers: []plotting.Layer{plotting.Line{X: []float64{0, 1}, Y: []float64{0, 1}}}}}
	for _, w := range []plotting.Width{plotting.ICLR, plotting.NeurIPS, plotting.ICML, plotting.ICMLDouble, plotting.Nature, plotting.NatureDouble, plotting.Beamer, {}} {
		encode(t, plotting.Figure{Width: w, Panels: panels}, plotting.SVG)
	}
	for _, f := range []plotting.Figure{{Width: plotting.Width{Length: -1}}, {Width: plotting.Width{Length: vg.Length(math.NaN())}}, {Width: plotting.Width{Length: plotting.Single.Length, Font: "Comic Sans"}}} {
		f.Panels = panels
		if _, err := plotting.Encode(f, plotting.SVG); err == nil {
			t.Errorf("width %v was accepted", f.Width)
		}
	}
}
