package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A claim is a line that a cell tagged "check" prints, such as
//
//	blocks grow with their rates, largest error of an exponent: 5.8e-06 ≤ 1e-04
//
// what is claimed, the number that was found, and the bound it had to keep; number
// and bound may be absent. The cell fails if the claim does not hold.
type claim struct{ text, number, bound string }

var claimLine = regexp.MustCompile(`^(.+?)(?:: (\S+)(?: ([≤≥] \S+))?)?$`)

// claims lists what the notebook's check cells printed when they last ran.
func (nb *notebook) claims() (all []claim) {
	for _, c := range nb.Cells {
		if !c.hasTag("check") {
			continue
		}
		for _, o := range c.Outputs {
			for line := range strings.Lines(string(o.Text)) {
				if m := claimLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
					all = append(all, claim{m[1], m[2], m[3]})
				}
			}
		}
	}
	return all
}

// claimsTable is the README's table of what the notebooks check.
func claimsTable(paths []string) (string, error) {
	var b strings.Builder
	b.WriteString("| Claim | Found | Must be | Notebook |\n| --- | --- | --- | --- |\n")
	for _, path := range paths {
		nb, err := readNotebook(path)
		if err != nil {
			return "", err
		}
		for _, c := range nb.claims() {
			fmt.Fprintf(&b, "| %s | %s | %s | [%s](notebooks/%s) |\n",
				strings.ReplaceAll(c.text, "|", `\|`), cmp.Or(c.number, "holds"), c.bound, title(path)[:2], filepath.Base(path))
		}
	}
	return b.String(), nil
}
