package qhnet

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// NotQuasiHomogeneousError says that no rates make a model quasi-homogeneous.
type NotQuasiHomogeneousError struct {
	Layer     string            // the first layer at which no exponent fits
	Reason    string            // the rule that it cannot satisfy
	Conflicts []ScalingRule     // earlier rules that exclude it, none of them superfluous
	Pinned    *PinnedRatesError // the first layer before it that left some rates only 0, or nil
}

func (e *NotQuasiHomogeneousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "qhnet: not quasi-homogeneous: no exponent fits at %s. %s", e.Layer, e.Reason)
	if len(e.Conflicts) == 0 {
		b.WriteString(" But its exponent is 0 whatever the rates are.")
	} else {
		b.WriteString(" But:")
	}
	for _, rule := range e.Conflicts {
		b.WriteString(" " + rule.Reason)
	}
	if e.Pinned != nil {
		fmt.Fprintf(&b, " Before it, %s", e.Pinned.explanation())
	}
	return b.String()
}

// explainInfeasible finds the first rule that leaves no solution, and which of the earlier
// ones it takes for that.
func explainInfeasible(blocks []Block, rules []ScalingRule) error {
	infeasible := func(some []ScalingRule) bool {
		_, err := polytopeOf(blocks, some)
		return err != nil
	}
	count := sort.Search(len(rules), func(k int) bool { return infeasible(rules[:k+1]) })
	last := rules[count]
	needed := slices.Clone(rules[:count])
	for i := len(needed) - 1; i >= 0; i-- {
		fewer := slices.Concat(needed[:i], needed[i+1:])
		if infeasible(append(fewer, last)) {
			needed = fewer
		}
	}
	before := &Rates{blocks: blocks, rules: rules[:count], dropped: make([]bool, len(blocks))}
	return &NotQuasiHomogeneousError{last.Layer, last.Reason, needed, before.firstPinned()}
}

// PinnedRatesError says that some blocks that do act on the outputs never scale.
type PinnedRatesError struct {
	Layer  string   // the first layer that pins a rate to 0
	Reason string   // the rule by which it does
	Blocks []string // the blocks whose rates that rule pins
}

func (e *PinnedRatesError) Error() string {
	return "qhnet: not strictly quasi-homogeneous: " + e.explanation()
}

func (e *PinnedRatesError) explanation() string {
	verb := "must have rate 0"
	if len(e.Blocks) > 1 {
		verb = "must have rates 0"
	}
	return fmt.Sprintf("%s So %s %s.", e.Reason, strings.Join(e.Blocks, ", "), verb)
}

// Strict returns nil if every block has a positive rate in some admissible choice, so that
// the model scales in all its parameters. Otherwise it returns a *[PinnedRatesError] that
// names the first layer to pin rates to 0, such as a tanh, whose input must not scale.
func (r *Rates) Strict() error {
	r.check()
	if pinned := r.firstPinned(); pinned != nil {
		return pinned
	}
	return nil
}

func (r *Rates) firstPinned() *PinnedRatesError {
	if len(r.pinned(r.rules)) == 0 {
		return nil
	}
	count := sort.Search(len(r.rules), func(k int) bool { return len(r.pinned(r.rules[:k+1])) > 0 })
	rule := r.rules[count]
	return &PinnedRatesError{Layer: rule.Layer, Reason: rule.Reason, Blocks: r.pinned(r.rules[:count+1])}
}

// pinned lists the blocks whose rates are 0 in all solutions of some rules.
func (r *Rates) pinned(rules []ScalingRule) []string {
	p, err := polytopeOf(r.blocks, rules)
	if err != nil {
		panic("qhnet: some rules of a feasible system are infeasible")
	}
	positive := p.CanBePositive()
	return namesOf(r.blocks, func(b int) bool { return !positive[b] && !r.dropped[b] })
}
