package qhnet_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"qhlab/qhnet"
)

// plainLoss is the definition, for margins small enough to exponentiate.
func plainLoss(logistic bool, q []float64, perPoint int) float64 {
	sum := 0.0
	for k := 0; k < len(q); k += perPoint {
		s := 0.0
		for _, v := range q[k : k+perPoint] {
			s += math.Exp(-v)
		}
		if logistic {
			s = math.Log1p(s)
		}
		sum += s
	}
	return sum / float64(len(q)/perPoint)
}

func TestLossAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, loss := range []qhnet.Loss{qhnet.Exponential{}, qhnet.Logistic{}} {
		_, logistic := loss.(qhnet.Logistic)
		for _, perPoint := range []int{1, 3} {
			q := make([]float64, 4*perPoint)
			v := make([]float64, len(q))
			for j := range q {
				q[j], v[j] = 3*rng.NormFloat64(), rng.NormFloat64()
			}
			w := make([]float64, len(q))
			got := loss.Log(w, q, perPoint)
			if want := math.Log(plainLoss(logistic, q, perPoint)); math.Abs(got-want) > 1e-13 {
				t.Errorf("%T, %d per point: log L = %v, want %v", loss, perPoint, got, want)
			}
			const h = 1e-5 // central differences of O(1) functions are good to about h² = 1e-10
			scratch, up, down := make([]float64, len(q)), make([]float64, len(q)), make([]float64, len(q))
			curvature := make([]float64, len(q))
			loss.Curvature(curvature, w, q, v, perPoint)
			for j := range q {
				old := q[j]
				q[j] = old + h
				a := loss.Log(scratch, q, perPoint)
				q[j] = old - h
				b := loss.Log(scratch, q, perPoint)
				q[j] = old
				if d := (b - a) / (2 * h); math.Abs(d-w[j]) > 1e-9 {
					t.Errorf("%T: weight %d is %v, differences give %v", loss, j, w[j], d)
				}
			}
			shifted := make([]float64, len(q))
			for j := range q {
				shifted[j] = q[j] + h*v[j]
			}
			loss.Log(up, shifted, perPoint)
			for j := range q {
				shifted[j] = q[j] - h*v[j]
			}
			loss.Log(down, shifted, perPoint)
			for j := range q {
				if d := (down[j] - up[j]) / (2 * h); math.Abs(d-curvature[j]) > 1e-9 {
					t.Errorf("%T: curvature %d is %v, differences give %v", loss, j, curvature[j], d)
				}
			}
		}
	}
}

// TestSeparatedBelow: one margin of zero, among any others, must not pass for
// separated, and the threshold is where it does if they are large.
func TestSeparatedBelow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, loss := range []qhnet.Loss{qhnet.Exponential{}, qhnet.Logistic{}} {
		below := loss.(qhnet.Separating).SeparatedBelow()
		for _, perPoint := range []int{1, 3} {
			q := make([]float64, 4*perPoint)
			w := make([]float64, len(q))
			for _, size := range []float64{1, 10, 40} { // e^{-40} is below the rounding of 1
				for j := range q {
					q[j] = size * (1 + rng.Float64())
				}
				q[rng.IntN(len(q))] = 0
				nL := 4 * math.Exp(loss.Log(w, q, perPoint))
				if nL < below*(1-1e-14) || size == 40 && nL > below*(1+1e-14) { // roundings of exp and log
					t.Errorf("%T, %d a point: nL = %v with a margin of zero, separated below %v", loss, perPoint, nL, below)
				}
			}
		}
	}
}

func TestLossFarPastUnderflow(t *testing.T) {
	q := []float64{1e14, 1e14 + 2, 1e14 + 1e3}
	w := make([]float64, 3)
	for _, loss := range []qhnet.Loss{qhnet.Exponential{}, qhnet.Logistic{}} {
		got := loss.Log(w, q, 1)
		if want := -1e14; math.Abs(got-want) > 2 {
			t.Errorf("%T: log L = %v, want about %v", loss, got, want)
		}
		if ratio := w[1] / w[0]; math.Abs(ratio-math.Exp(-2)) > 1e-12 || w[2] != 0 {
			t.Errorf("%T: weights %v lose the differences of the margins", loss, w)
		}
	}
}

func BenchmarkLogistic(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 2))
	q := randomVector(rng, 2000*9)
	w := make([]float64, len(q))
	for b.Loop() {
		qhnet.Logistic{}.Log(w, q, 9)
	}
}
