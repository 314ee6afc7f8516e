package experiment

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/vector"
)

// Powers is the linear model whose coefficients are powers of single parameters,
//
//	f(x; θ) = Σ_j β_j x_j,   β_j = sign(θ_j) |θ_j|^{1/λ_j},   0 < λ_j ≤ 1,
//
// so that coordinate j has any rate λ_j. For λ_j = 1/D it flows like a product of
// D equal factors, up to a change of units.
type Powers struct {
	rates []float64
}

// NewPowers returns the model with the given rates.
func NewPowers(rates ...float64) *Powers {
	if len(rates) == 0 {
		panic("experiment: a model without rates; give one for each coordinate")
	}
	for j, rate := range rates {
		if !(rate >= 1e-3 && rate <= 1) {
			panic(fmt.Sprintf("experiment: the rate of coordinate %d is %v, want 1e-3 ≤ λ ≤ 1", j, rate))
		}
	}
	return &Powers{rates}
}

// Outputs returns 1; it implements qhnet.Model.
func (p *Powers) Outputs() int { return 1 }

// Blocks returns one block for each coordinate; it implements qhnet.Model.
func (p *Powers) Blocks() []qhnet.Block {
	blocks := make([]qhnet.Block, len(p.rates))
	for j := range blocks {
		name := fmt.Sprintf("x%d", j+1)
		blocks[j] = qhnet.Block{Name: name, Layer: name, Kind: "weight", Shape: []int{1}, Offset: j}
	}
	return blocks
}

// ScalingRules asks 1/λ_j times the rate of coordinate j to be 1; it implements
// qhnet.Model.
func (p *Powers) ScalingRules() []qhnet.ScalingRule {
	rules := make([]qhnet.ScalingRule, len(p.rates))
	for j, block := range p.Blocks() {
		rules[j] = qhnet.ScalingRule{Layer: block.Layer, Total: 1, Coefficients: make([]float64, len(p.rates)),
			Reason: block.Layer + " is a power of one parameter, which must scale like the output."}
		rules[j].Coefficients[j] = 1 / p.rates[j]
	}
	return rules
}

// Coefficients sets dst to β and returns it. If dst is nil, a new slice is
// allocated.
func (p *Powers) Coefficients(dst, theta []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(p.rates))
	}
	vector.CheckLength("dst", len(dst), len(p.rates))
	vector.CheckLength("theta", len(theta), len(p.rates))
	for j, v := range theta {
		dst[j] = math.Copysign(math.Pow(math.Abs(v), 1/p.rates[j]), v)
	}
	return dst
}

// Bind implements qhnet.Model.
func (p *Powers) Bind(x *mat.Dense) (qhnet.Evaluation, error) {
	vector.CheckMatrix("x", x)
	n, d := x.Dims()
	if d != len(p.rates) {
		return nil, fmt.Errorf("experiment: inputs have %d coordinates, but the model takes %d", d, len(p.rates))
	}
	inputs := mat.DenseCopyOf(x)
	if vector.NotFinite(inputs.RawMatrix().Data) >= 0 {
		return nil, errors.New("experiment: the inputs hold a NaN or an infinity")
	}
	return &powersEvaluation{
		model: p, inputs: inputs, outputs: make([]float64, n),
		beta: make([]float64, d), first: make([]float64, d), second: make([]float64, d), scratch: make([]float64, d),
	}, nil
}

// powersEvaluation keeps β and its first and second derivatives by θ, the second
// being 0 at θ_j = 0, where for λ_j ≥ 1/2 the limits from right and left differ.
type powersEvaluation struct {
	model               *Powers
	inputs              *mat.Dense
	outputs             []float64
	beta, first, second []float64
	scratch             []float64
}

func (e *powersEvaluation) Forward(theta []float64) ([]float64, error) {
	e.model.Coefficients(e.beta, theta)
	for j, v := range theta {
		power := 1 / e.model.rates[j]
		e.first[j] = power * math.Pow(math.Abs(v), power-1)
		e.second[j] = 0
		if power != 1 && v != 0 {
			e.second[j] = (power - 1) * e.first[j] / v
		}
	}
	e.apply(e.outputs, e.beta)
	if k := vector.NotFinite(e.outputs); k >= 0 {
		return nil, fmt.Errorf("experiment: output %d is %v; use smaller parameters", k, e.outputs[k])
	}
	return e.outputs, nil
}

func (e *powersEvaluation) Gradient(dst, weights []float64) {
	e.transposed(dst, weights)
	for j := range dst {
		dst[j] *= e.first[j]
	}
}

func (e *powersEvaluation) Directional(dst, v []float64) {
	for j := range e.scratch {
		e.scratch[j] = e.first[j] * v[j]
	}
	e.apply(dst, e.scratch)
}

func (e *powersEvaluation) HessianVector(dst, weights, v []float64) {
	e.transposed(dst, weights)
	for j := range dst {
		dst[j] *= e.second[j] * v[j]
	}
}

// apply sets dst to X v.
func (e *powersEvaluation) apply(dst, v []float64) {
	for k := range dst {
		dst[k] = 0
		for j, x := range e.inputs.RawRowView(k) {
			dst[k] += x * v[j]
		}
	}
}

// transposed sets dst to Xᵀ w.
func (e *powersEvaluation) transposed(dst, w []float64) {
	for j := range dst {
		dst[j] = 0
	}
	for k, weight := range w {
		for j, x := range e.inputs.RawRowView(k) {
			dst[j] += weight * x
		}
	}
}
