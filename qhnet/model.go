package qhnet

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"qhlab/qhnet/internal/vector"

	"gonum.org/v1/gonum/mat"
)

// Model is a family of functions f(x; θ) from R^d to R^C, smooth almost
// everywhere in its parameters θ ∈ R^m.
type Model interface {
	// Outputs returns C.
	Outputs() int

	// Blocks lists the parameter blocks in the order of their offsets. They
	// cover θ without gap or overlap.
	Blocks() []Block

	// ScalingRules lists the equalities that make the model quasi-homogeneous, in the order of
	// evaluation.
	ScalingRules() []ScalingRule

	// Bind prepares the evaluation at the n rows of x. The result owns its workspace:
	// use one per goroutine. It is an error if the width of x does not fit the model or x
	// holds a NaN or an infinity.
	Bind(x *mat.Dense) (Evaluation, error)
}

// Evaluation computes outputs f_kc(θ) of a model at n bound inputs, k = 1..n,
// c = 1..C, and their derivatives at the point of the last Forward. Outputs and
// weights are n×C, row by row. No method allocates after its first call.
type Evaluation interface {
	// Forward moves to the point θ and returns the outputs there, valid until the next
	// Forward. θ must not change while derivatives are taken at it.
	Forward(theta []float64) (outputs []float64, err error)

	// Gradient sets dst to Σ w_kc ∇f_kc (reverse mode).
	Gradient(dst, weights []float64)

	// Directional sets dst, n×C, to the derivatives ⟨∇f_kc, v⟩ (forward mode).
	Directional(dst, v []float64)

	// HessianVector sets dst to Σ w_kc ∇²f_kc v (forward over reverse).
	HessianVector(dst, weights, v []float64)
}

// KinkRounder is an [Evaluation] of a model with kinks that [Margins.RoundKinks] rounds.
type KinkRounder interface {
	// RoundKinks returns the evaluation at the same points with kinks rounded to a width, and
	// whether the model has any.
	RoundKinks(width float64) (same Evaluation, found bool)
}

// Jacobian sets dst to the gradients of all outputs at the point of the last Forward: row
// kC + c is ∇f_kc, of length m. An Evaluation with a method Jacobian(dst) does it itself;
// otherwise it takes one Gradient a row.
func Jacobian(dst *mat.Dense, e Evaluation) {
	vector.CheckMatrix("Jacobian's dst", dst)
	if own, ok := e.(interface{ Jacobian(dst *mat.Dense) }); ok {
		own.Jacobian(dst)
		return
	}
	rows, _ := dst.Dims()
	unit := make([]float64, rows)
	for i := range unit {
		unit[i] = 1
		e.Gradient(dst.RawRowView(i), unit)
		unit[i] = 0
	}
}

// Block is a named slice of the flat parameter vector.
type Block struct {
	Name   string // unique in the model, such as "dense1.weight"
	Layer  string // the layer that owns it, such as "dense1"
	Kind   string // "weight", "bias", "scale" or "shift"
	Shape  Shape  // row-major
	Offset int    // where it starts in θ
}

// Len returns the number of parameters in the block.
func (b Block) Len() int { return b.Shape.Size() }

// Shape is the shape of an array.
type Shape []int

// Size returns the number of entries of an array of this shape.
func (s Shape) Size() int {
	n := uint64(1)
	for _, side := range s {
		over, product := bits.Mul64(n, uint64(side)) // a negative side is huge
		if over != 0 || product > math.MaxInt {
			panic(fmt.Sprintf("qhnet: the shape %s has no size; sides must be at least 0, and their product an int", s))
		}
		n = product
	}
	return int(n)
}

// String writes a shape as 8×28×28.
func (s Shape) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint([]int(s)), "[]"), " ", "×")
}

// Of returns the block's part of a vector indexed like θ, without copying.
func (b Block) Of(theta []float64) []float64 {
	end := b.Offset + b.Len()
	if b.Offset < 0 || end > len(theta) {
		panic(fmt.Sprintf("qhnet: block %q is entries %d to %d of a vector of length %d; use one as long as θ", b.Name, b.Offset, end, len(theta)))
	}
	return theta[b.Offset:end:end]
}

// NumParameters returns m, the length of θ.
func NumParameters(m Model) int {
	blocks := blocksOf(m)
	if len(blocks) == 0 {
		return 0
	}
	last := blocks[len(blocks)-1]
	return last.Offset + last.Len()
}

// blocksOf returns a model's blocks. Everything that takes a model asks for them.
func blocksOf(m Model) []Block {
	if m == nil {
		panic("qhnet: the model is nil; make one, such as by nn.New, and look at its error")
	}
	return m.Blocks()
}

// CheckParameters returns an error that names the first parameter that is not finite.
func CheckParameters(m Model, theta []float64) error {
	vector.CheckLength("theta", len(theta), NumParameters(m))
	i := vector.NotFinite(theta)
	if i < 0 {
		return nil
	}
	blocks := m.Blocks()
	b := blocks[slices.IndexFunc(blocks, func(b Block) bool { return i < b.Offset+b.Len() })]
	return fmt.Errorf("qhnet: parameter %d of %s is %v; every parameter must be finite", i-b.Offset, b.Name, theta[i])
}

// findBlock returns the place of a block by its name.
func findBlock(blocks []Block, name string) (int, error) {
	if i := slices.IndexFunc(blocks, func(b Block) bool { return b.Name == name }); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("qhnet: the model has no block %q; its blocks are %q", name, namesOf(blocks, nil))
}

// namesOf returns the names of the blocks that pass a test, of all if it is nil.
func namesOf(blocks []Block, passes func(b int) bool) []string {
	var names []string
	for b, block := range blocks {
		if passes == nil || passes(b) {
			names = append(names, block.Name)
		}
	}
	return names
}

// ScalingRule is one linear equality Σ_b Coefficients[b]·λ_b = Total on the rates λ_b of
// the model's blocks. A network's values scale like e^{αa} with exponents a that are sums
// of rates; each rule says which two must agree.
type ScalingRule struct {
	Layer        string    // the layer that imposes the rule
	Reason       string    // the rule in words, as a full sentence
	Coefficients []float64 // one per block
	Total        float64   // 1 for the output's rule, otherwise 0
}
