package qhnet

import (
	"math"
	"math/rand/v2"
)

// An Initializer draws starting parameters of one block: entries that are normal
// with mean 0 and the standard deviation it returns for a block with the given
// numbers of inputs and outputs of one unit.
type Initializer func(inputs, outputs int) float64

// He keeps the size of values through a ReLU layer: √(2/inputs) (He et al.,
// arXiv:1502.01852).
func He(inputs, _ int) float64 { return math.Sqrt(2 / float64(inputs)) }

// Glorot balances values and gradients: √(2/(inputs+outputs)) (Glorot and
// Bengio, AISTATS 2010).
func Glorot(inputs, outputs int) float64 { return math.Sqrt(2 / float64(inputs+outputs)) }

// Rescaled multiplies another initializer's standard deviation by a factor: below
// 1, towards the rich regime; above 1, towards the lazy one.
func Rescaled(factor float64, base Initializer) Initializer {
	return func(inputs, outputs int) float64 { return factor * base(inputs, outputs) }
}

// Initialize sets θ to a start drawn from rng: weights by the initializer,
// scales 1, biases and shifts 0.
func (n *Network) Initialize(theta []float64, rng *rand.Rand, weights Initializer) {
	checkLength("theta", len(theta), n.plan.parameters())
	for _, b := range n.plan.blocks {
		part := b.Of(theta)
		switch b.Kind {
		case "weight":
			drawNormal(part, rng, weights(fans(b.Shape)))
		case "scale":
			fill(part, 1)
		default:
			clear(part)
		}
	}
}

// Start returns new parameters drawn by [Network.Initialize].
func (n *Network) Start(rng *rand.Rand, weights Initializer) []float64 {
	theta := make([]float64, n.plan.parameters())
	n.Initialize(theta, rng, weights)
	return theta
}

// fans returns how many inputs one output of a weight block sees, and how many
// outputs one input reaches, for shapes outputs×inputs×(window).
func fans(shape []int) (inputs, outputs int) {
	window := size(shape[2:])
	return shape[1] * window, shape[0] * window
}

func drawNormal(dst []float64, rng *rand.Rand, deviation float64) {
	for i := range dst {
		dst[i] = deviation * rng.NormFloat64()
	}
}
