package qhnet

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// RateAudit tells what the rates of a model are and why. String prints a table with the
// shape, number of parameters, range of the rate, canonical rate and partners in a conserved
// quantity of each block, and a verdict in words.
type RateAudit struct {
	Blocks    []Block
	Rates     *Rates      // nil if there are none
	Err       error       // why not: a *NotQuasiHomogeneousError; or *PinnedRatesError
	Freedom   int         // dimension of the polytope of admissible rates
	Conserved []Conserved // one for each direction in which rates are free
}

// Audit finds the rates of a model.
func Audit(m Model) *RateAudit {
	a := &RateAudit{Blocks: blocksOf(m)}
	a.Rates, a.Err = RatesOf(m)
	if a.Err != nil {
		return a
	}
	a.Err = a.Rates.Strict()
	a.Conserved = ConservedBlocks(m)
	a.Freedom = a.Rates.freedom()
	return a
}

// Verdict says in a few sentences what kind of model this is.
func (a *RateAudit) Verdict() string {
	if a.Rates == nil {
		return sentence(a.Err)
	}
	var text string
	var pinned *PinnedRatesError
	switch degree, homogeneous := a.Rates.Degree(); {
	case errors.As(a.Err, &pinned):
		text = "Quasi-homogeneous, but not strictly: " + pinned.explanation()
	case homogeneous && a.Freedom == 0:
		text = fmt.Sprintf("Homogeneous of degree %s.", rational(degree).RatString())
	case homogeneous:
		text = fmt.Sprintf("Homogeneous of degree %s, and quasi-homogeneous with other rates as well.", rational(degree).RatString())
	default:
		text = "Quasi-homogeneous, not homogeneous."
	}
	switch a.Freedom {
	case 0:
		text += " The rates are unique. "
	case 1:
		text += " The admissible rates form a line. "
	default:
		text += fmt.Sprintf(" The admissible rates form a polytope of dimension %d. ", a.Freedom)
	}
	switch len(a.Conserved) {
	case 0:
	case 1:
		text += "Gradient flow conserves one combination of squared block norms. "
	default:
		text += fmt.Sprintf("Gradient flow conserves %d independent combinations of squared block norms. ", len(a.Conserved))
	}
	return text + a.highest()
}

// highest names the blocks of the highest canonical rate, and those that may scale alone.
func (a *RateAudit) highest() string {
	_, blocks := a.Rates.Max()
	text := fmt.Sprintf("The highest canonical rate is %s, of %s.", a.Rates.canonical()[blocks[0]].RatString(), a.names(blocks))
	if rates, ok := a.Rates.LastLayerOnly(); ok && a.Freedom > 0 {
		var scaling []int
		for b, rate := range rates.chosen() {
			if rate > 0 {
				scaling = append(scaling, b)
			}
		}
		if len(scaling) < len(rates.chosen()) {
			text += fmt.Sprintf(" Another admissible choice gives positive rates to %s alone.", a.names(scaling))
		}
	}
	return text
}

// sentence turns an error of this package into one.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "qhnet: ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// String returns the table and the verdict.
func (a *RateAudit) String() string {
	rows := [][]string{{"block", "shape", "parameters", "rate", "canonical", "conserved with"}}
	total := 0
	for b, block := range a.Blocks {
		total += block.Len()
		row := []string{block.Name, block.Shape.String(), parametersText(block.Len()), "none", "", ""}
		if a.Rates != nil {
			row[3], row[4], row[5] = a.Rates.rangeText(b), a.Rates.canonical()[b].RatString(), a.partners(b)
		}
		rows = append(rows, row)
	}
	rows = append(rows, []string{"total", "", parametersText(total)})
	return table(rows) + "\n" + wrap(a.Verdict())
}

// Summary returns a table with one line for all blocks of the same range and canonical rate,
// and the verdict.
func (a *RateAudit) Summary() string {
	if a.Rates == nil {
		return wrap(a.Verdict())
	}
	rows := [][]string{{"rate", "canonical", "parameters", "blocks"}}
	members := make(map[string][]int)
	var order []string
	for b := range a.Blocks {
		key := a.Rates.rangeText(b) + "\n" + a.Rates.canonical()[b].RatString()
		if members[key] == nil {
			order = append(order, key)
		}
		members[key] = append(members[key], b)
	}
	for _, key := range order {
		total := 0
		for _, b := range members[key] {
			total += a.Blocks[b].Len()
		}
		rate, canonical, _ := strings.Cut(key, "\n")
		rows = append(rows, []string{rate, canonical, parametersText(total), a.names(members[key])})
	}
	return table(rows) + "\n" + wrap(a.Verdict())
}

func (r *Rates) rangeText(b int) string {
	low, high := r.Range(b)
	switch {
	case low == high:
		return rational(low).RatString()
	case math.IsInf(high, 1):
		return rational(low).RatString() + " … ∞"
	}
	return rational(low).RatString() + " … " + rational(high).RatString()
}

// parametersText aligns a number with the right end of its column's head.
func parametersText(n int) string { return fmt.Sprintf("%*d", len("parameters"), n) }

// partners lists the other blocks in the shortest conserved quantity with b.
func (a *RateAudit) partners(b int) string {
	var best []conservedTerm
	for _, c := range a.Conserved {
		for _, t := range c.terms {
			if t.block == b && (best == nil || len(c.terms) < len(best)) {
				best = c.terms
			}
		}
	}
	var names []string
	for _, t := range best {
		if t.block != b {
			names = append(names, a.Blocks[t.block].Name)
		}
	}
	switch {
	case best == nil:
		return "-"
	case len(names) == 0:
		return "itself"
	case len(names) > 3:
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], len(names)-2)
	}
	return strings.Join(names, ", ")
}

// names joins the names of blocks, of many only the first and the last.
func (a *RateAudit) names(blocks []int) string {
	if len(blocks) > 6 {
		return fmt.Sprintf("%d blocks from %s to %s", len(blocks), a.Blocks[blocks[0]].Name, a.Blocks[blocks[len(blocks)-1]].Name)
	}
	return strings.Join(namesOf(a.Blocks, func(b int) bool { return slices.Contains(blocks, b) }), ", ")
}

// table aligns columns. Empty cells at the end of a row are left out.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	w.Flush()
	return b.String()
}

// wrap breaks text into lines of at most 90 characters, and ends the last.
func wrap(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > 90 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n") + "\n"
}

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
