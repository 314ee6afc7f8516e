package qhnet

import (
	"fmt"
	"math/big"
	"strings"

	"qhlab/qhnet/internal/polytope"
)

// Without returns the rates of what is left of the model when the named blocks
// are discarded, that is when their share of the parameters tends to zero. The
// exponent of a term that vanishes may be anything, so a rule remains only if
// it, or a combination of rules, says something about the other blocks alone.
// The canonical rates are recomputed for those.
//
// A discarded block is given the rate that the rules then imply for it, and 0
// where they imply none or a negative one. Discard all factors of a product
// together, and the biases that act on nothing without a weight with it. It
// panics if there is no block of a given name.
func (r *Rates) Without(names ...string) *Rates {
	q := &Rates{
		blocks:     r.blocks,
		modelRules: r.modelRules,
		dropped:    append([]bool(nil), r.dropped...),
	}
	for _, name := range names {
		q.dropped[r.index(name)] = true
	}
	var variables []int
	for b, dropped := range q.dropped {
		if dropped {
			variables = append(variables, b)
		}
	}
	full := equationsOf(r.blocks, r.modelRules)
	a, b, implied, err := polytope.Project(len(r.blocks), full.a, full.b, variables)
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
