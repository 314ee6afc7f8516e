package qhnet

import (
	"slices"

	"gonum.org/v1/gonum/mat"
)

// splitting writes the free coefficients as expand·z, where the coordinates of
// an ℓ1 stage are differences of two non-negative variables.
type splitting struct {
	expand *mat.Dense
	square []float64
	linear []float64
	signed []int // variables that must be non-negative
}

func newSplitting(free []int, s groupStage) splitting {
	var sp splitting
	var column []int
	var sign []float64
	add := func(c int, sg, square, linear float64) {
		column, sign = append(column, c), append(sign, sg)
		sp.square, sp.linear = append(sp.square, square), append(sp.linear, linear)
	}
	for i, j := range free {
		switch inside := slices.Contains(s.coordinates, j); {
		case inside && s.Norm == "ℓ1":
			sp.signed = append(sp.signed, len(column), len(column)+1)
			add(i, 1, 0, 1)
			add(i, -1, 0, 1)
		case inside:
			add(i, 1, 1, 0)
		default:
			add(i, 1, 0, 0)
		}
	}
	sp.expand = mat.NewDense(len(free), len(column), nil)
	for v, i := range column {
		sp.expand.Set(i, v, sign[v])
	}
	return sp
}

func (sp splitting) program(b bounds) *program {
	n, _ := b.rows.Dims()
	_, width := sp.expand.Dims()
	p := &program{
		square:     sp.square,
		linear:     sp.linear,
		rows:       mat.NewDense(n+len(sp.signed), width, nil),
		right:      append(slices.Clone(b.right), make([]float64, len(sp.signed))...),
		equalities: b.equalities,
	}
	p.rows.Slice(0, n, 0, width).(*mat.Dense).Mul(b.rows, sp.expand)
	for i, v := range sp.signed {
		p.rows.Set(n+i, v, 1)
	}
	return p
}

func (sp splitting) encode(x []float64) []float64 {
	_, width := sp.expand.Dims()
	z := make([]float64, width)
	for v := range z {
		for i, xi := range x {
			if s := sp.expand.At(i, v); s*xi > 0 || (s != 0 && sp.linear[v] == 0) {
				z[v] = s * xi
			}
		}
	}
	return z
}

func (sp splitting) decode(z []float64) []float64 {
	x := mat.NewVecDense(sp.expand.RawMatrix().Rows, nil)
	x.MulVec(sp.expand, mat.NewVecDense(len(z), z))
	return x.RawVector().Data
}
