package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/internal/vector"
)

type parameterFile struct {
	Layers     []string // of a network, or the blocks of another model
	Parameters []float64
}

// SaveParameters writes parameters of a model to a file, atomically, with a checksum and
// the layers of a [Network] or the blocks of any other model. It is an error if a
// parameter is a NaN or an infinity.
func SaveParameters(path string, m qhnet.Model, theta []float64) error {
	vector.CheckLength("theta", len(theta), qhnet.NumParameters(m))
	if err := qhnet.CheckParameters(m, theta); err != nil {
		return fmt.Errorf("qhnet: %s is not written: %w", path, err)
	}
	return file.Write(path, parameterFile{partTexts(m), theta})
}

// LoadParameters reads parameters of a model from a file that [SaveParameters] wrote. It
// is an error if the file is damaged, holds a NaN or an infinity, or belongs to another
// model, with the first layer or block that differs.
func LoadParameters(path string, m qhnet.Model) (theta []float64, err error) {
	var stored parameterFile
	if err := file.Read(path, &stored); err != nil {
		return nil, err
	}
	if err := compareParts(stored.Layers, partTexts(m)); err != nil {
		return nil, fmt.Errorf("qhnet: %s: the parameters belong to another model: %w", path, err)
	}
	if want := qhnet.NumParameters(m); len(stored.Parameters) != want {
		return nil, fmt.Errorf("qhnet: %s holds %d parameters, the model has %d", path, len(stored.Parameters), want)
	}
	if err := qhnet.CheckParameters(m, stored.Parameters); err != nil {
		return nil, fmt.Errorf("qhnet: %s: %w", path, err)
	}
	return stored.Parameters, nil
}

// partTexts describes each part of a model by all that its parameters depend on.
func partTexts(m qhnet.Model) []string {
	var texts []string
	if n, ok := m.(*Network); ok {
		for part := range n.all {
			texts = append(texts, fmt.Sprintf("%s (%s, gives %s, %d parameters)", part.Name, part.text, part.Shape, part.Parameters))
		}
		return texts
	}
	for _, b := range m.Blocks() {
		texts = append(texts, fmt.Sprintf("%s (%s, shape %s)", b.Name, b.Kind, b.Shape))
	}
	return texts
}

// compareParts names the first difference.
func compareParts(stored, model []string) error {
	const end = "no further part"
	stored, model = append(stored, end), append(model, end)
	for i := range min(len(stored), len(model)) {
		if stored[i] != model[i] {
			return fmt.Errorf("the file has %s where the model has %s", stored[i], model[i])
		}
	}
	return nil
}

// An Initializer returns the standard deviation of the normal starting weights of a block with
// the given numbers of inputs and outputs of one unit.
type Initializer func(inputs, outputs int) float64

// He keeps the size of values through a ReLU: √(2/inputs) (He et al., arXiv:1502.01852).
func He(inputs, _ int) float64 { return root(inputs) }

// Glorot balances values and gradients: √(2/(inputs+outputs)) (Glorot, Bengio, AISTATS 2010).
func Glorot(inputs, outputs int) float64 { return root(inputs + outputs) }

func root(ends int) float64 {
	if ends < 1 {
		panic(fmt.Sprintf("qhnet: an initializer for %d inputs or outputs; it needs at least 1", ends))
	}
	return math.Sqrt(2 / float64(ends))
}

// Rescaled multiplies another initializer's standard deviation by a factor: below 1, towards
// the rich regime; above 1, towards the lazy one.
func Rescaled(factor float64, base Initializer) Initializer {
	if base == nil || !(factor >= 0) {
		panic(fmt.Sprintf("qhnet: Rescaled by %v, of a base that may be nil; give a factor of at least 0 and an Initializer, such as He", factor))
	}
	return func(inputs, outputs int) float64 { return factor * base(inputs, outputs) }
}

// Start returns new parameters: weights drawn by the initializer, scales 1, biases and shifts 0.
func (n *Network) Start(rng *rand.Rand, weights Initializer) []float64 {
	theta := make([]float64, n.plan().parameters())
	if rng == nil || weights == nil {
		panic("qhnet: Start needs a source of random numbers and an Initializer, such as rand.New(rand.NewPCG(1, 0)) and He")
	}
	for _, b := range n.plan().blocks {
		switch b.Kind {
		case "weight":
			deviation := weights(fans(b.Shape))
			vector.CheckFinite("the initializer's deviations", deviation)
			drawNormal(b.Of(theta), rng, deviation)
		case "scale":
			vector.Fill(b.Of(theta), 1)
		}
	}
	return theta
}

// fans returns how many inputs one output of a weight block sees, and how many outputs one
// input reaches.
func fans(shape []int) (inputs, outputs int) {
	window := qhnet.Shape(shape[2:]).Size()
	return shape[1] * window, shape[0] * window
}

func drawNormal(dst []float64, rng *rand.Rand, deviation float64) {
	for i := range dst {
		dst[i] = deviation * rng.NormFloat64()
	}
}
