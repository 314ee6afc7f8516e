package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A claim is a line that a cell tagged "check" prints, such as
//
//	blocks grow with their rates, largest error [growth]: 5.8e-06
//
// what is claimed, the figure that shows it, and the number that was checked;
// figure and number may be absent. The cell fails if the claim does not hold.
type claim struct{ text, figure, number string }

var claimLine = regexp.MustCompile(`^(.+?)(?: \[([\w-]+)\])?(?:: (\S+))?$`)

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
	b.WriteString("| Claim | Checked number | Notebook | Figure |\n| --- | --- | --- | --- |\n")
	for _, path := range paths {
		nb, err := readNotebook(path)
		if err != nil {
			return "", err
		}
		for _, c := range nb.claims() {
			number, figure := c.number, c.figure
			if number == "" {
				number = "holds"
			}
			if figure != "" {
				figure = "`" + figure + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | [%s](notebooks/%s) | %s |\n",
				strings.ReplaceAll(c.text, "|", `\|`), number, title(path)[:2], filepath.Base(path), figure)
		}
	}
	return b.String(), nil
}
