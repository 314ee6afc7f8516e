package qhnet

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"
)

// String returns the certificate as a table.
func (c *Certificate) String() string {
	var b strings.Builder
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "%-24s "+format+"\n", append([]any{name}, values...)...)
	}
	line("highest rate", "%.4f  (%s)", c.MaxRate, strings.Join(c.Highest, ", "))
	line("½‖θ‖²_Λmax", "%.9g", c.Objective)
	line("highest-rate share", "%.3g", c.HighestShare)
	line("feasibility", "min q - 1 = %s", residualText(-c.Infeasibility()))
	line("support", "%d of %d margins, q ≤ 1 + %.0e", len(c.Support), len(c.Margins), c.Epsilon)
	line("", "%14s %16s", "stationarity", "complementarity")
	line("  μ fitted", "%14s %16s%s", residualText(c.Fitted.Stationarity), residualText(c.Fitted.Complementarity), c.degenerateNote())
	line("  μ from softmax", "%14s %16s", residualText(c.Softmax.Stationarity), residualText(c.Softmax.Complementarity))
	return b.String()
}

// residualText writes a relative residual. Digits that are rounding errors differ
// from one processor to the next and would suggest a meaning.
func residualText(v float64) string {
	if math.Abs(v) < 1e-12 {
		return "rounding"
	}
	return fmt.Sprintf("%.2e", v)
}

// Infeasibility returns 1 - min_j q_j(θ̃), by how much the worst margin misses 1.
// By construction it is rounding, of either sign.
func (c *Certificate) Infeasibility() float64 { return 1 - floats.Min(c.Margins) }

// SupportPoints returns the points with a margin in the support, in order.
func (c *Certificate) SupportPoints() []int {
	var points []int
	for _, j := range c.Support {
		if k := j / c.PerPoint; len(points) == 0 || points[len(points)-1] != k {
			points = append(points, k)
		}
	}
	return points
}

func (c *Certificate) degenerateNote() string {
	if c.Degenerate {
		return "  (not unique: dependent gradients)"
	}
	return ""
}
