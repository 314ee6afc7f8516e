package qhnet

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestConstructionErrors checks that a layer that does not fit is named, with
// the shapes.
func TestConstructionErrors(t *testing.T) {
	image := Input(3, 8, 8)
	for _, c := range []struct {
		layers []Layer
		want   []string
	}{
		{nil, []string{"the first is Input"}},
		{[]Layer{Dense(2)}, []string{"dense", "must be Input"}},
		{[]Layer{Input(2, 2)}, []string{"2 dimensions"}},
		{[]Layer{Input(0)}, []string{"shape 0"}},
		{[]Layer{Input(2), Dense(3), Input(3)}, []string{"input1", "first"}},
		{[]Layer{Input(2), Dense(0)}, []string{"dense1", "0 units"}},
		{[]Layer{image, Dense(4)}, []string{"dense1", "3×8×8", "Flatten"}},
		{[]Layer{image, Conv(4, 3)}, []string{"conv1", "4×6×6", "outputs are a vector"}},
		{[]Layer{image, Conv(4, 11, Padding(1))}, []string{"conv1", "11×11", "3×8×8", "padding 1"}},
		{[]Layer{image, Conv(0, 3)}, []string{"conv1", "0 channels"}},
		{[]Layer{image, Conv(4, 3, Stride(0))}, []string{"conv1", "stride 0"}},
		{[]Layer{Input(5), Conv(4, 3)}, []string{"conv1", "its input is 5"}},
		{[]Layer{image, MaxPool(9)}, []string{"maxpool1", "9×9", "3×8×8"}},
		{[]Layer{image, MaxPool(2, Padding(2))}, []string{"maxpool1", "padding 2"}},
		{[]Layer{image, AveragePool(9)}, []string{"averagepool1", "9×9", "3×8×8"}},
		{[]Layer{image, AveragePool(2, Padding(1))}, []string{"averagepool1", "Padding"}},
		{[]Layer{Input(5), GlobalAveragePool()}, []string{"globalpool1", "its input is 5"}},
		{[]Layer{Input(2), Dense(4), Residual(Dense(3)), Dense(1)}, []string{"block1", "skip", "4", "body", "3"}},
		{[]Layer{image, Residual(Conv(4, 3)), Flatten()}, []string{"block1", "3×8×8", "4×6×6"}},
		{[]Layer{image, Residual(Conv(4, 3), Projection()), Flatten()}, []string{"block1", "projection", "3×8×8", "4×6×6"}},
		{[]Layer{Input(2), Residual(Dense(2), Projection(), Projection())}, []string{"block1", "two projections"}},
		{[]Layer{Input(2), Projection()}, []string{"projection1", "outside"}},
		{[]Layer{Input(2), Residual(Dense(2), Conv(1, 1))}, []string{"block1.conv1", "its input is 2"}},
		{[]Layer{Input(2), Sum(Dense(2), Dense(3))}, []string{"sum1", "2", "3"}},
		{[]Layer{Input(2), Sum()}, []string{"sum1", "no branches"}},
		{[]Layer{Input(2), Gate(Dense(2), Dense(3))}, []string{"gate1", "2", "3"}},
		{[]Layer{image, Concat(Conv(2, 1), Conv(2, 3))}, []string{"concat1", "branch 2", "2×6×6", "2×8×8"}},
		{[]Layer{Input(6), GroupNorm(4)}, []string{"norm1", "6", "4 groups"}},
		{[]Layer{Input(6), LayerNorm(Epsilon(-1))}, []string{"norm1", "ε = -1"}},
		{[]Layer{Input(6), LayerNorm(Stride(2))}, []string{"norm1", "Stride"}},
		{[]Layer{Input(6), Dense(2, Affine())}, []string{"dense1", "Affine"}},
		{[]Layer{Input(6), AbsPower(0.5)}, []string{"abspower1", "degree 0.5"}},
		{[]Layer{Input(6), LeakyReLU(math.NaN())}, []string{"leakyrelu1", "NaN"}},
		{[]Layer{Input(6), Named("a", Dense(2)), Named("a", Dense(2))}, []string{`"a"`}},
	} {
		_, err := NewNetwork(c.layers...)
		if err == nil {
			t.Errorf("%v: no error", c.layers)
			continue
		}
		for _, want := range append(c.want, "qhnet:") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %q does not mention %q", c.layers, err, want)
			}
		}
	}
}

func TestDataErrors(t *testing.T) {
	n, err := NewNetwork(Input(2), Dense(3), ReLU(), Dense(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x    *mat.Dense
		want string
	}{
		{nil, "no points"},
		{&mat.Dense{}, "no points"},
		{mat.NewDense(4, 3, nil), "takes points of 2 (2 entries), the data is 4×3"},
		{mat.NewDense(2, 2, []float64{0, 1, 2, math.NaN()}), "entry 1 of point 1 is NaN"},
		{mat.NewDense(1, 2, []float64{math.Inf(-1), 0}), "entry 0 of point 0 is -Inf"},
	} {
		if _, err := n.Bind(c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	e, err := n.Bind(mat.NewDense(1, 2, []float64{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{
		1:  "parameter 1 of dense1.weight is NaN",
		8:  "parameter 2 of dense1.bias is NaN",
		12: "parameter 0 of dense2.bias is NaN",
	} {
		theta := make([]float64, NumParameters(n))
		theta[i] = math.NaN()
		if _, err := e.Forward(theta); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	huge := make([]float64, NumParameters(n))
	fill(huge, 1e200)
	if _, err := e.Forward(huge); err == nil || !strings.Contains(err.Error(), "dense2: the output at point 0 is +Inf") {
		t.Errorf("error %v for an overflow", err)
	}
}

// TestMisuse checks that mistakes of the programmer panic with a message.
func TestMisuse(t *testing.T) {
	a := architecture{points: 3, layers: []Layer{Input(2), Dense(1)}}
	_, e, theta, _ := a.build(t)
	mustPanic := func(want string, f func()) {
		t.Helper()
		defer func() {
			t.Helper()
			if got, _ := recover().(string); !strings.HasPrefix(got, "qhnet: ") || !strings.Contains(got, want) {
				t.Errorf("panic %q, want %q", got, want)
			}
		}()
		f()
	}
	mustPanic("Gradient before", func() { e.Gradient(theta, make([]float64, 3)) })
	mustPanic("length of theta is 2, want 3", func() { e.Forward(theta[:2]) })
	forward(t, e, theta)
	mustPanic("length of weights is 2, want 3", func() { e.Gradient(make([]float64, 3), make([]float64, 2)) })
	mustPanic("length of v is 1, want 3", func() { e.Directional(make([]float64, 3), make([]float64, 1)) })
	mustPanic(`no layer "dense7"`, func() { e.Layer("dense7") })
	mustPanic("dst is 1×1, not 3×3", func() { e.Jacobian(mat.NewDense(1, 1, nil)) })
}
