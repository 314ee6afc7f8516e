package robust

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/nn"
)

// tiny is a norm that gradients are not divided by.
const tiny = 0x1p-1000

// search attacks one point after another.
type search struct {
	rng         *rand.Rand
	spread      float64 // the size of the data
	wide, close *batch  // close, for zooming, is nil in more than three dimensions
	directions  *mat.Dense
	point       []float64
	label       int
	radius      []float64  // distance of the adversary that a row of wide has found, or +Inf
	found       *mat.Dense // those adversaries
}

func (s *search) bind(ctx context.Context, n *nn.Network, theta []float64, rows int) (err error) {
	d := n.Inputs()
	if d <= 3 {
		rows = []int{0, 2, 512, 2048}[d]
		if s.close, err = newBatch(ctx, n, theta, 64); err != nil {
			return err
		}
	}
	s.radius, s.found, s.directions = make([]float64, rows), mat.NewDense(rows, d, nil), mat.NewDense(rows, d, nil)
	for i, u := range rowsOf(s.directions) {
		switch t := float64(i); d {
		case 1:
			u[0] = 1 - 2*t
		case 2:
			u[1], u[0] = math.Sincos(2 * math.Pi * t / float64(rows))
		case 3: // a spiral of equal areas
			u[2] = 1 - (2*t+1)/float64(rows)
			sin, cos := math.Sincos(math.Pi * (1 + math.Sqrt(5)) * t)
			u[0], u[1] = math.Sqrt(1-u[2]*u[2])*cos, math.Sqrt(1-u[2]*u[2])*sin
		default:
			s.scatter(u, make([]float64, d), 1)
		}
	}
	s.wide, err = newBatch(ctx, n, theta, rows)
	return err
}

// scatter sets u to a unit vector that differs from the direction center by about the
// given angle, and is any if that is 0.
func (s *search) scatter(u, center []float64, angle float64) {
	for j := range u {
		u[j] = center[j] + angle*s.rng.NormFloat64()
	}
	floats.Scale(1/floats.Norm(u, 2), u)
}

func (s *search) attack(point []float64, label int) error {
	s.point, s.label = point, label
	for i := range s.radius {
		s.radius[i] = math.Inf(1)
	}
	if s.close != nil {
		if err := s.scan(); err != nil || math.IsInf(floats.Min(s.radius), 1) {
			return err
		}
		if err := s.zoom(); err != nil {
			return err
		}
		return s.project(1)
	}
	if err := s.descend(); err != nil {
		return err
	}
	if math.IsInf(floats.Min(s.radius), 1) {
		if err := s.scan(); err != nil || math.IsInf(floats.Min(s.radius), 1) {
			return err
		}
	}
	for range attackRounds {
		if err := s.project(attackSteps); err != nil {
			return err
		}
	}
	return nil
}

// scan looks along all directions at growing radii until one meets another class, and
// half as far again: a wedge that was missed may have its tip nearer.
func (s *search) scan() error {
	ratio := 1.15
	if len(s.point) == 1 {
		ratio = 1.002
	}
	first := 1e-3 * s.spread
	for radius := first; radius < math.Min(1e4*s.spread, 1.5*floats.Min(s.radius)); radius *= ratio {
		for i, u := range rowsOf(s.directions) {
			floats.AddScaledTo(s.wide.x.RawRowView(i), s.point, radius, u)
		}
		if err := s.wide.look(s.label, false); err != nil {
			return err
		}
		for i, other := range s.wide.other {
			if other && math.IsInf(s.radius[i], 1) {
				s.radius[i] = radius
				s.found.SetRow(i, s.wide.x.RawRowView(i))
			}
		}
	}
	s.wide.x.Copy(s.found)
	for i := range s.wide.other {
		s.wide.other[i] = !math.IsInf(s.radius[i], 1)
	}
	if floats.Min(s.radius) == first { // nothing nearer has been looked at
		return s.bisect(0, 50)
	}
	return s.bisect(1/ratio, 10)
}

// zoom looks around the nearest local minima of the distance, each time within a smaller
// angle, for directions in which another class is nearer still.
func (s *search) zoom() error {
	rows, d := s.found.Dims()
	order, zooms := make([]int, rows), 0
	floats.Argsort(slices.Clone(s.radius), order)
	spacing := 2 * math.Pow(12/float64(rows), 1/math.Max(float64(d-1), 1)) // generously
	for place, i := range order {
		if math.IsInf(s.radius[i], 1) || zooms == 8 {
			break
		}
		u := s.directions.RawRowView(i)
		if slices.ContainsFunc(order[:place], func(j int) bool { return floats.Distance(s.directions.RawRowView(j), u, 2) < spacing }) {
			continue
		}
		zooms++
		if err := s.approach(i, slices.Clone(u), spacing); err != nil {
			return err
		}
	}
	return nil
}

// approach lowers the radius of row i, at first along u: of random directions it looks
// for the smallest radius at which one still meets another class.
func (s *search) approach(i int, u []float64, spacing float64) error {
	b, directions := s.close, mat.DenseCopyOf(s.close.x)
	for angle := spacing; angle > 1e-7; angle /= 4 {
		for _, v := range rowsOf(directions) {
			s.scatter(v, u, angle)
		}
		low, high := s.radius[i]*math.Max(0, 1-8*angle), s.radius[i]
		for step, radius := 0, high; step < 8; step, radius = step+1, (low+high)/2 {
			for j, v := range rowsOf(directions) {
				floats.AddScaledTo(b.x.RawRowView(j), s.point, radius, v)
			}
			if err := b.look(s.label, false); err != nil {
				return err
			}
			if hit := slices.Index(b.other, true); hit >= 0 {
				high, s.radius[i] = radius, radius
				s.found.SetRow(i, b.x.RawRowView(hit))
				copy(u, directions.RawRowView(hit))
			} else if step == 0 {
				break
			} else {
				low = radius
			}
		}
	}
	return nil
}

// bisect walks back from every input of another class towards the point, at most to the
// given share of the way, and keeps the nearest input that still has another class.
func (s *search) bisect(low float64, steps int) error {
	b, n := s.wide, len(s.radius)
	ends, hit := mat.DenseCopyOf(b.x), slices.Clone(b.other)
	lows, highs := slices.Repeat([]float64{low}, n), slices.Repeat([]float64{1}, n)
	for range steps {
		for i, x := range rowsOf(ends) {
			along(b.x.RawRowView(i), s.point, x, (lows[i]+highs[i])/2)
		}
		if err := b.look(s.label, false); err != nil {
			return err
		}
		for i, other := range b.other {
			if other {
				highs[i] = (lows[i] + highs[i]) / 2
			} else {
				lows[i] = (lows[i] + highs[i]) / 2
			}
		}
	}
	for i, x := range rowsOf(ends) {
		if d := highs[i] * floats.Distance(x, s.point, 2); hit[i] && d <= s.radius[i] {
			s.radius[i] = d
			along(s.found.RawRowView(i), s.point, x, highs[i])
		}
	}
	return nil
}

// descend goes from random inputs to the boundary by linearized steps q ∇q/‖∇q‖²,
// each a little too long.
func (s *search) descend() error {
	b := s.wide
	for i, x := range rowsOf(b.x) {
		floats.AddScaledTo(x, s.point, s.spread*s.rng.Float64(), s.directions.RawRowView(i))
	}
	for range attackSteps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			// The square of the norm may overflow, and a boundary may be farther than any number.
			if norm := floats.Norm(g, 2); norm > tiny && !b.other[i] && b.q[i]/norm < 1e6*s.spread {
				floats.AddScaled(b.x.RawRowView(i), -1.05*b.q[i]/norm/norm, g)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0, 45)
}

// project runs projected gradient descent on the margins, from the nearest points of the
// tangents to the boundary at the adversaries, in balls a little smaller than their
// distances.
// The first look is at the starts themselves, which may be outside the balls. A row that
// is far behind goes on from near the best.
func (s *search) project(steps int) error {
	b, best := s.wide, floats.MinIdx(s.radius)
	for i, z := range rowsOf(s.found) {
		if s.radius[i] > 1.2*s.radius[best] {
			copy(z, s.found.RawRowView(best))
			s.radius[i] = s.radius[best]
		}
	}
	b.x.Copy(s.found)
	if err := b.look(s.label, true); err != nil {
		return err
	}
	for i, g := range rowsOf(b.gradient) {
		if norm := floats.Norm(g, 2); norm > tiny {
			c := (floats.Dot(g, s.found.RawRowView(i)) - floats.Dot(g, s.point)) / norm / norm
			floats.AddScaledTo(b.x.RawRowView(i), s.point, c*(1+1e-6), g)
		}
	}
	for step := range steps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			norm, x := floats.Norm(g, 2), b.x.RawRowView(i)
			if norm <= tiny || b.other[i] {
				continue
			}
			// Steps fall from a quarter of the radius, so that they settle.
			floats.AddScaled(x, -0.25*s.radius[i]/(float64(step+1)*norm), g)
			if d := floats.Distance(x, s.point, 2); d > attackShrink*s.radius[i] {
				along(x, s.point, x, attackShrink*s.radius[i]/d)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0.9, 35)
}
