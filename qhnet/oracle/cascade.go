package oracle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/qp"
	"qhlab/qhnet/nn"
)

// Cascade is the predicted limit of gradient flow on a group model: the coefficients that minimize
// the norm of the highest-rate (shallowest) groups subject to all margins being at least 1, among
// those the norm of the next groups, and so on. A group whose norm can be zero is discarded.
//
// The first stage, where it is not zero, is the problem of which the maximum-margin theorem (after
// Kunin et al., arXiv:2210.03820) promises a first-order point; that a flow goes through the others
// is their conjecture. Compare Nacson et al. (arXiv:1905.07325).
type Cascade struct {
	Coefficients []float64 // β_1..β_d, then b if there is a bias
	Stages       []Stage
	Support      []int // points whose margin is 1
	inputs       int
}

// Stage is one minimization of a cascade.
type Stage struct {
	Groups    []string
	Depth     int
	Norm      string  // the norm that Depth factors put on the coefficients
	Value     float64 // of that norm at the optimum
	Discarded bool    // whether the minimum is 0: the earlier stages can do without these groups
}

// Direction returns β/‖β‖, without the bias.
func (c *Cascade) Direction() []float64 {
	direction := slices.Clone(c.Coefficients[:c.inputs])
	floats.Scale(1/floats.Norm(direction, 2), direction)
	return direction
}

// String returns the stages as a table.
func (c *Cascade) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %5s  %-10s %14s\n", "groups", "rate", "norm", "minimum")
	for _, s := range c.Stages {
		note := ""
		if s.Discarded {
			note = "  discarded"
		}
		fmt.Fprintf(&b, "%-24s %5.3f  %-10s %14.9f%s\n", strings.Join(s.Groups, ", "), 1/float64(s.Depth), s.Norm, s.Value, note)
	}
	return b.String()
}

// SolveCascade solves the cascade for a model Groups(groups...), with a bias if the margins have
// one. Every stage must be convex: groups of depth 1 (their joint ℓ2 norm), one group with shared
// scales of any depth (ℓ2), elementwise groups of depth 2 (ℓ1), or a single coordinate of any depth
// (its absolute value); others are an error. An error wraps [qp.ErrInfeasible] if the data are not
// separable, and [qp.ErrNoConvergence] if a stage of separable data cannot be solved, as may happen
// if all columns differ in size by five orders of magnitude or more.
//
// A stage is a few least-distance problems of O(n d²) operations each, 2000 points in 100
// dimensions take seconds. It hands its set of minimizers on exactly, through
// complementarity: constraints with a positive multiplier become equalities.
func SolveCascade(l *LinearMargins, groups ...nn.Group) (*Cascade, error) {
	l.Len()
	stages, err := l.stages(groups)
	if err != nil {
		return nil, err
	}
	f, err := newFace(l)
	if err != nil {
		return nil, err
	}
	c := &Cascade{inputs: l.inputs}
	for _, s := range stages {
		if s.Discarded = f.discard(s.coordinates); !s.Discarded {
			if err := f.minimize(s); err != nil {
				// Whatever failed, the data are separable.
				return nil, fmt.Errorf("%w: cascade, stage %s: %v; if columns of the inputs differ by many orders of magnitude, scale them", qp.ErrNoConvergence, strings.Join(s.Groups, ", "), err)
			}
		}
		s.Value = s.norm(f.coefficients())
		c.Stages = append(c.Stages, s.Stage)
	}
	c.Coefficients = f.coefficients()
	for k, gap := range f.gaps() {
		if gap <= 1e-8 {
			c.Support = append(c.Support, k)
		}
	}
	return c, nil
}

// groupStage is a stage with the coordinates it penalizes.
type groupStage struct {
	Stage
	coordinates []int
}

func (s groupStage) norm(beta []float64) float64 {
	total := 0.0
	for _, j := range s.coordinates {
		if s.Norm == "ℓ1" {
			total += math.Abs(beta[j])
		} else {
			total = math.Hypot(total, beta[j])
		}
	}
	return total
}

// stages merges groups of equal depth and orders them, shallowest first.
func (l *LinearMargins) stages(groups []nn.Group) ([]groupStage, error) {
	if have := nn.CountCoordinates(groups); have != l.inputs {
		return nil, fmt.Errorf("qhnet: cascade: the groups hold %d coordinates, the inputs %d", have, l.inputs)
	}
	groups = slices.Clone(groups)
	if l.Len() > l.inputs {
		groups = append(groups, nn.Group{Name: "bias", Coordinates: []int{l.inputs}, Depth: 1})
	}
	for g := range groups {
		groups[g].Name = cmp.Or(groups[g].Name, fmt.Sprintf("group%d", g+1))
		if groups[g].Depth < 1 {
			panic(fmt.Sprintf("qhnet: cascade: %s has depth %d, want at least 1", groups[g].Name, groups[g].Depth))
		}
	}
	slices.SortStableFunc(groups, func(a, b nn.Group) int { return cmp.Compare(a.Depth, b.Depth) })
	var stages []groupStage
	for first, g := range groups {
		if first > 0 && groups[first-1].Depth == g.Depth {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(groups), func(other nn.Group) bool { return other.Depth != g.Depth })
		s, err := mergeStage(same)
		if err != nil {
			return nil, err
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// mergeStage says which norm groups of one depth D put on their coefficients: minimizing Σ θ²/D
// over all factors of β leaves Σ_j |β_j|^{2/D} elementwise and ‖β_G‖^{2/D} with shared scales.
func mergeStage(groups []nn.Group) (groupStage, error) {
	depth := groups[0].Depth
	s := groupStage{Stage: Stage{Depth: depth, Norm: "ℓ2"}}
	elementwise := true
	for _, g := range groups {
		s.Groups = append(s.Groups, g.Name)
		s.coordinates = append(s.coordinates, g.Coordinates...)
		elementwise = elementwise && (g.Elementwise || len(g.Coordinates) == 1)
	}
	switch {
	case depth == 1, len(s.coordinates) == 1, len(groups) == 1 && !groups[0].Elementwise:
	case depth == 2 && elementwise:
		s.Norm = "ℓ1"
	case elementwise:
		return s, fmt.Errorf("qhnet: cascade: %d elementwise coordinates of depth %d minimize the ℓ_{2/%d} quasi-norm, which is not convex; use depth 1 or 2, shared scales, or one coordinate", len(s.coordinates), depth, depth)
	default:
		return s, fmt.Errorf("qhnet: cascade: groups %s of depth %d minimize a sum of group norms, which is not among the solved stages; give them different depths", strings.Join(s.Groups, ", "), depth)
	}
	return s, nil
}
