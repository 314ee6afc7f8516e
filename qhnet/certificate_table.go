package qhnet

import (
	"fmt"
	"strings"
)

// String returns the certificate as a table.
func (c *Certificate) String() string {
	var b strings.Builder
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "%-24s "+format+"\n", append([]any{name}, values...)...)
	}
	line("highest rate", "%.4f  (%s)", c.MaxRate, strings.Join(c.Highest, ", "))
	line("½‖θ̃‖²_Λmax", "%.9g", c.Objective)
	line("share ‖θ̂‖_Λmax", "%.3g", c.HighestShare)
	line("feasibility", "min q - 1 = %.1e", c.Infeasibility())
	line("support", "%d of %d margins, q ≤ 1 + %.0e", len(c.Support), len(c.Margins), c.Epsilon)
	line("", "%14s %16s", "stationarity", "complementarity")
	line("  μ fitted", "%14.2e %16.2e%s", c.Fitted.Stationarity, c.Fitted.Complementarity, c.degenerateNote())
	line("  μ from softmax", "%14.2e %16.2e", c.Softmax.Stationarity, c.Softmax.Complementarity)
	return b.String()
}

// Infeasibility returns min_j q_j(θ̃) - 1, which is rounding by construction.
func (c *Certificate) Infeasibility() float64 {
	smallest := c.Margins[0]
	for _, q := range c.Margins {
		smallest = min(smallest, q)
	}
	return smallest - 1
}

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
