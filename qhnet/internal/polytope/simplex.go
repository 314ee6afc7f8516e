package polytope

import (
	"math/big"
	"slices"
)

// dictionary is a system of equations solved for its basic variables,
//
//	x_basic[i] = constant_i + Σ_c coef_ic x_nonbasic[c],
//
// with all variables ≥ 0. It is feasible when all constants are ≥ 0; the vertex
// it stands for then has its nonbasic variables at 0, as are variables that it does not
// mention. See V. Chvátal, Linear Programming, 1983, chapters 2 and 3.
type dictionary struct {
	basic, nonbasic []int
	rows            []row
}

// newDictionary restricts reduced rows to the variables of one part.
func newDictionary(variables, pivots []int, rows []row) *dictionary {
	d := new(dictionary)
	for _, v := range variables {
		if !slices.Contains(pivots, v) {
			d.nonbasic = append(d.nonbasic, v)
		}
	}
	for i, v := range pivots {
		if !slices.Contains(variables, v) {
			continue
		}
		r := newRow(len(d.nonbasic))
		r.constant.Set(&rows[i].constant)
		for c, free := range d.nonbasic {
			r.coef[c].Neg(&rows[i].coef[free])
		}
		d.basic, d.rows = append(d.basic, v), append(d.rows, r)
	}
	return d
}

func (d *dictionary) clone() *dictionary {
	c := &dictionary{slices.Clone(d.basic), slices.Clone(d.nonbasic), make([]row, len(d.rows))}
	for i := range d.rows {
		c.rows[i] = newRow(len(d.nonbasic))
		c.rows[i].add(one, d.rows[i])
	}
	return c
}

// express writes k times variable v in the nonbasic variables.
func (d *dictionary) express(k *big.Rat, v int) row {
	r := newRow(len(d.nonbasic))
	if i := slices.Index(d.basic, v); i >= 0 {
		r.add(k, d.rows[i])
	} else if c := slices.Index(d.nonbasic, v); c >= 0 {
		r.coef[c].Set(k)
	}
	return r
}

// pivot exchanges the basic variable of row r with the nonbasic one of column c.
func (d *dictionary) pivot(r, c int) {
	coef := &d.rows[r].coef[c]
	inverse := new(big.Rat).Inv(coef)
	coef.SetInt64(-1)
	d.rows[r].scale(inverse.Neg(inverse))
	for i := range d.rows {
		if i != r {
			d.rows[i].substitute(c, d.rows[r])
		}
	}
	d.basic[r], d.nonbasic[c] = d.nonbasic[c], d.basic[r]
}

// substitute puts an expression in place of column c.
func (r *row) substitute(c int, solved row) {
	if r.coef[c].Sign() != 0 {
		k := new(big.Rat).Set(&r.coef[c])
		r.coef[c].SetInt64(0)
		r.add(k, solved)
	}
}

// minimize pivots until no nonbasic variable can lower the objective, and returns -1, or the
// column of one that lowers it without bound. Bland's rule keeps it from cycling.
func (d *dictionary) minimize(objective *row) int {
	for {
		entering := -1
		for c, v := range d.nonbasic {
			if objective.coef[c].Sign() < 0 && (entering < 0 || v < d.nonbasic[entering]) {
				entering = c
			}
		}
		if entering < 0 {
			return -1
		}
		leaving := d.blocking(entering)
		if leaving < 0 {
			return entering
		}
		d.pivot(leaving, entering)
		objective.substitute(entering, d.rows[leaving])
	}
}

// blocking returns the row whose variable first reaches 0 when that of column c grows, or -1.
func (d *dictionary) blocking(c int) int {
	best, most := -1, new(big.Rat)
	for i := range d.rows {
		if d.rows[i].coef[c].Sign() >= 0 {
			continue
		}
		ratio := new(big.Rat).Quo(&d.rows[i].constant, &d.rows[i].coef[c]) // ≤ 0
		if order := ratio.Cmp(most); best < 0 || order > 0 || order == 0 && d.basic[i] < d.basic[best] {
			best, most = i, ratio
		}
	}
	return best
}

// keepMinimizers drops nonbasic variables that would raise an objective that is minimized.
func (d *dictionary) keepMinimizers(objective *row) {
	for c := len(d.nonbasic) - 1; c >= 0; c-- {
		if objective.coef[c].Sign() > 0 {
			d.nonbasic = slices.Delete(d.nonbasic, c, c+1)
			for i := range d.rows {
				d.rows[i].coef = slices.Delete(d.rows[i].coef, c, c+1)
			}
		}
	}
}

// makeFeasible finds a vertex, using a number that no variable has for the amount by which all
// constants must be raised. It reports whether there is one.
func (d *dictionary) makeFeasible(artificial int) bool {
	worst := d.mostNegative()
	if worst < 0 {
		return true
	}
	column := d.addColumn(artificial)
	for i := range d.rows {
		d.rows[i].coef[column].Set(one)
	}
	d.pivot(worst, column)
	shortfall := d.express(one, artificial)
	d.minimize(&shortfall)
	d.keepMinimizers(&shortfall)
	d.dropFrom(artificial)
	return shortfall.constant.Sign() == 0
}

// mostNegative returns the row with the lowest constant below 0, or -1.
func (d *dictionary) mostNegative() int {
	worst, lowest := -1, new(big.Rat)
	for i := range d.rows {
		if d.rows[i].constant.Cmp(lowest) < 0 {
			worst, lowest = i, &d.rows[i].constant
		}
	}
	return worst
}

func (d *dictionary) addColumn(v int) int {
	d.nonbasic = append(d.nonbasic, v)
	for i := range d.rows {
		d.rows[i].coef = append(d.rows[i].coef, big.Rat{})
	}
	return len(d.nonbasic) - 1
}

// dropFrom removes the rows of basic variables numbered limit or higher.
func (d *dictionary) dropFrom(limit int) {
	kept := 0
	for i, v := range d.basic {
		if v < limit {
			d.basic[kept], d.rows[kept] = v, d.rows[i]
			kept++
		}
	}
	d.basic, d.rows = d.basic[:kept], d.rows[:kept]
}

// lexicographicMinMax sets the entries of x that belong to the given variables. Numbers
// from next on are free for new variables.
//
// Each round minimizes a level t subject to s_v = t - x_v ≥ 0 for the variables that are
// still free, keeps to the minimizers, and fixes the variables that equal the level at all
// of them. The next level lies below this one, so the rows of its slacks can go.
func (d *dictionary) lexicographicMinMax(x []*big.Rat, variables []int, next int) {
	for free := variables; len(free) > 0; {
		column := d.addColumn(next)
		for i, v := range free {
			slack := d.express(minusOne, v)
			slack.coef[column].Set(one)
			d.basic, d.rows = append(d.basic, next+1+i), append(d.rows, slack)
		}
		if worst := d.mostNegative(); worst >= 0 {
			d.pivot(worst, column)
		}
		level := d.express(one, next)
		d.minimize(&level)
		d.keepMinimizers(&level)

		loose := d.loose(next+1, len(free))
		var below []int
		for i, v := range free {
			if loose[i] {
				below = append(below, v)
			} else {
				x[v].Set(&level.constant)
			}
		}
		d.dropFrom(len(x))
		next += 1 + len(free)
		free = below
	}
}

// loose tells which of the bounded variables first, first+1, … are positive somewhere,
// and makes the rows of the others 0: one by one, as those of a sum that is 0 may cancel.
func (d *dictionary) loose(first, count int) []bool {
	loose := make([]bool, count)
	note := func() {
		for i, v := range d.basic {
			if v >= first && d.rows[i].constant.Sign() > 0 {
				loose[v-first] = true
			}
		}
	}
	note()
	for i := range loose {
		if loose[i] {
			continue
		}
		objective := d.express(minusOne, first+i)
		d.minimize(&objective)
		if objective.constant.Sign() == 0 {
			d.keepMinimizers(&objective)
		}
		note()
	}
	return loose
}
