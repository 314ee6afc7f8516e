package qhnet

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"

	"qhlab/qhnet/internal/polytope"
	"qhlab/qhnet/internal/vector"
)

// Rates are the admissible rates of a model: the polytope of all λ, one rate
// for each block, with
//
//	λ_b ≥ 0   and   Σ_b c_rb λ_b = total_r   for every scaling rule r.
//
// For each of them the model is Λ-quasi-homogeneous. The canonical choice is the
// lexicographic min-max point, whose largest rate is as small as possible, then the next
// largest, and so on. If normalized parameters converge and no block is discarded, a flow
// grows with these rates: any others would make a conserved sum of squares grow. All
// rates are computed in rational arithmetic and rounded once.
//
// A Rates is one choice of them, the canonical one unless it was made by [Rates.Choose],
// [Rates.Extreme], [Rates.LastLayerOnly] or [Rates.Random], and knows which blocks are
// discarded.
type Rates struct {
	blocks    []Block
	rules     []ScalingRule // for the surviving blocks
	polytope  *polytope.Polytope
	canonical func() []*big.Rat
	extremes  func() *extremes
	chosen    func() []float64 // of each block
	expanded  func() []float64 // of each parameter

	modelRules []ScalingRule // as the model states them
	dropped    []bool
	complete   func(x []*big.Rat) // sets the rates of discarded blocks
}

// RatesOf returns the admissible rates of a model, or a
// *[NotQuasiHomogeneousError] if there are none.
func RatesOf(m Model) (*Rates, error) {
	blocks, rules := blocksOf(m), m.ScalingRules()
	r, err := newRates(blocks, rules)
	if err != nil {
		return nil, explainInfeasible(blocks, rules)
	}
	return r, nil
}

func newRates(blocks []Block, rules []ScalingRule) (*Rates, error) {
	p, err := polytopeOf(blocks, rules)
	if err != nil {
		return nil, err
	}
	r := &Rates{blocks: blocks, rules: rules, modelRules: rules, dropped: make([]bool, len(blocks)), complete: func([]*big.Rat) {}}
	r.over(p)
	return r, nil
}

// Diag returns Λ = diag(λ_1, …, λ_m) without a model: neighbouring parameters of one rate are
// a block. It panics if there are no rates, or one is negative or not finite.
func Diag(lambda ...float64) *Rates {
	if len(lambda) == 0 {
		panic("qhnet: Diag without rates; give one for each parameter")
	}
	var blocks []Block
	var perBlock []float64
	start := 0
	for rate, run := range runs(lambda, lambda) {
		if !(rate >= 0) || math.IsInf(rate, 1) {
			panic(fmt.Sprintf("qhnet: Diag: rate %d is %v; use a finite number ≥ 0", start, rate))
		}
		name := fmt.Sprintf("θ%d", start+1)
		blocks = append(blocks, Block{Name: name, Layer: name, Kind: "weight", Shape: Shape{len(run)}, Offset: start})
		perBlock, start = append(perBlock, rate), start+len(run)
	}
	rules := make([]ScalingRule, len(blocks))
	for b, rate := range perBlock {
		name, unit := blocks[b].Name, make([]float64, len(blocks))
		unit[b] = 1
		rules[b] = ScalingRule{Layer: name, Reason: fmt.Sprintf("%s has the rate %v.", name, rate), Coefficients: unit, Total: rate}
	}
	r, err := newRates(blocks, rules)
	if err != nil {
		panic("qhnet: Diag: " + err.Error())
	}
	return r.with(perBlock)
}

// over completes r for its polytope. All rates are found when they are asked for.
func (r *Rates) over(p *polytope.Polytope) {
	r.polytope = p
	r.canonical = sync.OnceValue(func() []*big.Rat {
		x := p.LexicographicMinMax()
		r.complete(x)
		return x
	})
	r.extremes = sync.OnceValue(r.findExtremes)
	r.set(sync.OnceValue(func() []float64 { return roundAll(r.canonical()) }))
}

// set makes rates of the blocks the choice.
func (r *Rates) set(perBlock func() []float64) {
	r.chosen = perBlock
	r.expanded = sync.OnceValue(func() []float64 {
		lambda := make([]float64, r.parameters())
		for b, rate := range perBlock() {
			vector.Fill(r.blocks[b].Of(lambda), rate)
		}
		return lambda
	})
}

// check panics if there are no rates, as where an error of [RatesOf] was ignored.
func (r *Rates) check() {
	if r == nil || len(r.blocks) == 0 {
		panic("qhnet: nil or zero Rates; make them by RatesOf or Diag, and look at the error")
	}
}

// parameters returns the number of parameters of the model.
func (r *Rates) parameters() int {
	r.check()
	last := r.blocks[len(r.blocks)-1]
	return last.Offset + last.Len()
}

// with returns the same polytope with another choice.
func (r *Rates) with(perBlock []float64) *Rates {
	q := *r
	q.set(func() []float64 { return perBlock })
	return &q
}

// lambda returns Λ, one rate for each parameter of θ.
func (r *Rates) lambda(theta []float64) []float64 {
	vector.CheckLength("theta", len(theta), r.parameters())
	vector.CheckFinite("theta", theta...)
	return r.expanded()
}

// Blocks returns the blocks in the order of all per-block results.
func (r *Rates) Blocks() []Block {
	r.check()
	return r.blocks
}

// Surviving tells for each block whether it has not been discarded by Without.
func (r *Rates) Surviving() []bool {
	s := make([]bool, len(r.dropped))
	for b, dropped := range r.dropped {
		s[b] = !dropped
	}
	return s
}

// PerBlock returns the rate of each block.
func (r *Rates) PerBlock() []float64 {
	r.check()
	return slices.Clone(r.chosen())
}

// PerParameter returns Λ, one rate for each parameter.
func (r *Rates) PerParameter() []float64 {
	r.check()
	return slices.Clone(r.expanded())
}

// Max returns λ_max, the largest rate of the surviving blocks, and those that have it.
func (r *Rates) Max() (rate float64, blocks []int) {
	r.check()
	for b, lambda := range r.chosen() {
		if !r.dropped[b] {
			rate = max(rate, lambda)
		}
	}
	for b, lambda := range r.chosen() {
		if !r.dropped[b] && isHighest(lambda, rate) {
			blocks = append(blocks, b)
		}
	}
	return rate, blocks
}

// Extreme returns the rates that minimize Σ_b c_b λ_b, or an error if it has no lower bound.
func (r *Rates) Extreme(objective []float64) (*Rates, error) {
	r.check()
	vector.CheckLength("objective", len(objective), len(r.blocks))
	vector.CheckFinite("objective", objective...)
	c := make([]*big.Rat, len(objective))
	for b, v := range objective {
		c[b] = new(big.Rat).SetFloat64(v)
	}
	x, err := r.polytope.Minimize(c)
	r.complete(x)
	if errors.Is(err, polytope.ErrUnbounded) {
		growing := namesOf(r.blocks, func(b int) bool { return c[b].Sign() < 0 && x[b].Sign() > 0 })
		return nil, fmt.Errorf("qhnet: the objective has no minimum over the admissible rates: %s can grow for ever", strings.Join(growing, ", "))
	}
	return r.with(roundAll(x)), nil
}

// Choose returns the given rates, one for each block, or an error that names the block or
// the rule that they violate, by more than 1e-12 of the largest term.
func (r *Rates) Choose(perBlock []float64) (*Rates, error) {
	r.check()
	vector.CheckLength("perBlock", len(perBlock), len(r.blocks))
	for b, v := range perBlock {
		if !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("qhnet: Λ is not admissible: the rate of %s is %v; use a finite number ≥ 0", r.blocks[b].Name, v)
		}
	}
	for _, rule := range r.rules {
		sum, largest := -rule.Total, math.Abs(rule.Total)
		for b, c := range rule.Coefficients {
			sum += c * perBlock[b]
			largest = max(largest, math.Abs(c*perBlock[b]))
		}
		if math.Abs(sum) > 1e-12*largest {
			return nil, fmt.Errorf("qhnet: Λ is not admissible: the rates miss a rule by %.3g: %s", sum, rule.Reason)
		}
	}
	return r.with(slices.Clone(perBlock)), nil
}

// equationsOf returns rules as A λ = b.
func equationsOf(blocks []Block, rules []ScalingRule) (a [][]*big.Rat, b []*big.Rat) {
	for _, rule := range rules {
		vector.CheckLength("the coefficients of a rule of "+rule.Layer, len(rule.Coefficients), len(blocks))
		coef := make([]*big.Rat, len(blocks))
		for v, c := range rule.Coefficients {
			coef[v] = rational(c)
		}
		a, b = append(a, coef), append(b, rational(rule.Total))
	}
	return a, b
}

func polytopeOf(blocks []Block, rules []ScalingRule) (*polytope.Polytope, error) {
	a, b := equationsOf(blocks, rules)
	return polytope.New(len(blocks), a, b)
}

// rational returns the simplest fraction within 1e-12 of a coefficient, by continued
// fractions, so that powers like |x|^1.1 multiply to exact numbers.
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
	r := new(big.Rat)
	if q == 1 && math.Abs(p) <= 1<<53 {
		return r.SetInt64(int64(p))
	}
	return r.Quo(r.SetFloat64(p), new(big.Rat).SetFloat64(q))
}

func roundAll(x []*big.Rat) []float64 {
	f := make([]float64, len(x))
	for i := range x {
		f[i], _ = x[i].Float64()
	}
	return f
}

// freedom returns the dimension of the polytope.
func (r *Rates) freedom() int {
	rules := slices.Clone(r.rules)
	for b, positive := range r.polytope.CanBePositive() {
		if !positive || r.dropped[b] {
			unit := make([]float64, len(r.blocks))
			unit[b] = 1
			rules = append(rules, ScalingRule{Coefficients: unit})
		}
	}
	a, _ := equationsOf(r.blocks, rules)
	return len(polytope.NullSpace(len(r.blocks), a))
}

// LastLayerOnly returns the rates with which nothing but the last layer that has
// parameters scales, if they are admissible.
func (r *Rates) LastLayerOnly() (only *Rates, ok bool) {
	r.check()
	last := r.blocks[len(r.blocks)-1].Layer
	objective := make([]float64, len(r.blocks))
	for b, block := range r.blocks {
		if block.Layer != last {
			objective[b] = 1
		}
	}
	only, err := r.Extreme(objective)
	if err != nil {
		return nil, false
	}
	for b, rate := range only.chosen() {
		if objective[b]*rate > 0 {
			return nil, false
		}
	}
	return only, true
}

// Degree returns L if rates all equal to 1/L are admissible.
func (r *Rates) Degree() (degree float64, ok bool) {
	for _, rule := range r.rules {
		sum := 0.0
		for _, c := range rule.Coefficients {
			sum += c
		}
		if rule.Total != 0 && degree == 0 {
			degree = sum / rule.Total
		}
		if math.Abs(sum-degree*rule.Total) > 1e-12*math.Abs(sum) || degree <= 0 && rule.Total != 0 {
			return 0, false
		}
	}
	return degree, degree > 0
}

// Highest tells which parameters have the highest rate of the surviving blocks.
func (r *Rates) Highest() []bool {
	highest := make([]bool, r.parameters())
	_, blocks := r.Max()
	for _, b := range blocks {
		for i := range r.blocks[b].Len() {
			highest[r.blocks[b].Offset+i] = true
		}
	}
	return highest
}

// CheckPoint reports rates that belong to another model, and a θ that is not finite.
func (r *Rates) CheckPoint(m Model, theta []float64) error {
	r.check()
	blocks := blocksOf(m)
	if !slices.EqualFunc(r.blocks, blocks, sameBlock) {
		return fmt.Errorf("qhnet: the rates belong to a model with the blocks %v, not to one with %v; use RatesOf of this model", namesOf(r.blocks, nil), namesOf(blocks, nil))
	}
	return CheckParameters(m, theta)
}

func sameBlock(a, b Block) bool {
	return a.Name == b.Name && a.Offset == b.Offset && slices.Equal(a.Shape, b.Shape)
}
