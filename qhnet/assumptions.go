package qhnet

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"
)

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
