package qhnet

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/polytope"
)

// Without returns the rates of what is left of the model when the named blocks are
// discarded, that is when their share of the parameters tends to zero. The exponent of a
// term that vanishes may be anything, so rules remain only as far as a combination of them
// says something about the other blocks alone, for which the canonical rates are found
// anew. A discarded block is given the rate that the rules then imply for it, and 0 where
// they imply none or a negative one.
//
// Discard all factors of a product together, and with a weight the biases that act on
// nothing without it. It panics if there is no block of a given name.
func (r *Rates) Without(names ...string) *Rates {
	r.check()
	q := &Rates{blocks: r.blocks, modelRules: r.modelRules, dropped: slices.Clone(r.dropped)}
	for _, name := range names {
		b, err := findBlock(r.blocks, name)
		if err != nil {
			panic(err.Error())
		}
		q.dropped[b] = true
	}
	var variables []int
	for b, dropped := range q.dropped {
		if dropped {
			variables = append(variables, b)
		}
	}
	a, b := equationsOf(r.blocks, r.modelRules)
	a, b, implied, err := polytope.Project(len(r.blocks), a, b, variables)
	if err != nil {
		panic("qhnet: the rules of existing rates contradict each other")
	}
	q.complete = func(x []*big.Rat) {
		implied(x)
		for _, v := range variables {
			if x[v].Sign() < 0 {
				x[v].SetInt64(0)
			}
		}
	}
	q.rules = q.remainingRules(a, b)
	p, err := polytope.New(len(r.blocks), a, b)
	if err != nil {
		panic("qhnet: the projection of a polytope is empty")
	}
	q.over(p)
	return q
}

// remainingRules puts projected equations into words.
func (r *Rates) remainingRules(a [][]*big.Rat, b []*big.Rat) []ScalingRule {
	rules := make([]ScalingRule, len(a))
	for i := range a {
		total, _ := b[i].Float64()
		rules[i] = ScalingRule{
			Layer:        "what is left of the model",
			Reason:       fmt.Sprintf("What is left of the model needs %s = %s.", r.formula(a[i]), b[i].RatString()),
			Coefficients: roundAll(a[i]),
			Total:        total,
		}
	}
	return rules
}

// formula writes Σ c_b λ_b, such as "λ(dense1.weight) - 2 λ(dense2.weight)".
func (r *Rates) formula(c []*big.Rat) string {
	var text strings.Builder
	for b, v := range c {
		if v.Sign() == 0 {
			continue
		}
		writeTerm(&text, v, "λ("+r.blocks[b].Name+")")
	}
	return text.String()
}

// writeTerm appends ± |v| quantity to a sum.
func writeTerm(text *strings.Builder, v *big.Rat, quantity string) {
	switch {
	case text.Len() == 0 && v.Sign() < 0:
		text.WriteString("-")
	case v.Sign() < 0:
		text.WriteString(" - ")
	case text.Len() > 0:
		text.WriteString(" + ")
	}
	if size := new(big.Rat).Abs(v); size.Cmp(big.NewRat(1, 1)) != 0 {
		text.WriteString(size.RatString() + " ")
	}
	text.WriteString(quantity)
}

// extremes are the solutions at which each rate is smallest and largest.
type extremes struct {
	low, high  []float64   // the range of each block's rate
	directions [][]float64 // a basis of the differences of solutions
	centre     []float64   // the average of all extreme solutions
}

// Range returns the smallest and the largest admissible rate of block b, the latter +Inf if it
// has no bound, as for scale-invariant weights.
func (r *Rates) Range(b int) (low, high float64) {
	if r.check(); b < 0 || b >= len(r.blocks) {
		panic(fmt.Sprintf("qhnet: Range of block %d; there are the blocks 0 to %d", b, len(r.blocks)-1))
	}
	e := r.extremes()
	return e.low[b], e.high[b]
}

func (r *Rates) findExtremes() *extremes {
	n := len(r.blocks)
	e := &extremes{low: make([]float64, n), high: make([]float64, n), centre: make([]float64, n)}
	c := make([]*big.Rat, n)
	for b := range c {
		c[b] = new(big.Rat)
	}
	for b := range n {
		for _, sign := range []int64{1, -1} {
			c[b].SetInt64(sign)
			solution, err := r.polytope.Minimize(c)
			x := roundAll(solution)
			if sign > 0 {
				e.low[b] = x[b]
			} else if e.high[b] = x[b]; errors.Is(err, polytope.ErrUnbounded) {
				e.high[b] = math.Inf(1)
			}
			for i := range x {
				e.centre[i] += x[i] / float64(2*n)
			}
		}
		c[b].SetInt64(0)
	}
	a, _ := equationsOf(r.blocks, r.rules)
	for _, exact := range polytope.NullSpace(n, a) {
		v, kept := make([]float64, n), true
		for b := range v {
			v[b], _ = exact[b].Float64()
			kept = kept && !(r.dropped[b] && v[b] != 0)
		}
		if kept {
			e.directions = append(e.directions, v)
		}
	}
	return e
}

// Random returns random admissible rates, by hit-and-run (R. L. Smith, Operations
// Research 32, 1984): from the centre it walks in random directions to a uniform point of
// the chord. Rates without a bound are kept below twice the largest bound, at least 2.
func (r *Rates) Random(rng *rand.Rand) *Rates {
	r.check()
	checkRandom(rng)
	e := r.extremes()
	limit := 2.0
	for _, high := range e.high {
		if !math.IsInf(high, 1) {
			limit = max(limit, 2*high)
		}
	}
	x, v := slices.Clone(e.centre), make([]float64, len(e.centre))
	for range 3 * len(e.directions) {
		clear(v)
		for _, d := range e.directions {
			floats.AddScaled(v, rng.NormFloat64(), d)
		}
		back, ahead := chord(x, v, limit)
		step := back + (ahead-back)*rng.Float64()
		for i := range x {
			x[i] = max(0, x[i]+step*v[i])
		}
	}
	return r.with(r.completed(x))
}

// completed sets the rates of discarded blocks, if there are any.
func (r *Rates) completed(x []float64) []float64 {
	if !slices.Contains(r.dropped, true) {
		return x
	}
	exact := make([]*big.Rat, len(x))
	for b := range x {
		exact[b] = new(big.Rat).SetFloat64(x[b])
	}
	r.complete(exact)
	return roundAll(exact)
}

// chord returns the steps s between which all 0 ≤ x_i + s v_i ≤ limit.
func chord(x, v []float64, limit float64) (back, ahead float64) {
	back, ahead = math.Inf(-1), math.Inf(1)
	for i := range x {
		if v[i] == 0 {
			continue
		}
		toZero, toLimit := -x[i]/v[i], (max(limit, x[i])-x[i])/v[i]
		back = max(back, min(toZero, toLimit))
		ahead = min(ahead, max(toZero, toLimit))
	}
	return back, max(back, ahead)
}

// checkRandom panics if there is no source of random numbers.
func checkRandom(rng *rand.Rand) {
	if rng == nil {
		panic("qhnet: rng is nil; use rand.New(rand.NewPCG(seed, 0))")
	}
}
