package polytope

import "math/big"

// row is a linear expression: a constant and one coefficient per column.
type row struct {
	constant big.Rat
	coef     []big.Rat
}

func newRow(n int) row { return row{coef: make([]big.Rat, n)} }

func (r row) clone() row {
	c := newRow(len(r.coef))
	c.add(new(big.Rat).SetInt64(1), r)
	return c
}

// add adds k times s.
func (r *row) add(k *big.Rat, s row) {
	var term big.Rat
	if s.constant.Sign() != 0 {
		r.constant.Add(&r.constant, term.Mul(k, &s.constant))
	}
	for c := range s.coef {
		if s.coef[c].Sign() != 0 {
			r.coef[c].Add(&r.coef[c], term.Mul(k, &s.coef[c]))
		}
	}
}

// scale multiplies by k.
func (r *row) scale(k *big.Rat) {
	r.constant.Mul(&r.constant, k)
	for c := range r.coef {
		if r.coef[c].Sign() != 0 {
			r.coef[c].Mul(&r.coef[c], k)
		}
	}
}

// reduce brings A x = b to reduced row echelon form, looking for pivots in the
// given order of the columns. Row i has the pivot column pivots[i]; its
// constant is the right-hand side. It returns ErrEmpty if 0 = 1 follows.
func reduce(variables int, a [][]*big.Rat, b []*big.Rat, order []int) (pivots []int, rows []row, err error) {
	rest := make([]row, len(a))
	for i := range a {
		rest[i] = newRow(variables)
		rest[i].constant.Set(b[i])
		for v := range variables {
			rest[i].coef[v].Set(a[i][v])
		}
	}
	for _, v := range order {
		i := 0
		for i < len(rest) && rest[i].coef[v].Sign() == 0 {
			i++
		}
		if i == len(rest) {
			continue
		}
		pivot := rest[i]
		rest = append(rest[:i], rest[i+1:]...)
		pivot.scale(new(big.Rat).Inv(&pivot.coef[v]))
		eliminate(rows, v, pivot)
		eliminate(rest, v, pivot)
		pivots, rows = append(pivots, v), append(rows, pivot)
	}
	for i := range rest {
		if rest[i].constant.Sign() != 0 {
			return nil, nil, ErrEmpty
		}
	}
	return pivots, rows, nil
}

// eliminate subtracts from every row the multiple of pivot that clears column v.
func eliminate(rows []row, v int, pivot row) {
	for i := range rows {
		if rows[i].coef[v].Sign() != 0 {
			rows[i].add(new(big.Rat).Neg(&rows[i].coef[v]), pivot)
		}
	}
}
