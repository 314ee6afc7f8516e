package plotting

import (
	"fmt"
	"strings"
	"unicode"
)

// Table is rows of short texts, printed as aligned text. A column whose cells are all numbers is
// aligned at the right.
type Table struct {
	Columns []string
	Rows    [][]string
}

// String returns the table as text for a monospaced font, with a rule below the
// heads, or what is wrong with it. Markup is printed as it is written.
func (t Table) String() string {
	if len(t.Columns) == 0 || len(t.Rows) == 0 {
		return fmt.Sprintf("plotting: a table needs columns and rows, this one has %d and %d", len(t.Columns), len(t.Rows))
	}
	lines := make([]string, len(t.Rows)+2) // heads, rule, rows
	for j := range t.Columns {
		cells, numeric := []string{t.Columns[j], ""}, true
		for i, r := range t.Rows {
			if len(r) != len(t.Columns) {
				return fmt.Sprintf("plotting: row %d of the table has %d cells for %d columns", i+1, len(r), len(t.Columns))
			}
			first := append([]rune(strings.TrimLeft(r[j], "−-+ .")), ' ')[0]
			cells, numeric = append(cells, r[j]), numeric && unicode.IsNumber(first)
		}
		width := 0
		for _, s := range cells {
			width = max(width, columnsOf(s))
		}
		cells[1] = strings.Repeat("─", width)
		for i, s := range cells {
			pad := strings.Repeat(" ", width-columnsOf(s))
			if numeric {
				s, pad = pad+s, ""
			}
			lines[i] += s + pad + "  "
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ") + "\n"
	}
	return strings.Join(lines, "")
}

// columnsOf is how wide s is on a monospaced screen: combining accents take no room.
func columnsOf(s string) (n int) {
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}
