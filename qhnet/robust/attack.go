// Package robust bounds distances to the decision boundary: attacks from above, certificates from below.
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

// Attack searches for the nearest input that [qhnet.Predict] gives another class, in the ℓ2
// distance. What it finds bounds the distance to the decision boundary from above.
//
// In up to three dimensions it divides space around the point into cells of an eighth of their
// distance, a quarter in three, from 1e-6 to 1e4 times the size of the data, and these again where
// margins and gradients at their corners and middle leave room for a zero. It misses only what is
// hidden between corners at which the margins are those of one linear function.
//
// In more dimensions it is local. From random starts it follows linearized steps to the
// boundary (Moosavi-Dezfooli et al., arXiv:1511.04599) and bisects the segment back to the
// point. Then it repeats projected gradient descent (Madry et al., arXiv:1706.06083) inside a
// ball a little smaller than the distance so far, from the boundary's tangent.
type Attack struct {
	Restarts int // starts for each point in more than three dimensions; 0 means 16
}

const (
	attackSteps  = 20   // gradient steps of one descent
	attackRounds = 12   // descents in a shrinking ball
	attackShrink = 0.98 // radius of the ball relative to the distance so far
)

// Distances returns for every point the smallest distance at which the attack found another class,
// and the inputs there, one row a point: zero and the point itself if it is misclassified already,
// +Inf and the point if nothing was found. Networks that mix points, as by batch normalization,
// must be frozen first (see [nn.Network.Freeze]). Classes may be without points. If ctx is
// cancelled, it returns what it has found so far and an error that wraps that of ctx.
//
// A point costs some 50,000 passes through the network in two dimensions, one or two million
// in three, and in more about 900 for each restart.
func (a Attack) Distances(ctx context.Context, n *nn.Network, theta []float64, set dataset.Set, rng *rand.Rand) ([]float64, *mat.Dense, error) {
	if ctx == nil || rng == nil {
		panic("qhnet: an attack needs a context and a source of random numbers, such as context.Background() and rand.New(rand.NewPCG(seed, 0))")
	}
	if a.Restarts < 0 || a.Restarts > 1e6 {
		return nil, nil, fmt.Errorf("qhnet: attack: Restarts = %d; use 1 to a million, or 0 for 16", a.Restarts)
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
	s := search{rng: rng, spread: cmp.Or(mat.Norm(set.X, 2)/math.Sqrt(float64(set.Len())), 1)}
	if err := s.bind(ctx, n, theta, cmp.Or(a.Restarts, 16)); err != nil {
		return nil, nil, err
	}
	for k, class := range classes {
		if class != set.Labels[k] {
			continue
		}
		distances[k] = math.Inf(1)
		if err == nil { // the points after a failure are not attacked
			err = s.attack(set.X.RawRowView(k), class)
			if i := floats.MinIdx(s.radius); s.radius[i] < math.Inf(1) {
				adversaries.SetRow(k, s.found.RawRowView(i))
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
