// Package robust bounds the distance of points to the decision boundary: an attack from
// above, a certificate from below.
package robust

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// Attack searches for the nearest input of another class, in the ℓ2 distance: an input
// that [qhnet.Predict] gives another class. What it finds bounds the distance to the
// decision boundary from above.
//
// In up to three dimensions it looks along hundreds of directions, from 1e-3 to 1e4
// times the size of the data, closer and closer around the nearest finds, and at last at
// the nearest point of the tangent. It misses only what is thinner than the space between
// directions.
//
// In more dimensions it is local. From random starts around the point it follows
// linearized steps to the boundary (Moosavi-Dezfooli et al., arXiv:1511.04599) and
// bisects the segment back to the point. Then it repeats projected gradient descent
// (Madry et al., arXiv:1706.06083) inside a ball a little smaller than the distance so
// far, starting at the nearest point of the boundary's tangent. The settings are for
// this search; the zero value is a good attack.
type Attack struct {
	Restarts int     // starts for each point; 0 means 16
	Steps    int     // gradient steps of one descent; 0 means 20
	Rounds   int     // descents in a shrinking ball; 0 means 12
	Shrink   float64 // radius of the ball relative to the distance so far; 0 means 0.98
}

// Distances returns for every point the smallest distance at which the attack
// found another class, and the inputs there, one row a point: zero and the point
// itself if it is misclassified already, +Inf and the point if nothing was found.
// Networks that mix points, such as those with batch normalization, must be
// frozen first (see [nn.Network.Freeze]); otherwise the result is an error. Classes
// may be without points. If ctx is cancelled, it returns what it has found so far,
// which still bounds from above, and an error that wraps that of ctx.
//
// A point costs some 50,000 passes through the network in two dimensions, 200,000 in
// three, and in more about Restarts·(1 + Rounds)·(2·Steps + 50).
func (a Attack) Distances(ctx context.Context, n *nn.Network, theta []float64, set dataset.Set, rng *rand.Rand) ([]float64, *mat.Dense, error) {
	a = Attack{cmp.Or(a.Restarts, 16), cmp.Or(a.Steps, 20), cmp.Or(a.Rounds, 12), cmp.Or(a.Shrink, 0.98)}
	if a.Restarts < 1 || a.Steps < 1 || a.Rounds < 1 || !(a.Shrink > 0 && a.Shrink < 1) {
		return nil, nil, fmt.Errorf("qhnet: attack: %+v; use positive numbers, and 0 < Shrink < 1", a)
	}
	if err := qhnet.CheckPoints(n, set); err != nil {
		return nil, nil, err
	}
	if layer := n.MixesPoints(); layer != "" {
		return nil, nil, fmt.Errorf("qhnet: attack: %s mixes the points of a batch, so a point alone has no class; attack the frozen network", layer)
	}
	classes, err := qhnet.Predict(n, theta, set.X)
	if err != nil {
		return nil, nil, err
	}
	distances, adversaries := make([]float64, set.Len()), mat.DenseCopyOf(set.X)
	s := search{Attack: a, rng: rng, spread: mat.Norm(set.X, 2) / math.Sqrt(float64(set.Len()))}
	if s.spread == 0 {
		s.spread = 1
	}
	if err := s.bind(ctx, n, theta); err != nil {
		return nil, nil, err
	}
	for k, class := range classes {
		if class != set.Labels[k] {
			continue
		}
		distances[k] = math.Inf(1)
		if err == nil { // the points after a failure are not attacked
			err = s.attack(set.X.RawRowView(k), class)
			if s.nearest < math.Inf(1) {
				adversaries.SetRow(k, s.adversary)
			}
		}
	}
	if confirmed := confirm(distances, adversaries, n, theta, set); err == nil {
		err = confirmed
	}
	if err != nil {
		err = fmt.Errorf("qhnet: attack: %w", err)
	}
	return distances, adversaries, err
}

// confirm moves every adversary away from its point until Predict gives it another
// class, whatever the rounding errors of other batches were, and measures its distance.
func confirm(distances []float64, adversaries *mat.Dense, n *nn.Network, theta []float64, set dataset.Set) error {
	for excess := 1e-10; excess < 1e-3; excess *= 10 {
		classes, err := qhnet.Predict(n, theta, adversaries)
		if err != nil {
			return err
		}
		for k, p := range rowsOf(set.X) {
			z := adversaries.RawRowView(k)
			switch d := floats.Distance(z, p, 2); {
			case distances[k] == 0 || d == 0:
			case classes[k] != set.Labels[k]:
				distances[k] = d
			default:
				along(z, p, z, 1+excess)
			}
		}
	}
	for k, d := range distances {
		if math.IsInf(d, 1) {
			adversaries.SetRow(k, set.X.RawRowView(k))
		}
	}
	return nil
}

// along sets dst to p + t (x - p).
func along(dst, p, x []float64, t float64) {
	for j := range dst {
		dst[j] = p[j] + t*(x[j]-p[j])
	}
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

// batch evaluates a network at several inputs around one point.
type batch struct {
	ctx      context.Context
	e        *nn.Evaluation
	theta    []float64
	x        *mat.Dense
	gradient *mat.Dense // of the margins
	q        []float64  // smallest margins
	other    []bool     // inputs of another class
	weights  []float64
}

func newBatch(ctx context.Context, n *nn.Network, theta []float64, rows int) (*batch, error) {
	x := mat.NewDense(rows, n.Inputs(), nil)
	e, err := n.Bind(x)
	if err != nil {
		return nil, err
	}
	return &batch{
		ctx: ctx, e: e.(*nn.Evaluation), theta: theta, x: x, gradient: mat.DenseCopyOf(x),
		q: make([]float64, rows), other: make([]bool, rows), weights: make([]float64, rows*n.Outputs()),
	}, nil
}

// look evaluates the class of every input, and the gradients of margins if asked to.
func (b *batch) look(label int, gradients bool) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.e.SetInputs(b.x)
	f, err := b.e.Forward(b.theta)
	if err != nil {
		return err
	}
	c := len(f) / len(b.q)
	clear(b.weights)
	for i := range b.q {
		own, w := f[i*c:(i+1)*c], b.weights[i*c:(i+1)*c]
		b.other[i] = qhnet.Class(own) != label
		if c == 1 {
			w[0] = float64(2*label - 1)
			b.q[i] = w[0] * own[0]
			continue
		}
		rival := -1
		for class, v := range own {
			if class != label && (rival < 0 || v > own[rival]) {
				rival = class
			}
		}
		w[label], w[rival] = 1, -1
		b.q[i] = own[label] - own[rival]
	}
	if gradients {
		b.e.InputGradient(b.gradient, b.weights)
	}
	return nil
}

// search attacks one point after another.
type search struct {
	Attack
	rng         *rand.Rand
	spread      float64 // the size of the data
	wide, close *batch  // close, for zooming, is nil in more than three dimensions

	point     []float64
	label     int
	nearest   float64
	adversary []float64
	radius    []float64  // distance of the adversary that a row of wide has found, or +Inf
	found     *mat.Dense // those adversaries
}

func (s *search) bind(ctx context.Context, n *nn.Network, theta []float64) (err error) {
	rows := s.Restarts
	if d := n.Inputs(); d <= 3 {
		rows = []int{0, 2, 512, 2048}[d]
		if s.close, err = newBatch(ctx, n, theta, 64); err != nil {
			return err
		}
	}
	s.radius, s.found = make([]float64, rows), mat.NewDense(rows, n.Inputs(), nil)
	s.wide, err = newBatch(ctx, n, theta, rows)
	return err
}

func (s *search) attack(point []float64, label int) error {
	s.point, s.label, s.nearest = point, label, math.Inf(1)
	for i := range s.radius {
		s.radius[i] = math.Inf(1)
	}
	defer s.keep()
	if s.close != nil {
		if err := s.scan(); err != nil {
			return err
		}
		if err := s.zoom(); err != nil || math.IsInf(floats.Min(s.radius), 1) {
			return err
		}
		s.Steps = 1
		return s.project()
	}
	if err := s.descend(); err != nil {
		return err
	}
	if math.IsInf(floats.Min(s.radius), 1) {
		if err := s.scan(); err != nil {
			return err
		}
	}
	for range s.Rounds {
		if err := s.project(); err != nil {
			return err
		}
	}
	return nil
}

// keep notes the nearest adversary of all rows.
func (s *search) keep() {
	if i := floats.MinIdx(s.radius); s.radius[i] < s.nearest {
		s.nearest, s.adversary = s.radius[i], s.found.RawRowView(i)
	}
}

// aim sets the inputs of a batch to distance 1 from the point, in directions that differ
// from the given one by about the given angle; nil stands for all directions.
func (s *search) aim(b *batch, center []float64, angle float64) {
	rows, d := b.x.Dims()
	for i, x := range rowsOf(b.x) {
		switch {
		case center != nil || d > 3:
			for j := range x {
				x[j] = s.rng.NormFloat64() * angle
			}
			if center != nil {
				floats.Add(x, center)
			}
		case d == 1:
			x[0] = float64(1 - 2*i)
		default: // even in angle, or on the spiral of equal areas
			height := 0.0
			if d == 3 {
				height = 1 - (2*float64(i)+1)/float64(rows)
				x[2] = height
			}
			turn := 2 * math.Pi * float64(i) / float64(rows)
			if d == 3 {
				turn = math.Pi * (1 + math.Sqrt(5)) * float64(i)
			}
			sin, cos := math.Sincos(turn)
			x[0], x[1] = math.Sqrt(1-height*height)*cos, math.Sqrt(1-height*height)*sin
		}
		floats.Scale(1/floats.Norm(x, 2), x)
		floats.Add(x, s.point)
	}
}

// scan looks along all directions at growing radii until one meets another class, and
// half as far again: a wedge that was missed may have its tip nearer.
func (s *search) scan() error {
	ratio := 1.15
	if len(s.point) == 1 {
		ratio = 1.002
	}
	s.aim(s.wide, nil, 1)
	directions := mat.DenseCopyOf(s.wide.x)
	for radius := 1e-3 * s.spread; radius < math.Min(1e4*s.spread, 1.5*floats.Min(s.radius)); radius *= ratio {
		for i, u := range rowsOf(directions) {
			along(s.wide.x.RawRowView(i), s.point, u, radius)
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
	return s.bisect(1/ratio, 10)
}

// zoom looks around the nearest local minima of the distance, each time within a smaller
// angle, for directions in which another class is nearer still.
func (s *search) zoom() error {
	rows, d := s.found.Dims()
	order, directions := make([]int, rows), mat.NewDense(rows, d, nil)
	floats.Argsort(slices.Clone(s.radius), order)
	spacing := 2 * math.Pow(12/float64(rows), 1/math.Max(float64(d-1), 1)) // generously
	zooms := 0
	for place, i := range order {
		if math.IsInf(s.radius[i], 1) || zooms == 8 {
			break
		}
		u := directions.RawRowView(i)
		floats.SubTo(u, s.found.RawRowView(i), s.point)
		floats.Scale(1/s.radius[i], u)
		if slices.ContainsFunc(order[:place], func(j int) bool { return floats.Distance(directions.RawRowView(j), u, 2) < spacing }) {
			continue
		}
		zooms++
		if err := s.approach(i, slices.Clone(u), spacing); err != nil {
			return err
		}
	}
	return nil
}

// approach lowers the radius of row i, at first along u.
func (s *search) approach(i int, u []float64, spacing float64) error {
	b := s.close
	for angle := spacing; angle > 1e-9; angle /= 3 {
		s.aim(b, u, angle)
		directions := mat.DenseCopyOf(b.x)
		low, high := s.radius[i]*math.Max(0, 1-8*angle), s.radius[i]
		for step, radius := 0, high; step < 8; step, radius = step+1, (low+high)/2 {
			for j, v := range rowsOf(directions) {
				along(b.x.RawRowView(j), s.point, v, radius)
			}
			if err := b.look(s.label, false); err != nil {
				return err
			}
			hit := slices.Index(b.other, true)
			if hit < 0 && step == 0 {
				break
			} else if hit < 0 {
				low = radius
				continue
			}
			high, s.radius[i] = radius, radius
			s.found.SetRow(i, b.x.RawRowView(hit))
			floats.SubTo(u, directions.RawRowView(hit), s.point)
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
	s.aim(b, nil, 1)
	for _, x := range rowsOf(b.x) {
		along(x, s.point, x, s.spread*s.rng.Float64())
	}
	for range s.Steps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			if g2 := floats.Dot(g, g); g2 > 0 && !b.other[i] {
				floats.AddScaled(b.x.RawRowView(i), -1.05*b.q[i]/g2, g)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0, 45)
}

// project runs projected gradient descent on the margins, from the nearest points of the
// tangents to the boundary at the adversaries, in balls of Shrink times their distances.
// The first look is at the starts themselves, which may be outside the balls. A row that
// is far behind goes on from near the best.
func (s *search) project() error {
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
		if g2 := floats.Dot(g, g); g2 > 0 {
			c := (floats.Dot(g, s.found.RawRowView(i)) - floats.Dot(g, s.point)) / g2
			floats.AddScaledTo(b.x.RawRowView(i), s.point, c*(1+1e-6), g)
		}
	}
	for step := range s.Steps {
		if err := b.look(s.label, true); err != nil {
			return err
		}
		for i, g := range rowsOf(b.gradient) {
			norm, x := floats.Norm(g, 2), b.x.RawRowView(i)
			if norm == 0 || b.other[i] {
				continue
			}
			// Steps fall from a quarter of the radius, so that they settle.
			floats.AddScaled(x, -0.25*s.radius[i]/(float64(step+1)*norm), g)
			if d := floats.Distance(x, s.point, 2); d > s.Shrink*s.radius[i] {
				along(x, s.point, x, s.Shrink*s.radius[i]/d)
			}
		}
	}
	if err := b.look(s.label, false); err != nil {
		return err
	}
	return s.bisect(0, 45)
}
