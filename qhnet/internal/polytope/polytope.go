// Package polytope answers questions about the solutions of
//
//	A x = b, x ≥ 0
//
// in exact rational arithmetic: is there one, how small or large can a linear
// function be, which solution is lexicographically min-max, which directions
// leave A x unchanged. Exact answers need no tolerances, cannot cycle under
// Bland's rule, and come out as 1/3, not as 0.33333333333333337. The programs
// met here have at most a few hundred variables, and usually fall apart into
// independent ones of fewer than ten.
package polytope

import (
	"errors"
	"math/big"
)

// Errors returned by New and by Minimize.
var (
	ErrEmpty     = errors.New("polytope: no solution")
	ErrUnbounded = errors.New("polytope: unbounded")
)

// Polytope is the set of solutions. It is the product of independent parts,
// one for each set of variables that the equations tie together.
type Polytope struct {
	variables int
	parts     []part
}

// part is an independent set of variables with a vertex found for it.
type part struct {
	variables []int
	vertex    *dictionary
}

// New returns the polytope of A x = b with the given number of variables, or
// ErrEmpty. The rows of A may be dependent.
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

// Minimize returns a solution at which Σ c_i x_i is smallest. If the function
// has no lower bound, it returns ErrUnbounded and a solution from which it can
// be lowered for ever, moved by one unit of the variable that lowers it.
func (p *Polytope) Minimize(c []*big.Rat) ([]*big.Rat, error) {
	x := newVector(p.variables)
	var err error
	for _, part := range p.parts {
		d := part.vertex
		objective := d.express(func(v int) *big.Rat { return c[v] }, part.variables)
		if objective.isConstant() {
			d.read(x)
			continue
		}
		d = d.clone()
		if entering := d.minimize(&objective); entering >= 0 {
			d.moveAlong(entering)
			err = ErrUnbounded
		}
		d.read(x)
	}
	return x, err
}

// CanBePositive tells for each variable whether some solution has it above 0.
func (p *Polytope) CanBePositive() []bool {
	positive := make([]bool, p.variables)
	minusOne := big.NewRat(-1, 1)
	for _, part := range p.parts {
		d := part.vertex.clone()
		for _, v := range part.variables {
			objective := d.express(func(int) *big.Rat { return minusOne }, []int{v})
			if d.minimize(&objective) >= 0 || objective.constant.Sign() < 0 {
				positive[v] = true
			}
		}
	}
	return positive
}

// connected returns the sets of variables that the rows tie together, each in
// increasing order.
func connected(variables int, rows []row) [][]int {
	parent := naturalOrder(variables)
	find := func(v int) int {
		for parent[v] != v {
			v = parent[v]
		}
		return v
	}
	for _, r := range rows {
		first := -1
		for v := range r.coef {
			if r.coef[v].Sign() == 0 {
				continue
			}
			if first < 0 {
				first = find(v)
			}
			parent[find(v)] = first
		}
	}
	index := make(map[int]int)
	var sets [][]int
	for v := range variables {
		root := find(v)
		k, ok := index[root]
		if !ok {
			k = len(sets)
			index[root] = k
			sets = append(sets, nil)
		}
		sets[k] = append(sets[k], v)
	}
	return sets
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
