// Package polytope answers questions about the solutions of
//
//	A x = b, x ≥ 0
//
// in exact rational arithmetic, which gonum's linear programming lacks: answers need no
// tolerances, cannot cycle under Bland's rule, and come out as 1/3, not as
// 0.33333333333333337. The programs met here have at most a few hundred variables, and
// usually fall apart into independent ones of fewer than ten.
package polytope

import (
	"errors"
	"math/big"
	"slices"
)

var (
	ErrEmpty     = errors.New("polytope: no solution")
	ErrUnbounded = errors.New("polytope: unbounded")
)

var one, minusOne = big.NewRat(1, 1), big.NewRat(-1, 1)

// Polytope is the set of solutions, as the product of independent parts.
type Polytope struct {
	variables int
	parts     []part
}

// part is an independent set of variables with a vertex found for it.
type part struct {
	variables []int
	vertex    *dictionary
}

// New returns the polytope of A x = b, whose rows may be dependent, or ErrEmpty.
func New(variables int, a [][]*big.Rat, b []*big.Rat) (*Polytope, error) {
	pivots, rows, err := reduce(variables, a, b, naturalOrder(variables))
	if err != nil {
		return nil, err
	}
	p := &Polytope{variables: variables}
	for _, set := range connected(variables, rows) {
		d := newDictionary(set, pivots, rows)
		if !d.makeFeasible(variables) {
			return nil, ErrEmpty
		}
		p.parts = append(p.parts, part{variables: set, vertex: d})
	}
	return p, nil
}

// Minimize returns a solution at which Σ c_i x_i is smallest. If it has no lower bound, it returns
// ErrUnbounded and a solution moved by one unit of a variable that lowers it for ever.
func (p *Polytope) Minimize(c []*big.Rat) ([]*big.Rat, error) {
	x := newVector(p.variables)
	var err error
	for _, part := range p.parts {
		d := part.vertex.clone()
		objective := newRow(len(d.nonbasic))
		for _, v := range part.variables {
			objective.add(one, d.express(c[v], v))
		}
		entering := d.minimize(&objective)
		for i, v := range d.basic {
			x[v].Set(&d.rows[i].constant)
			if entering >= 0 {
				x[v].Add(x[v], &d.rows[i].coef[entering])
			}
		}
		if entering >= 0 {
			err = ErrUnbounded
			x[d.nonbasic[entering]].Set(one)
		}
	}
	return x, err
}

// CanBePositive tells for each variable whether some solution has it above 0.
func (p *Polytope) CanBePositive() []bool {
	positive := make([]bool, p.variables)
	for _, part := range p.parts {
		d := part.vertex.clone()
		for _, v := range part.variables {
			objective := d.express(minusOne, v)
			positive[v] = d.minimize(&objective) >= 0 || objective.constant.Sign() < 0
		}
	}
	return positive
}

// LexicographicMinMax returns the solution whose largest entry is as small as possible, among
// those whose second largest is, and so on. It is unique: an average would be better than two.
func (p *Polytope) LexicographicMinMax() []*big.Rat {
	x := newVector(p.variables)
	for _, part := range p.parts {
		part.vertex.clone().lexicographicMinMax(x, part.variables, p.variables)
	}
	return x
}

// connected returns the sets of variables that the rows tie together, in increasing order.
func connected(variables int, rows []row) [][]int {
	set := naturalOrder(variables) // the number of a variable's set
	for _, r := range rows {
		first := slices.IndexFunc(r.coef, func(c big.Rat) bool { return c.Sign() != 0 })
		for v := range r.coef {
			if r.coef[v].Sign() == 0 {
				continue
			}
			for joined, w := set[v], 0; w < variables; w++ {
				if set[w] == joined {
					set[w] = set[first]
				}
			}
		}
	}
	sets := make([][]int, variables)
	for v, s := range set {
		sets[s] = append(sets[s], v)
	}
	return slices.DeleteFunc(sets, func(s []int) bool { return s == nil })
}

func naturalOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func newVector(n int) []*big.Rat {
	x := make([]*big.Rat, n)
	for i := range x {
		x[i] = new(big.Rat)
	}
	return x
}
