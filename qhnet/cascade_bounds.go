package qhnet

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// bounds are the constraints on the free coefficients, equalities first, in
// units in which the widest margin's coefficients have length one.
type bounds struct {
	rows       *mat.Dense
	right      []float64
	equalities int
	margin     []int // the margin that a row belongs to, -1 for a sign
	consistent bool  // whether the rows that were left out hold
}

// A row whose part outside the span of the equalities is below this share of
// its length is decided by them. It is checked once, with this tolerance, and
// left out: kept, it would ask rounding errors to agree.
const decidedShare = 1e-9

func (f *face) bounds() bounds {
	fixed := slices.Clone(f.point)
	for _, j := range f.free {
		fixed[j] = 0
	}
	c := boundCollector{bounds: bounds{consistent: true}}
	for _, tight := range []bool{true, false} {
		for k := range f.tight {
			if f.tight[k] == tight {
				all := f.margins.rows.RawRowView(k)
				row := pick(all, f.free)
				floats.Scale(f.unit, row)
				c.add(row, 1-floats.Dot(all, fixed), f.unit*floats.Norm(all, 2), k, tight)
			}
		}
		if tight {
			c.equalities = len(c.right)
		}
	}
	for i, j := range f.free {
		if s, ok := f.sign[j]; ok {
			row := make([]float64, len(f.free))
			row[i] = s
			c.add(row, 0, 1, -1, false)
		}
	}
	return c.finish(len(f.free))
}

// boundCollector gathers rows and keeps an orthonormal basis of the equalities
// with the value each basis vector takes on them.
type boundCollector struct {
	bounds
	list   [][]float64
	basis  [][]float64
	values []float64
}

func (c *boundCollector) add(row []float64, right, size float64, margin int, equality bool) {
	outside, value := slices.Clone(row), 0.0
	for range 2 { // the second pass removes what rounding left
		for i, q := range c.basis {
			s := floats.Dot(q, outside)
			floats.AddScaled(outside, -s, q)
			value += s * c.values[i]
		}
	}
	length := floats.Norm(outside, 2)
	if length <= decidedShare*size {
		gap := right - value
		if equality {
			gap = math.Abs(gap)
		}
		c.consistent = c.consistent && gap <= decidedShare*math.Max(size, 1)
		return
	}
	c.list = append(c.list, row)
	c.right, c.margin = append(c.right, right), append(c.margin, margin)
	if equality {
		floats.Scale(1/length, outside)
		c.basis, c.values = append(c.basis, outside), append(c.values, (right-value)/length)
	}
}

func (c *boundCollector) finish(width int) bounds {
	if len(c.list) == 0 { // 0 ≥ 0, so that the matrix is not empty
		c.list, c.right, c.margin = [][]float64{make([]float64, width)}, []float64{0}, []int{-1}
	}
	c.rows = mat.NewDense(len(c.list), width, nil)
	for i, row := range c.list {
		c.rows.SetRow(i, row)
	}
	return c.bounds
}
