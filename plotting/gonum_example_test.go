package plotting_test

import (
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"qhlab/plotting"
	_ "qhlab/plotting/latinmodern"
)

// A plot of gonum's with gonum's plotters, styled by Show and saved in four formats.
func ExampleShow_gonum() {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "Decay", "time $t$", `loss $L(\hat\theta)$`
	points := plotter.XYs{{X: 1, Y: 1}, {X: 2, Y: 0.5}, {X: 4, Y: 0.25}, {X: 8, Y: 0.125}}
	line, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		panic(err)
	}
	line.Color, marks.Color, marks.Shape = plotting.Highest.Color(), plotting.Highest.Color(), draw.CircleGlyph{}
	p.Add(line, marks)
	p.Legend.Add("flow", line, marks)
	p.Legend.Top, p.Legend.XOffs = true, -4

	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	os.Setenv("QHLAB_FIGURES", dir)
	defer os.Unsetenv("QHLAB_FIGURES")
	plotting.Show(p)
	files, err := filepath.Glob(filepath.Join(dir, "decay.*"))
	fmt.Println(len(files), "files", err)
	compare("gonum", p)
	// Output:
	// Figure: Decay: loss L(θ̂) against time t
	// 4 files <nil>
	// same picture as testdata/gonum.png
}

// Layers of this package in a plot of gonum's, on a canvas of gonum's.
func ExampleStyle() {
	p := plot.New()
	p.X.Scale, p.X.Tick.Marker = plotting.Log, plotting.Log
	p.X.Label.Text, p.Y.Label.Text = "log(1/L)", "margin"
	x := apply(linspace(0, 6, 60), func(u float64) float64 { return math.Pow(10, u) })
	flow := plotting.Line{X: x, Y: apply(x, func(u float64) float64 { return 1 - 1/(1+math.Log(u)) }), Label: "flow", Role: plotting.Highest}
	theory := plotting.ReferenceY{At: 1, Label: "limit"}
	p.Add(theory, flow, plotting.Scatter{X: x[:1], Y: flow.Y[:1], Role: plotting.Second})
	p.Legend.Add("flow", flow)
	p.Legend.Add("limit", theory)
	p.Legend.XOffs = -4
	plotting.Style(p)

	c := vgimg.NewWith(vgimg.UseWH(4*vg.Inch, 2.5*vg.Inch), vgimg.UseDPI(goldenDPI))
	p.Draw(draw.New(c))
	comparePicture("style", c.Image())
	// Output: same picture as testdata/style.png
}

// stairs is a plotter of one's own.
type stairs struct{ points plotter.XYs }

func (s stairs) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	for i, q := range s.points {
		if i > 0 {
			line = append(line, vg.Point{X: x(q.X), Y: y(s.points[i-1].Y)})
		}
		line = append(line, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	c.StrokeLines(s.style(), c.ClipLinesXY(line)...)
}

func (s stairs) style() draw.LineStyle {
	return draw.LineStyle{Color: color.NRGBA{0xb3, 0x90, 0, 255}, Width: 1.2}
}

func (s stairs) DataRange() (xmin, xmax, ymin, ymax float64) { return plotter.XYRange(s.points) }

func (s stairs) Thumbnail(c *draw.Canvas) {
	c.StrokeLine2(s.style(), c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
}

// A plotter of one's own and gonum's grid beside layers of this package, on logarithmic
// axes with a key.
func ExampleLabelled() {
	var s stairs
	for k := range 9 {
		s.points = append(s.points, plotter.XY{X: math.Pow(10, float64(k)/2), Y: math.Pow(2, -float64(k))})
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{230}, color.Gray{230}
	compare("labelled", plotting.Figure{
		Width: plotting.Single,
		Panels: []plotting.Panel{{
			Key: true,
			X:   plotting.Axis{Label: "step", Scale: plotting.Log}, Y: plotting.Axis{Label: "rate", Scale: plotting.Log},
			Layers: []plotting.Layer{
				grid,
				plotting.Labelled{Plotter: s, Label: "schedule"},
				plotting.Curve{F: func(x float64) float64 { return 1 / (1 + x) }, Label: "1/(1 + t)", Role: plotting.Second},
			},
		}},
	})
	// Output: same picture as testdata/labelled.png
}

// A figure on a part of a canvas.
func ExampleFigure_Draw() {
	c := vgimg.NewWith(vgimg.UseWH(5*vg.Inch, 2*vg.Inch), vgimg.UseDPI(goldenDPI))
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 12}
	for k := range 2 {
		plotting.Figure{Panels: []plotting.Panel{{
			X:      plotting.Axis{Label: "x"},
			Layers: []plotting.Layer{plotting.Curve{F: func(x float64) float64 { return math.Pow(x, float64(k+2)) }, From: -1, To: 1}},
		}}}.Draw(tiles.At(draw.New(c), k, 0))
	}
	comparePicture("draw", c.Image())
	// Output: same picture as testdata/draw.png
}

// Raw runs as median and quartiles, error bars, a histogram and boxes.
func ExampleMedian() {
	rng := rand.New(rand.NewPCG(9, 9))
	x := linspace(0, 10, 40)
	var runs [][]float64
	for range 15 {
		level := 1 + 0.2*rng.NormFloat64()
		runs = append(runs, apply(x, func(v float64) float64 { return level*math.Exp(-v/4) + 0.03*rng.NormFloat64() }))
	}
	median, quartiles := plotting.Median(x, runs)
	median.Label, median.Role, quartiles.Role = "15 runs", plotting.Highest, plotting.Highest

	points := plotter.XYs{{X: 1, Y: math.Exp(-1. / 4)}, {X: 4, Y: math.Exp(-1)}, {X: 7, Y: math.Exp(-7. / 4)}}
	bars := &plotter.YErrorBars{XYs: points, YErrors: plotter.YErrors{{Low: 0.15, High: 0.1}, {Low: 0.15, High: 0.1}, {Low: 0.15, High: 0.1}}}

	sample, _ := cloud(rng, 400, 0, 0, 1)
	other, _ := cloud(rng, 60, 1, 0, 2)
	counts, err := plotter.NewHist(plotter.Values(sample), 20)
	if err != nil {
		panic(err)
	}
	box := func(x float64, values plotter.Values, role plotting.Role) plotting.Layer {
		b, err := plotter.NewBoxPlot(14, x, values)
		if err != nil {
			panic(err)
		}
		return plotting.Labelled{Plotter: b, Role: role}
	}
	compare("statistics", plotting.Figure{
		Columns: 3,
		Panels: []plotting.Panel{
			{X: plotting.Axis{Label: "time"}, Y: plotting.Axis{Label: "loss"}, Layers: []plotting.Layer{
				quartiles, median, plotting.Labelled{Plotter: bars, Role: plotting.Second},
				plotting.Scatter{XY: points, Label: "measured", Role: plotting.Second}}},
			{X: plotting.Axis{Label: "value"}, Y: plotting.Axis{Label: "count", Ticks: plotting.Counts}, Layers: []plotting.Layer{
				plotting.Labelled{Plotter: counts, Label: "sample", Role: plotting.Class(0)}}},
			{X: plotting.Axis{Min: 0.5, Max: 2.5, Ticks: plot.ConstantTicks{{Value: 1, Label: "first"}, {Value: 2, Label: "second"}}}, Y: plotting.Axis{Label: "value"},
				Layers: []plotting.Layer{box(1, sample, plotting.Class(0)), box(2, other, plotting.Class(1))}},
		},
	})
	// Output: same picture as testdata/statistics.png
}

// A note with an arrow, a theory that is wide below the data, and formulas.
func ExampleNote() {
	f := func(x float64) float64 { return x * x * math.Exp(-x) }
	compare("note", plotting.Figure{
		Width: plotting.Single,
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: `$\hat\theta$`}, Y: plotting.Axis{Label: `$\lambda_{\max}\,\frac12 \|\nabla L\|$`},
			Layers: []plotting.Layer{
				plotting.ReferenceCurve{F: f, From: 0, To: 8, Wide: true, Label: "theory"},
				plotting.Line{X: linspace(0, 6, 60), Y: apply(linspace(0, 6, 60), f), Role: plotting.Highest, Label: "flow"},
				plotting.Note{X: 4.5, Y: 0.55, Label: "largest", To: []float64{2, 4 * math.Exp(-2)}},
			},
		}},
	})
	// Output: same picture as testdata/note.png
}

// grid is a matrix given by a function.
type grid struct {
	rows, columns int
	f             func(i, j int) float64
}

func (g grid) Dims() (rows, columns int) { return g.rows, g.columns }
func (g grid) At(i, j int) float64       { return g.f(i, j) }

// A heat map with axes, a colour scale of decades and greys.
func ExampleHeatMap_axes() {
	m := grid{30, 40, func(i, j int) float64 { return math.Pow(10, 3*math.Sin(float64(i)/9)*math.Cos(float64(j)/12)) }}
	compare("heataxes", plotting.Figure{
		Panels: []plotting.Panel{
			{X: plotting.Axis{Label: "width", Scale: plotting.Log}, Y: plotting.Axis{Label: "depth"}, Layers: []plotting.Layer{
				plotting.HeatMap{Values: m, X: [2]float64{1, 1e4}, Y: [2]float64{0, 8}, Scale: plotting.Log, Label: "loss"}}},
			{X: plotting.Axis{Label: "column j"}, Y: plotting.Axis{Label: "row i"}, Layers: []plotting.Layer{
				plotting.HeatMap{Values: m, Colors: plotting.Greys(), Scale: plotting.Log, NoBar: true}}},
		},
	})
	// Output: same picture as testdata/heataxes.png
}

// The same figure in the fonts of papers.
func ExampleFont() {
	f := plotting.Figure{
		Width: plotting.Single,
		Panels: []plotting.Panel{{
			X: plotting.Axis{Label: `time $t$`}, Y: plotting.Axis{Label: `$\|\hat\theta\|_\Lambda$`},
			Layers: []plotting.Layer{plotting.Curve{F: math.Tanh, From: 0, To: 3, Label: `$e^{\alpha\Lambda}\theta$`, Role: plotting.Highest}},
		}},
	}
	for _, f.Width.Font = range []plotting.Font{plotting.Sans, plotting.Times, plotting.LatinModern} {
		compare("font-"+string(f.Width.Font), f)
	}
	// Output:
	// same picture as testdata/font-sans.png
	// same picture as testdata/font-times.png
	// same picture as testdata/font-latin-modern.png
}

// On the screen figures have no ground, and colours that are seen on white and on black.
func ExampleShow_screen() {
	rng := rand.New(rand.NewPCG(1, 2))
	xs, ys := cloud(rng, 30, 0.5, 0, 0.6)
	f := plotting.Figure{Width: plotting.Single, Panels: []plotting.Panel{{Equal: true, Layers: []plotting.Layer{
		plotting.Regions{F: func(x, y float64) float64 { return x + y*y - 0.5 }, Labels: []string{"y = −1", "y = +1"}},
		plotting.Contours{F: func(x, y float64) float64 { return x + y*y - 0.5 }, Labels: []string{"f = 0"}},
		plotting.Scatter{X: xs, Y: ys, Role: plotting.Class(1), Ringed: []int{3}},
		plotting.Circle{X: 0.5, R: 0.8, Role: plotting.Highest, Filled: true},
		plotting.ReferenceCurve{F: func(x float64) float64 { return x }, Label: "theory", Wide: true},
		plotting.Note{X: 1, Y: -1.2, Label: "here", To: []float64{0.5, -0.8}},
	}}}}
	picture, err := plotting.Preview(f, goldenDPI, true)
	if err != nil {
		panic(err)
	}
	compareBytes("screen", picture)
	// Output: same picture as testdata/screen.png
}

// The frames of a GIF.
func ExampleAnimate() {
	var frames []plotting.Figure
	for k := range 3 {
		frames = append(frames, plotting.Figure{
			Caption: "A circle that grows.", Width: plotting.Single,
			Panels: []plotting.Panel{{Equal: true, X: plotting.Axis{Min: -1, Max: 1}, Y: plotting.Axis{Min: -1, Max: 1},
				Layers: []plotting.Layer{plotting.Circle{R: 0.3 * float64(k+1)}}}},
		})
	}
	plotting.Animate(frames, 20)
	// Output: Figure: A circle that grows. (3 frames)
}
