package qhnet

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"qhlab/qhnet/internal/vector"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Rescale sets dst, or a new slice if that is nil, to the point of the characteristic curve of
// θ at α,
//
//	ψ_α(θ)_i = e^{α λ_i} θ_i,
//
// and returns it; dst may be theta. A result too large for a float64 is ±Inf.
func Rescale(dst []float64, alpha float64, rates *Rates, theta []float64) []float64 {
	lambda := rates.lambda(theta)
	vector.CheckFinite("alpha", alpha)
	if dst == nil {
		dst = make([]float64, len(theta))
	}
	vector.CheckLength("dst", len(dst), len(theta))
	rate, factor := 0.0, 1.0
	for i, v := range theta {
		if lambda[i] != rate {
			rate = lambda[i]
			factor = math.Exp(alpha * rate / 2)
		}
		// Twice the square root, so that e^{αλ} alone may overflow or underflow.
		dst[i] = v * factor * factor
	}
	return dst
}

// Curve returns the points ψ_α(θ) of the characteristic curve through θ, one
// row for each α. Its tangent at θ is Λθ.
func Curve(alphas []float64, rates *Rates, theta []float64) *mat.Dense {
	if len(alphas) == 0 {
		panic("qhnet: Curve without points; give it some α")
	}
	points := mat.NewDense(len(alphas), len(theta), nil)
	for k, alpha := range alphas {
		Rescale(points.RawRowView(k), alpha, rates, theta)
	}
	return points
}

// Seminorm returns the Λ-seminorm
//
//	‖θ‖_Λ = (Σ λ_i θ_i²)^{1/2}.
func Seminorm(rates *Rates, theta []float64) float64 {
	sum := 0.0
	for rate, run := range runs(rates.lambda(theta), theta) {
		sum = math.Hypot(sum, math.Sqrt(rate)*blas64.Nrm2(vector.BLAS(run)))
	}
	return sum
}

// MaxSeminorm returns the Λmax-seminorm, that of the parameters of the highest rate alone,
//
//	‖θ‖_Λmax = (Σ_{i: λ_i = λ_max} λ_i θ_i²)^{1/2},
//
// where discarded parameters do not count.
func MaxSeminorm(rates *Rates, theta []float64) float64 {
	rates.lambda(theta)
	rate, blocks := rates.Max()
	sum := 0.0
	for _, b := range blocks {
		sum = math.Hypot(sum, blas64.Nrm2(vector.BLAS(rates.blocks[b].Of(theta))))
	}
	return math.Sqrt(rate) * sum
}

// isHighest tells whether a rate is the highest. Rates that are equal as fractions
// may differ in their last digits.
func isHighest(rate, highest float64) bool { return rate >= highest*(1-1e-12) }

// NormalizedTime returns τ(θ), the one solution of
//
//	‖ψ_{-τ}(θ)‖_Λ = 1,
//
// the position of θ on its characteristic curve. It is an error if θ has no
// non-zero parameter of positive rate, or one that is not finite.
//
// With the sum in log form, g(τ) = log Σ λ_i e^{-2λ_i τ} θ_i² = 0, g is convex and
// decreasing and neither overflows nor underflows. The time at which the largest term is 1
// lies left of the root, so Newton's method rises to it from there without safeguards.
func NormalizedTime(rates *Rates, theta []float64) (float64, error) {
	if i := vector.NotFinite(theta); i >= 0 {
		return 0, fmt.Errorf("qhnet: normalized time: parameter %d is %v; every parameter must be finite", i, theta[i])
	}
	lambda := rates.lambda(theta)
	tau := math.Inf(-1)
	for rate, run := range runs(lambda, theta) {
		if c := logTerm(rate, run); c > math.Inf(-1) {
			tau = max(tau, c/(2*rate))
		}
	}
	if math.IsInf(tau, -1) {
		return 0, errors.New("qhnet: normalized time: all parameters of positive rate are zero")
	}
	// A step on a sum of k exponentials at least halves the logarithm of the number of terms that
	// matter, so 100 steps are never used up.
	for range 100 {
		value, slope := logSeminorm(lambda, theta, tau)
		next := tau - value/slope
		if !(next > tau) {
			break
		}
		tau = next
	}
	return tau, nil
}

// logSeminorm returns g(τ) and its derivative, with the largest exponent taken out of the sums.
func logSeminorm(lambda, theta []float64, tau float64) (value, slope float64) {
	largest, sum, weighted := math.Inf(-1), 0.0, 0.0
	for rate, run := range runs(lambda, theta) {
		exponent := logTerm(rate, run) - 2*rate*tau
		switch {
		case math.IsInf(exponent, -1):
			continue
		case exponent > largest:
			shrink := math.Exp(largest - exponent)
			sum, weighted, largest = sum*shrink, weighted*shrink, exponent
		}
		term := math.Exp(exponent - largest)
		sum += term
		weighted += rate * term
	}
	return largest + math.Log(sum), -2 * weighted / sum
}

// logTerm returns log(λ ‖θ_run‖²), -Inf if it does not count.
func logTerm(rate float64, run []float64) float64 {
	if rate == 0 {
		return math.Inf(-1)
	}
	return math.Log(rate) + 2*math.Log(blas64.Nrm2(vector.BLAS(run)))
}

// Normalize sets dst, or a new slice if that is nil, to the normalized parameters
//
//	θ̂ = ψ_{-τ(θ)}(θ),   ‖θ̂‖_Λ = 1,
//
// and returns them with τ(θ); dst may be theta. Its errors are those of [NormalizedTime].
func Normalize(dst []float64, rates *Rates, theta []float64) (normalized []float64, tau float64, err error) {
	tau, err = NormalizedTime(rates, theta)
	if err != nil {
		return nil, 0, err
	}
	return Rescale(dst, -tau, rates, theta), tau, nil
}

// EulerResidual returns by how much Euler's identity Σ λ_i θ_i ∂_i f = f is missed at θ:
//
//	max_k |⟨∇f_k, Λθ⟩ - f_k| / max_k |f_k|.
func EulerResidual(e Evaluation, rates *Rates, theta []float64) (float64, error) {
	f, err := forward(e, rates, theta)
	if err != nil {
		return 0, err
	}
	derivative := make([]float64, len(f))
	e.Directional(derivative, floats.MulTo(make([]float64, len(theta)), rates.lambda(theta), theta))
	return relativeDifference(derivative, f), nil
}

// ScalingResidual returns by how much f(ψ_α θ) = e^α f(θ) is missed:
//
//	max_k |e^{-α} f_k(ψ_α θ) - f_k(θ)| / max_k |f_k(θ)|.
func ScalingResidual(e Evaluation, alpha float64, rates *Rates, theta []float64) (float64, error) {
	f, err := forward(e, rates, theta)
	if err != nil {
		return 0, err
	}
	want := slices.Clone(f)
	f, err = e.Forward(Rescale(nil, alpha, rates, theta))
	if err != nil {
		return 0, fmt.Errorf("qhnet: scaling by α = %v: %w", alpha, err)
	}
	have := slices.Clone(f)
	floats.Scale(math.Exp(-alpha), have)
	return relativeDifference(have, want), nil
}

// forward evaluates the point of a residual.
func forward(e Evaluation, rates *Rates, theta []float64) ([]float64, error) {
	vector.CheckLength("theta", len(theta), rates.parameters())
	if e == nil {
		panic("qhnet: a residual of no Evaluation; make one by a model's Bind, and look at its error")
	}
	return e.Forward(theta)
}

// relativeDifference returns max |a - b| / max |b|.
func relativeDifference(a, b []float64) float64 {
	difference, size := 0.0, 0.0
	for k := range b {
		difference = max(difference, math.Abs(a[k]-b[k]))
		size = max(size, math.Abs(b[k]))
	}
	if difference == 0 {
		return 0
	}
	return difference / size
}

// runs yields the rates and the stretches of v on which they are constant.
func runs(lambda, v []float64) iter.Seq2[float64, []float64] {
	return func(yield func(float64, []float64) bool) {
		for start, end := 0, 0; start < len(lambda); start = end {
			for end < len(lambda) && (end == start || lambda[end] == lambda[start]) {
				end++
			}
			if !yield(lambda[start], v[start:end]) {
				return
			}
		}
	}
}
