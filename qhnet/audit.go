package qhnet

import (
	"errors"
	"fmt"
	"strings"
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

// sentence turns an error of this package into one.
func sentence(err error) string {
	text := strings.TrimPrefix(err.Error(), "qhnet: ")
	return strings.ToUpper(text[:1]) + text[1:]
}
