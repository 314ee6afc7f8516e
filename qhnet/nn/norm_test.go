package nn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// normalized returns the values of a normalization alone.
func normalized(t *testing.T, l Layer, x *mat.Dense) ([]float64, error) {
	t.Helper()
	_, width := x.Dims()
	n := network(t, Input(width), l)
	e, err := n.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	return e.Forward(nil)
}

// TestNormalizedMoments checks what each normalization is for.
func TestNormalizedMoments(t *testing.T) {
	x := mat.NewDense(4, 6, []float64{
		1, 2, 4, 1, 0, 3,
		0, -1, 5, 2, 2, 9,
		3, 4, 3, 1, 7, 8,
		1e9, 1e9 + 1, 1e9 + 3, 0, 1, 5})
	for _, c := range []struct {
		layer  Layer
		groups [][]int // indices of entries
	}{
		{BatchNorm(), [][]int{{0, 6, 12}, {5, 11, 17}}},
		{LayerNorm(), [][]int{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}}},
		{GroupNorm(2), [][]int{{0, 1, 2}, {3, 4, 5}, {18, 19, 20}}},
	} {
		data := x
		if c.layer.text == "batch normalization" {
			data = mat.DenseCopyOf(x.Slice(0, 3, 0, 6))
		}
		z, err := normalized(t, c.layer, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range c.groups {
			var entries []float64
			for _, i := range group {
				entries = append(entries, z[i])
			}
			mean, variance := stat.PopMeanVariance(entries, nil)
			if math.Abs(mean) > 1e-14 || math.Abs(variance-1) > 1e-14 { // rounding of ≤ 6 terms
				t.Errorf("%s: entries %v have mean %v and variance %v", c.layer.text, group, mean, variance)
			}
		}
	}
	z, err := normalized(t, RMSNorm(), x)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := z[5], 3/math.Sqrt(31./6); math.Abs(got-want) > 1e-15 {
		t.Errorf("RMS normalization gives %v, not %v", got, want)
	}
}

func TestZeroVariance(t *testing.T) {
	// 0.1 summed thrice is not 0.3: rounding must not pass for variance.
	constant := mat.NewDense(3, 4, []float64{0.1, 1, 2, 3, 0.1, 2, 5, 5, 0.1, 3, 9, 9})
	level := mat.NewDense(2, 4, []float64{1, 2, 3, 4, 0.1, 0.1, 0.1, 0.1})
	zeros := mat.NewDense(2, 4, []float64{1, 2, 3, 4, 0, 0, 0, 0})
	halves := mat.NewDense(2, 4, []float64{1, 2, 3, 4, 1, 2, 7, 7})
	single := mat.NewDense(1, 4, []float64{1, 2, 3, 4})
	huge, tiny := mat.NewDense(2, 2, []float64{1e160, 2e160, 3e160, 1e160}), mat.NewDense(2, 2, []float64{1e-160, 3e-160, 0, 1})
	for _, c := range []struct {
		layer Layer
		x     *mat.Dense
		want  string
	}{
		{BatchNorm(), constant, "norm1: feature 0 over the batch of 3 points has zero variance"},
		{BatchNorm(), single, "norm1: feature 0 over the batch of 1 points has zero variance"},
		{LayerNorm(), level, "norm1: point 1 has zero variance"},
		{RMSNorm(), zeros, "norm1: point 1 has only zeros"},
		{GroupNorm(2), halves, "norm1: point 1, group 1 has zero variance"},
		{BatchNorm(), huge, "norm1: feature 0 over the batch of 2 points has a variance too large"},
		{RMSNorm(Epsilon(1)), huge, "norm1: point 0 has a variance too large"},
		{LayerNorm(), tiny, "norm1: point 0 has zero variance"}, // but for the digits that its square keeps
	} {
		_, err := normalized(t, c.layer, c.x)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.layer.text, err, c.want)
		}
	}
	for _, l := range []Layer{BatchNorm(Epsilon(1e-5)), LayerNorm(Epsilon(1e-5)), RMSNorm(Epsilon(1e-5))} {
		if _, err := normalized(t, l, mat.NewDense(2, 4, nil)); err != nil {
			t.Errorf("%s of zeros: %v", l.text, err)
		}
	}
}

// Averages that are zero but for rounding have no variance, however small they are.
func TestVarianceOfAverages(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, size := range []float64{1, 1e-150, 1e150} {
		x := mat.NewDense(6, 4*5*5, normal(rng, 600))
		x.Scale(size, x)
		for _, c := range []struct {
			layers []Layer
			want   string // of the error; "" if there is a variance
		}{
			{[]Layer{GroupNorm(4), GlobalAveragePool(), LayerNorm()}, "norm2: point 0 has zero variance"},
			{[]Layer{GroupNorm(4), GlobalAveragePool(), RMSNorm()}, "norm2: point 0 has only zeros"},
			{[]Layer{GroupNorm(4), Linear(), GlobalAveragePool(), BatchNorm()}, "norm2: feature 0 over the batch of 6 points has zero variance"},
			{[]Layer{GroupNorm(4), AveragePool(5), Flatten(), GroupNorm(2)}, "norm2: point 0, group 0 has zero variance"},
			{[]Layer{GroupNorm(2), GlobalAveragePool(), LayerNorm()}, ""},
			{[]Layer{LayerNorm(), GlobalAveragePool(), BatchNorm()}, ""},
		} {
			n := network(t, append(append([]Layer{Input(4, 5, 5)}, c.layers...), Dense(1))...)
			e, err := n.Bind(x)
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Forward(n.Start(rng, He))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("size %v: error %v, want %q", size, err, c.want)
			}
		}
	}
}

// TestFreeze checks that stored statistics reproduce the batch they come from,
// and treat each point of another batch alone.
func TestFreeze(t *testing.T) {
	a := architecture{points: 7, layers: []Layer{Input(4), Dense(5), BatchNorm(Affine()), ReLU(), Dense(5), BatchNorm(), Dense(2)}}
	n, e, theta, rng := a.build(t)
	want := forward(t, e, theta)
	x := mat.NewDense(7, 4, append([]float64(nil), e.Layer("input")...))
	frozen, err := n.Freeze(theta, x)
	if err != nil {
		t.Fatal(err)
	}
	same, err := frozen.Bind(x)
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(forward(t, same, theta), want); d > 1e-14 { // the mean is rounded once more
		t.Errorf("frozen outputs differ from the batch's by %.1e", d)
	}
	one, err := frozen.Bind(mat.DenseCopyOf(x.Slice(3, 4, 0, 4)))
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(forward(t, one, theta), want[6:8]); d > 1e-14 { // products in another order
		t.Errorf("a single frozen point differs from the batch's by %.1e", d)
	}
	checkDerivatives(t, same, theta, rng)
	again, err := frozen.Freeze(theta, x)
	if err != nil {
		t.Fatal(err)
	}
	if rules := again.ScalingRules(); !strings.Contains(rules[1].Reason, "stored statistics") {
		t.Errorf("the frozen rule reads %q", rules[1].Reason)
	}
}
