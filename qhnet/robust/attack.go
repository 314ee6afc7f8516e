// Package robust bounds the distance of points to the decision boundary: an attack from
// above, a certificate from below.
package robust

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/dataset"
	"qhlab/qhnet/nn"
)

// Attack searches for the nearest input of another class, in the ℓ2 distance.
// What it finds bounds the distance to the decision boundary from above; it
// never proves that nothing is nearer.
//
// From a random start around the point it follows linearized steps to the
// boundary (Moosavi-Dezfooli et al., arXiv:1511.04599) and bisects the segment back
// to the point. Then it repeats projected gradient descent (Madry et al.,
// arXiv:1706.06083) inside a ball a little smaller than the best distance so far,
// starting at the nearest point of the boundary's tangent. The zero value is a
// good attack.
type Attack struct {
	Restarts int     // starts for each point; 0 means 8
	Steps    int     // gradient steps of one descent; 0 means 20
	Rounds   int     // descents in a shrinking ball; 0 means 12
	Shrink   float64 // radius of the ball relative to the best distance; 0 means 0.98
}

func (a Attack) withDefaults() Attack {
	return Attack{
		Restarts: cmp.Or(a.Restarts, 8), Steps: cmp.Or(a.Steps, 20),
		Rounds: cmp.Or(a.Rounds, 12), Shrink: cmp.Or(a.Shrink, 0.98),
	}
}

// Distances returns for every point the smallest distance at which the attack
// found another class, and the inputs there, one row a point: zero and the point
// itself if it is misclassified already, +Inf and the point if nothing was found.
// Networks that mix points, such as those with batch normalization, must be
// frozen first (see [nn.Network.Freeze]); otherwise the result is an error. Classes
// may be without points. If ctx is cancelled, it returns what it has found so far,
// which still bounds from above, and an error that wraps that of ctx.
//
// A point costs about Restarts·(1 + Rounds)·(2·Steps + 50) passes through the
// network.
func (a Attack) Distances(ctx context.Context, n *nn.Network, theta []float64, set dataset.Set, rng *rand.Rand) ([]float64, *mat.Dense, error) {
	a = a.withDefaults()
	v, err := newVictim(n, theta, set)
	if err != nil {
		return nil, nil, err
	}
	s := newSearch(v, rng)
	if err := s.begin(); err != nil {
		return nil, nil, err
	}
	for range a.Restarts {
		err := ctx.Err()
		if err == nil {
			err = s.descend(a.Steps)
		}
		for i := 0; i < a.Rounds && err == nil; i++ {
			if err = ctx.Err(); err == nil {
				err = s.project(a.Steps, a.Shrink)
			}
		}
		if err != nil {
			return s.best, s.adversary, fmt.Errorf("qhnet: attack: %w", err)
		}
	}
	return s.best, s.adversary, nil
}

// victim evaluates the smallest margin of each point, and its gradient in the
// input, at inputs that change.
type victim struct {
	e       *nn.Evaluation
	theta   []float64
	labels  []int
	points  *mat.Dense // the clean inputs
	weights []float64
}

func newVictim(n *nn.Network, theta []float64, set dataset.Set) (*victim, error) {
	if err := qhnet.CheckPoints(n, set); err != nil {
		return nil, err
	}
	if layer := n.MixesPoints(); layer != "" {
		return nil, fmt.Errorf("qhnet: attack: %s mixes the points of a batch, so a point alone has no class; attack the frozen network", layer)
	}
	e, err := n.Bind(set.X)
	if err != nil {
		return nil, err
	}
	return &victim{
		e: e.(*nn.Evaluation), theta: theta, labels: set.Labels, points: set.X,
		weights: make([]float64, set.Len()*n.Outputs()),
	}, nil
}

// margins sets q to the smallest margin of each row of x and, unless gradient is
// nil, its rows to the margins' gradients.
func (v *victim) margins(q []float64, gradient, x *mat.Dense) error {
	v.e.SetInputs(x)
	f, err := v.e.Forward(v.theta)
	if err != nil {
		return err
	}
	c := len(f) / len(v.labels)
	clear(v.weights)
	for k, y := range v.labels {
		own, w := f[k*c:(k+1)*c], v.weights[k*c:(k+1)*c]
		if c == 1 {
			w[0] = float64(2*y - 1)
			q[k] = w[0] * own[0]
			continue
		}
		rival := strongestRival(own, y)
		w[y], w[rival] = 1, -1
		q[k] = own[y] - own[rival]
	}
	if gradient != nil {
		v.e.InputGradient(gradient, v.weights)
	}
	return nil
}

func strongestRival(outputs []float64, y int) int {
	rival := -1
	for c, f := range outputs {
		if c != y && (rival < 0 || f > outputs[rival]) {
			rival = c
		}
	}
	return rival
}

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
