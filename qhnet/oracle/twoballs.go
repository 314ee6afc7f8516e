package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
	"qhlab/qhnet/internal/vector"
	"qhlab/qhnet/nn"
)

// TwoBalls is the data set of two classes that fill the balls of one radius
// around μ and -μ, and the closed form of what a model with a split of the
// coordinates into a highest-rate group H and a rest R does on it,
//
//	f(x; θ) = w_H·x_H + a (w_R·x_R),   rates 1 | ½, ½.
//
// With m1 = ‖μ_H‖ and m2 = ‖μ_R‖, gradient flow ends in the direction, the optimum,
//
//	β̂ = ( √(r²-m2²) μ_H/m1 , μ_R ) / r   if r > m2 (H is needed)
//	β̂ = ( 0 , μ_R/m2 )                   if r < m2 (H is discarded)
//
// while the Euclidean norm of β keeps β̂ = μ/‖μ‖. The distance from the balls to the
// decision boundary touches zero at r = m2 from both sides.
//
// The closed form is the optimum for any depths D_H < D_R with shared scales, but a flow
// need not come to it: where D_H ≥ 3, R may be given up although the optimum has it.
// Close to β_R = 0 its factors move in log log(1/L) at a speed ∝ log(1/L)^{2/D_H - 1},
// which is integrable for D_H ≥ 3, so a flow that starts near the axis of H, or comes
// there, ends at β̂ = (μ_H/m1, 0): a KKT point that is not optimal. From [TwoBalls.Start],
// for μ at 9°, 27°, 45°, 63° and 81° to the axis of H, r = 0.35 and 0.8 and sizes 0.3 and
// 2, flows to log(1/L) = 1e7 approach the closed form as follows; all others freeze.
//
//	D_H, D_R   H is needed     H is not needed
//	1, 2       8 of  8        12 of 12
//	1, 3       8 of  8        12 of 12
//	1, 4       8 of  8        12 of 12
//	1, 5       8 of  8        12 of 12
//	2, 3       8 of  8        12 of 12
//	2, 4       8 of  8        12 of 12
//	2, 5       8 of  8        12 of 12
//	3, 4       4 of  8        12 of 12
//	3, 5       4 of  8        12 of 12
//	4, 5       4 of  8        10 of 12
//
// The optimum has the least ‖w_H‖ at margin one, and if that is 0 the least ‖β_R‖. What such a
// norm costs in robustness is the question of Kunin et al. (arXiv:2210.03820).
type TwoBalls struct {
	Center []float64 // μ, the centre of class 1
	High   []int     // coordinates of H, the highest-rate group
	Radius float64   // r < ‖μ‖
}

// Check returns an error if the balls touch, a centre is not finite, or H is no set of coordinates.
func (b TwoBalls) Check() error {
	seen := map[int]bool{}
	for _, j := range b.High {
		if j < 0 || j >= len(b.Center) || seen[j] {
			return fmt.Errorf("qhnet: two balls: High = %v is not a set of coordinates 0..%d", b.High, len(b.Center)-1)
		}
		seen[j] = true
	}
	norm := floats.Norm(b.Center, 2)
	if !(b.Radius >= 0 && b.Radius < norm) || math.IsInf(norm, 0) {
		return fmt.Errorf("qhnet: two balls: the radius %v must be at least 0 and below ‖μ‖ = %v, which must be finite", b.Radius, norm)
	}
	return nil
}

// split returns m1 = ‖μ_H‖ and m2 = ‖μ_R‖.
func (b TwoBalls) split() (m1, m2 float64) {
	b.mustCheck()
	for j, v := range b.Center {
		if slices.Contains(b.High, j) {
			m1 = math.Hypot(m1, v)
		} else {
			m2 = math.Hypot(m2, v)
		}
	}
	return m1, m2
}

// RestNorm returns m2 = ‖μ_R‖.
func (b TwoBalls) RestNorm() float64 {
	_, m2 := b.split()
	return m2
}

// Discards reports whether the rest alone separates the balls, r < m2.
func (b TwoBalls) Discards() bool {
	return b.Radius < b.RestNorm()
}

// Direction sets dst to the unit normal β̂ of the flow's limit and returns it. If
// dst is nil, a new slice is allocated. It panics if Check fails.
func (b TwoBalls) Direction(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(b.Center))
	}
	vector.CheckLength("dst", len(dst), len(b.Center))
	m1, m2 := b.split()
	high, rest := 0.0, 1/m2 // the factors of μ_H and μ_R
	switch {
	case m2 == 0: // nothing but H, whatever the radius
		high, rest = 1/m1, 0
	case b.Radius >= m2:
		high, rest = math.Sqrt((b.Radius-m2)*(b.Radius+m2))/m1/b.Radius, 1/b.Radius
	}
	for j, v := range b.Center {
		dst[j] = rest * v
		if slices.Contains(b.High, j) {
			dst[j] = high * v
		}
	}
	return dst
}

// Robustness returns the distance from the balls to the flow's decision boundary,
//
//	√(r²-m2²) (m1 - √(r²-m2²)) / r   if r > m2
//	m2 - r                           if r < m2.
//
// It panics if Check fails.
func (b TwoBalls) Robustness() float64 {
	m1, m2 := b.split()
	switch {
	case m2 == 0:
		return m1 - b.Radius
	case b.Radius < m2:
		return m2 - b.Radius
	}
	s := math.Sqrt((b.Radius - m2) * (b.Radius + m2))
	return s * (m1 - s) / b.Radius
}

// BestRobustness returns ‖μ‖ - r, which the direction μ attains.
func (b TwoBalls) BestRobustness() float64 {
	b.mustCheck()
	return floats.Norm(b.Center, 2) - b.Radius
}

// RobustnessOf returns the distance β̂·μ - r from the balls to the hyperplane
// β·x = 0, negative if it cuts them or has them on the wrong side, and NaN for β = 0.
func (b TwoBalls) RobustnessOf(beta []float64) float64 {
	b.mustCheck()
	vector.CheckLength("beta", len(beta), len(b.Center))
	vector.CheckFinite("beta", beta...)
	return floats.Dot(beta, b.Center)/floats.Norm(beta, 2) - b.Radius
}

// Centers returns the centres as points for [qhnet.NewBallMargins] and [NewLinearMargins].
func (b TwoBalls) Centers() dataset.Set {
	b.mustCheck()
	d := len(b.Center)
	x := mat.NewDense(2, d, nil)
	floats.AddScaled(x.RawRowView(0), 1, b.Center)
	floats.AddScaled(x.RawRowView(1), -1, b.Center)
	return dataset.Set{Name: "two balls, centres", X: x, Labels: []int{1, 0}, Classes: 2}
}

// Sample draws n points uniformly from each ball's surface. Samples have their own optimum:
// with 64 points on each circle around ±(1, 0.6) and r > m2, its direction is 0.015 from the
// closed form in half of the samples, and 0.06 or more in one of ten. It panics if Check
// fails or n is not positive.
func (b TwoBalls) Sample(n int, rng *rand.Rand) dataset.Set {
	b.mustCheck()
	d := len(b.Center)
	if rng == nil {
		panic("qhnet: two balls: rng is nil; use rand.New(rand.NewPCG(seed, 0))")
	}
	if n < 1 || float64(n)*float64(d) > 1<<30 {
		panic(fmt.Sprintf("qhnet: two balls: a sample of %d points in %d dimensions; use a positive number, and at most 2³⁰ entries", n, d))
	}
	x := mat.NewDense(2*n, d, nil)
	labels := make([]int, 2*n)
	offset := make([]float64, d)
	for k := range 2 * n {
		for j := range offset {
			offset[j] = rng.NormFloat64()
		}
		floats.Scale(b.Radius/floats.Norm(offset, 2), offset)
		if k < n {
			labels[k] = 1
		}
		floats.AddScaledTo(x.RawRowView(k), offset, float64(2*labels[k]-1), b.Center)
	}
	return dataset.Set{Name: "two balls, sampled", X: x, Labels: labels, Classes: 2}
}

// Groups returns the split as two groups, H of depth high and the rest of depth
// rest, each one vector times shared scales, for the model [nn.Groups].
func (b TwoBalls) Groups(high, rest int) []nn.Group {
	b.mustCheck()
	var others []int
	for j := range b.Center {
		if !slices.Contains(b.High, j) {
			others = append(others, j)
		}
	}
	groups := []nn.Group{{Name: "H", Coordinates: slices.Clone(b.High), Depth: high}, {Name: "R", Coordinates: others, Depth: rest}}
	return slices.DeleteFunc(groups, func(g nn.Group) bool { return len(g.Coordinates) == 0 })
}

// Start returns parameters of Groups(b.Groups(…)...) with β = size·μ, which separates the
// balls: the first factor of β_j is size·μ_j, all others are 1, and a bias is 0. From
// elsewhere the flow on exact balls may shrink β to zero, where the margin has a kink.
func (b TwoBalls) Start(model *nn.Product, size float64) []float64 {
	vector.CheckLength("the model's inputs", model.Inputs(), len(b.Center))
	return model.Start(b.Center, size)
}

func (b TwoBalls) mustCheck() {
	if err := b.Check(); err != nil {
		panic(err.Error())
	}
}

// BiasOnLine returns the limit of f = w1 w2 x + b, rates ½, ½ | 1, on points of
// the line: w = w1 w2 and b after rescaling the smallest margin to 1. The bias
// has the highest rate, so |b| is minimized first. With right the smallest input
// of class +1 and left the largest of class -1, left < right,
//
//	w = 2/(right-left), b = -(right+left)/(right-left)   if 0 ∉ (left, right)
//	w = 1/min(right, -left), b = 0                       otherwise.
//
// The first boundary is the midpoint, the second is the origin.
func BiasOnLine(left, right float64) (w, b float64) {
	if !(left < right) || math.IsInf(right-left, 0) {
		panic(fmt.Sprintf("qhnet: BiasOnLine(%v, %v): the classes overlap, or are not finite", left, right))
	}
	if left < 0 && right > 0 {
		w = 1 / math.Min(right, -left)
	} else {
		w, b = 2/(right-left), -(right+left)/(right-left)
	}
	vector.CheckFinite("the line through classes so close", w, b)
	return w, b
}
