package qhnet

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Growth is how fast a block grew at the end of a trajectory, and how much of
// the normalized parameters it is.
type Growth struct {
	Block    string
	Exponent float64 // d log‖θ_b‖/dτ, to compare with the block's rate
	Share    float64 // ‖θ̂_b‖ at the end
	Trend    float64 // d log‖θ̂_b‖/d log log(1/L); negative if the block is being discarded
}

// Growth fits, over the last factor decades of log(1/L), the slope of log‖θ_b‖
// against τ(θ) for every block. Where normalized parameters converge under Λ,
// the exponents of the blocks that survive equal their rates.
func (tr *Trajectory) Growth(lambda []float64, decades float64) ([]Growth, error) {
	end := tr.Last().LogInverse()
	late := tr.Since(end * math.Pow(10, -decades) * (1 - 1e-9))
	if len(late.Points) < 3 {
		return nil, fmt.Errorf("qhnet: growth: only %d points were recorded in the last %v decades of log(1/L), up to %.4g; record more or ask for more decades", len(late.Points), decades, end)
	}
	tau := make([]float64, len(late.Points))
	nu := make([]float64, len(late.Points))
	normalized := make([][]float64, len(late.Points))
	for i, p := range late.Points {
		var err error
		if normalized[i], tau[i], err = Normalize(nil, lambda, p.Theta); err != nil {
			return nil, fmt.Errorf("qhnet: growth at log(1/L) = %.4g: %w", p.LogInverse(), err)
		}
		nu[i] = math.Log(p.LogInverse())
	}
	var all []Growth
	for _, b := range tr.Model().Blocks() {
		logNorm, logShare := make([]float64, len(tau)), make([]float64, len(tau))
		for i, p := range late.Points {
			logNorm[i] = math.Log(squares(b.Of(p.Theta))) / 2
			logShare[i] = math.Log(squares(b.Of(normalized[i]))) / 2
		}
		_, exponent := stat.LinearRegression(tau, logNorm, nil, false)
		_, trend := stat.LinearRegression(nu, logShare, nil, false)
		all = append(all, Growth{b.Name, exponent, math.Exp(logShare[len(logShare)-1]), trend})
	}
	return all, nil
}

// Shares returns ‖θ̂_b‖, one row a recorded point and one column a block: the
// norms of the blocks of the normalized parameters.
func (tr *Trajectory) Shares(lambda []float64) (*mat.Dense, error) {
	blocks := tr.Model().Blocks()
	shares := mat.NewDense(len(tr.Points), len(blocks), nil)
	normalized := make([]float64, len(lambda))
	for i, p := range tr.Points {
		if _, _, err := Normalize(normalized, lambda, p.Theta); err != nil {
			return nil, fmt.Errorf("qhnet: shares at log(1/L) = %.4g: %w", p.LogInverse(), err)
		}
		for j, b := range blocks {
			shares.Set(i, j, math.Sqrt(squares(b.Of(normalized))))
		}
	}
	return shares, nil
}

// Drift returns, at every recorded point, the largest change of a conserved
// quantity since the first point, relative to the sum of its parts:
//
//	max_C |C(θ) - C(θ_0)| / max(Σ|v_i|θ_i², at θ and at θ_0).
//
// It is a test of the integrator that needs no reference solution.
func (tr *Trajectory) Drift(quantities []Conserved) []float64 {
	start := tr.Points[0].Theta
	return tr.Series(func(p Point) float64 {
		worst := 0.0
		for _, c := range quantities {
			if parts := max(c.Magnitude(p.Theta), c.Magnitude(start)); parts > 0 {
				worst = max(worst, math.Abs(c.Value(p.Theta)-c.Value(start))/parts)
			}
		}
		return worst
	})
}
