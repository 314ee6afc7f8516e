package polytope

import "math/big"

// dictionary is a system of equations solved for its basic variables,
//
//	x_basic[i] = constant_i + Σ_c coef_ic x_nonbasic[c],
//
// with all variables ≥ 0. It is feasible when all constants are ≥ 0; the vertex
// it stands for then has its nonbasic variables at 0. See V. Chvátal, Linear
// Programming, 1983, chapters 2 and 3.
type dictionary struct {
	basic, nonbasic []int
	rows            []row
}

// newDictionary restricts reduced rows to the variables of one part.
func newDictionary(variables, pivots []int, rows []row) *dictionary {
	d := new(dictionary)
	rowOf := make(map[int]int, len(pivots))
	for i, v := range pivots {
		rowOf[v] = i
	}
	for _, v := range variables {
		if _, ok := rowOf[v]; ok {
			d.basic = append(d.basic, v)
		} else {
			d.nonbasic = append(d.nonbasic, v)
		}
	}
	for _, v := range d.basic {
		from, to := rows[rowOf[v]], newRow(len(d.nonbasic))
		to.constant.Set(&from.constant)
		for c, free := range d.nonbasic {
			to.coef[c].Neg(&from.coef[free])
		}
		d.rows = append(d.rows, to)
	}
	return d
}

func (d *dictionary) clone() *dictionary {
	c := &dictionary{
		basic:    append([]int(nil), d.basic...),
		nonbasic: append([]int(nil), d.nonbasic...),
		rows:     make([]row, len(d.rows)),
	}
	for i := range d.rows {
		c.rows[i] = d.rows[i].clone()
	}
	return c
}

// read writes the vertex's values of the variables that x has room for.
func (d *dictionary) read(x []*big.Rat) {
	for _, v := range d.nonbasic {
		if v < len(x) {
			x[v].SetInt64(0)
		}
	}
	for i, v := range d.basic {
		if v < len(x) {
			x[v].Set(&d.rows[i].constant)
		}
	}
}

// express writes Σ c(v) x_v over the given variables in the nonbasic ones.
func (d *dictionary) express(c func(v int) *big.Rat, variables []int) row {
	r := newRow(len(d.nonbasic))
	for _, v := range variables {
		k := c(v)
		if k.Sign() == 0 {
			continue
		}
		if i := position(d.basic, v); i >= 0 {
			r.add(k, d.rows[i])
		} else if i := position(d.nonbasic, v); i >= 0 {
			r.coef[i].Add(&r.coef[i], k)
		}
	}
	return r
}

// pivot exchanges the basic variable of row r with the nonbasic one of column
// c, in the dictionary and in an objective if there is one.
func (d *dictionary) pivot(r, c int, objective *row) {
	solved := &d.rows[r]
	inverse := new(big.Rat).Inv(&solved.coef[c])
	solved.coef[c].SetInt64(-1)
	solved.scale(new(big.Rat).Neg(inverse))
	substitute := func(into *row) {
		if into.coef[c].Sign() == 0 {
			return
		}
		k := new(big.Rat).Set(&into.coef[c])
		into.coef[c].SetInt64(0)
		into.add(k, *solved)
	}
	for i := range d.rows {
		if i != r {
			substitute(&d.rows[i])
		}
	}
	if objective != nil {
		substitute(objective)
	}
	d.basic[r], d.nonbasic[c] = d.nonbasic[c], d.basic[r]
}

// minimize pivots until no nonbasic variable can lower the objective, and
// returns -1, or the column of one that lowers it without bound. Bland's rule,
// always the variable of the smallest number, keeps it from cycling.
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
		d.pivot(leaving, entering, objective)
	}
}

// blocking returns the row whose variable first reaches 0 when the nonbasic
// variable of column c grows, or -1 if none does.
func (d *dictionary) blocking(c int) int {
	best := -1
	var bestRatio big.Rat
	for i := range d.rows {
		if d.rows[i].coef[c].Sign() >= 0 {
			continue
		}
		ratio := new(big.Rat).Quo(&d.rows[i].constant, &d.rows[i].coef[c]) // ≤ 0
		order := 1
		if best >= 0 {
			order = ratio.Cmp(&bestRatio)
		}
		if order > 0 || order == 0 && d.basic[i] < d.basic[best] {
			best = i
			bestRatio.Set(ratio)
		}
	}
	return best
}

// moveAlong moves the vertex by one unit of the nonbasic variable of column c,
// which no row may block. The constants then belong to that point.
func (d *dictionary) moveAlong(c int) {
	for i := range d.rows {
		d.rows[i].constant.Add(&d.rows[i].constant, &d.rows[i].coef[c])
	}
	d.basic = append(d.basic, d.nonbasic[c])
	moved := newRow(len(d.nonbasic))
	moved.constant.SetInt64(1)
	d.rows = append(d.rows, moved)
	d.dropColumn(c)
}

// makeFeasible finds a vertex, using a number that no variable has for the
// amount by which all constants must be raised. It reports whether there is one.
func (d *dictionary) makeFeasible(artificial int) bool {
	worst := d.mostNegative()
	if worst < 0 {
		return true
	}
	one := new(big.Rat).SetInt64(1)
	column := d.addColumn(artificial)
	for i := range d.rows {
		d.rows[i].coef[column].Set(one)
	}
	d.pivot(worst, column, nil)
	shortfall := d.express(func(int) *big.Rat { return one }, []int{artificial})
	d.minimize(&shortfall)
	if shortfall.constant.Sign() > 0 {
		return false
	}
	d.remove(artificial)
	return true
}

// mostNegative returns the row with the lowest constant below 0, or -1.
func (d *dictionary) mostNegative() int {
	worst := -1
	for i := range d.rows {
		lowest := new(big.Rat)
		if worst >= 0 {
			lowest = &d.rows[worst].constant
		}
		if d.rows[i].constant.Cmp(lowest) < 0 {
			worst = i
		}
	}
	return worst
}

// remove takes a variable that is 0 at the vertex, and must stay 0, out of the
// dictionary.
func (d *dictionary) remove(v int) {
	if r := position(d.basic, v); r >= 0 {
		for c := range d.nonbasic {
			if d.rows[r].coef[c].Sign() != 0 {
				d.pivot(r, c, nil)
				d.dropColumn(c)
				return
			}
		}
		d.dropRow(r)
		return
	}
	d.dropColumn(position(d.nonbasic, v))
}

func (d *dictionary) addColumn(v int) int {
	d.nonbasic = append(d.nonbasic, v)
	for i := range d.rows {
		d.rows[i].coef = append(d.rows[i].coef, big.Rat{})
	}
	return len(d.nonbasic) - 1
}

func (d *dictionary) dropColumn(c int) {
	d.nonbasic = append(d.nonbasic[:c], d.nonbasic[c+1:]...)
	for i := range d.rows {
		coef := d.rows[i].coef
		d.rows[i].coef = append(coef[:c], coef[c+1:]...)
	}
}

func (d *dictionary) dropRow(r int) {
	d.basic = append(d.basic[:r], d.basic[r+1:]...)
	d.rows = append(d.rows[:r], d.rows[r+1:]...)
}

func position(variables []int, v int) int {
	for i, w := range variables {
		if w == v {
			return i
		}
	}
	return -1
}
