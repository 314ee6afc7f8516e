package qhnet

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Growth is how fast a block grew at the end of a trajectory, and its share.
type Growth struct {
	Block    string
	Exponent float64 // d log‖θ_b‖/dτ, to compare with the block's rate; NaN if θ_b = 0
	Share    float64 // ‖θ̂_b‖ at the end
	Trend    float64 // d log‖θ̂_b‖/d log log(1/L); negative if the block is being discarded, -Inf if it is gone
}

const (
	// A share in its limit has trend 0, up to transients. The slowest discarded group
	// measured, the last bias of a three-layer ReLU net, falls with a trend below -0.3.
	discardedTrend = -0.1

	goneShare = 1e-12 // far below what a flow resolves
)

// Growth fits the slope of log‖θ_b‖ against τ(θ) for every block, over the last decades of
// log(1/L), such as 1. Where normalized parameters converge under Λ, the exponents of the
// blocks that survive equal their rates.
func (tr *Trajectory) Growth(rates *Rates, decades float64) ([]Growth, error) {
	end, err := tr.end(rates, decades)
	if err != nil {
		return nil, fmt.Errorf("qhnet: growth: %w", err)
	}
	var all []Growth
	for _, b := range tr.Model().Blocks() {
		logNorm := make([]float64, len(end.tau))
		for i, p := range end.points {
			logNorm[i] = math.Log(floats.Norm(b.Of(p.Theta), 2))
		}
		_, exponent := stat.LinearRegression(end.tau, logNorm, nil, false)
		share, trend := end.share(func(hat []float64) float64 { return floats.Norm(b.Of(hat), 2) })
		all = append(all, Growth{b.Name, exponent, share, trend})
	}
	return all, nil
}

// ending is the end of a trajectory in normalized parameters.
type ending struct {
	points  []Point
	tau, nu []float64 // τ(θ) and log log(1/L) of every point
	hat     [][]float64
}

// end normalizes the points of the last decades of log(1/L).
func (tr *Trajectory) end(rates *Rates, decades float64) (*ending, error) {
	last := tr.Last().LogInverse()
	if !(decades > 0) || math.IsInf(decades, 0) {
		return nil, fmt.Errorf("the end is the last %v decades of log(1/L); use a positive number, such as 1", decades)
	}
	start := last * math.Pow(10, -decades)
	if first := tr.Points[0].LogInverse(); first > 2*start {
		return nil, fmt.Errorf("log(1/L) was recorded from %.4g to %.4g, which is not %v decades; ask for fewer", first, last, decades)
	}
	e := &ending{points: tr.Since(start * (1 - 1e-9)).Points}
	if !(last > 0) || len(e.points) < 3 {
		return nil, fmt.Errorf("only %d points were recorded in the last %v decades of log(1/L), up to %.4g; record more or ask for more decades", len(e.points), decades, last)
	}
	for _, p := range e.points {
		if !(p.LogInverse() > 0) {
			return nil, fmt.Errorf("log(1/L) falls to %.4g after it was %.4g, so that its end has no powers of log(1/L); train further, or ask for fewer decades", p.LogInverse(), start)
		}
		hat, tau, err := Normalize(nil, rates, p.Theta)
		if err != nil {
			return nil, fmt.Errorf("at log(1/L) = %.4g: %w", p.LogInverse(), err)
		}
		e.hat, e.tau, e.nu = append(e.hat, hat), append(e.tau, tau), append(e.nu, math.Log(p.LogInverse()))
	}
	return e, nil
}

// share returns the last size of a part of the normalized parameters, and its trend.
func (e *ending) share(size func(hat []float64) float64) (last, trend float64) {
	logs := make([]float64, len(e.hat))
	for i, hat := range e.hat {
		last = size(hat)
		logs[i] = math.Log(last)
	}
	if last < goneShare {
		return last, math.Inf(-1)
	}
	_, trend = stat.LinearRegression(e.nu, logs, nil, false)
	return last, trend
}

// Shares returns ‖θ̂_b‖, one row a recorded point and one column a block.
func (tr *Trajectory) Shares(rates *Rates) (*mat.Dense, error) {
	blocks := tr.Model().Blocks()
	shares := mat.NewDense(len(tr.Points), len(blocks), nil)
	normalized := make([]float64, NumParameters(tr.Model()))
	for i, p := range tr.Points {
		if _, _, err := Normalize(normalized, rates, p.Theta); err != nil {
			return nil, fmt.Errorf("qhnet: shares at log(1/L) = %.4g: %w", p.LogInverse(), err)
		}
		for j, b := range blocks {
			shares.Set(i, j, floats.Norm(b.Of(normalized), 2))
		}
	}
	return shares, nil
}

// Drift returns, at every recorded point, the largest change of a conserved quantity since
// the first, relative to its parts, a test of the integrator without a reference solution:
//
//	max_C |C(θ) - C(θ_0)| / max(Σ|v_i|θ_i², at θ and at θ_0).
func (tr *Trajectory) Drift(quantities []Conserved) []float64 {
	tr.check()
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

// SurvivingRates returns the rates of what a flow has kept: the canonical rates of its model
// without the blocks it gives up, found from the trajectory alone.
//
// It begins with all blocks. As long as the share ‖θ̂_b‖ of a block of the highest rate falls
// over the last decades of log(1/L), like a power of it below -1/10, it discards the block that
// falls fastest and computes the canonical rates of the rest anew; a block can only be judged
// once those of higher rates are known to stay. A block of a lower rate λ may be given up as
// well, frozen where the flow left it: its power is -λ, and counts below -λ/2. With a block go
// those of its layer and rate that fall, such as the other factors of a product. A block that
// is exactly zero is discarded whatever its rate, one of rate 0 never. Its errors are those of
// [RatesOf] and [Trajectory.Growth].
func SurvivingRates(tr *Trajectory, decades float64) (*Rates, error) {
	rates, err := RatesOf(tr.Model())
	if err != nil {
		return nil, err
	}
	for {
		growth, err := tr.Growth(rates, decades)
		if err != nil {
			return nil, err
		}
		lost := falling(rates, growth)
		if lost == nil {
			return rates, nil
		}
		rates = rates.Without(lost...)
	}
}

// falling names the surviving blocks of positive rate that are exactly zero or, if there are
// none, the falling block of the highest rate, the fastest of them, and those beside it.
func falling(rates *Rates, growth []Growth) []string {
	chosen, surviving := rates.chosen(), rates.Surviving()
	highest, _ := rates.Max()
	falls := func(b int) bool {
		limit := discardedTrend
		if chosen[b] < highest {
			limit = -chosen[b] / 2
		}
		return surviving[b] && chosen[b] > 0 && growth[b].Trend < limit
	}
	first := -1
	for b, g := range growth {
		if falls(b) && (first < 0 || chosen[b] > chosen[first] || chosen[b] == chosen[first] && g.Trend < growth[first].Trend) {
			first = b
		}
	}
	zero := namesOf(rates.blocks, func(b int) bool { return surviving[b] && chosen[b] > 0 && growth[b].Share == 0 })
	if zero != nil || first < 0 {
		return zero
	}
	return namesOf(rates.blocks, func(b int) bool {
		return falls(b) && chosen[b] == chosen[first] && rates.blocks[b].Layer == rates.blocks[first].Layer
	})
}

// Discarded returns the names of the blocks left out by [Rates.Without].
func (r *Rates) Discarded() []string {
	return namesOf(r.blocks, func(b int) bool { return r.dropped[b] })
}

// Assumptions says which assumptions of the maximum-margin theorem (after Kunin et al.,
// arXiv:2210.03820) hold numerically along a trajectory, each with the number that it was
// judged by.
type Assumptions struct {
	Separated   bool
	SeparatedAt float64 // log t when all points were first classified correctly; NaN if never

	// The normalized parameters still move by Movement over the last decade of log(1/L), and
	// moved by MovementBefore over the decade before.
	Converging               bool
	Movement, MovementBefore float64

	// Needed (conditional separability): Share is ‖θ̂‖_Λmax at the end and ShareExponent the
	// slope d log ‖θ̂‖_Λmax / d log log(1/L) over the last decade. With a slope below -1/10 the
	// share is tending to zero: the highest-rate parameters are being discarded.
	Needed               bool
	Share, ShareExponent float64
}

// A movement of more than this share of the one before is no evidence of convergence.
const convergingRatio = 0.9

// AssumptionsAlong judges a trajectory for an admissible Λ. It is an error if there are
// not two decades of log(1/L) after separation, with records near both ends and the
// middle, or normalized parameters are not defined.
func AssumptionsAlong(tr *Trajectory, rates *Rates) (*Assumptions, error) {
	if tr == nil || len(tr.Points) == 0 {
		return nil, errors.New("qhnet: assumptions: the trajectory is empty")
	}
	a := &Assumptions{SeparatedAt: math.NaN()}
	if tr.Separated != nil {
		a.Separated, a.SeparatedAt = true, tr.Separated.LogTime
	}
	decades, err := tr.lastDecades()
	if err != nil {
		return nil, err
	}
	var hat [3][]float64
	for i, p := range decades {
		if hat[i], _, err = Normalize(nil, rates, p.Theta); err != nil {
			return nil, err
		}
	}
	a.MovementBefore = floats.Distance(hat[0], hat[1], 2)
	a.Movement = floats.Distance(hat[1], hat[2], 2)
	a.Converging = a.Movement <= convergingRatio*a.MovementBefore || a.Movement < 1e-12
	end, err := tr.end(rates, 1)
	if err != nil {
		return nil, fmt.Errorf("qhnet: assumptions: %w", err)
	}
	a.Share, a.ShareExponent = end.share(func(hat []float64) float64 { return MaxSeminorm(rates, hat) })
	a.Needed = a.ShareExponent > discardedTrend
	return a, nil
}

// lastDecades returns the last point and those one and two decades of log(1/L) before it.
func (tr *Trajectory) lastDecades() (points [3]Point, err error) {
	last := tr.Last().LogInverse()
	if !(last > 100) {
		return points, fmt.Errorf("qhnet: assumptions: log(1/L) = %.3g at the end; follow the flow two decades past 1", last)
	}
	for i, u := range []float64{last / 100, last / 10, last} {
		points[i] = tr.near(u)
		if v := points[i].LogInverse(); !(v > u/2 && v < u*2) {
			return points, fmt.Errorf("qhnet: assumptions: no point was recorded near log(1/L) = %.3g, the closest at %.3g; record more a decade, from the start", u, v)
		}
	}
	if s := tr.Separated; s != nil && points[0].LogInverse() < s.LogInverse() {
		return points, fmt.Errorf("qhnet: assumptions: the data were separated at log(1/L) = %.3g, less than two decades before the end at %.3g; follow the flow further", s.LogInverse(), last)
	}
	return points, nil
}

// near returns the recorded point whose log(1/L) is closest to u in ratio.
func (tr *Trajectory) near(u float64) Point {
	best := tr.Last()
	for _, p := range tr.Points {
		if v := p.LogInverse(); v > 0 && math.Abs(math.Log(v/u)) < math.Abs(math.Log(best.LogInverse()/u)) {
			best = p
		}
	}
	return best
}

// String returns the assumptions as a table.
func (a *Assumptions) String() string {
	var b strings.Builder
	verdict := map[bool]string{true: "yes", false: "no"}
	line := func(name string, holds bool, format string, values ...any) {
		fmt.Fprintf(&b, "%-30s %-4s %s\n", name, verdict[holds], fmt.Sprintf(format, values...))
	}
	line("separated", a.Separated, "at log t = %.3g", a.SeparatedAt)
	line("direction converges", a.Converging, "moved %.1e in the last decade, %.1e before", a.Movement, a.MovementBefore)
	line("highest rate is needed", a.Needed, "share %.3g, going like log(1/L)^%.2f", a.Share, math.Round(100*a.ShareExponent)/100+0) // no -0
	return b.String()
}
