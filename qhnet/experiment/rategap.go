package experiment

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"qhlab/qhnet"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/oracle"
	"qhlab/qhnet/store"
)

// RateGapPoint is a flow on two exact balls with coefficients that are products
// of High and Low scalars, rates 1/High and 1/Low, from the start of a seed.
type RateGapPoint struct {
	High, Low int
	Seed      uint64
}

// Law returns -2Δλ, the power of log(1/L) with which the direction is predicted
// to converge.
func (p RateGapPoint) Law() float64 { return -2 * (1/float64(p.High) - 1/float64(p.Low)) }

// RateGapResult is the distance of the direction from its limit along the flow.
type RateGapResult struct {
	LogInverse []float64 // log(1/L)
	Error      []float64 // ‖β/‖β‖ - β̂‖
	Slope      float64   // fitted to log Error over log log(1/L)
}

// ball is μ = (1, 0.6), r = 0.8, with H the first coordinate.
func ball() oracle.TwoBalls {
	return oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.8}
}

// RateGap follows eight pairs of depths from three starts each, from log(1/L) =
// 1e2 to 1e7.
func RateGap(runs store.Store) store.Sweep[RateGapPoint, RateGapResult] {
	s := store.Sweep[RateGapPoint, RateGapResult]{Name: "rate-gap", Store: runs, Run: rateGap}
	for _, depths := range [][2]int{{1, 2}, {1, 3}, {1, 4}, {2, 4}, {2, 3}, {2, 6}, {3, 6}, {3, 4}} {
		for seed := range uint64(3) {
			s.Points = append(s.Points, RateGapPoint{depths[0], depths[1], seed})
		}
	}
	return s
}

func rateGap(ctx context.Context, p RateGapPoint) (RateGapResult, error) {
	model := nn.Diagonal(p.High, p.Low)
	margins, err := qhnet.NewBallMargins(model, ball().Centers(), ball().Radius)
	if err != nil {
		return RateGapResult{}, err
	}
	rng := rand.New(rand.NewPCG(p.Seed, 9))
	start := ball().Start(model, 1)
	for i := range start {
		start[i] *= 0.8 + 0.4*rng.Float64()
	}
	// The deepest pair ends 1e-12 from the limit, so the steps must be finer.
	path, err := qhnet.Flow{Margins: margins, Start: start, Until: 1e7, PerDecade: 4, Tolerance: 1e-13, Method: ode.RadauIIA{}}.Run(ctx)
	if err != nil {
		return RateGapResult{}, err
	}
	path = path.Since(1e2)
	limit := ball().Direction(nil)
	r := RateGapResult{LogInverse: path.LogInverses(), Error: path.Series(func(q qhnet.Point) float64 {
		beta := model.Coefficients(nil, q.Theta)
		floats.Scale(1/floats.Norm(beta, 2), beta)
		return floats.Distance(beta, limit, 2)
	})}
	r.Slope = power(r.LogInverse, r.Error)
	return r, nil
}

// power fits y ∝ u^power.
func power(u, y []float64) float64 {
	logU, logY := make([]float64, len(u)), make([]float64, len(u))
	for i := range u {
		logU[i], logY[i] = math.Log(u[i]), math.Log(y[i])
	}
	_, slope := stat.LinearRegression(logU, logY, nil, false)
	return slope
}
