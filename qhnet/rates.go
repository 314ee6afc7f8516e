package qhnet

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"

	"qhlab/qhnet/internal/polytope"
)

// Rates are the admissible rates of a model: the polytope of all λ, one rate
// for each block, with
//
//	λ_b ≥ 0   and   Σ_b c_rb λ_b = total_r   for every scaling rule r.
//
// For each of them the model is Λ-quasi-homogeneous. The canonical choice is
// the lexicographic min-max point, whose largest rate is as small as possible,
// then the next largest, and so on: for a network it is the one that gradient
// flow settles on when no block is discarded. All rates are computed in
// rational arithmetic and rounded once.
type Rates struct {
	blocks    []Block
	rules     []ScalingRule // for the surviving blocks
	polytope  *polytope.Polytope
	canonical []*big.Rat
	extremes  func() *extremes

	modelRules []ScalingRule // as the model states them
	dropped    []bool
	complete   func(x []*big.Rat) // sets the rates of discarded blocks
}

// RatesOf returns the admissible rates of a model, or a
// *[NotQuasiHomogeneousError] if there are none.
func RatesOf(m Model) (*Rates, error) {
	blocks, rules := m.Blocks(), m.ScalingRules()
	system := equationsOf(blocks, rules)
	p, err := polytope.New(len(blocks), system.a, system.b)
	if err != nil {
		return nil, explainInfeasible(blocks, rules)
	}
	r := &Rates{
		blocks:     blocks,
		rules:      rules,
		modelRules: rules,
		dropped:    make([]bool, len(blocks)),
		complete:   func([]*big.Rat) {},
	}
	r.over(p)
	return r, nil
}

// over completes r for its polytope.
func (r *Rates) over(p *polytope.Polytope) {
	r.polytope = p
	r.canonical = p.LexicographicMinMax()
	r.complete(r.canonical)
	r.extremes = sync.OnceValue(r.findExtremes)
}

func (r *Rates) index(name string) int {
	i, err := findBlock(r.blocks, name)
	if err != nil {
		panic(err.Error())
	}
	return i
}

// Blocks returns the blocks in the order of all per-block results.
func (r *Rates) Blocks() []Block { return r.blocks }

// Surviving tells for each block whether it has not been discarded by Without.
func (r *Rates) Surviving() []bool {
	s := make([]bool, len(r.dropped))
	for b, dropped := range r.dropped {
		s[b] = !dropped
	}
	return s
}

// Canonical returns the canonical rate of each block.
func (r *Rates) Canonical() []float64 { return roundAll(r.canonical) }

// Max returns λ_max, the largest canonical rate of the surviving blocks, and
// the indices of the surviving blocks that have it.
func (r *Rates) Max() (rate float64, blocks []int) {
	canonical := r.Canonical()
	for b, lambda := range canonical {
		if !r.dropped[b] {
			rate = max(rate, lambda)
		}
	}
	for b, lambda := range canonical {
		if !r.dropped[b] && isHighest(lambda, rate) {
			blocks = append(blocks, b)
		}
	}
	return rate, blocks
}

// Expand returns the canonical Λ, one rate for each parameter.
func (r *Rates) Expand() []float64 { return r.Spread(r.Canonical()) }

// Spread returns a Λ with one rate for each parameter from rates of the blocks.
func (r *Rates) Spread(blockRates []float64) []float64 {
	checkLength("blockRates", len(blockRates), len(r.blocks))
	last := r.blocks[len(r.blocks)-1]
	lambda := make([]float64, last.Offset+last.Len())
	for b, block := range r.blocks {
		fill(block.Of(lambda), blockRates[b])
	}
	return lambda
}

// Extreme returns the rates of the blocks that minimize Σ_b c_b λ_b over the
// polytope. It is an error if the sum has no lower bound.
func (r *Rates) Extreme(objective []float64) ([]float64, error) {
	checkLength("objective", len(objective), len(r.blocks))
	c := make([]*big.Rat, len(objective))
	for b, v := range objective {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			panic(fmt.Sprintf("qhnet: coefficient %d of the objective is %v", b, v))
		}
		c[b] = new(big.Rat).SetFloat64(v)
	}
	x, err := r.polytope.Minimize(c)
	r.complete(x)
	if errors.Is(err, polytope.ErrUnbounded) {
		return nil, fmt.Errorf("qhnet: the objective has no minimum over the admissible rates: %s can grow for ever", r.growing(c, x))
	}
	return roundAll(x), nil
}

// growing names the blocks by which an unbounded objective can be lowered.
func (r *Rates) growing(c, x []*big.Rat) string {
	var names []string
	for b := range c {
		if c[b].Sign() < 0 && x[b].Sign() > 0 {
			names = append(names, r.blocks[b].Name)
		}
	}
	return strings.Join(names, ", ")
}

// Admits returns nil if Λ, one rate for each parameter, is admissible, and
// otherwise an error that names the parameter or the rule it violates and by
// how much. Rates must be equal within a block. Rules may be missed by rounding,
// 1e-12 of the largest term. It panics if Λ has another length.
func (r *Rates) Admits(lambda []float64) error {
	last := r.blocks[len(r.blocks)-1]
	checkLength("lambda", len(lambda), last.Offset+last.Len())
	rates := make([]float64, len(r.blocks))
	for b, block := range r.blocks {
		own := block.Of(lambda)
		for i, v := range own {
			switch {
			case !(v >= 0) || math.IsInf(v, 0):
				return fmt.Errorf("qhnet: Λ is not admissible: the rate of parameter %d of %s is %v; use a finite number ≥ 0", i, block.Name, v)
			case v != own[0]:
				return fmt.Errorf("qhnet: Λ is not admissible: parameters 0 and %d of %s have different rates %v and %v", i, block.Name, own[0], v)
			}
		}
		if len(own) > 0 {
			rates[b] = own[0]
		}
	}
	for _, rule := range r.rules {
		sum, largest := -rule.Total, math.Abs(rule.Total)
		for b, c := range rule.Coefficients {
			sum += c * rates[b]
			largest = max(largest, math.Abs(c*rates[b]))
		}
		if math.Abs(sum) > 1e-12*largest {
			return fmt.Errorf("qhnet: Λ is not admissible: the rates miss a rule by %.3g: %s", sum, rule.Reason)
		}
	}
	return nil
}

// equations are Σ_v a_iv x_v = b_i.
type equations struct {
	a [][]*big.Rat
	b []*big.Rat
}

func equationsOf(blocks []Block, rules []ScalingRule) equations {
	var e equations
	for _, rule := range rules {
		checkLength("the coefficients of a rule of "+rule.Layer, len(rule.Coefficients), len(blocks))
		coef := make([]*big.Rat, len(blocks))
		for v, c := range rule.Coefficients {
			coef[v] = rational(c)
		}
		e.a, e.b = append(e.a, coef), append(e.b, rational(rule.Total))
	}
	return e
}

// rational returns the simplest fraction within 1e-12 of a coefficient, found
// by continued fractions, so that the powers of an activation like |x|^1.1
// multiply to exact numbers. A coefficient that has no simple one is taken as is.
func rational(v float64) *big.Rat {
	const tolerance, largest = 1e-12, 1e6
	p, q, p0, q0 := math.Floor(v), 1.0, 1.0, 0.0
	for rest := v - p; math.Abs(v-p/q) > tolerance*math.Abs(v); {
		rest = 1 / rest
		digit := math.Floor(rest)
		rest -= digit
		p, q, p0, q0 = digit*p+p0, digit*q+q0, p, q
		if q > largest {
			return new(big.Rat).SetFloat64(v)
		}
	}
	r := new(big.Rat).SetFloat64(p)
	return r.Quo(r, new(big.Rat).SetFloat64(q))
}

func roundAll(x []*big.Rat) []float64 {
	f := make([]float64, len(x))
	for i := range x {
		f[i], _ = x[i].Float64()
	}
	return f
}
