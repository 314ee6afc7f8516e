package collapse_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/collapse"
)

func ExampleMeasure() {
	// Three classes of two points, collapsed to an ETF in the plane.
	etf := collapse.SimplexETF(3, 2)
	labels := []int{0, 0, 1, 1, 2, 2}
	c, err := collapse.Measure(rowsOf(etf, labels), labels, etf, nil)
	fmt.Println(err, c.NC1 < 1e-30, c.MeanETF < 1e-15, c.NC3 < 1e-30, c.NC4)

	// One coordinate cannot hold three directions at equal angles.
	line := mat.NewDense(3, 1, []float64{-1, 0.5, 1})
	c, _ = collapse.Measure(rowsOf(line, labels), labels, line, nil)
	fmt.Print(c)
	// Output:
	// <nil> true true true 0
	// 3 classes, 1 features, 6 points
	//                                        means   weights
	// NC1  tr(Σ_W Σ_B⁺)/C                 0.00e+00
	// NC1  trΣ_W/trΣ_B                    0.00e+00
	// NC1  CDNV                           0.00e+00
	// NC2  equinorm                       4.40e-01  2.83e-01
	// NC2  equiangular                    8.33e-01  8.33e-01
	// NC2  ETF distance                   7.65e-01  7.99e-01
	// NC3  ‖W/‖W‖ - M/‖M‖‖²               3.74e-02
	// NC3  ETF distance of W Mᵀ           7.82e-01
	// NC4  share not at nearest mean      3.33e-01
	// bias norm                           0.00e+00
	// No ETF of 3 classes fits into 1 dimensions: ETF distances are at least 0.765.
}

// rowsOf returns one row of means per label.
func rowsOf(means *mat.Dense, labels []int) *mat.Dense {
	_, d := means.Dims()
	h := mat.NewDense(len(labels), d, nil)
	for k, c := range labels {
		h.SetRow(k, means.RawRowView(c))
	}
	return h
}

// metricsOf returns the metrics by field name.
func metricsOf(c collapse.Metrics) map[string]float64 {
	metrics := map[string]float64{}
	for v, i := reflect.ValueOf(c), 0; i < v.NumField(); i++ {
		if v.Field(i).Kind() == reflect.Float64 {
			metrics[v.Type().Field(i).Name] = v.Field(i).Float()
		}
	}
	return metrics
}

func normal(rng *rand.Rand, rows, cols int) *mat.Dense {
	m := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

func rotation(rng *rand.Rand, d int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(normal(rng, d, d))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

func TestSimplexETFIsExact(t *testing.T) {
	for _, classes := range []int{2, 3, 4, 7, 10, 100} {
		etf := collapse.SimplexETF(classes, classes+2)
		for i := range classes {
			for j := range classes {
				want := -1 / float64(classes-1)
				if i == j {
					want = 1
				}
				if got := floats.Dot(etf.RawRowView(i), etf.RawRowView(j)); math.Abs(got-want) > 1e-15 {
					t.Errorf("C = %d: ⟨e_%d, e_%d⟩ = %v, off by %g", classes, i, j, got, got-want)
				}
			}
		}
	}
}

func TestCollapseVanishesOnAnETF(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	for _, classes := range []int{2, 3, 4, 7, 10} {
		for _, extra := range []int{0, 5} {
			d := classes - 1 + extra
			labels := []int{0, 0, 0, 0}
			for c := range classes {
				labels = append(labels, c, c, c)
			}
			var etf, h mat.Dense
			etf.Mul(collapse.SimplexETF(classes, d), rotation(rng, d))
			h.Scale(3e5, rowsOf(&etf, labels))
			c, err := collapse.Measure(&h, labels, &etf, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, v := range metricsOf(c) {
				if !(v < 1e-12) {
					t.Errorf("C = %d, d = %d: %s = %g on an exact ETF", classes, d, name, v)
				}
			}
		}
	}
}

func TestCollapseIsInvariantUnderRotationAndScaling(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	const classes, perClass, d = 5, 6, 7
	labels := make([]int, classes*perClass)
	for k := range labels {
		labels[k] = k % classes
	}
	h, w := normal(rng, len(labels), d), normal(rng, classes, d)
	b := []float64{0.3, -0.1, 0.2, 0, 0.5}
	before, err := collapse.Measure(h, labels, w, b)
	if err != nil {
		t.Fatal(err)
	}
	// Features are scaled by c, and logits by 8 through the classifier and its bias.
	const c = 1e3
	q := rotation(rng, d)
	var turnedH, turnedW mat.Dense
	turnedH.Mul(h, q)
	turnedH.Scale(c, &turnedH)
	turnedW.Mul(w, q)
	turnedW.Scale(8/c, &turnedW)
	scaled := slices.Clone(b)
	floats.Scale(8, scaled)
	after, err := collapse.Measure(&turnedH, labels, &turnedW, scaled)
	if err != nil {
		t.Fatal(err)
	}
	after.BiasNorm /= 8
	want := metricsOf(before)
	for name, got := range metricsOf(after) {
		// Sums of some 200 products; the pseudoinverse multiplies their rounding by the condition of M.
		if math.Abs(got-want[name]) > 1e-12*(1+want[name]) {
			t.Errorf("%s: %v before, %v after", name, want[name], got)
		}
	}
}

func TestCollapseAgreesWithNumPy(t *testing.T) {
	data, err := os.ReadFile("testdata/collapse_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name              string
		Features, Weights [][]float64
		Labels            []int
		Bias              []float64
		Metrics           map[string]float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, reference := range cases {
		c, err := collapse.Measure(dense(reference.Features), reference.Labels, dense(reference.Weights), reference.Bias)
		if err != nil {
			t.Fatal(err)
		}
		got := metricsOf(c)
		for name, want := range reference.Metrics {
			// Two implementations of sums of at most 200 terms, in units of the result.
			if !(math.Abs(got[name]-want) <= 1e-10*(1+math.Abs(want))) {
				t.Errorf("%s: %s = %.15g, NumPy has %.15g", reference.Name, name, got[name], want)
			}
		}
		if len(reference.Metrics) != len(got)-1 { // all but ETFFloor
			t.Errorf("%s: the reference covers %d of %d metrics", reference.Name, len(reference.Metrics), len(got))
		}
	}
}

func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}

// The best rank-d Gram matrix attains the floor, and random ones stay above it.
func TestETFFloorIsSharp(t *testing.T) {
	const classes, d = 6, 3
	rng := rand.New(rand.NewPCG(9, 0))
	measure := func(w *mat.Dense) collapse.Metrics {
		c, err := collapse.Measure(normal(rng, classes, d), []int{0, 1, 2, 3, 4, 5}, w, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	etf := collapse.SimplexETF(classes, classes-1)
	best := mat.DenseCopyOf(etf.Slice(0, classes, 0, d))
	if c := measure(best); math.Abs(c.WeightETF-c.ETFFloor) > 1e-14 {
		t.Errorf("the projected ETF is at %v, the floor at %v", c.WeightETF, c.ETFFloor)
	}
	for range 50 {
		if c := measure(normal(rng, classes, d)); c.WeightETF < c.ETFFloor {
			t.Fatalf("distance %v below the floor %v", c.WeightETF, c.ETFFloor)
		}
	}
}

func TestCollapseErrors(t *testing.T) {
	h := mat.NewDense(4, 2, []float64{1, 0, 1, 0, 0, 1, 0, 1})
	w := mat.NewDense(2, 2, []float64{1, 0, 0, 1})
	nan := mat.DenseCopyOf(h)
	nan.Set(0, 1, math.NaN())
	for _, test := range []struct {
		want   string
		h, w   *mat.Dense
		labels []int
	}{
		{"1 class(es)", h, mat.NewDense(1, 2, nil), []int{0, 0, 0, 0}},
		{"class 1 has no points", h, w, []int{0, 0, 0, 0}},
		{"label 2 of point 3", h, w, []int{0, 0, 1, 2}},
		{"a feature of class 0 is not finite", nan, w, []int{0, 0, 1, 1}},
		{"all class means coincide", h, w, []int{0, 1, 0, 1}},
	} {
		_, err := collapse.Measure(test.h, test.labels, test.w, nil)
		wantError(t, test.want, err)
	}
}

// Numbers that are not finite, or say nothing, never pass for collapse.
func TestMeasureRefusesClassifiers(t *testing.T) {
	h, labels := mat.NewDense(4, 2, []float64{1, 0, 1, 0, 0, 1, 0, 1}), []int{0, 0, 1, 1}
	for _, test := range []struct {
		w    []float64
		b    []float64
		want string
	}{
		{[]float64{1, 0, math.NaN(), 1}, nil, "norm of the classifier is NaN"},
		{[]float64{1, 0, 0, math.Inf(1)}, nil, "norm of the classifier is +Inf"},
		{[]float64{1, math.Inf(-1), 0, 1}, nil, "norm of the classifier is +Inf"},
		{[]float64{1, 0, 0, 1}, []float64{0, math.NaN()}, "norm of the classifier is NaN"},
		{[]float64{0, 0, 0, 0}, []float64{0, 1}, "all weights of the classifier are zero"},
	} {
		c, err := collapse.Measure(h, labels, mat.NewDense(2, 2, test.w), test.b)
		wantError(t, test.want, err)
		if c.Classes != 0 {
			t.Errorf("%v: metrics beside the error:\n%v", test.w, c)
		}
	}
	_, err := collapse.NewClassFeatures(h, labels, math.MaxInt)
	wantError(t, "with 4 points", err)
	// 0.1 + 0.2 and 0.3 differ in the last digit only.
	tenths := mat.NewDense(4, 1, []float64{0.3, 0.3, 0.1 + 0.2, 0.1 + 0.2})
	tenths.Set(2, 0, math.Nextafter(0.3, 1))
	_, err = collapse.NewClassFeatures(tenths, labels, 2)
	wantError(t, "all class means coincide", err)
}

// Of three classes two coincide, exactly or but for rounding.
func TestCDNVOfCoincidingMeans(t *testing.T) {
	w := mat.NewDense(3, 2, []float64{1, 0, 0, 1, 1, 1})
	for _, scale := range []float64{1e-30, 1, 1e30} {
		for _, other := range []float64{0.3, math.Nextafter(0.3, 1), 0.3 * (1 + 1e-15)} {
			h := mat.NewDense(6, 2, []float64{0.3, 1, 0.3, 1, other, 1, other, 1, -1, -1, -1, -1})
			h.Scale(scale, h)
			c, err := collapse.Measure(h, []int{0, 0, 1, 1, 2, 2}, w, nil)
			if err != nil || !math.IsInf(c.CDNV, 1) {
				t.Errorf("means %v and 0.3 times %g: CDNV %v, %v", other, scale, c.CDNV, err)
			}
		}
	}
}

// Where logits tie the class is the first, as Predict says.
func TestNearestMeanOfTies(t *testing.T) {
	h := mat.NewDense(4, 2, []float64{1, 0, 1, 0, 0, 1, 0, 1})
	c, err := collapse.Measure(h, []int{0, 0, 1, 1}, mat.NewDense(2, 2, []float64{1, 1, 1, 1}), nil)
	if err != nil || c.NC4 != 0.5 {
		t.Errorf("equal logits: NC4 = %v, %v, want 0.5", c.NC4, err)
	}
}

func TestETFsRefuse(t *testing.T) {
	for want, call := range map[string]func(){
		"qhnet: no simplex ETF of 1 classes":    func() { collapse.SimplexETF(1, 1) },
		"qhnet: no simplex ETF of 4 classes in": func() { collapse.SimplexETF(4, 2) },
		"16384 points":                          func() { collapse.IdealProblem{Classes: math.MaxInt, PerClass: 2}.Set() },
	} {
		func() {
			defer func() {
				if r := recover(); !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("panic %v, want one with %q", r, want)
				}
			}()
			call()
		}()
	}
}

func BenchmarkMeasure(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, size := range []struct{ n, d int }{{100, 16}, {1000, 64}, {5000, 128}} {
		const classes = 10
		labels := make([]int, size.n)
		for k := range labels {
			labels[k] = k % classes
		}
		h, w := normal(rng, size.n, size.d), normal(rng, classes, size.d)
		b.Run(fmt.Sprintf("n=%d,d=%d", size.n, size.d), func(b *testing.B) {
			for b.Loop() {
				if _, err := collapse.Measure(h, labels, w, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func wantError(t *testing.T, want string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}
