package qhnet

import (
	"math"

	"qhlab/qhnet/internal/kernel"
)

// Loss is a loss L(q) of the margins in logarithmic form. Late in training L
// is far below the smallest float64, so only log L and derivatives of log L
// are ever formed. The n points have perPoint margins each, in order.
type Loss interface {
	// Log returns log L and sets weights to -∂ log L/∂q, all ≥ 0.
	Log(weights, q []float64, perPoint int) float64

	// Curvature sets dst to (∂² log L/∂q²) v at the q and weights of Log. It may
	// not alias v.
	Curvature(dst, weights, q, v []float64, perPoint int)
}

// Exponential is the loss
//
//	L = (1/n) Σ_j e^{-q_j},
//
// over all margins, whose weights are p = softmax(-q) and whose curvature is
// diag(p) - p pᵀ.
type Exponential struct{}

// Log implements [Loss].
func (Exponential) Log(weights, q []float64, perPoint int) float64 {
	total := logSumExpNegative(weights, q)
	return total - math.Log(float64(len(q)/perPoint))
}

// Curvature implements [Loss].
func (Exponential) Curvature(dst, weights, _, v []float64, _ int) {
	mean := 0.0
	for j, w := range weights {
		mean += w * v[j]
	}
	for j, w := range weights {
		dst[j] = w * (v[j] - mean)
	}
}

// Logistic is the logistic loss, with several margins a point the
// cross-entropy,
//
//	L = (1/n) Σ_k log(1 + Σ_c e^{-q_kc}).
//
// It tends to [Exponential] as the margins grow.
type Logistic struct{}

// Log implements [Loss].
func (Logistic) Log(weights, q []float64, perPoint int) float64 {
	largest := math.Inf(-1)
	for k := 0; k < len(q); k += perPoint {
		z := logSumExpNegative(weights[k:k+perPoint], q[k:k+perPoint])
		largest = max(largest, logSoftplus(z))
	}
	sum := 0.0
	for k := 0; k < len(q); k += perPoint {
		own := weights[k : k+perPoint]
		z := logSumExpAfter(own, q[k:k+perPoint])
		log := logSoftplus(z)
		sum += math.Exp(log - largest)
		scale := math.Exp(z - softplus(z) - largest) // σ(z) e^{-largest}
		for j := range own {
			own[j] *= scale
		}
	}
	for j := range weights {
		weights[j] /= sum
	}
	return largest + math.Log(sum) - math.Log(float64(len(q)/perPoint))
}

// Curvature implements [Loss]: diag(w) - w_k s_kᵀ within a point, with
// s_kc = e^{-q_kc}/(1 + Σ e^{-q_kc}), and -w wᵀ across points.
func (Logistic) Curvature(dst, weights, q, v []float64, perPoint int) {
	mean := 0.0
	for j, w := range weights {
		mean += w * v[j]
	}
	for k := 0; k < len(q); k += perPoint {
		log1p := softplus(logSumExpOnly(q[k : k+perPoint]))
		own := 0.0
		for j := k; j < k+perPoint; j++ {
			own += math.Exp(-q[j]-log1p) * v[j]
		}
		for j := k; j < k+perPoint; j++ {
			dst[j] = weights[j] * (v[j] - own - mean)
		}
	}
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

// logSumExpAfter returns log Σ e^{-q_j} once more: the smallest q has
// p = e^{-q}/Σ.
func logSumExpAfter(p, q []float64) float64 {
	smallest := 0
	for j, v := range q {
		if v < q[smallest] {
			smallest = j
		}
	}
	return -q[smallest] - math.Log(p[smallest])
}

func logSumExpOnly(q []float64) float64 {
	smallest := math.Inf(1)
	for _, v := range q {
		smallest = min(smallest, v)
	}
	sum := 0.0
	for _, v := range q {
		sum += math.Exp(smallest - v)
	}
	return math.Log(sum) - smallest
}

// softplus returns log(1 + e^z).
func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }

// logSoftplus returns log log(1 + e^z). Below z = -37, e^z is under half the
// spacing of float64 at 1 and the result is z.
func logSoftplus(z float64) float64 {
	if z < -37 {
		return z
	}
	return math.Log(softplus(z))
}
