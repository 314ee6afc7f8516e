package plotting

import (
	"fmt"
	"strings"
	"unicode"
)

// Table is rows of short texts, such as the rates of a network's blocks or the
// lines of a certificate, printed as aligned text. A column whose cells are all
// numbers is aligned at the right.
type Table struct {
	Columns []string
	Rows    [][]string
}

// Check returns an error if a row has not one cell per column.
func (t Table) Check() error {
	if len(t.Columns) == 0 || len(t.Rows) == 0 {
		return fmt.Errorf("plotting: a table needs columns and rows, this one has %d and %d", len(t.Columns), len(t.Rows))
	}
	for i, r := range t.Rows {
		if len(r) != len(t.Columns) {
			return fmt.Errorf("plotting: row %d of the table has %d cells for %d columns", i+1, len(r), len(t.Columns))
		}
	}
	return nil
}

// String returns the table as text for a monospaced font, with a rule below the
// heads. Markup is printed as it is written.
func (t Table) String() string {
	if err := t.Check(); err != nil {
		return err.Error()
	}
	widths := make([]int, len(t.Columns))
	for _, r := range append([][]string{t.Columns}, t.Rows...) {
		for j, s := range r {
			widths[j] = max(widths[j], columnsOf(s))
		}
	}
	var b strings.Builder
	t.writeRow(&b, t.Columns, widths)
	for j, w := range widths {
		if j > 0 {
			b.WriteString("  ")
		}
		b.WriteString(strings.Repeat("─", w))
	}
	b.WriteByte('\n')
	for _, r := range t.Rows {
		t.writeRow(&b, r, widths)
	}
	return b.String()
}

func (t Table) writeRow(b *strings.Builder, cells []string, widths []int) {
	var line strings.Builder
	for j, s := range cells {
		if j > 0 {
			line.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[j]-columnsOf(s))
		if t.numeric(j) {
			line.WriteString(pad + s)
		} else {
			line.WriteString(s + pad)
		}
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// columnsOf is the number of columns of a monospaced screen that s takes:
// combining accents take none.
func columnsOf(s string) (n int) {
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) {
			n++
		}
	}
	return n
}

// numeric reports whether every cell of a column begins with a digit or sign.
func (t Table) numeric(j int) bool {
	for _, r := range t.Rows {
		if s := strings.TrimLeft(r[j], "−-+ ."); s == "" || !unicode.IsNumber([]rune(s)[0]) {
			return false
		}
	}
	return true
}
