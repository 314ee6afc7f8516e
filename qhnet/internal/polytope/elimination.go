package polytope

import (
	"math/big"
	"slices"
)

// row is a linear expression: a constant and one coefficient per column.
type row struct {
	constant big.Rat
	coef     []big.Rat
}

func newRow(n int) row { return row{coef: make([]big.Rat, n)} }

// add adds k times s.
func (r *row) add(k *big.Rat, s row) {
	var term big.Rat
	addProduct(&r.constant, k, &s.constant, &term)
	for c := range s.coef {
		addProduct(&r.coef[c], k, &s.coef[c], &term)
	}
}

// addProduct adds k y to x. Most numbers are whole, and need no common factor.
func addProduct(x, k, y, term *big.Rat) {
	switch {
	case y.Sign() == 0:
	case k.IsInt() && x.IsInt() && y.IsInt():
		x.Num().Add(x.Num(), term.Num().Mul(k.Num(), y.Num()))
	default:
		x.Add(x, term.Mul(k, y))
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

// reduce brings A x = b to reduced row echelon form, looking for pivots in the given order of
// the columns: row i has the pivot column pivots[i]. It returns ErrEmpty if 0 = 1 follows.
func reduce(variables int, a [][]*big.Rat, b []*big.Rat, order []int) (pivots []int, rows []row, err error) {
	rest := make([]row, len(a))
	for i := range a {
		rest[i] = newRow(variables)
		rest[i].constant.Set(b[i])
		for v, c := range a[i] {
			if c.Sign() != 0 {
				rest[i].coef[v].Set(c)
			}
		}
	}
	for _, v := range order {
		i := slices.IndexFunc(rest, func(r row) bool { return r.coef[v].Sign() != 0 })
		if i < 0 {
			continue
		}
		pivot := rest[i]
		rest = slices.Delete(rest, i, i+1)
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

// Project returns equations for the other variables alone that hold exactly when some
// values of the dropped ones, of either sign, solve A x = b, or ErrEmpty. The function
// implied sets such values for a solution of theirs, 0 where any will do.
func Project(variables int, a [][]*big.Rat, b []*big.Rat, dropped []int) (
	rest [][]*big.Rat, totals []*big.Rat, implied func(x []*big.Rat), err error) {
	order := slices.Clone(dropped)
	for v := range variables {
		if !slices.Contains(dropped, v) {
			order = append(order, v)
		}
	}
	pivots, rows, err := reduce(variables, a, b, order)
	if err != nil {
		return nil, nil, nil, err
	}
	solved := 0 // rows of dropped pivots come first
	for solved < len(pivots) && slices.Contains(dropped, pivots[solved]) {
		solved++
	}
	for _, r := range rows[solved:] {
		coef := newVector(variables)
		for v := range coef {
			coef[v].Set(&r.coef[v])
		}
		rest, totals = append(rest, coef), append(totals, new(big.Rat).Set(&r.constant))
	}
	return rest, totals, func(x []*big.Rat) {
		for _, v := range dropped {
			x[v].SetInt64(0)
		}
		for i, r := range rows[:solved] {
			x[pivots[i]].Set(r.solveFor(pivots[i], x))
		}
	}, nil
}

// solveFor returns the value of variable v, whose coefficient is 1, that solves Σ coef x = constant.
func (r row) solveFor(v int, x []*big.Rat) *big.Rat {
	value := new(big.Rat).Set(&r.constant)
	for w := range r.coef {
		if w != v && r.coef[w].Sign() != 0 {
			value.Sub(value, new(big.Rat).Mul(&r.coef[w], x[w]))
		}
	}
	return value
}

// NullSpace returns coprime integer vectors with a positive first entry that span the
// solutions of A v = 0. Of the bases that elimination finds with the columns in natural
// order, in reverse and in the orders given, it takes the one with the fewest non-zeros.
func NullSpace(variables int, a [][]*big.Rat, orders ...[]int) [][]*big.Int {
	backward := naturalOrder(variables)
	slices.Reverse(backward)
	orders = append(orders, naturalOrder(variables), backward)
	var best [][]*big.Int
	fewest := 0
	for i, order := range orders {
		basis := nullSpace(variables, a, order)
		if count := nonZeros(basis); i == 0 || count < fewest {
			best, fewest = basis, count
		}
	}
	return best
}

// nullSpace returns one vector for each column without a pivot.
func nullSpace(variables int, a [][]*big.Rat, order []int) [][]*big.Int {
	// A homogeneous system always has a solution, so there is no error.
	pivots, rows, _ := reduce(variables, a, newVector(len(a)), order)
	var basis [][]*big.Int
	for free := range variables {
		if slices.Contains(pivots, free) {
			continue
		}
		v := newVector(variables)
		v[free].SetInt64(1)
		for i, pivot := range pivots {
			v[pivot].Neg(&rows[i].coef[free])
		}
		basis = append(basis, integers(v))
	}
	return basis
}

// integers scales a vector to coprime integers, the first of them positive.
func integers(v []*big.Rat) []*big.Int {
	multiple := big.NewInt(1) // of all denominators, the least
	for _, x := range v {
		gcd := new(big.Int).GCD(nil, nil, multiple, x.Denom())
		multiple.Mul(multiple, new(big.Int).Quo(x.Denom(), gcd))
	}
	scaled := make([]*big.Int, len(v))
	divisor := new(big.Int)
	for i, x := range v {
		scaled[i] = new(big.Int).Mul(x.Num(), new(big.Int).Quo(multiple, x.Denom()))
		divisor.GCD(nil, nil, divisor, new(big.Int).Abs(scaled[i]))
	}
	if first := slices.IndexFunc(scaled, func(x *big.Int) bool { return x.Sign() != 0 }); scaled[first].Sign() < 0 {
		divisor.Neg(divisor)
	}
	for _, x := range scaled {
		x.Quo(x, divisor)
	}
	return scaled
}

func nonZeros(basis [][]*big.Int) int {
	count := 0
	for _, v := range basis {
		for _, x := range v {
			if x.Sign() != 0 {
				count++
			}
		}
	}
	return count
}
