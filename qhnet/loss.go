package qhnet

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
	"qhlab/qhnet/internal/vector"
)

// Loss is a loss L(q) of the margins. Late in training L is far below the smallest float64,
// so only log L and its derivatives are formed. The n points have perPoint margins each.
type Loss interface {
	// Log returns log L and sets weights to -∂ log L/∂q, all ≥ 0.
	Log(weights, q []float64, perPoint int) float64

	// Curvature sets dst to (∂² log L/∂q²) v at the q and weights of Log. It may
	// not alias v.
	Curvature(dst, weights, q, v []float64, perPoint int)
}

// Separating is a loss that is small only where all points are classified
// correctly. Without it a flow looks at the margins themselves.
type Separating interface {
	// SeparatedBelow returns the s > 0 for which nL < s makes every margin positive.
	SeparatedBelow() float64
}

// Exponential is the loss
//
//	L = (1/n) Σ_j e^{-q_j},
//
// over all margins, whose weights are p = softmax(-q) and whose curvature is
// diag(p) - p pᵀ.
type Exponential struct{}

// SeparatedBelow implements [Separating]: a margin q ≤ 0 alone adds e^{-q} ≥ 1.
func (Exponential) SeparatedBelow() float64 { return 1 }

// Log implements [Loss].
func (Exponential) Log(weights, q []float64, perPoint int) float64 {
	checkMargins(weights, q, perPoint)
	total := logSumExpNegative(weights, q)
	return total - math.Log(float64(len(q)/perPoint))
}

// Curvature implements [Loss].
func (Exponential) Curvature(dst, weights, q, v []float64, perPoint int) {
	checkMargins(weights, q, perPoint)
	vector.CheckLength("dst", len(dst), len(q))
	vector.CheckLength("v", len(v), len(q))
	mean := weighted(weights, v)
	for j, w := range weights {
		dst[j] = w * (v[j] - mean)
	}
}

// weighted returns Σ w_j v_j, always in the same order.
func weighted(weights, v []float64) (sum float64) {
	for j, w := range weights {
		sum += w * v[j]
	}
	return sum
}

// Logistic is the logistic loss, with several margins a point the cross-entropy,
//
//	L = (1/n) Σ_k log(1 + Σ_c e^{-q_kc}).
//
// It tends to [Exponential] as the margins grow.
type Logistic struct{}

// SeparatedBelow implements [Separating]: a margin q ≤ 0 alone adds
// log(1 + e^{-q}) ≥ log 2.
func (Logistic) SeparatedBelow() float64 { return math.Ln2 }

// Log implements [Loss].
func (Logistic) Log(weights, q []float64, perPoint int) float64 {
	checkMargins(weights, q, perPoint)
	for k := 0; k < len(q); k += perPoint {
		own, smallest := q[k:k+perPoint], slices.Min(q[k:k+perPoint])
		for j, v := range own {
			weights[k+j] = smallest - v
		}
	}
	kernel.Exp(weights, weights, 1, 0)
	highest := math.Inf(-1)
	for k := 0; k < len(q); k += perPoint {
		highest = max(highest, logSum(weights[k:k+perPoint], q[k:k+perPoint]))
	}
	sum, unit := 0.0, kernel.Softplus(highest)
	logUnit := math.Log(unit)
	if highest < tinySoftplus {
		logUnit = highest
	}
	for k := 0; k < len(q); k += perPoint {
		own := weights[k : k+perPoint]
		z := logSum(own, q[k:k+perPoint])
		loss, slope := kernel.Softplus(z)/unit, kernel.Sigmoid(z)/unit
		if highest < tinySoftplus {
			loss = math.Exp(z - highest)
			slope = loss
		}
		sum += loss
		floats.Scale(slope/floats.Sum(own), own)
	}
	floats.Scale(1/sum, weights)
	return logUnit + math.Log(sum) - math.Log(float64(len(q)/perPoint))
}

// logSum returns log Σ e^{-q_j} of one point, given e = e^{min q - q}.
func logSum(e, q []float64) float64 { return math.Log(floats.Sum(e)) - slices.Min(q) }

// Curvature implements [Loss]: diag(w) - w_k s_kᵀ within a point, with
// s_kc = e^{-q_kc}/(1 + Σ e^{-q_kc}), and -w wᵀ across points.
func (Logistic) Curvature(dst, weights, q, v []float64, perPoint int) {
	checkMargins(weights, q, perPoint)
	vector.CheckLength("dst", len(dst), len(q))
	vector.CheckLength("v", len(v), len(q))
	mean := weighted(weights, v)
	for k := 0; k < len(q); k += perPoint {
		log1p := kernel.Softplus(logSumExpOnly(q[k : k+perPoint]))
		own := 0.0
		for j := k; j < k+perPoint; j++ {
			own += math.Exp(-q[j]-log1p) * v[j]
		}
		for j := k; j < k+perPoint; j++ {
			dst[j] = weights[j] * (v[j] - own - mean)
		}
	}
}

// checkMargins panics unless there are whole points, and a weight for each of their margins.
func checkMargins(weights, q []float64, perPoint int) {
	if perPoint < 1 || len(q) == 0 || len(q)%perPoint != 0 {
		panic(fmt.Sprintf("qhnet: a loss of %d margins, %d a point; use whole points, at least one", len(q), perPoint))
	}
	vector.CheckLength("weights", len(weights), len(q))
}

// logSumExpNegative returns log Σ e^{-q_j} and sets p to softmax(-q).
func logSumExpNegative(p, q []float64) float64 {
	smallest := kernel.Min(q)
	sum := kernel.Exp(p, q, -1, smallest)
	for j := range p {
		p[j] /= sum
	}
	return math.Log(sum) - smallest
}

func logSumExpOnly(q []float64) float64 {
	smallest, sum := slices.Min(q), 0.0
	for _, v := range q {
		sum += math.Exp(smallest - v)
	}
	return math.Log(sum) - smallest
}

// Below tinySoftplus, e^z is under half the spacing of float64 at 1, and log(1 + e^z)
// is e^z.
const tinySoftplus = -37
