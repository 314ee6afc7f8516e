package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// integers draws whole numbers, whose sums and products are exact in any order,
// fused or not.
func integers(t *testing.T, rnd *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(rnd.IntN(2001) - 1000)
	}
	return guarded(t, x, true)
}

func TestNormalize(t *testing.T) {
	eachLength(t, func(t *testing.T, rnd *rand.Rand, n int) {
		draw := func() []float64 { return integers(t, rnd, n) }
		x, z, a, b, c, dst, sum, product := draw(), draw(), draw(), draw(), draw(), draw(), draw(), draw()
		want := func(f func(i int) float64) []float64 {
			y := make([]float64, n)
			for i := range y {
				y[i] = f(i)
			}
			return y
		}
		check := func(name string, got, want []float64) {
			if !slices.Equal(got, want) {
				t.Errorf("%s of %d values is %v, not %v", name, n, got, want)
			}
		}
		Affine(dst, x, 3, -7)
		check("Affine", dst, want(func(i int) float64 { return 3*x[i] - 7 }))
		AffineBy(dst, x, a, b)
		check("AffineBy", dst, want(func(i int) float64 { return a[i]*x[i] + b[i] }))
		Project(dst, x, z, 5, -2, 3)
		check("Project", dst, want(func(i int) float64 { return (x[i] - 5 + 2*z[i]) * 3 }))
		ProjectBy(dst, x, z, a, b, c)
		check("ProjectBy", dst, want(func(i int) float64 { return (x[i] - a[i] - b[i]*z[i]) * c[i] }))

		Multiply(dst, x, z)
		check("Multiply", dst, want(func(i int) float64 { return x[i] * z[i] }))

		total, inner := 0.0, 0.0
		for i, v := range x {
			total += v
			inner += v * z[i]
		}
		s, p := Moments(x, z)
		check("Moments", []float64{s, p}, []float64{total, inner})
		sums, products := want(func(i int) float64 { return sum[i] + x[i] }), want(func(i int) float64 { return product[i] + x[i]*z[i] })
		AddMoments(sum, product, x, z)
		check("AddMoments' sum", sum, sums)
		check("AddMoments' product", product, products)
		products = want(func(i int) float64 { return product[i] + x[i]*z[i] })
		AddProducts(product, x, z)
		check("AddProducts", product, products)
	})
}
