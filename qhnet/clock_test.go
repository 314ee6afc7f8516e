package qhnet

import (
	"math"
	"testing"
)

// TestTimekeeperClosedForm uses f = θ x with one point, where q = θ, g = 1 and
// L = e^{-θ}: t = e^u - 1 exactly, and s = u.
func TestTimekeeperClosedForm(t *testing.T) {
	for _, widths := range [][]float64{{1e-6, 1e-3, 0.5}, {3, 40, 1e3, 1e7}} {
		k := newTimekeeper(0, 1)
		u := 0.0
		for _, w := range widths {
			k.Third = [2]float64{u + w/2, 0}
			k.advance(u+w, 0)
			u += w
			// log t - u is what a log t of size u could hide. Four Gauss points leave
			// 1e-9 of e^x over a panel of width one.
			want := math.Log(-math.Expm1(-u))
			if math.Abs(k.LogTime-u-want) > 2e-9 || math.Abs(k.Scaled-u) > 1e-12*u {
				t.Errorf("u = %v: log t - u = %v, s = %v, want %v, %v", u, k.LogTime-u, k.Scaled, want, u)
			}
		}
	}
}

// TestTimekeeperPowerLaw uses h = u^p, where integration by parts gives
// log t = u + p log u + log(1 - p/u + p(p-1)/u² + O(u^-3)).
func TestTimekeeperPowerLaw(t *testing.T) {
	const p = -1.3
	k := newTimekeeper(1, 1)
	for u := 1.0; u < 1e8; {
		next, middle := u*1.05, u*1.025
		k.Third = [2]float64{middle, p * math.Log(middle)}
		k.advance(next, p*math.Log(next))
		u = next
		if u < 1e3 {
			continue
		}
		// Over the last unit of u, where most of t is, the quadratic misses log h by
		// 0.05² p/(6u), which is 5e-7 at first; later u is rounded to 1.5e-8.
		want := p*math.Log(u) + math.Log1p(-p/u+p*(p-1)/(u*u))
		if got := k.LogTime - u; math.Abs(got-want) > 1e-6 {
			t.Fatalf("u = %v: log t - u = %v, want %v", u, got, want)
		}
	}
	if want := (math.Pow(k.U, 1+p) - 1) / (1 + p); math.Abs(k.Scaled-want) > 1e-6*want {
		t.Errorf("s = %v, want %v", k.Scaled, want)
	}
}

// TestNarrowStretchesNeedNoMiddle walks the same power law with narrow stretches of
// uneven width.
func TestNarrowStretchesNeedNoMiddle(t *testing.T) {
	const p = -1.3
	k := newTimekeeper(1, 1)
	middles := 0
	for i, u := 0, 1.0; u < 1e4; i++ {
		u *= 1 + []float64{0.009, 0.005, 0.002}[i%3]
		if !k.narrow(u) {
			middles++
			middle := (k.U + u) / 2
			k.Third = [2]float64{middle, p * math.Log(middle)}
		}
		k.advance(u, p*math.Log(u))
		want := p*math.Log(u) + math.Log1p(-p/u+p*(p-1)/(u*u))
		if got := k.LogTime - u; u > 1e3 && math.Abs(got-want) > 1e-6 { // 0.01² p is 1e-4 and the quadratic takes most of it
			t.Fatalf("u = %v: log t - u = %v, want %v", u, got, want)
		}
	}
	if middles > 2 {
		t.Errorf("%d middles, want no more than at the start", middles)
	}
}
