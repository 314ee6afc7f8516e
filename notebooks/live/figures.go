package live

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/plotting"
	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// Audit finds the rates of the network that the reader writes down.
var Audit = Figure{
	Caption:  "The audit of the layers above, live: change them.",
	Controls: []Control{{Label: "Layers", Text: "Input(2),\nDense(8), ReLU(),\nDense(8), ReLU(),\nDense(1)"}},
	Draw: func(in Input, _ func(float64)) (Answer, error) {
		layers, err := Layers(in.Text)
		if err != nil {
			return Answer{}, err
		}
		net, err := nn.New(layers...)
		if err != nil {
			return Answer{}, err
		}
		audit := qhnet.Audit(net)
		text := audit.String()
		for _, c := range audit.Conserved {
			text += "\nconserved: " + c.Name
		}
		return Answer{Text: text}, nil
	},
}

// constructors are the functions of package nn that a list of layers may call.
var constructors = map[string]any{
	"Input": nn.Input, "Dense": nn.Dense, "Bias": nn.Bias, "Scale": nn.Scale, "Conv": nn.Conv, "Flatten": nn.Flatten,
	"ReLU": nn.ReLU, "LeakyReLU": nn.LeakyReLU, "Linear": nn.Linear, "AbsPower": nn.AbsPower, "ReLUPower": nn.ReLUPower,
	"Tanh": nn.Tanh, "GELU": nn.GELU, "Softplus": nn.Softplus, "Attention": nn.Attention,
	"Chain": nn.Chain, "Sum": nn.Sum, "Gate": nn.Gate, "Concat": nn.Concat, "Residual": nn.Residual, "Projection": nn.Projection,
	"BatchNorm": nn.BatchNorm, "LayerNorm": nn.LayerNorm, "RMSNorm": nn.RMSNorm, "GroupNorm": nn.GroupNorm,
	"AveragePool": nn.AveragePool, "GlobalAveragePool": nn.GlobalAveragePool, "MaxPool": nn.MaxPool,
	"NoBias": nn.NoBias, "Affine": nn.Affine, "WithScale": nn.WithScale, "WithShift": nn.WithShift,
	"Elementwise": nn.Elementwise, "Scalar": nn.Scalar, "Epsilon": nn.Epsilon, "Stride": nn.Stride, "Padding": nn.Padding,
}

// Layers reads a list of calls as they stand in a Go program, with or without "nn.".
func Layers(text string) ([]nn.Layer, error) {
	expression, err := parser.ParseExpr("Chain(" + strings.TrimRight(strings.TrimSpace(text), ",") + ",\n)")
	if err != nil {
		return nil, fmt.Errorf("this is not a list of layers such as Input(2), Dense(8), ReLU(), Dense(1): %w", err)
	}
	var layers []nn.Layer
	for _, a := range expression.(*ast.CallExpr).Args {
		v, err := value(a)
		if err != nil {
			return nil, err
		}
		l, ok := v.Interface().(nn.Layer)
		if !ok {
			return nil, fmt.Errorf("%v is no layer", v)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// value evaluates a number or a call of a constructor.
func value(e ast.Expr) (v reflect.Value, err error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.INT {
			n, err := strconv.Atoi(e.Value)
			return reflect.ValueOf(n), err
		}
		if x, err := strconv.ParseFloat(e.Value, 64); err == nil {
			return reflect.ValueOf(x), nil
		}
	case *ast.CallExpr:
		return call(e)
	}
	return v, errors.New("a list of layers has calls such as Dense(8) and numbers, nothing else")
}

func call(e *ast.CallExpr) (v reflect.Value, err error) {
	function := e.Fun
	if s, ok := function.(*ast.SelectorExpr); ok {
		function = s.Sel
	}
	name, _ := function.(*ast.Ident)
	if name == nil || constructors[name.Name] == nil {
		known := strings.Join(slices.Sorted(maps.Keys(constructors)), ", ")
		return v, fmt.Errorf("this is none of the layers and options, which are %s", known)
	}
	f := reflect.ValueOf(constructors[name.Name])
	t, given := f.Type(), len(e.Args)
	switch last := t.NumIn() - 1; {
	case given < last || given == last && !t.IsVariadic():
		return v, fmt.Errorf("%s has too few arguments", name.Name)
	case given > last+1 && !t.IsVariadic():
		return v, fmt.Errorf("%s cannot take its argument %d", name.Name, last+2)
	}
	var arguments []reflect.Value
	for i, a := range e.Args {
		argument, err := value(a)
		if err != nil {
			return v, err
		}
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= t.NumIn()-1 {
			want = want.Elem()
		}
		if want.Kind() == reflect.Float64 && argument.CanInt() {
			argument = argument.Convert(want)
		}
		if argument.Type() != want {
			return v, fmt.Errorf("%s cannot take its argument %d", name.Name, i+1)
		}
		arguments = append(arguments, argument)
	}
	return f.Call(arguments)[0], nil
}

// Drag follows gradient flow of a small network on points of the plane that the reader drags.
var Drag = Figure{
	Controls: []Control{
		{Label: "the points", Points: crossed, Reach: reach, Deferred: true},
		{Label: "log_{10} of the log(1/L) to reach", Slider: &plotting.Slider{Min: 0.5, Max: 5, Step: 0.1, Value: 3}, Deferred: true},
		{Label: "random start", Slider: &plotting.Slider{Min: 1, Max: 20, Step: 1, Value: 1}, Deferred: true},
	},
	Draw: drawDrag,
}

// reach is half the side of the square in which points may be.
const reach = 2

var crossed = []Point{{-1.2, 0.9, 1}, {-0.7, 1.3, 1}, {1.1, -1, 1}, {1.4, -0.4, 1}, {0.9, 1.1, 0}, {1.3, 0.6, 0}, {-1, -0.8, 0}, {-0.5, -1.3, 0}}

func drawDrag(in Input, progress func(float64)) (Answer, error) {
	if len(in.Values) != 2 || len(in.Points) < 2 {
		return Answer{}, fmt.Errorf("%d values and %d points are too few", len(in.Values), len(in.Points))
	}
	path, err := follow(in, progress)
	if path == nil || len(path.Points) == 0 {
		return Answer{}, err
	}
	answer, drawing := picture(dragged(in, path), reach)
	answer.Text = fmt.Sprintf("log(1/L) = %.5g, smallest margin %.5g, largest parameter %.5g, %d steps",
		path.Last().LogInverse(), path.Last().Margin, floats.Norm(path.Last().Theta, math.Inf(1)), path.Work.Steps)
	return answer, errors.Join(err, drawing)
}

// follow runs the flow; what it reached comes with an error too.
func follow(in Input, progress func(float64)) (*qhnet.Trajectory, error) {
	set := dataset.Set{Name: "the points", X: mat.NewDense(len(in.Points), 2, nil), Classes: 2}
	for i, p := range in.Points {
		set.X.SetRow(i, []float64{p.X, p.Y})
		set.Labels = append(set.Labels, p.Class)
	}
	net, err := nn.New(nn.Input(2), nn.Dense(8), nn.ReLU(), nn.Dense(1))
	if err != nil {
		return nil, err
	}
	margins, err := qhnet.NewMargins(net, set)
	if err != nil {
		return nil, err
	}
	until := math.Pow(10, in.Values[0])
	return qhnet.Flow{
		Margins: margins, Until: until, Start: net.Start(rand.New(rand.NewPCG(uint64(in.Values[1]), 0)), nn.He),
		Stop: func(path *qhnet.Trajectory) bool {
			progress(math.Log1p(max(0, path.Last().LogInverse())) / math.Log1p(until))
			return false
		},
	}.Run(context.Background())
}

// dragged draws the boundary with the smallest margins dashed, and the margins on the way.
func dragged(in Input, path *qhnet.Trajectory) plotting.Figure {
	last := path.Last()
	outputs := func(x, y []float64) []float64 {
		points := mat.NewDense(len(x), 2, nil)
		points.SetCol(0, x)
		points.SetCol(1, y)
		e, err := path.Model().Bind(points)
		if err != nil {
			panic(err)
		}
		f, err := e.Forward(last.Theta)
		if err != nil {
			panic(err)
		}
		return slices.Clone(f)
	}
	levels := []float64{0}
	if last.Margin > 0 {
		levels = []float64{-last.Margin, 0, last.Margin}
	}
	plane := plotting.Panel{Equal: true,
		X:      plotting.Axis{Label: "x_1", Min: -reach, Max: reach},
		Y:      plotting.Axis{Label: "x_2", Min: -reach, Max: reach},
		Layers: []plotting.Layer{plotting.Regions{Batch: outputs}, plotting.Contours{Batch: outputs, Levels: levels}}}
	for class := range 2 {
		s := plotting.Scatter{Role: plotting.Class(class)}
		for _, p := range in.Points {
			if p.Class == class {
				s.X, s.Y = append(s.X, p.X), append(s.Y, p.Y)
			}
		}
		plane.Layers = append(plane.Layers, s)
	}
	late := path.Since(0.3)
	layers := []plotting.Layer{plotting.ReferenceY{At: 0, Label: "decision boundary"}}
	if len(late.Points) > 1 {
		relative := late.Series(func(p qhnet.Point) float64 { return p.Margin / p.LogInverse() })
		layers = append(layers, plotting.Line{X: late.LogInverses(), Y: relative})
	}
	return plotting.Figure{Columns: 2,
		Caption: "Points of two classes with the boundary of the trained network and its smallest margin, and the margin on the way there.",
		Panels: []plotting.Panel{plane, {Layers: layers, X: plotting.Axis{Label: "log(1/L)", Scale: plotting.Log},
			Y: plotting.Axis{Label: "smallest margin over log(1/L)"}}}}
}
