package qhnet

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
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
// frozen first (see [Network.Freeze]); otherwise the result is an error. Classes
// may be without points. If ctx is cancelled, it returns what it has found so far,
// which still bounds from above, and an error that wraps that of ctx.
//
// A point costs about Restarts·(1 + Rounds)·(2·Steps + 50) passes through the
// network.
func (a Attack) Distances(ctx context.Context, n *Network, theta []float64, set dataset.Set, rng *rand.Rand) ([]float64, *mat.Dense, error) {
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
	e       *NetworkEvaluation
	theta   []float64
	labels  []int
	points  *mat.Dense // the clean inputs
	weights []float64
}

func newVictim(n *Network, theta []float64, set dataset.Set) (*victim, error) {
	if err := checkEvaluation(n, set); err != nil {
		return nil, err
	}
	for _, s := range n.plan.stages {
		if s.coupled {
			return nil, fmt.Errorf("qhnet: attack: %s mixes the points of a batch, so a point alone has no class; attack the frozen network", s.layer)
		}
	}
	e, err := n.Bind(set.X)
	if err != nil {
		return nil, err
	}
	return &victim{
		e: e.(*NetworkEvaluation), theta: theta, labels: set.Labels, points: set.X,
		weights: make([]float64, set.Len()*n.outputs),
	}, nil
}

// margins sets q to the smallest margin of each row of x and, unless gradient is
// nil, its rows to the margins' gradients.
func (v *victim) margins(q []float64, gradient, x *mat.Dense) error {
	n, d := x.Dims()
	for k := range n {
		copy(v.e.signals[0].value[k*d:], x.RawRowView(k))
	}
	f, err := v.e.Forward(v.theta)
	if err != nil {
		return err
	}
	c := len(f) / n
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
