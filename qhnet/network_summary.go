package qhnet

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// String returns a table of the layers: name, what it does, the shape it gives
// and its number of parameters, layers inside a block before the block.
func (n *Network) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "layer\tdoes\tgives\tparameters")
	for _, r := range n.plan.records {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.name, r.text, shapeText(r.shape), count(r.parameters))
	}
	fmt.Fprintf(w, "total\t\t\t%d\n", n.plan.parameters())
	w.Flush()
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// count writes a number, and nothing for 0.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
