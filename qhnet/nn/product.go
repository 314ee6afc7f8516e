package nn

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/vector"
)

// Product is a model linear in its input whose coefficients are products of
// parameters,
//
//	f(x; θ) = Σ_j β_j(θ) x_j + b,   β_j(θ) = Π_{i ∈ I_j} θ_i,
//
// with one output and an optional bias b. It is the smallest family in which
// every depth, and so every rate 1/D, can stand beside every other.
type Product struct {
	blocks  []qhnet.Block
	rules   []qhnet.ScalingRule
	factors [][]int // factors[j] lists I_j; the bias, if any, comes last
	bias    bool
}

// Group is a set of coordinates whose coefficients are products of Depth
// factors, so that rates 1/Depth are admissible for them.
//
// By default the group is one vector times Depth-1 scalars that all its
// coordinates share, β_G = a_1 ⋯ a_{D-1} w. If Elementwise is set, every
// coordinate has its own factors, β_G = u_1 ⊙ ⋯ ⊙ u_D (a diagonal linear
// network). The least ‖θ‖ for a given β_G then measures the ℓ2 norm of β_G in
// the first case and the ℓ_{2/D} quasi-norm in the second.
type Group struct {
	Name        string // "group1", "group2", … if empty
	Coordinates []int  // of the input, counted from 0
	Depth       int    // number of factors, at least 1
	Elementwise bool
}

// Diagonal returns the diagonal linear network whose coefficient β_j is a
// product of depths[j] scalars. Its blocks are "x1.factor1", "x1.factor2", ….
func Diagonal(depths ...int) *Product {
	groups := make([]Group, len(depths))
	for j, d := range depths {
		groups[j] = Group{
			Name:        fmt.Sprintf("x%d", j+1),
			Coordinates: []int{j},
			Depth:       d,
			Elementwise: true,
		}
	}
	return Groups(groups...)
}

// Groups returns the model whose coefficients are grouped as given. Together
// the groups must hold every coordinate 0..d-1 once. The blocks of a group H
// are "H.weight", "H.scale1", "H.scale2", …, or, elementwise, "H.factor1",
// "H.factor2", ….
func Groups(groups ...Group) *Product {
	if len(groups) == 0 {
		panic("qhnet: a product of no groups; name at least one")
	}
	p := &Product{factors: make([][]int, CountCoordinates(groups))}
	for g, group := range groups {
		if group.Depth < 1 || group.Depth > mostDepth {
			panic(fmt.Sprintf("qhnet: group %d has depth %d, want 1 to %d", g+1, group.Depth, mostDepth))
		}
		if group.Name == "" {
			group.Name = fmt.Sprintf("group%d", g+1)
		}
		p.add(group)
	}
	p.writeRules()
	return p
}

const mostDepth = 1 << 20

// CountCoordinates returns d, the number of coordinates of all groups, or panics
// unless there are groups and they partition 0..d-1.
func CountCoordinates(groups []Group) int {
	if len(groups) == 0 {
		panic("qhnet: no groups; a model needs at least one coordinate")
	}
	var all []int
	for g, group := range groups {
		if len(group.Coordinates) == 0 {
			panic(fmt.Sprintf("qhnet: group %d has no coordinates", g+1))
		}
		all = append(all, group.Coordinates...)
	}
	slices.Sort(all)
	for want, have := range all {
		if have != want {
			panic(fmt.Sprintf("qhnet: the groups must hold each coordinate once, but sorted they are %v", all))
		}
	}
	return len(all)
}

// add appends the blocks of a group and the factors of its coefficients.
func (p *Product) add(g Group) {
	for f := range g.Depth {
		name, kind, length := fmt.Sprintf("factor%d", f+1), "weight", len(g.Coordinates)
		switch {
		case g.Elementwise:
		case f == 0:
			name = "weight"
		default:
			name, kind, length = fmt.Sprintf("scale%d", f), "scale", 1
		}
		offset := p.append(qhnet.Block{Name: g.Name + "." + name, Layer: g.Name, Kind: kind, Shape: []int{length}})
		for k, j := range g.Coordinates {
			p.factors[j] = append(p.factors[j], offset+k%length)
		}
	}
}

// append places a block after the others and returns its offset.
func (p *Product) append(b qhnet.Block) int {
	if slices.ContainsFunc(p.blocks, func(o qhnet.Block) bool { return o.Name == b.Name }) {
		panic(fmt.Sprintf("qhnet: two blocks are named %q", b.Name))
	}
	b.Offset = qhnet.NumParameters(p)
	p.blocks = append(p.blocks, b)
	return b.Offset
}

// WithBias returns the model plus a bias b, a block named "bias" of rate 1.
func (p *Product) WithBias() *Product {
	if p.bias {
		panic("qhnet: the model has a bias already")
	}
	q := &Product{blocks: slices.Clone(p.blocks), factors: slices.Clone(p.factors), bias: true}
	offset := q.append(qhnet.Block{Name: "bias", Layer: "bias", Kind: "bias", Shape: []int{1}})
	q.factors = append(q.factors, []int{offset})
	q.writeRules()
	return q
}

// writeRules asks of every layer that its rates sum to 1, the output's exponent.
func (p *Product) writeRules() {
	p.rules = nil
	for i, b := range p.blocks {
		if i == 0 || b.Layer != p.blocks[i-1].Layer {
			reason := b.Layer + " multiplies its factors to coefficients of the output, so their rates must sum to 1."
			if b.Kind == "bias" {
				reason = b.Layer + " is a term of the output, so its rate must be 1."
			}
			p.rules = append(p.rules, qhnet.ScalingRule{
				Layer:        b.Layer,
				Reason:       reason,
				Coefficients: make([]float64, len(p.blocks)),
				Total:        1,
			})
		}
		p.rules[len(p.rules)-1].Coefficients[i] = 1
	}
}

// Blocks lists the factors group by group; it implements [qhnet.Model]. The slice
// belongs to the model.
func (p *Product) Blocks() []qhnet.Block {
	p.check()
	return p.blocks
}

func (p *Product) check() {
	if p == nil || len(p.factors) == 0 {
		panic("qhnet: a nil or zero Product; make products by Groups or Diagonal")
	}
}

// ScalingRules asks the rates of each group to sum to 1; it implements [qhnet.Model].
// The slice belongs to the model.
func (p *Product) ScalingRules() []qhnet.ScalingRule { return p.rules }

// Units compares every elementwise factor of a group with its first, for
// [qhnet.ConservedUnits].
func (p *Product) Units() []qhnet.Units {
	var all []qhnet.Units
	first := 0
	for b, block := range p.blocks {
		if block.Layer != p.blocks[first].Layer {
			first = b
		}
		if b != first && block.Len() == p.blocks[first].Len() {
			all = append(all, qhnet.Units{In: []int{first}, Out: b})
		}
	}
	return all
}

// Inputs returns d, the number of coordinates of an input.
func (p *Product) Inputs() int {
	p.check()
	if p.bias {
		return len(p.factors) - 1
	}
	return len(p.factors)
}

// Outputs returns 1; it implements [qhnet.Model].
func (p *Product) Outputs() int { return 1 }

// Coefficients sets dst to β_1(θ), …, β_d(θ), followed by b if the model has a
// bias, and returns it. If dst is nil, a new slice is allocated.
func (p *Product) Coefficients(dst, theta []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(p.factors))
	}
	vector.CheckFinite("theta", theta...)
	p.coefficients(dst, theta)
	return dst
}

func (p *Product) coefficients(dst, theta []float64) {
	vector.CheckLength("dst", len(dst), len(p.factors))
	vector.CheckLength("theta", len(theta), qhnet.NumParameters(p))
	for j, factors := range p.factors {
		dst[j] = 1
		for _, i := range factors {
			dst[j] *= theta[i]
		}
	}
}

// Start returns parameters with β = size·direction and no bias: the first factor of
// β_j is size·direction_j, all others are 1.
func (p *Product) Start(direction []float64, size float64) []float64 {
	vector.CheckLength("direction", len(direction), p.Inputs())
	vector.CheckFinite("direction and size", append(slices.Clone(direction), size)...)
	theta := make([]float64, qhnet.NumParameters(p))
	vector.Fill(theta, 1)
	for j, v := range direction {
		theta[p.factors[j][0]] = size * v
	}
	if p.bias {
		theta[len(theta)-1] = 0
	}
	return theta
}

// Bind implements [qhnet.Model].
func (p *Product) Bind(x *mat.Dense) (qhnet.Evaluation, error) {
	if x == nil || x.IsEmpty() {
		return nil, errors.New("qhnet: no inputs to bind")
	}
	n, d := x.Dims()
	if d != p.Inputs() {
		return nil, fmt.Errorf("qhnet: inputs have %d coordinates, but the model takes %d", d, p.Inputs())
	}
	inputs := mat.NewDense(n, len(p.factors), nil)
	for k := range n {
		if j := vector.NotFinite(x.RawRowView(k)); j >= 0 {
			return nil, fmt.Errorf("qhnet: coordinate %d of input %d is %v; remove the point or repair it", j, k, x.At(k, j))
		}
		row := inputs.RawRowView(k)
		row[len(row)-1] = 1 // of the bias, if there is one
		copy(row, x.RawRowView(k))
	}
	return newProductEvaluation(p, inputs.RawMatrix()), nil
}

// productEvaluation evaluates a Product at bound inputs, a last column of ones
// standing for the bias.
type productEvaluation struct {
	model   *Product
	inputs  blas64.General
	theta   []float64
	outputs []float64
	coef    []float64 // β or its tangent

	// Derivatives of the weighted outputs by β and their tangents, and the products of
	// the factors after the i-th and theirs.
	dcoef, tcoef, suffix, tsuffix []float64
}

func newProductEvaluation(p *Product, inputs blas64.General) *productEvaluation {
	depth := 0
	for _, factors := range p.factors {
		depth = max(depth, len(factors))
	}
	zeros := func(n int) []float64 { return make([]float64, n) }
	return &productEvaluation{
		model: p, inputs: inputs, outputs: zeros(inputs.Rows),
		coef: zeros(inputs.Cols), dcoef: zeros(inputs.Cols), tcoef: zeros(inputs.Cols),
		suffix: zeros(depth + 1), tsuffix: zeros(depth + 1),
	}
}

func (e *productEvaluation) Forward(theta []float64) ([]float64, error) {
	e.model.coefficients(e.coef, theta)
	e.theta = theta
	blas64.Gemv(blas.NoTrans, 1, e.inputs, vector.BLAS(e.coef), 0, vector.BLAS(e.outputs))
	if k := vector.NotFinite(e.outputs); k >= 0 {
		if err := qhnet.CheckParameters(e.model, theta); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("qhnet: output %d is %v: the coefficients %v overflow", k, e.outputs[k], e.coef)
	}
	return e.outputs, nil
}

func (e *productEvaluation) Gradient(dst, weights []float64) {
	e.checkMoved(dst)
	e.toCoefficients(e.dcoef, weights)
	clear(dst)
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, nil)
		prefix := e.dcoef[j]
		for k, i := range factors {
			dst[i] += prefix * e.suffix[k+1]
			prefix *= e.theta[i]
		}
	}
}

func (e *productEvaluation) HessianVector(dst, weights, v []float64) {
	e.GradientTangent(dst, weights, nil, v)
}

func (e *productEvaluation) Directional(dst, v []float64) {
	e.checkMoved(v)
	vector.CheckLength("dst", len(dst), len(e.outputs))
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, v)
		e.coef[j] = e.tsuffix[0]
	}
	blas64.Gemv(blas.NoTrans, 1, e.inputs, vector.BLAS(e.coef), 0, vector.BLAS(dst))
}

// GradientTangent is that of [Evaluation], for [qhnet.Margins]. The derivative of β_j by a
// factor is the product of those before it, which starts from the derivative by β_j,
// and of those after it: it needs no division by the factor.
func (e *productEvaluation) GradientTangent(dst, weights, tangentWeights, v []float64) {
	e.checkMoved(v)
	e.checkMoved(dst)
	e.toCoefficients(e.dcoef, weights)
	e.toCoefficients(e.tcoef, tangentWeights)
	clear(dst)
	for j, factors := range e.model.factors {
		e.sweepSuffixes(factors, v)
		prefix, tprefix := e.dcoef[j], e.tcoef[j]
		for k, i := range factors {
			dst[i] += tprefix*e.suffix[k+1] + prefix*e.tsuffix[k+1]
			prefix, tprefix = prefix*e.theta[i], tprefix*e.theta[i]+prefix*v[i]
		}
	}
}

// toCoefficients sets dst to Xᵀ w, or to 0 if there are no weights.
func (e *productEvaluation) toCoefficients(dst, weights []float64) {
	if weights == nil {
		clear(dst)
		return
	}
	vector.CheckLength("weights", len(weights), len(e.outputs))
	blas64.Gemv(blas.Trans, 1, e.inputs, vector.BLAS(weights), 0, vector.BLAS(dst))
}

// sweepSuffixes sets suffix[k] to the product of the factors from the k-th on,
// and tsuffix[k] to its derivative along v unless v is nil.
func (e *productEvaluation) sweepSuffixes(factors []int, v []float64) {
	last := len(factors)
	e.suffix[last], e.tsuffix[last] = 1, 0
	for k := last - 1; k >= 0; k-- {
		i := factors[k]
		e.suffix[k] = e.theta[i] * e.suffix[k+1]
		if v != nil {
			e.tsuffix[k] = v[i]*e.suffix[k+1] + e.theta[i]*e.tsuffix[k+1]
		}
	}
}

// checkMoved checks that there is a θ, and that a vector is as long.
func (e *productEvaluation) checkMoved(v []float64) {
	if e.theta == nil {
		panic("qhnet: a derivative was asked for before Forward")
	}
	vector.CheckLength("a vector like θ", len(v), len(e.theta))
}
