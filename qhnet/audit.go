package qhnet

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"qhlab/qhnet/internal/polytope"
)

// RateAudit tells what the rates of a model are and why. Its String method
// prints a table with one line for each block: shape, number of parameters, the
// range of its rate over all admissible choices, its canonical rate and the
// blocks that a conserved quantity ties it to. A verdict follows in words.
type RateAudit struct {
	Blocks    []Block
	Rates     *Rates      // nil if there are none
	Err       error       // why not: a *NotQuasiHomogeneousError; or *PinnedRatesError
	Freedom   int         // dimension of the polytope of admissible rates
	Conserved []Conserved // one for each direction in which rates are free
}

// Audit finds the rates of a model.
func Audit(m Model) *RateAudit {
	a := &RateAudit{Blocks: m.Blocks()}
	a.Rates, a.Err = RatesOf(m)
	if a.Err != nil {
		return a
	}
	a.Err = a.Rates.Strict()
	a.Conserved = ConservedBlocks(m)
	a.Freedom = a.Rates.freedom()
	return a
}

// freedom returns the dimension of the polytope: that of the solutions of the
// rules with the pinned rates left out.
func (r *Rates) freedom() int {
	system := equationsOf(r.blocks, r.rules)
	for b, positive := range r.polytope.CanBePositive() {
		if positive && !r.dropped[b] {
			continue
		}
		unit := make([]*big.Rat, len(r.blocks))
		for i := range unit {
			unit[i] = new(big.Rat)
		}
		unit[b].SetInt64(1)
		system.a = append(system.a, unit)
	}
	return len(polytope.NullSpace(len(r.blocks), system.a))
}

// LastLayerOnly returns the rates with which nothing but the last layer that
// has parameters scales, if they are admissible. For a network that ends in a
// dense layer after a normalization they are 1 for its weight and bias.
func (r *Rates) LastLayerOnly() (blockRates []float64, ok bool) {
	last := r.blocks[len(r.blocks)-1].Layer
	objective := make([]float64, len(r.blocks))
	for b, block := range r.blocks {
		if block.Layer != last {
			objective[b] = 1
		}
	}
	x, err := r.Extreme(objective)
	if err != nil {
		return nil, false
	}
	for b := range x {
		if objective[b]*x[b] > 0 {
			return nil, false
		}
	}
	return x, true
}

// Degree returns L if the model is homogeneous of degree L, that is if all
// rates equal to 1/L are admissible.
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

// String returns the table and the verdict.
func (a *RateAudit) String() string {
	rows := [][]string{{"block", "shape", "parameters", "rate", "canonical", "conserved with"}}
	total := 0
	for b, block := range a.Blocks {
		total += block.Len()
		row := []string{block.Name, shapeText(block.Shape), fmt.Sprint(block.Len()), "none", "", ""}
		if a.Rates != nil {
			row[3], row[4], row[5] = a.Rates.rangeText(b), a.Rates.canonical[b].RatString(), a.partners(b)
		}
		rows = append(rows, row)
	}
	rows = append(rows, []string{"total", "", fmt.Sprint(total), "", "", ""})
	return table(rows, 2) + "\n" + a.Verdict() + "\n"
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

// partners lists the other blocks in the shortest conserved quantity with b,
// of many only two.
func (a *RateAudit) partners(b int) string {
	var best []conservedTerm
	for _, c := range a.Conserved {
		for _, t := range c.terms {
			if t.block == b && (best == nil || len(c.terms) < len(best)) {
				best = c.terms
			}
		}
	}
	if best == nil {
		return "-"
	}
	var names []string
	for _, t := range best {
		if t.block != b {
			names = append(names, a.Blocks[t.block].Name)
		}
	}
	switch {
	case len(names) == 0:
		return "itself"
	case len(names) > 3:
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], len(names)-2)
	}
	return strings.Join(names, ", ")
}

// Verdict says in a few sentences what kind of model this is.
func (a *RateAudit) Verdict() string {
	if a.Rates == nil {
		return sentence(a.Err)
	}
	var s []string
	var pinned *PinnedRatesError
	switch degree, homogeneous := a.Rates.Degree(); {
	case errors.As(a.Err, &pinned):
		s = append(s, "Quasi-homogeneous, but not strictly: "+pinned.explanation())
	case homogeneous && a.Freedom == 0:
		s = append(s, fmt.Sprintf("Homogeneous of degree %s.", rational(degree).RatString()))
	case homogeneous:
		s = append(s, fmt.Sprintf("Homogeneous of degree %s, and quasi-homogeneous with other rates as well.", rational(degree).RatString()))
	default:
		s = append(s, "Quasi-homogeneous, not homogeneous.")
	}
	switch a.Freedom {
	case 0:
		s = append(s, "The rates are unique.")
	case 1:
		s = append(s, "The admissible rates form a line.")
	default:
		s = append(s, fmt.Sprintf("The admissible rates form a polytope of dimension %d.", a.Freedom))
	}
	switch len(a.Conserved) {
	case 0:
	case 1:
		s = append(s, "Gradient flow conserves one combination of squared block norms.")
	default:
		s = append(s, fmt.Sprintf("Gradient flow conserves %d independent combinations of squared block norms.", len(a.Conserved)))
	}
	return strings.Join(append(s, a.highest()), " ")
}

// highest tells which blocks have the highest canonical rate, and whether the
// last layer alone can scale.
func (a *RateAudit) highest() string {
	_, blocks := a.Rates.Max()
	text := fmt.Sprintf("The highest canonical rate is %s, of %s.", a.Rates.canonical[blocks[0]].RatString(), a.names(blocks))
	if rates, ok := a.Rates.LastLayerOnly(); ok && a.Freedom > 0 {
		var scaling []int
		for b, rate := range rates {
			if rate > 0 {
				scaling = append(scaling, b)
			}
		}
		if len(scaling) < len(rates) {
			text += fmt.Sprintf(" Another admissible choice gives positive rates to %s alone.", a.names(scaling))
		}
	}
	return text
}

// names joins the names of blocks, of many only the first and the last.
func (a *RateAudit) names(blocks []int) string {
	if len(blocks) > 6 {
		return fmt.Sprintf("%d blocks from %s to %s", len(blocks), a.Blocks[blocks[0]].Name, a.Blocks[blocks[len(blocks)-1]].Name)
	}
	var names []string
	for _, b := range blocks {
		names = append(names, a.Blocks[b].Name)
	}
	return strings.Join(names, ", ")
}

// sentence turns an error of this package into one.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "qhnet: ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// table aligns columns, to the right for the numbers in column right.
func table(rows [][]string, right int) string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			width[c] = max(width[c], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for c, cell := range row {
			space := strings.Repeat(" ", width[c]-utf8.RuneCountInString(cell))
			if c == right {
				line.WriteString(space + cell + "  ")
			} else {
				line.WriteString(cell + space + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
