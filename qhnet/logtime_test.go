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
			want := math.Log(math.Expm1(u))
			if u > 700 {
				want = u
			}
			if math.Abs(k.LogTime-want) > 1e-6*math.Abs(want)+1e-6 || math.Abs(k.Scaled-u) > 1e-12*u {
				t.Errorf("u = %v: log t = %v, s = %v, want %v, %v", u, k.LogTime, k.Scaled, want, u)
			}
		}
	}
}

// TestTimekeeperPowerLaw uses h = u^p, where integration by parts gives
// log t = u + p log u + log(1 - p/u + O(u^-2)).
func TestTimekeeperPowerLaw(t *testing.T) {
	const p = -1.3
	k := newTimekeeper(1, 1)
	for u := 1.0; u < 1e8; {
		next := u * 1.2
		middle := u * 1.1
		k.advance(middle, p*math.Log(middle), next, p*math.Log(next))
		u = next
		if u > 1e3 {
			if want := u + p*math.Log(u) + math.Log1p(-p/u); math.Abs(k.LogTime-want) > 1e-5+1e-14*u {
				t.Fatalf("u = %v: log t - u = %v, want %v", u, k.LogTime-u, want-u)
			}
		}
	}
	if want := (math.Pow(k.U, 1+p) - 1) / (1 + p); math.Abs(k.Scaled-want) > 1e-4*want {
		t.Errorf("s = %v, want %v", k.Scaled, want)
	}
}
