package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

var curves = []struct {
	name string
	of   func(value, slope, curvature, x []float64)
	// error of a value in units of its last place
	error func(value, x float64) float64
	exact func(x float64) (slope, curvature float64)
}{
	{"tanh", TanhCurve, func(v, x float64) float64 {
		e, one := bigExp(2*x), number(1)
		exact := new(big.Float).Quo(new(big.Float).Sub(e, one), new(big.Float).Add(e, one))
		return units(number(v).Sub(number(v), exact), exact)
	}, func(x float64) (float64, float64) {
		t, c := math.Tanh(x), math.Cosh(x)
		return 1 / (c * c), -2 * t / (c * c)
	}},
	{"softplus", SoftplusCurve, func(v, x float64) float64 {
		sum := number(1)
		sum.Add(sum, bigExp(x))
		rest := sum.Quo(sum, bigExp(v)) // e^{exact - v}
		return units(rest.Sub(rest, number(1)), number(v))
	}, func(x float64) (float64, float64) {
		e := math.Exp(-math.Abs(x))
		curvature := e / ((1 + e) * (1 + e))
		if x > 0 {
			return 1 / (1 + e), curvature
		}
		return e / (1 + e), curvature
	}},
}

// units returns |difference| in units of the last place of exact.
func units(difference, exact *big.Float) float64 {
	v, _ := exact.Float64()
	v = math.Abs(v)
	d, _ := difference.Float64()
	return math.Abs(d) / (math.Nextafter(v, math.Inf(1)) - v)
}

func TestCurvesAreAccurate(t *testing.T) {
	for _, c := range curves {
		t.Run(c.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(21, 22))
				x := make([]float64, 20_000)
				for i := range x {
					x[i] = rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(4)-2)) // 0.01 to 30
				}
				value, slope, curvature := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
				c.of(value, slope, curvature, x)
				worst, at := 0.0, 0.0
				for i, v := range x {
					if math.Abs(v) < 37 { // beyond it bigExp has too few bits
						if u := c.error(value[i], v); u > worst {
							worst, at = u, v
						}
					}
					s, b := c.exact(v)
					if math.Abs(slope[i]-s) > 2e-15*s || math.Abs(curvature[i]-b) > 3e-15*math.Abs(b) { // roundings of the formulas
						t.Fatalf("at %v slope %v and curvature %v, not %v and %v", v, slope[i], curvature[i], s, b)
					}
				}
				t.Logf("worst error %.3f ulp, at %v", worst, at)
				if worst > 4 { // eight roundings
					t.Errorf("the value at %v is wrong by %.3f units in the last place", at, worst)
				}
			})
		})
	}
}

func TestCurvesAtTheEdges(t *testing.T) {
	inf, zero := math.Inf(1), math.Copysign(0, -1)
	for _, test := range []struct {
		of   func(value, slope, curvature, x []float64)
		x    float64
		want []float64
	}{
		{TanhCurve, 0, []float64{0, 1, zero}}, {TanhCurve, zero, []float64{zero, 1, 0}}, {TanhCurve, inf, []float64{1, 0, zero}},
		{TanhCurve, -inf, []float64{-1, 0, 0}}, {TanhCurve, math.NaN(), []float64{math.NaN(), math.NaN(), math.NaN()}},
		{TanhCurve, 1e-300, []float64{1e-300, 1, -2e-300}}, {TanhCurve, 1000, []float64{1, 0, zero}},
		{SoftplusCurve, 0, []float64{math.Ln2, 0.5, 0.25}}, {SoftplusCurve, inf, []float64{inf, 1, 0}}, {SoftplusCurve, -inf, []float64{0, 0, 0}},
		{SoftplusCurve, 1000, []float64{1000, 1, 0}}, {SoftplusCurve, -1000, []float64{0, 0, 0}},
		{SoftplusCurve, math.NaN(), []float64{math.NaN(), math.NaN(), math.NaN()}},
	} {
		eachLevel(t, func(t *testing.T) {
			value, slope, curvature := []float64{7}, []float64{7}, []float64{7}
			test.of(value, slope, curvature, []float64{test.x})
			got := []float64{value[0], slope[0], curvature[0]}
			for i, w := range test.want {
				if !same(got[i:i+1], test.want[i:i+1]) && !(math.Abs(got[i]-w) <= 3e-16*math.Abs(w)) {
					t.Errorf("at %v: %v, not %v", test.x, got, test.want)
				}
			}
		})
	}
}

func TestCurvesStayInside(t *testing.T) {
	eachLength(t, func(t *testing.T, _ *rand.Rand, n int) {
		for _, c := range curves {
			x := guarded(t, random(n), true)
			value, slope, curvature := guarded(t, make([]float64, n), true), guarded(t, make([]float64, n), true), guarded(t, make([]float64, n), true)
			c.of(value, slope, curvature, x)
			for i, v := range x {
				one := [3][1]float64{}
				c.of(one[0][:], one[1][:], one[2][:], []float64{v})
				if one[0][0] != value[i] || one[1][0] != slope[i] || one[2][0] != curvature[i] {
					t.Fatalf("%s: entry %d of %d differs from that of one", c.name, i, n)
				}
			}
			if c.of(x, slope, curvature, x); !same(x, value) {
				t.Fatalf("%s in place differs", c.name)
			}
		}
	})
}

func BenchmarkCurves(b *testing.B) {
	for _, c := range curves {
		for _, n := range []int{240, 10_000, 1_000_000} {
			b.Run(c.name+size(n), func(b *testing.B) {
				x, value := random(n), make([]float64, n)
				slope, curvature := make([]float64, n), make([]float64, n)
				for b.Loop() {
					c.of(value, slope, curvature, x)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/value")
			})
		}
	}
}
