package ode

import "math"

// DormandPrince is the explicit Runge-Kutta method of order 5 with an embedded
// error estimate of order 4, seven stages of which the last is the first of the
// next step, and dense output of order 4.
//
// J. R. Dormand, P. J. Prince, A family of embedded Runge-Kutta formulae, J. Comput. Appl.
// Math. 6 (1980) 19-26; the dense output is that of E. Hairer, S. Nørsett, G. Wanner,
// Solving Ordinary Differential Equations I, 2nd edition, section II.6.
type DormandPrince struct{}

// String returns "DormandPrince".
func (DormandPrince) String() string { return "DormandPrince" }

func (DormandPrince) validate() error { return nil }

// Nodes c_i, stage weights a_ij, error weights e_i = b_i - b̂_i and dense output weights
// d_i: Dormand and Prince, table 2; Hairer, Nørsett and Wanner, equation (II.6.12).
const (
	dpC2, dpC3, dpC4, dpC5 = 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9

	dpA21                             = 1.0 / 5
	dpA31, dpA32                      = 3.0 / 40, 9.0 / 40
	dpA41, dpA42, dpA43               = 44.0 / 45, -56.0 / 15, 32.0 / 9
	dpA51, dpA52, dpA53, dpA54        = 19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729
	dpA61, dpA62, dpA63, dpA64, dpA65 = 9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656
	dpA71, dpA73, dpA74, dpA75, dpA76 = 35.0 / 384, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84

	dpE1, dpE3, dpE4, dpE5, dpE6, dpE7 = 71.0 / 57600, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40

	dpD1, dpD3, dpD4 = -12715105075.0 / 11282082432, 87487479700.0 / 32700410799, -10690763975.0 / 1880347072
	dpD5, dpD6, dpD7 = 701980252875.0 / 199316789632, -1453857185.0 / 822651844, 69997945.0 / 29380423
)

// dormandPrince is the method at work.
type dormandPrince struct {
	single
	s                  *system
	h                  float64
	k2, k3, k4, k5, k6 []float64
	stage, e           []float64
}

func (d DormandPrince) stepper(s *system) stepper {
	v := vectors(len(s.y), 7)
	return &dormandPrince{
		single: single(d.String()), s: s,
		k2: v[0], k3: v[1], k4: v[2], k5: v[3], k6: v[4], stage: v[5], e: v[6],
	}
}

func (d *dormandPrince) rule() rule { return rule{order: 5, grow: 10} }
func (d *dormandPrince) restart()   {}

func (d *dormandPrince) attempt(h float64) (trial, error) {
	d.h = h
	if err := d.stages(h); err != nil {
		return trial{}, err
	}
	err := d.s.norm(d.errors(h), d.s.y, d.s.yNew)
	return trial{err: err, safety: 1}, nil
}

// stages computes k2 to k6, yNew, and the seventh stage, which is fNew.
func (d *dormandPrince) stages(h float64) error {
	s := d.s
	m := len(s.y)
	y, z, k1 := s.y[:m], d.stage[:m], s.f[:m]
	k2, k3, k4, k5, k6 := d.k2[:m], d.k3[:m], d.k4[:m], d.k5[:m], d.k6[:m]
	for i := range z {
		z[i] = y[i] + h*dpA21*k1[i]
	}
	if err := s.derivative(k2, s.t+dpC2*h, z); err != nil {
		return err
	}
	for i := range z {
		z[i] = y[i] + h*(dpA31*k1[i]+dpA32*k2[i])
	}
	if err := s.derivative(k3, s.t+dpC3*h, z); err != nil {
		return err
	}
	for i := range z {
		z[i] = y[i] + h*(dpA41*k1[i]+dpA42*k2[i]+dpA43*k3[i])
	}
	if err := s.derivative(k4, s.t+dpC4*h, z); err != nil {
		return err
	}
	for i := range z {
		z[i] = y[i] + h*(dpA51*k1[i]+dpA52*k2[i]+dpA53*k3[i]+dpA54*k4[i])
	}
	if err := s.derivative(k5, s.t+dpC5*h, z); err != nil {
		return err
	}
	for i := range z {
		z[i] = y[i] + h*(dpA61*k1[i]+dpA62*k2[i]+dpA63*k3[i]+dpA64*k4[i]+dpA65*k5[i])
	}
	if err := s.derivative(k6, s.tNew, z); err != nil {
		return err
	}
	yNew := s.yNew[:m]
	for i := range yNew {
		yNew[i] = y[i] + h*(dpA71*k1[i]+dpA73*k3[i]+dpA74*k4[i]+dpA75*k5[i]+dpA76*k6[i])
	}
	return s.derivative(s.fNew, s.tNew, yNew)
}

// errors returns the embedded error estimate of the step.
func (d *dormandPrince) errors(h float64) []float64 {
	m := len(d.e)
	e, k1, k7 := d.e[:m], d.s.f[:m], d.s.fNew[:m]
	k3, k4, k5, k6 := d.k3[:m], d.k4[:m], d.k5[:m], d.k6[:m]
	for i := range e {
		e[i] = h * (dpE1*k1[i] + dpE3*k3[i] + dpE4*k4[i] + dpE5*k5[i] + dpE6*k6[i] + dpE7*k7[i])
	}
	return e
}

// stability estimates |h| ρ, with ρ the spectral radius of the Jacobian, from the
// last two stages of the step, which are at the same time.
func (d *dormandPrince) stability() float64 {
	var change, distance float64
	for i, z := range d.stage {
		a, b := d.s.fNew[i]-d.k6[i], d.s.yNew[i]-z
		change += a * a
		distance += b * b
	}
	if distance == 0 {
		return 0
	}
	return math.Abs(d.h) * math.Sqrt(change/distance)
}

func (d *dormandPrince) interpolate(dst []float64, t float64) {
	s, h := d.s, d.h
	x := (t - s.t) / h
	for i, y0 := range s.y {
		k1, k7 := s.f[i], s.fNew[i]
		slope := s.yNew[i] - y0
		bend := h*k1 - slope
		twist := slope - h*k7 - bend
		top := h * (dpD1*k1 + dpD3*d.k3[i] + dpD4*d.k4[i] + dpD5*d.k5[i] + dpD6*d.k6[i] + dpD7*k7)
		dst[i] = y0 + x*(slope+(1-x)*(bend+x*(twist+(1-x)*top)))
	}
}
