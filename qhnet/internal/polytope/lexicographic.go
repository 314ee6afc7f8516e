package polytope

import "math/big"

// LexicographicMinMax returns the solution whose largest entry is as small as
// possible, among those whose second largest is, and so on. It is unique: the
// average of two such solutions with the same sorted entries would be better.
func (p *Polytope) LexicographicMinMax() []*big.Rat {
	x := newVector(p.variables)
	for _, part := range p.parts {
		part.lexicographicMinMax(x, p.variables)
	}
	return x
}

// lexicographicMinMax sets the part's entries of x. Numbers from next on are
// free for new variables.
//
// Each round minimizes a level t subject to s_v = t - x_v ≥ 0 for the variables
// that are still free, keeps to the face where t is smallest, and fixes the
// variables that equal it everywhere on that face.
func (p part) lexicographicMinMax(x []*big.Rat, next int) {
	d := p.vertex.clone()
	free := append([]int(nil), p.variables...)
	for len(free) > 0 {
		level := next
		slack := make(map[int]int, len(free))
		for i, v := range free {
			slack[v] = level + 1 + i
		}
		next += 1 + len(free)
		smallest := d.lowerLevel(level, free, slack)

		loose := d.looseSlacks(free, slack)
		var stillFree []int
		for _, v := range free {
			if loose[v] {
				stillFree = append(stillFree, v)
			} else {
				x[v].Set(smallest)
			}
		}
		d.dropBasic(slack)
		free = stillFree
	}
}

// lowerLevel adds t and the s_v = t - x_v, minimizes t, restricts the
// dictionary to the face of its minimizers and returns the minimum.
func (d *dictionary) lowerLevel(level int, free []int, slack map[int]int) *big.Rat {
	one, minusOne := big.NewRat(1, 1), big.NewRat(-1, 1)
	column := d.addColumn(level)
	for _, v := range free {
		r := d.express(func(int) *big.Rat { return minusOne }, []int{v})
		r.coef[column].Set(one)
		d.basic, d.rows = append(d.basic, slack[v]), append(d.rows, r)
	}
	if worst := d.mostNegative(); worst >= 0 {
		d.pivot(worst, column, nil)
	}
	t := d.express(func(int) *big.Rat { return one }, []int{level})
	d.minimize(&t)
	d.restrictToFace(&t)
	return &t.constant
}

// restrictToFace drops the nonbasic variables that would raise a minimized
// objective, so that only its minimizers remain.
func (d *dictionary) restrictToFace(objective *row) {
	for c := len(d.nonbasic) - 1; c >= 0; c-- {
		if objective.coef[c].Sign() > 0 {
			d.dropColumn(c)
		}
	}
}

// looseSlacks tells for which variables the slack is positive somewhere on the
// face that the dictionary describes, and makes the other slacks 0 identically.
func (d *dictionary) looseSlacks(free []int, slack map[int]int) map[int]bool {
	loose := make(map[int]bool)
	note := func() {
		for _, v := range free {
			if i := position(d.basic, slack[v]); i >= 0 && d.rows[i].constant.Sign() > 0 {
				loose[v] = true
			}
		}
	}
	note()
	minusOne := big.NewRat(-1, 1)
	for _, v := range free {
		if loose[v] {
			continue
		}
		objective := d.express(func(int) *big.Rat { return minusOne }, []int{slack[v]})
		d.minimize(&objective) // s_v ≤ t, so it is bounded
		if objective.constant.Sign() == 0 {
			d.restrictToFace(&objective)
		}
		note()
	}
	return loose
}

// dropBasic removes the rows of basic slacks. The next level lies below this
// one, so what they ask for is implied; nonbasic slacks stay as coordinates.
func (d *dictionary) dropBasic(slack map[int]int) {
	own := make(map[int]bool, len(slack))
	for _, s := range slack {
		own[s] = true
	}
	for r := len(d.rows) - 1; r >= 0; r-- {
		if own[d.basic[r]] {
			d.dropRow(r)
		}
	}
}
