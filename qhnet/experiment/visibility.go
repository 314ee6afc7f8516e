package experiment

import (
	"context"
	"math"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet"
	"qhlab/qhnet/ode"
	"qhlab/qhnet/store"
)

// VisibilityPoint is a flow on two exact balls with the highest rate MaxRate and
// the other rate MaxRate - Gap.
type VisibilityPoint struct {
	MaxRate, Gap float64
}

// VisibilityResult holds the log(1/L) from which the direction stays within 10%
// and 1% of the limit, relative to the distance of the symmetric optimum from it,
// and 0 where that did not happen before log(1/L) = 1e8.
type VisibilityResult struct {
	Tenth, Hundredth float64
	Last             float64 // the relative distance at the end, log(1/L) = 1e8
}

// Visibility maps the plane of rates by 10 × 9 flows to log(1/L) = 1e8: highest
// rates 0.1, 0.2, …, 1 with gaps of 0.1, …, 0.9 of them.
func Visibility(runs store.Store) store.Sweep[VisibilityPoint, VisibilityResult] {
	s := store.Sweep[VisibilityPoint, VisibilityResult]{Name: "visibility", Store: runs, Run: visibility}
	for i := 1; i <= 10; i++ {
		for j := 1; j <= 9; j++ {
			s.Points = append(s.Points, VisibilityPoint{float64(i) / 10, float64(i*j) / 100})
		}
	}
	return s
}

func visibility(ctx context.Context, p VisibilityPoint) (VisibilityResult, error) {
	model := NewPowers(p.MaxRate, p.MaxRate-p.Gap)
	margins, err := qhnet.NewBallMargins(model, ball().Centers(), ball().Radius)
	if err != nil {
		return VisibilityResult{}, err
	}
	// β = μ, the symmetric optimum, at the start.
	start := make([]float64, 2)
	for j, rate := range []float64{p.MaxRate, p.MaxRate - p.Gap} {
		start[j] = math.Pow(ball().Center[j], rate)
	}
	path, err := qhnet.Flow{Margins: margins, Start: start, Until: 1e8, PerDecade: 20, Tolerance: 1e-9, Method: ode.RadauIIA{}}.Run(ctx)
	if err != nil {
		return VisibilityResult{}, err
	}
	limit := ball().Direction(nil)
	symmetric := distance(ball().Center, limit)
	far := path.Series(func(q qhnet.Point) float64 { return distance(model.Coefficients(nil, q.Theta), limit) / symmetric })
	u := path.LogInverses()
	return VisibilityResult{staysBelow(u, far, 0.1), staysBelow(u, far, 0.01), far[len(far)-1]}, nil
}

// distance returns ‖β/‖β‖ - limit‖.
func distance(beta, limit []float64) float64 {
	unit := make([]float64, len(beta))
	floats.ScaleTo(unit, 1/floats.Norm(beta, 2), beta)
	return floats.Distance(unit, limit, 2)
}

// staysBelow returns the u from which y stays below a level, interpolated on
// logarithmic axes, and 0 if it ends above it.
func staysBelow(u, y []float64, level float64) float64 {
	i := len(y)
	for i > 0 && y[i-1] <= level {
		i--
	}
	switch i {
	case len(y):
		return 0
	case 0:
		return u[0]
	}
	part := math.Log(y[i-1]/level) / math.Log(y[i-1]/y[i])
	return math.Exp(math.Log(u[i-1]) + part*math.Log(u[i]/u[i-1]))
}
