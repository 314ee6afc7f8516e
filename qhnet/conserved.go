package qhnet

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/polytope"
	"qhlab/qhnet/internal/vector"
)

// Conserved is a quadratic form of the parameters that gradient flow on any function of the
// outputs keeps constant,
//
//	C(θ) = Σ_i v_i θ_i²,   v_i integers.
//
// It belongs to a direction v in which the rates are free: f(x; e^{αV} θ) = f(x; θ) for all
// α, so Vθ is orthogonal to all gradients, and dC/dt = 2⟨Vθ, θ̇⟩ = 0. The balancedness of
// layers (S. Du, W. Hu and J. Lee, arXiv:1806.00900) is the special case of ReLU networks.
type Conserved struct {
	Name  string // the formula, such as "‖dense1.weight‖² - ‖dense2.weight‖²"
	terms []conservedTerm
	m     int // the length of θ
}

// conservedTerm is v times the sum of squares of rows of θ, each stride after the last.
type conservedTerm struct {
	block                         int
	v                             float64
	offset, rows, columns, stride int
}

// Value returns C(θ).
func (c Conserved) Value(theta []float64) float64 {
	return c.sum(theta, func(v float64) float64 { return v })
}

// Magnitude returns Σ |v_i| θ_i², to compare changes of C(θ) with.
func (c Conserved) Magnitude(theta []float64) float64 { return c.sum(theta, math.Abs) }

// sum returns Σ weight(v_i) θ_i².
func (c Conserved) sum(theta []float64, weight func(v float64) float64) float64 {
	vector.CheckLength("theta", len(theta), c.m)
	sum := 0.0
	for _, t := range c.terms {
		squares := 0.0
		for r := range t.rows {
			for _, x := range t.row(theta, r) {
				squares += x * x
			}
		}
		sum += weight(t.v) * squares
	}
	return sum
}

// Gradient sets dst to ∇C(θ) = 2 Vθ.
func (c Conserved) Gradient(dst, theta []float64) {
	vector.CheckLength("theta", len(theta), c.m)
	vector.CheckLength("dst", len(dst), len(theta))
	clear(dst)
	for _, t := range c.terms {
		for r := range t.rows {
			floats.ScaleTo(t.row(dst, r), 2*t.v, t.row(theta, r))
		}
	}
}

// row returns a row of the term's part of a vector.
func (t conservedTerm) row(v []float64, r int) []float64 {
	start := t.offset + r*t.stride
	return v[start : start+t.columns]
}

// ConservedBlocks returns a basis, with few terms, of the conserved quantities that are
// sums of squared norms of blocks. That of a scale-invariant block is its norm.
func ConservedBlocks(m Model) []Conserved {
	blocks := blocksOf(m)
	var basis []Conserved
	for _, v := range freeDirections(m) {
		c := Conserved{m: NumParameters(m)}
		var name strings.Builder
		for b, k := range v {
			if k.Sign() == 0 {
				continue
			}
			value, _ := k.Float64()
			c.terms = append(c.terms, conservedTerm{block: b, v: value, offset: blocks[b].Offset, rows: 1, columns: blocks[b].Len()})
			writeTerm(&name, new(big.Rat).SetInt(k), "‖"+blocks[b].Name+"‖²")
		}
		c.Name = name.String()
		basis = append(basis, c)
	}
	return basis
}

// freeDirections returns an integer basis of the differences of rates that the rules allow.
// Elimination of weights before biases gives short ones, W_l and b_l against W_{l+1}.
func freeDirections(m Model) [][]*big.Int {
	blocks := m.Blocks()
	var first, last []int
	for b, block := range blocks {
		if block.Kind == "weight" {
			first = append(first, b)
		} else {
			last = append(last, b)
		}
	}
	a, _ := equationsOf(blocks, m.ScalingRules())
	return polytope.NullSpace(len(blocks), a, slices.Concat(first, last), slices.Concat(last, first))
}

// ConservedUnits returns conserved quantities of single units. Unit j of a layer that feeds
// the next one scales freely: its incoming weights and bias up, its outgoing weights down,
// which conserves
//
//	‖W_j·‖² + b_j² - k ‖W'_·j‖²
//
// with k the degree of what stands between them, 1 for ReLU. A channel is a unit of a
// convolution, and a trainable scale with its shift one of a normalization. For two factors
// of one coefficient it is θ_i² - θ_l². A model lists its [Units] in a method of that name;
// those between two scale-invariant blocks, for which the rules do not tell k, are left out.
func ConservedUnits(m Model) []Conserved {
	blocks := blocksOf(m)
	layered, ok := m.(interface{ Units() []Units })
	if !ok {
		return nil
	}
	rules, length := m.ScalingRules(), NumParameters(m)
	var all []Conserved
	for _, u := range layered.Units() {
		if k, ok := u.free(blocks, rules); ok {
			for _, c := range u.conserved(blocks, k) {
				c.m = length
				all = append(all, c)
			}
		}
	}
	return all
}

// Units is a row of hidden units: row j of each of the blocks In makes the value of
// unit j, which the columns of unit j of the block Out read.
type Units struct {
	In  []int
	Out int
}

// free finds k > 0 such that raising the rates of what makes the units by 1 and lowering
// that of what reads them by k is a free direction, if the shapes are those of units.
func (u Units) free(blocks []Block, rules []ScalingRule) (k float64, ok bool) {
	units := blocks[u.In[0]].Shape[0]
	for _, b := range u.In[1:] {
		if shape := blocks[b].Shape; len(shape) != 1 || shape[0] != units {
			return 0, false
		}
	}
	if _, columns := matrixOf(blocks[u.Out]); columns%units != 0 {
		return 0, false
	}
	for _, rule := range rules {
		in := 0.0
		for _, b := range u.In {
			in += rule.Coefficients[b]
		}
		out := rule.Coefficients[u.Out]
		switch {
		case out == 0 && in == 0:
		case out == 0 || ok && math.Abs(in/out-k) > 1e-12*math.Abs(k):
			return 0, false
		default:
			k, ok = in/out, true
		}
	}
	return k, ok && k > 0
}

// matrixOf returns the size of the matrix that reads units; a scale has one row.
func matrixOf(b Block) (rows, columns int) {
	if len(b.Shape) == 1 {
		return 1, b.Len()
	}
	return b.Shape[0], b.Len() / b.Shape[0]
}

// conserved returns one quantity for each unit. Several neighbouring columns of the consumer
// belong to a unit that is a convolution's channel.
func (u Units) conserved(blocks []Block, k float64) []Conserved {
	units, consumer := blocks[u.In[0]].Shape[0], blocks[u.Out]
	rows, columns := matrixOf(consumer)
	width := columns / units
	all := make([]Conserved, units)
	for j := range units {
		var name []string
		c := &all[j]
		for _, b := range u.In {
			length := blocks[b].Len() / units
			c.terms = append(c.terms, conservedTerm{block: b, v: 1, offset: blocks[b].Offset + j*length, rows: 1, columns: length})
			format := "‖%s[%d]‖²"
			if length == 1 {
				format = "%s[%d]²"
			}
			name = append(name, fmt.Sprintf(format, blocks[b].Name, j))
		}
		c.terms = append(c.terms, conservedTerm{block: u.Out, v: -k, offset: consumer.Offset + j*width, rows: rows, columns: width, stride: columns})
		factor, format := "", "‖%s[·,%d]‖²"
		if k != 1 {
			factor = fmt.Sprintf("%g ", k)
		}
		if len(consumer.Shape) == 1 {
			format = "%s[%d]²"
		}
		c.Name = strings.Join(name, " + ") + " - " + factor + fmt.Sprintf(format, consumer.Name, j)
	}
	return all
}
