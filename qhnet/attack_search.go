package qhnet

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// search is the state of an attack on all points at once.
type search struct {
	v         *victim
	rng       *rand.Rand
	best      []float64
	adversary *mat.Dense
	x, trial  *mat.Dense // current and bisected inputs
	gradient  *mat.Dense
	q         []float64
	found     []bool // the current input has another class
	spread    float64
}

func newSearch(v *victim, rng *rand.Rand) *search {
	n, d := v.points.Dims()
	s := &search{
		v: v, rng: rng,
		best:      make([]float64, n),
		adversary: mat.DenseCopyOf(v.points),
		x:         mat.NewDense(n, d, nil),
		trial:     mat.NewDense(n, d, nil),
		gradient:  mat.NewDense(n, d, nil),
		q:         make([]float64, n),
		found:     make([]bool, n),
		spread:    mat.Norm(v.points, 2) / math.Sqrt(float64(n)),
	}
	return s
}

// begin finds the points that are misclassified already.
func (s *search) begin() error {
	if err := s.v.margins(s.q, nil, s.v.points); err != nil {
		return err
	}
	for k, q := range s.q {
		if q > 0 {
			s.best[k] = math.Inf(1)
		}
	}
	return nil
}

// scatter draws an input around each point, at most as far as the best distance
// so far.
func (s *search) scatter() {
	for k, p := range rowsOf(s.v.points) {
		row := s.x.RawRowView(k)
		for j := range row {
			row[j] = s.rng.NormFloat64()
		}
		length := s.rng.Float64() * math.Min(s.best[k], s.spread) / floats.Norm(row, 2)
		for j := range row {
			row[j] = p[j] + length*row[j]
		}
	}
}

// descend goes from a random input to the boundary by linearized steps
// q ∇q/‖∇q‖², each a little too long.
func (s *search) descend(steps int) error {
	clear(s.found)
	s.scatter()
	for range steps {
		if err := s.v.margins(s.q, s.gradient, s.x); err != nil {
			return err
		}
		for k, g := range rowsOf(s.gradient) {
			if s.found[k] = s.found[k] || s.q[k] <= 0; s.found[k] {
				continue
			}
			if g2 := floats.Dot(g, g); g2 > 0 {
				floats.AddScaled(s.x.RawRowView(k), -1.05*s.q[k]/g2, g)
			}
		}
	}
	return s.bisect()
}

// tangent sets the current inputs to the nearest points of the tangents to the
// boundary at the best inputs, a little beyond.
func (s *search) tangent() error {
	if err := s.v.margins(s.q, s.gradient, s.adversary); err != nil {
		return err
	}
	for k, p := range rowsOf(s.v.points) {
		x, z, g := s.x.RawRowView(k), s.adversary.RawRowView(k), s.gradient.RawRowView(k)
		copy(x, z)
		if g2 := floats.Dot(g, g); g2 > 0 && s.best[k] > 0 && !math.IsInf(s.best[k], 1) {
			c := (floats.Dot(g, z) - floats.Dot(g, p)) / g2
			floats.AddScaledTo(x, p, c*(1+1e-6), g)
		}
	}
	return nil
}

// project runs projected gradient descent on the margin, from the tangent's
// nearest point, in the ball whose radius is shrink times the best distance. The
// first look is at the start itself, which may be outside that ball.
func (s *search) project(steps int, shrink float64) error {
	clear(s.found)
	if err := s.tangent(); err != nil {
		return err
	}
	for i := range steps {
		if err := s.v.margins(s.q, s.gradient, s.x); err != nil {
			return err
		}
		for k, g := range rowsOf(s.gradient) {
			norm := floats.Norm(g, 2)
			if s.found[k] = s.found[k] || s.q[k] <= 0; s.found[k] || norm == 0 || math.IsInf(s.best[k], 1) {
				continue
			}
			// Steps fall from a quarter of the radius, so that they settle.
			length := 0.25 * s.best[k] / float64(i+1)
			floats.AddScaled(s.x.RawRowView(k), -length/norm, g)
			pull(s.x.RawRowView(k), s.v.points.RawRowView(k), shrink*s.best[k])
		}
	}
	return s.bisect()
}

// pull moves x to the sphere of the given radius around p if it is outside.
func pull(x, p []float64, radius float64) {
	if d := floats.Distance(x, p, 2); d > radius {
		for j := range x {
			x[j] = p[j] + (x[j]-p[j])*radius/d
		}
	}
}

// bisect walks back from every input of another class towards its point, and
// keeps the nearest input that still has another class.
func (s *search) bisect() error {
	n := len(s.found)
	low, high := make([]float64, n), make([]float64, n)
	for k := range high {
		high[k] = 1
	}
	for range 50 { // to the spacing of float64
		for k, p := range rowsOf(s.v.points) {
			t := (low[k] + high[k]) / 2
			for j := range p {
				s.trial.Set(k, j, p[j]+t*(s.x.At(k, j)-p[j]))
			}
		}
		if err := s.v.margins(s.q, nil, s.trial); err != nil {
			return err
		}
		for k, q := range s.q {
			if q <= 0 {
				high[k] = (low[k] + high[k]) / 2
			} else {
				low[k] = (low[k] + high[k]) / 2
			}
		}
	}
	for k, p := range rowsOf(s.v.points) {
		if d := high[k] * floats.Distance(s.x.RawRowView(k), p, 2); s.found[k] && d < s.best[k] {
			s.best[k] = d
			for j := range p {
				s.adversary.Set(k, j, p[j]+high[k]*(s.x.At(k, j)-p[j]))
			}
		}
	}
	return nil
}

// rowsOf yields the rows of a matrix.
func rowsOf(a *mat.Dense) func(yield func(int, []float64) bool) {
	return func(yield func(int, []float64) bool) {
		n, _ := a.Dims()
		for k := range n {
			if !yield(k, a.RawRowView(k)) {
				return
			}
		}
	}
}
