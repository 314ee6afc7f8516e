package polytope

import (
	"math/big"
	"slices"
)

// NullSpace returns integer vectors that span the solutions of A v = 0, each
// divided by its common factor and with a positive first entry. Of the bases
// that elimination finds with the columns in natural order, in reverse and in
// the orders given, it takes the one with the fewest non-zeros.
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
	first := slices.IndexFunc(scaled, func(x *big.Int) bool { return x.Sign() != 0 })
	if first < 0 {
		return scaled
	}
	if scaled[first].Sign() < 0 {
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
