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
			k.advance(u+w/2, 0, u+w, 0)
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
		k.advance(middle, p*math.Log(middle), next, p*math.Log(next))
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
