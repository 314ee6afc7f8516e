package ode

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// RKC is the stabilized explicit Runge-Kutta-Chebyshev method of order 2. With s stages it
// is stable for Jacobians with eigenvalues down to -0.65 s²/h on, or close to, the negative
// real axis, so a stiff step costs the square root of what it costs other explicit methods,
// and no linear algebra. The number of stages follows the spectral radius, which a power
// iteration estimates; more than √(Relative/10ε) are not taken, as their rounding errors
// could exceed the tolerance. Dense output is by cubic Hermite interpolation.
//
// B. P. Sommeijer, L. F. Shampine, J. G. Verwer, RKC: An explicit solver for
// parabolic PDEs, J. Comput. Appl. Math. 88 (1998) 315-326.
type RKC struct{}

// String returns "RKC".
func (RKC) String() string { return "RKC" }

func (RKC) validate() error { return nil }

// Constants of Sommeijer, Shampine and Verwer 1998.
const (
	rkcDamping    = 2.0 / 13 // ε of the damped Chebyshev polynomials, equation (2.8)
	rkcStability  = 1.54     // s² ≥ 1 + 1.54 h ρ keeps h ρ in the damped region
	rkcReestimate = 25       // accepted steps between estimates of the spectral radius

	// rkcTightness is by how much less than others RKC may err: it takes more steps.
	rkcTightness = 2
)

// errTooManyStages is the reason of a step refused for its number of stages.
var errTooManyStages = errors.New("the spectral radius asks for more stages than allowed")

// rkc is the method at work.
type rkc struct {
	single
	s          *system
	limit      int // of stages
	power      *powerIteration
	radius     float64 // spectral radius of the Jacobian
	age        int     // accepted steps since it was estimated
	at         float64 // where it was estimated
	older, old []float64
	derivative []float64
	h          float64
}

func (r RKC) stepper(s *system) stepper {
	v := vectors(len(s.y), 3)
	d := &rkc{single: single(r.String()), s: s, power: newPowerIteration(s), older: v[0], old: v[1], derivative: v[2]}
	d.limit = max(2, int(math.Sqrt(cmp.Or(s.control.Relative, defaultControl.Relative)/(10*epsilon))))
	d.restart()
	return d
}

func (d *rkc) rule() rule { return rule{order: 3, grow: 10} }

func (d *rkc) restart() {
	d.age = rkcReestimate
	d.at = math.NaN()
	d.power.warm = false
}

func (d *rkc) attempt(h float64) (trial, error) {
	s := d.s
	if d.age >= rkcReestimate && d.at != s.t {
		if err := d.estimate(); err != nil {
			return trial{}, err
		}
	}
	stages := d.stages(h)
	if stages > d.limit {
		bound := (float64(d.limit*d.limit) - 1) / (rkcStability * d.radius)
		return trial{safety: 0.99 * bound / math.Abs(h)}, errTooManyStages
	}
	d.h = h
	err := d.step(h, stages)
	if err == nil {
		err = s.derivative(s.fNew, s.tNew, s.yNew)
	}
	if err != nil {
		d.age = rkcReestimate
		return trial{}, err
	}
	for i, y := range s.y { // equation (2.12)
		d.old[i] = 0.8*(y-s.yNew[i]) + 0.4*h*(s.f[i]+s.fNew[i])
	}
	tr := trial{err: rkcTightness * s.norm(d.old, s.y, s.yNew), safety: 0.9}
	d.age++
	if tr.err > 1 {
		d.age = rkcReestimate
	}
	return tr, nil
}

// estimate updates the spectral radius.
func (d *rkc) estimate() (err error) {
	d.radius, err = d.power.radius()
	if err == nil && (!(d.radius >= 0) || math.IsInf(d.radius, 0)) {
		err = fmt.Errorf("the spectral radius at t = %.10g is %v", d.s.t, d.radius)
	}
	if err != nil {
		return evaluationError{cause: err, current: true}
	}
	d.age, d.at = 0, d.s.t
	return nil
}

// stages returns the number of stages that a step of size h needs.
func (d *rkc) stages(h float64) int {
	s := math.Sqrt(1 + rkcStability*math.Abs(h)*d.radius)
	return max(2, 1+int(min(s, 1e9)))
}

// step computes yNew by the three-term recursion of the damped Chebyshev polynomials.
func (d *rkc) step(h float64, stages int) error {
	s := d.s
	n := float64(stages)
	w0 := 1 + rkcDamping/(n*n)
	root := math.Sqrt(w0*w0 - 1)
	arg := n * math.Log(w0+root)
	w1 := math.Sinh(arg) * (w0*w0 - 1) / (math.Cosh(arg)*n*root - w0*math.Sinh(arg))

	b1 := 1 / (4 * w0 * w0) // b_{j-1}; b2 is b_{j-2}
	b2 := b1
	c1, c2 := w1*b1, 0.0   // nodes of the last two stages
	t1, t2 := w0, 1.0      // Chebyshev polynomials T_{j-1}(w0), T_{j-2}(w0)
	dt1, dt2 := 1.0, 0.0   // their first
	ddt1, ddt2 := 0.0, 0.0 // and second derivatives
	older, old := d.older, d.old
	copy(older, s.y)
	floats.AddScaledTo(old, s.y, h*c1, s.f)
	for j := 2; j <= stages; j++ {
		t := 2*w0*t1 - t2
		dt := 2*w0*dt1 - dt2 + 2*t1
		ddt := 2*w0*ddt1 - ddt2 + 4*dt1
		b := ddt / (dt * dt)
		a := 1 - t1*b1
		mu, nu := 2*w0*b/b1, -b/b2
		step := mu * w1 / w0
		if err := s.derivative(d.derivative, s.t+h*c1, old); err != nil {
			return err
		}
		next := older // of stage j-2 only its own component is needed
		for i, y := range s.y {
			next[i] = mu*old[i] + nu*older[i] + (1-mu-nu)*y + h*step*(d.derivative[i]-a*s.f[i])
		}
		older, old = old, next
		c1, c2 = mu*c1+nu*c2+step*(1-a), c1
		t1, t2, dt1, dt2, ddt1, ddt2 = t, t1, dt, dt1, ddt, ddt1
		b1, b2 = b, b1
	}
	copy(s.yNew, old)
	return nil
}

// interpolate evaluates the cubic polynomial with the values and slopes of both ends.
func (d *rkc) interpolate(dst []float64, t float64) {
	s := d.s
	x := (t - s.t) / d.h
	for i, y := range s.y {
		rise := s.yNew[i] - y
		left, right := d.h*s.f[i]-rise, rise-d.h*s.fNew[i]
		dst[i] = y + x*(rise+(1-x)*((1-x)*left+x*right))
	}
}

// powerIteration estimates the spectral radius of the Jacobian by
//
//	v ← J v / |J v|,   J v ≈ (f(t, y + δ v) - f(t, y)) / δ.
//
// It starts from the vector of the last estimate; at first, or after a restart, from the
// derivative plus pseudo-random signs, as the derivative alone can have almost no component
// in the stiff directions.
type powerIteration struct {
	s     *system
	v     []float64 // direction, of norm 1
	y, f  []float64
	warm  bool // v is of the last estimate
	signs rand.PCG
}

// Constants of the code RKC: iterations, accuracy of the estimate and factor on it.
const (
	powerIterations = 50
	powerAccuracy   = 0.01
	powerSafety     = 1.2
)

func newPowerIteration(s *system) *powerIteration {
	v := vectors(len(s.y), 3)
	return &powerIteration{s: s, v: v[0], y: v[1], f: v[2]}
}

// radius returns a likely upper bound of the spectral radius at the current point.
func (p *powerIteration) radius() (float64, error) {
	if !p.warm {
		p.begin()
	}
	s := p.s
	delta := sqrtEpsilon * cmp.Or(floats.Norm(s.y, 2), 1)
	estimate := 0.0
	for k := range powerIterations {
		floats.AddScaledTo(p.y, s.y, delta, p.v)
		if err := s.derivative(p.f, s.t, p.y); err != nil {
			return 0, err
		}
		floats.Sub(p.f, s.f)
		size := floats.Norm(p.f, 2)
		before := estimate
		estimate = size / delta
		if math.IsInf(1/size, 0) || math.IsNaN(size) || math.IsInf(size, 0) {
			break
		}
		floats.ScaleTo(p.v, 1/size, p.f)
		if k > 1 && math.Abs(estimate-before) <= powerAccuracy*estimate {
			break
		}
	}
	p.warm = estimate > 0
	return powerSafety * estimate, nil
}

// begin chooses the first direction.
func (p *powerIteration) begin() {
	p.signs.Seed(1, 2) // any fixed seed: the same run must give the same bits
	size := floats.Norm(p.s.f, 2)
	if size < 0x1p-1000 { // too close to the least numbers to give a direction
		size = 1
	}
	size /= 2 * math.Sqrt(float64(len(p.v))) // not the size of f, which could cancel
	for i, f := range p.s.f {
		p.v[i] = f + size*(2*float64(p.signs.Uint64()>>63)-1)
	}
	floats.Scale(1/floats.Norm(p.v, 2), p.v)
}
