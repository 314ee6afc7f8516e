//go:build linux

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/ode"
)

// points is the number of data points, parameters that of θ.
const points, parameters = 20, 6

// productFlow is gradient flow of -log L in the clock u = log(1/L),
//
//	dθ/du = g/‖g‖²,  g = Σ_k p_k ∇q_k,  L = mean_k e^{-q_k},  p = softmax(-q),
//	q_k = θ1 c_k1 + θ2 θ3 c_k2 + θ4 θ5 θ6 c_k3,
//
// a small model with three rates whose flow becomes very stiff as u grows.
type productFlow struct {
	features [points][3]float64 // c_k = y_k x_k
	start    [parameters]float64

	q, e  [points]float64
	total float64    // Σ e_k
	mean  [3]float64 // Σ p_k c_k
	g     [parameters]float64
}

var methods = map[string]ode.Method{"DormandPrince": ode.DormandPrince{}, "RadauIIA": ode.RadauIIA{}}

// solve answers "product" with u at the start, θ there, and the features, and
// "product RadauIIA 1e6 1e-8 5", a method, the end, a tolerance, repetitions, with
// seconds, evaluations, steps, and θ.
func solve(request string) ([]float64, error) {
	f := newProductFlow()
	var what, method string
	var end, tolerance float64
	var count int
	if _, err := fmt.Sscan(request, &what, &method, &end, &tolerance, &count); err != nil {
		about := append([]float64{f.logInverse(f.start[:])}, f.start[:]...)
		for _, x := range f.features {
			about = append(about, x[:]...)
		}
		return about, nil
	}
	var sol *ode.Solution
	var err error
	seconds := perRun(count, func() {
		sol, err = ode.Solve(context.Background(), f.problem(end), ode.Options{
			Method:  methods[method],
			Control: &ode.Control{Relative: tolerance, Absolute: tolerance},
		})
	})
	if err != nil {
		return nil, err
	}
	return append([]float64{seconds, float64(sol.Statistics.Evaluations), float64(sol.Statistics.Steps)}, sol.Y...), nil
}

// newProductFlow draws the data with a fixed seed.
func newProductFlow() *productFlow {
	rng := rand.New(rand.NewPCG(20, 6))
	f := &productFlow{start: [parameters]float64{0.3, 0.5, 0.4, 0.7, 0.6, 0.5}}
	for k := range f.features {
		for i, center := range [3]float64{1, 0.7, 0.5} {
			f.features[k][i] = center + 0.5*rng.NormFloat64()
		}
	}
	return f
}

// logInverse returns u = log(1/L) at θ.
func (f *productFlow) logInverse(theta []float64) float64 {
	f.weigh(theta)
	least, sum := math.Inf(1), 0.0
	for _, q := range f.q {
		least = min(least, q)
	}
	for _, q := range f.q {
		sum += math.Exp(least - q)
	}
	return least - math.Log(sum/points)
}

// weigh sets q, e^{-q} up to a factor, and the mean features at θ.
func (f *productFlow) weigh(theta []float64) {
	a, b, c := theta[0], theta[1]*theta[2], theta[3]*theta[4]*theta[5]
	least := math.Inf(1)
	for k := range f.features {
		x := &f.features[k]
		q := a*x[0] + b*x[1] + c*x[2]
		f.q[k] = q
		if q < least {
			least = q
		}
	}
	var sum, m0, m1, m2 float64
	for k := range f.features {
		x := &f.features[k]
		e := math.Exp(least - f.q[k])
		f.e[k] = e
		sum += e
		m0 += e * x[0]
		m1 += e * x[1]
		m2 += e * x[2]
	}
	f.mean = [3]float64{m0 / sum, m1 / sum, m2 / sum}
	f.total = sum
}

// slope sets g at θ and returns ‖g‖².
func (f *productFlow) slope(theta []float64) float64 {
	f.weigh(theta)
	m := &f.mean
	f.g = [parameters]float64{
		m[0], m[1] * theta[2], m[1] * theta[1],
		m[2] * theta[4] * theta[5], m[2] * theta[3] * theta[5], m[2] * theta[3] * theta[4],
	}
	var size float64
	for _, v := range f.g {
		size += v * v
	}
	return size
}

func (f *productFlow) derivative(dst []float64, _ float64, theta []float64) error {
	size := f.slope(theta)
	for i, v := range f.g {
		dst[i] = v / size
	}
	return nil
}

// jacobian is (I - 2 g gᵀ/‖g‖²) (Σ p ∇²q - Cov_p(∇q)) / ‖g‖².
func (f *productFlow) jacobian(dst *mat.Dense, _ float64, theta []float64) error {
	size := f.slope(theta)
	var cov [3][3]float64
	for k := range f.features {
		x, p := &f.features[k], f.e[k]/f.total
		d := [3]float64{x[0] - f.mean[0], x[1] - f.mean[1], x[2] - f.mean[2]}
		for i := range d {
			for j := 0; j <= i; j++ {
				cov[i][j] += p * d[i] * d[j]
			}
		}
	}
	cov[0][1], cov[0][2], cov[1][2] = cov[1][0], cov[2][0], cov[2][1]

	// ∇q = c_1 e_1 + c_2 (0, θ3, θ2, 0, 0, 0) + c_3 (0, 0, 0, θ5θ6, θ4θ6, θ4θ5).
	of := [parameters]int{0, 1, 1, 2, 2, 2}
	d := [parameters]float64{1, theta[2], theta[1], theta[4] * theta[5], theta[3] * theta[5], theta[3] * theta[4]}
	var h [parameters][parameters]float64
	for i := range h {
		for j := range h {
			h[i][j] = -cov[of[i]][of[j]] * d[i] * d[j]
		}
	}
	add := func(i, j int, v float64) { h[i][j] += v; h[j][i] += v }
	add(1, 2, f.mean[1])
	add(3, 4, f.mean[2]*theta[5])
	add(3, 5, f.mean[2]*theta[4])
	add(4, 5, f.mean[2]*theta[3])

	var gh [parameters]float64
	for i, v := range f.g {
		for j := range gh {
			gh[j] += v * h[i][j]
		}
	}
	data := dst.RawMatrix().Data
	for i, v := range f.g {
		for j := range gh {
			data[i*parameters+j] = (h[i][j] - 2*v*gh[j]/size) / size
		}
	}
	return nil
}

// problem is the flow from its start to u = end.
func (f *productFlow) problem(end float64) ode.Problem {
	return ode.Problem{
		Derivative: f.derivative, Jacobian: f.jacobian,
		Start: f.logInverse(f.start[:]), End: end, Initial: f.start[:],
	}
}
