package plotting_test

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"qhlab/plotting"
)

// badNumbers are no numbers to draw at, badCounts no counts.
var (
	badNumbers = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}
	badCounts  = []int{math.MinInt, -1, 1 << 30, math.MaxInt}
)

// badInputs counts calls with input that cannot be drawn, which must be refused in words,
// and with odd input that can.
type badInputs struct {
	t                       *testing.T
	refused, panicked, fine int
}

// try calls a function, which may take 5 s and 1 GB.
func (b *badInputs) try(name string, call func() ([]byte, error)) (image []byte, text string) {
	b.t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, panicked := processorTime(), false
	func() {
		defer func() {
			if r := recover(); r != nil {
				panicked = true
				text = fmt.Sprint(r)
			}
		}()
		var err error
		if image, err = call(); err != nil {
			text = err.Error()
		}
	}()
	runtime.ReadMemStats(&after)
	if took := processorTime() - start; took > 5*time.Second {
		b.t.Errorf("%s: took %v", name, took)
	}
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 1<<30 {
		b.t.Errorf("%s: allocated %d bytes", name, bytes)
	}
	if panicked && !strings.HasPrefix(text, "plotting: ") || strings.Contains(text, "runtime error") {
		b.t.Errorf("%s: an obscure panic or error: %s", name, text)
	}
	if panicked {
		b.panicked++
	} else if text != "" {
		b.refused++
	}
	if testing.Verbose() {
		b.t.Logf("%-40s %s", name, text)
	}
	return image, text
}

// processorTime is that of this program, which other programs do not prolong.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (b *badInputs) refuse(name string, call func() ([]byte, error)) {
	b.t.Helper()
	if _, text := b.try(name, call); text == "" {
		b.t.Errorf("%s: drawn in silence", name)
	}
}

// either fails where something is drawn at numbers that are none.
func (b *badInputs) either(name string, call func() ([]byte, error)) {
	b.t.Helper()
	image, text := b.try(name, call)
	if text == "" {
		b.fine++
		if len(image) == 0 || bytes.Contains(image, []byte("NaN")) || bytes.Contains(image, []byte("Inf")) {
			b.t.Errorf("%s: the drawing of %d bytes holds a NaN or an infinity", name, len(image))
		}
	}
}

func drawn(panel plotting.Panel) func() ([]byte, error) {
	return func() ([]byte, error) {
		return plotting.Encode(plotting.Figure{Panels: []plotting.Panel{panel}, Width: plotting.Single}, plotting.SVG)
	}
}

func layers(all ...plot.Plotter) func() ([]byte, error) { return drawn(plotting.Panel{Layers: all}) }

func TestBadInput(t *testing.T) {
	b := &badInputs{t: t}
	x, square := []float64{1, 2, 3}, func(x, y float64) float64 { return x*x + y*y - 4 }
	frame := plotting.Line{X: []float64{-2, 3}, Y: []float64{-2, 3}}
	matrix := mat.NewDense(2, 2, []float64{1, 2, 3, 4})

	// Layers with one bad number, in every field.
	for name, layer := range map[string]func(v float64) plot.Plotter{
		"Line.X":              func(v float64) plot.Plotter { return plotting.Line{X: []float64{1, v, 3}, Y: x} },
		"Line.Y":              func(v float64) plot.Plotter { return plotting.Line{X: x, Y: []float64{1, v, 3}} },
		"Line.XY":             func(v float64) plot.Plotter { return plotting.Line{XY: plotter.XYs{{X: 1, Y: 1}, {X: 2, Y: v}}} },
		"Scatter.X":           func(v float64) plot.Plotter { return plotting.Scatter{X: []float64{1, v, 3}, Y: x} },
		"Scatter.Y":           func(v float64) plot.Plotter { return plotting.Scatter{X: x, Y: []float64{1, v, 3}} },
		"Scatter.Size":        func(v float64) plot.Plotter { return plotting.Scatter{X: x, Y: x, Size: v} },
		"Band.X":              func(v float64) plot.Plotter { return plotting.Band{X: []float64{1, v, 3}, Low: x, High: x} },
		"Band.Low":            func(v float64) plot.Plotter { return plotting.Band{X: x, Low: []float64{1, v, 3}, High: x} },
		"Band.High":           func(v float64) plot.Plotter { return plotting.Band{X: x, Low: x, High: []float64{1, v, 3}} },
		"Circle.X":            func(v float64) plot.Plotter { return plotting.Circle{X: v, R: 1} },
		"Circle.Y":            func(v float64) plot.Plotter { return plotting.Circle{Y: v, R: 1} },
		"Circle.R":            func(v float64) plot.Plotter { return plotting.Circle{R: v} },
		"Note.X":              func(v float64) plot.Plotter { return plotting.Note{X: v, Label: "a"} },
		"Note.Y":              func(v float64) plot.Plotter { return plotting.Note{Y: v, Label: "a"} },
		"Note.To":             func(v float64) plot.Plotter { return plotting.Note{Label: "a", To: []float64{1, v}} },
		"ReferenceX.At":       func(v float64) plot.Plotter { return plotting.ReferenceX{At: v} },
		"ReferenceY.At":       func(v float64) plot.Plotter { return plotting.ReferenceY{At: v} },
		"Curve.From":          func(v float64) plot.Plotter { return plotting.Curve{F: math.Sin, From: v, To: 3} },
		"Curve.To":            func(v float64) plot.Plotter { return plotting.Curve{F: math.Sin, From: 0, To: v} },
		"Curve.F":             func(v float64) plot.Plotter { return plotting.Curve{F: func(float64) float64 { return v }, To: 1} },
		"ReferenceCurve.From": func(v float64) plot.Plotter { return plotting.ReferenceCurve{F: math.Sin, From: v, To: 3} },
		"ReferenceCurve.F": func(v float64) plot.Plotter {
			return plotting.ReferenceCurve{F: func(float64) float64 { return v }, To: 1}
		},
		"Contours.F":      func(v float64) plot.Plotter { return plotting.Contours{F: func(_, _ float64) float64 { return v }} },
		"Contours.Levels": func(v float64) plot.Plotter { return plotting.Contours{F: square, Levels: []float64{v}} },
		"Contours.Batch": func(v float64) plot.Plotter {
			return plotting.Contours{Batch: func(x, _ []float64) []float64 { return slices.Repeat([]float64{v}, len(x)) }}
		},
		"Regions.F": func(v float64) plot.Plotter { return plotting.Regions{F: func(_, _ float64) float64 { return v }} },
		"HeatMap.Values": func(v float64) plot.Plotter {
			return plotting.HeatMap{Values: mat.NewDense(2, 2, []float64{1, v, 2, 3})}
		},
		"HeatMap.X":    func(v float64) plot.Plotter { return plotting.HeatMap{Values: matrix, X: [2]float64{0, v}} },
		"HeatMap.Low":  func(v float64) plot.Plotter { return plotting.HeatMap{Values: matrix, Low: v, High: 5} },
		"HeatMap.High": func(v float64) plot.Plotter { return plotting.HeatMap{Values: matrix, Low: 1, High: v} },
		"Scene.Azimuth": func(v float64) plot.Plotter {
			return plotting.Scene{Azimuth: v, Shapes: []plotting.Shape{plotting.Ball{Radius: 1}}}
		},
		"Scene.Elevation": func(v float64) plot.Plotter {
			return plotting.Scene{Elevation: v, Shapes: []plotting.Shape{plotting.Ball{Radius: 1}}}
		},
		"Ball.Radius":  func(v float64) plot.Plotter { return scene(plotting.Ball{Radius: v}) },
		"Ball.Center":  func(v float64) plot.Plotter { return scene(plotting.Ball{Center: plotting.Point3{v}, Radius: 1}) },
		"Plane.Normal": func(v float64) plot.Plotter { return scene(plotting.Plane{Normal: plotting.Point3{v, 1, 0}, Side: 1}) },
		"Plane.Side":   func(v float64) plot.Plotter { return scene(plotting.Plane{Normal: plotting.Point3{0, 1, 0}, Side: v}) },
		"Points.At":    func(v float64) plot.Plotter { return scene(plotting.Points{At: []plotting.Point3{{v}}}) },
		"Path.At":      func(v float64) plot.Plotter { return scene(plotting.Path{At: []plotting.Point3{{0}, {v}}}) },
		"Vector.To":    func(v float64) plot.Plotter { return scene(plotting.Vector{To: plotting.Point3{v}}) },
	} {
		for _, v := range badNumbers {
			judge := b.refuse
			if math.Abs(v) == math.MaxFloat64 {
				judge = b.either
			}
			judge(fmt.Sprintf("%s = %v", name, v), layers(frame, layer(v)))
		}
		b.either(name+" = -1", layers(frame, layer(-1)))
		b.either(name+" = 0", layers(frame, layer(0)))
		b.either(name+" = 1e-320", layers(frame, layer(1e-320)))
	}
	for name, axis := range map[string]func(v float64) plotting.Axis{
		"Axis.Min":   func(v float64) plotting.Axis { return plotting.Axis{Min: v, Max: 4} },
		"Axis.Max":   func(v float64) plotting.Axis { return plotting.Axis{Min: -1, Max: v} },
		"Axis.Ticks": func(v float64) plotting.Axis { return plotting.Axis{Ticks: plot.ConstantTicks{{Value: v}}} },
	} {
		for _, v := range badNumbers[:3] {
			b.refuse(fmt.Sprintf("%s = %v", name, v), drawn(plotting.Panel{X: axis(v), Layers: []plot.Plotter{frame}}))
			b.refuse(fmt.Sprintf("logarithmic %s = %v", name, v), drawn(plotting.Panel{
				X: func() plotting.Axis { a := axis(v); a.Scale = plotting.Log; return a }(), Layers: []plot.Plotter{plotting.Line{X: x, Y: x}},
			}))
		}
	}
	for _, scale := range []plotting.Scale{plotting.Log, plotting.LogLog} {
		for _, v := range []float64{0, -1, -1e300} {
			b.refuse(fmt.Sprintf("%v on scale %d", v, scale), drawn(plotting.Panel{
				X: plotting.Axis{Scale: scale}, Layers: []plot.Plotter{plotting.Line{X: []float64{2, v}, Y: []float64{1, 2}}},
			}))
		}
	}
	for _, limits := range [][2]float64{{0, 1}, {-1, 2}, {1, math.Inf(1)}, {math.NaN(), 2}} {
		b.refuse(fmt.Sprint("logarithmic ticks between ", limits), func() ([]byte, error) { plotting.Log.Ticks(limits[0], limits[1]); return nil, nil })
	}
	b.either("a grid past the largest number", drawn(plotting.Panel{
		Y: plotting.Axis{Scale: plotting.Log}, Layers: []plot.Plotter{plotter.NewGrid(), plotting.Line{X: x, Y: []float64{1e-150, 1, 1e300}}},
	}))
	b.either("a log-log axis near 1", drawn(plotting.Panel{
		Equal: true, Y: plotting.Axis{Scale: plotting.LogLog, Min: 1.3, Max: 2}, Layers: []plot.Plotter{plotting.Scatter{X: []float64{1e6}, Y: []float64{1.5}}},
	}))
	b.refuse("equal axes of unequal size", drawn(plotting.Panel{
		Equal: true, X: plotting.Axis{Scale: plotting.LogLog, Logged: true}, Y: plotting.Axis{Min: -1e-17, Max: 1e-17},
		Layers: []plot.Plotter{plotting.Line{X: []float64{1, 1e200}, Y: []float64{0, 1e300}}},
	}))
	b.refuse("a note far away", func() ([]byte, error) {
		panel := plotting.Panel{X: plotting.Axis{Max: 1e-300}, Layers: []plot.Plotter{plotting.Note{X: 1e100, Label: "a"}}}
		return plotting.Encode(plotting.Figure{Panels: []plotting.Panel{panel}}, plotting.PNG)
	})
	b.refuse("scale 9", drawn(plotting.Panel{X: plotting.Axis{Scale: plotting.Scale(9)}, Layers: []plot.Plotter{frame}}))
	b.refuse("Logged on a linear axis", drawn(plotting.Panel{X: plotting.Axis{Logged: true}, Layers: []plot.Plotter{frame}}))

	// Layers without what they need.
	for name, layer := range map[string]plot.Plotter{
		"no layer":                     nil,
		"a nil pointer":                (*plotting.Line)(nil),
		"an empty Line":                plotting.Line{},
		"a Line of two lengths":        plotting.Line{X: x, Y: x[1:]},
		"a Line with XY and X":         plotting.Line{X: x, Y: x, XY: plotter.XYs{{X: 1, Y: 1}}},
		"a Line of role -1":            plotting.Line{X: x, Y: x, Role: -1},
		"a Line of style 99":           plotting.Line{X: x, Y: x, Style: 99},
		"a Line of marker 99":          plotting.Line{X: x, Y: x, Marker: 99},
		"an empty Scatter":             plotting.Scatter{},
		"a Scatter of two lengths":     plotting.Scatter{X: x, Y: x[1:]},
		"Contours with too many words": plotting.Contours{F: square, Levels: []float64{1}, Labels: []string{"a", "b"}},
		"a Scatter ringed nowhere":     plotting.Scatter{X: x, Y: x, Ringed: []int{3}},
		"a Scatter ringed below 0":     plotting.Scatter{X: x, Y: x, Ringed: []int{-1}},
		"a Scatter of marker 99":       plotting.Scatter{X: x, Y: x, Marker: 99},
		"an empty Band":                plotting.Band{},
		"a Band of two lengths":        plotting.Band{X: x, Low: x, High: x[1:]},
		"a Band upside down":           plotting.Band{X: x, Low: []float64{3, 4, 5}, High: x},
		"a Curve without F":            plotting.Curve{To: 1},
		"a ReferenceCurve without F":   plotting.ReferenceCurve{To: 1},
		"Contours without F":           plotting.Contours{},
		"Contours with F and Batch":    plotting.Contours{F: square, Batch: func(x, _ []float64) []float64 { return x }},
		"Contours of too few values":   plotting.Contours{Batch: func(x, _ []float64) []float64 { return x[1:] }},
		"Regions without F":            plotting.Regions{},
		"Regions of no values":         plotting.Regions{Batch: func(_, _ []float64) []float64 { return nil }},
		"Regions of 99 classes":        plotting.Regions{Batch: func(x, _ []float64) []float64 { return make([]float64, 99*len(x)) }},
		"a HeatMap of nothing":         plotting.HeatMap{},
		"a HeatMap of a nil matrix":    plotting.HeatMap{Values: (*mat.Dense)(nil)},
		"a HeatMap of an empty one":    plotting.HeatMap{Values: &mat.Dense{}},
		"a HeatMap of limits equal":    plotting.HeatMap{Values: matrix, Low: 1, High: 1},
		"a HeatMap of scale 9":         plotting.HeatMap{Values: matrix, Scale: 9},
		"a HeatMap of log zeros":       plotting.HeatMap{Values: mat.NewDense(2, 2, nil), Scale: plotting.Log},
		"a HeatMap backwards":          plotting.HeatMap{Values: matrix, X: [2]float64{1, 1}},
		"a Note without a label":       plotting.Note{},
		"a Note to three numbers":      plotting.Note{Label: "a", To: []float64{1, 2, 3}},
		"an empty Scene":               plotting.Scene{},
		"a Scene of nil":               scene(nil),
		"Points of nothing":            scene(plotting.Points{}),
		"a Path of nothing":            scene(plotting.Path{}),
		"a Plane without a normal":     scene(plotting.Plane{Side: 1}),
		"a Vector of role -1":          scene(plotting.Vector{To: plotting.Point3{1}, Role: -1}),
		"a label of unknown letters":   plotting.Line{X: x, Y: x, Label: "\U000e0001"},
	} {
		b.refuse(name, layers(frame, layer))
	}
	b.refuse("a panel without layers", layers())
	b.refuse("a figure without panels", func() ([]byte, error) { return plotting.Encode(plotting.Figure{}, plotting.SVG) })
	figure := func(change func(f *plotting.Figure)) func() ([]byte, error) {
		return func() ([]byte, error) {
			f := plotting.Figure{Panels: []plotting.Panel{{Layers: []plot.Plotter{frame}}}, Width: plotting.Single}
			change(&f)
			return plotting.Encode(f, plotting.PNG)
		}
	}
	for _, v := range append(badNumbers, -1, 1e-320, 1e6) {
		b.refuse(fmt.Sprintf("Figure.Aspect = %v", v), figure(func(f *plotting.Figure) { f.Aspect = v }))
		b.refuse(fmt.Sprintf("Panel.Height = %v", v), figure(func(f *plotting.Figure) {
			f.Panels = append(f.Panels, f.Panels[0])
			f.Panels[0].Height, f.Columns = v, 1
		}))
		b.refuse(fmt.Sprintf("Width.Length = %v", v), figure(func(f *plotting.Figure) { f.Width.Length = vg.Length(v) }))
	}
	for _, n := range badCounts[:2] {
		b.refuse(fmt.Sprintf("Figure.Columns = %d", n), figure(func(f *plotting.Figure) { f.Columns = n }))
	}
	b.refuse("Width of no font", figure(func(f *plotting.Figure) { f.Width.Font = "Comic" }))
	for _, format := range []plotting.Format{"", "jpg", "PNG", "png/../../x"} {
		b.refuse(fmt.Sprintf("format %q", format), func() ([]byte, error) {
			return plotting.Encode(plotting.Figure{Panels: []plotting.Panel{{Layers: []plot.Plotter{frame}}}}, format)
		})
	}
	b.refuse("Encode nothing", func() ([]byte, error) { return plotting.Encode(nil, plotting.SVG) })
	b.refuse("Encode a nil plot", func() ([]byte, error) { return plotting.Encode((*plot.Plot)(nil), plotting.SVG) })
	for _, name := range []string{"", ".", "..", "/", "no/such/folder/x", "x\x00"} {
		b.refuse(fmt.Sprintf("Save as %q", name), func() ([]byte, error) { return nil, plotting.Save(plotting.Figure{}, name) })
	}
	b.refuse("an animation of nothing", func() ([]byte, error) { return plotting.EncodeAnimation(nil, 10) })
	b.refuse("an animation of empty figures", func() ([]byte, error) { return plotting.EncodeAnimation([]plotting.Figure{{}}, 10) })
	good := plotting.Figure{Panels: []plotting.Panel{{Layers: []plot.Plotter{frame}}}, Width: plotting.Single}
	for _, delay := range append(badCounts, 0) {
		b.refuse(fmt.Sprintf("an animation's delay of %d", delay), func() ([]byte, error) {
			return plotting.EncodeAnimation([]plotting.Figure{good}, delay)
		})
	}
	for _, k := range badCounts {
		b.refuse(fmt.Sprintf("Rate(%d)", k), layers(plotting.Line{X: x, Y: x, Role: role(func() plotting.Role { return plotting.Rate(k) })}))
		if k < 0 {
			b.refuse(fmt.Sprintf("Class(%d)", k), func() ([]byte, error) { plotting.Class(k); return nil, nil })
			b.refuse(fmt.Sprintf("Series(%d)", k), func() ([]byte, error) { plotting.Series(k); return nil, nil })
		}
	}
	b.refuse("Named nothing", func() ([]byte, error) { plotting.Named("nothing"); return nil, nil })
	b.refuse("the colour of role -1", func() ([]byte, error) { plotting.Role(-1).Color(); return nil, nil })
	for _, v := range badNumbers {
		b.refuse(fmt.Sprintf("Slider.Min = %v", v), func() ([]byte, error) {
			plotting.Interact([]plotting.Slider{{Min: v, Max: 1}}, func([]float64) plotting.Figure { return good })
			return nil, nil
		})
		b.refuse(fmt.Sprintf("Slider.Max = %v", v), func() ([]byte, error) {
			plotting.Interact([]plotting.Slider{{Min: 0, Max: v, Value: 2, Step: -1}}, func([]float64) plotting.Figure { return good })
			return nil, nil
		})
	}
	b.refuse("Interact without a function", func() ([]byte, error) {
		plotting.Interact([]plotting.Slider{{Max: 1}}, nil)
		return nil, nil
	})
	for _, p := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		b.refuse(fmt.Sprint("Quantile of p = ", p), func() ([]byte, error) { plotting.Quantile(x, p); return nil, nil })
	}
	b.refuse("Median of no runs", func() ([]byte, error) { plotting.Median(x, nil); return nil, nil })
	b.refuse("Median of short runs", func() ([]byte, error) { plotting.Median(x, [][]float64{{1}}); return nil, nil })
	b.refuse("Median of a NaN", func() ([]byte, error) {
		line, band := plotting.Median(x, [][]float64{x, {1, math.NaN(), 2}, x})
		return layers(line, band)()
	})
	b.refuse("Style of nil", func() ([]byte, error) { plotting.Style(nil); return nil, nil })
	fmt.Printf("%s: %d bad inputs: %d errors, %d documented panics, %d fine\n", t.Name(), b.refused+b.panicked+b.fine, b.refused, b.panicked, b.fine)
}

func scene(s plotting.Shape) plot.Plotter { return plotting.Scene{Shapes: []plotting.Shape{s}} }

// role returns a role, or -1 where there is none.
func role(of func() plotting.Role) (r plotting.Role) {
	defer func() {
		if recover() != nil {
			r = -1
		}
	}()
	return of()
}
