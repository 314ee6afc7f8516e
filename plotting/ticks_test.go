package plotting

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

// at is an axis with its limits.
func at(a Axis, s span) mapping {
	m := a.mapping()
	m.span = s
	return m
}

func labels(marks []plot.Tick) string {
	var out []string
	for _, m := range marks {
		if m.Label != "" {
			out = append(out, m.Label)
		}
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name   string
		axis   Axis
		lo, hi float64 // in the data's units
		n      int
		want   string
	}{
		{"linear", Axis{}, -0.1, 1.05, 6, "0 0.2 0.4 0.6 0.8 1.0"},
		{"negative", Axis{}, -2, 1, 4, "−2 −1 0 1"},
		{"large", Axis{}, 0, 3e7, 4, "0 1×10^{7} 2×10^{7} 3×10^{7}"},
		{"small", Axis{}, 0, 2e-5, 7, "0 0.5×10^{−5} 1.0×10^{−5} 1.5×10^{−5} 2.0×10^{−5}"},
		{"few decades", Axis{Scale: Log}, 0.05, 200, 6, "0.1 1 10 100"},
		{"many decades", Axis{Scale: Log}, 1e-12, 10, 4, "10^{−10} 10^{−5} 10^{0}"},
		{"hundreds of decades", Axis{Scale: Log}, 1e-300, 1e10, 4, "10^{−300} 10^{−200} 10^{−100} 10^{0}"},
		{"about a decade", Axis{Scale: Log}, 1.9, 26, 4, "2 5 10 20"},
		{"less than a decade", Axis{Scale: Log}, 2.1, 4.5, 4, "3 4"},
		{"small and short", Axis{Scale: Log}, 1.5e-9, 9e-9, 4, "2×10^{−9} 5×10^{−9}"},
		{"logarithms of what overflows", Axis{Scale: Log, Logged: true}, -1e6 * math.Ln10, 0, 4, "10^{−1000000} 10^{−500000} 10^{0}"},
		{"log-log", Axis{Scale: LogLog, Logged: true}, 10 * math.Ln10, 1e6 * math.Ln10, 6, "10^{10} 10^{100} 10^{1000} 10^{10^{4}} 10^{10^{5}} 10^{10^{6}}"},
		{"log-log of numbers", Axis{Scale: LogLog}, 10, 1e300, 7, "10^{1} 10^{10} 10^{100}"},
		{"one power of ten", Axis{Scale: Log}, 0.3, 6, 3, "0.5 1 2 5"},
		{"three decades of two numbers", Axis{Scale: Log}, 0.2, 9, 3, "0.2 0.5 1 2 5"},
		{"short beyond overflow", Axis{Scale: Log, Logged: true}, 1000.1 * math.Ln10, 1000.25 * math.Ln10, 4, "1.4×10^{1000} 1.6×10^{1000}"},
		{"short log-log", Axis{Scale: LogLog}, 1e12, 1e18, 4, "10^{12} 10^{14} 10^{16} 10^{18}"},
		{"given logarithms", Axis{Scale: Log, Logged: true, Ticks: plot.ConstantTicks{{Value: 2 * math.Ln10, Label: "100"}}}, 0, 1e4, 4, "100"},
		{"counts", Axis{Ticks: Counts}, 0, 3, 8, "0 1 2 3"},
		{"many counts", Axis{Ticks: Counts}, 0, 47, 5, "0 10 20 30 40"},
		{"another ticker", Axis{Ticks: plot.DefaultTicks{}}, 0, 4, 4, "0 2 4"},
		{"another scale", Axis{Scale: plot.InvertedScale{Normalizer: plot.LinearScale{}}}, 0, 4, 4, "0 1 2 3 4"},
		{"gonum's logarithms", Axis{Scale: plot.LogScale{}}, 0.05, 200, 6, "0.1 1 10 100"},
		{"given", Axis{Ticks: plot.ConstantTicks{{Value: 0.5, Label: "half"}, {Value: 1}, {Value: 7, Label: "outside"}}}, 0, 2, 6, "half"},
	} {
		s := span{c.axis.mapping().position(c.lo), c.axis.mapping().position(c.hi), true}
		if got := labels(c.axis.ticks(at(c.axis, s), c.n)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// Whatever the range, ticks are within the limits, and there are at least two with
// labels and not many more than n.
func TestTicksFit(t *testing.T) {
	for _, scale := range []Scale{Linear, Log, LogLog} {
		for lo := -8.0; lo < 8; lo += 0.37 {
			for width := 0.01; width < 3000; width *= 1.7 {
				if scale == LogLog && (lo < 0 || lo+width > 300) {
					continue // no number has such logarithms
				}
				for n := 2; n < 9; n++ {
					s := span{lo, lo + width, true}
					count := 0
					for _, m := range scale.marks(s, n) {
						if m.Value < s.lo-1e-6*width || m.Value > s.hi+1e-6*width {
							t.Fatalf("scale %d: tick %g outside of %v", scale, m.Value, s)
						}
						if m.Label != "" {
							count++
						}
					}
					if count < 2 || count > n+4 {
						t.Fatalf("scale %d: %d ticks on %v, want 2 to %d", scale, count, s, n+4)
					}
				}
			}
		}
	}
}

// value is the inverse of position.
func TestAxisInverse(t *testing.T) {
	for _, a := range []Axis{{}, {Scale: Log}, {Scale: LogLog}, {Scale: Log, Logged: true}, {Scale: LogLog, Logged: true}} {
		for _, v := range []float64{1.5, 20, 3e5} {
			if got := a.mapping().value(a.mapping().position(v)); math.Abs(got-v) > 1e-9*v { // a few roundings of exp and log
				t.Errorf("%+v: %g became %g", a, v, got)
			}
		}
	}
}
