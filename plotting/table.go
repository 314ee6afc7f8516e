package plotting

import (
	"fmt"
	"strings"
	"unicode"

	"gonum.org/v1/plot/vg"
)

// Table is rows of short texts, such as the rates of a network's blocks or the
// lines of a certificate: printed as aligned text, or drawn as a figure. A column
// whose cells are all numbers is aligned at the right.
type Table struct {
	Columns []string
	Rows    [][]string

	// Roles colour the first cell of each row. Nil: all Neutral.
	Roles []Role
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

// Figure returns the table as a figure, for export beside the others.
func (t Table) Figure(name, caption string) Figure {
	return Figure{Name: name, Caption: caption, Panels: []Panel{{Bare: true, Layers: []Layer{tableLayer{t}}}}}
}

// rowHeight of a drawn table, in label sizes.
const rowHeight = 1.75

type tableLayer struct{ Table }

func (t tableLayer) name() string { return "table" }

func (t tableLayer) texts() []string {
	out := append([]string(nil), t.Columns...)
	for _, r := range t.Rows {
		out = append(out, r...)
	}
	return out
}

func (t tableLayer) extend(e *extent) error {
	e.tight = true
	if err := t.Check(); err != nil {
		return err
	}
	return e.add([]float64{0, 1}, []float64{0, float64(len(t.Rows) + 1)})
}

// columnWidths are the natural widths of the columns.
func (t tableLayer) columnWidths(p *pane) []vg.Length {
	widths := make([]vg.Length, len(t.Columns))
	for _, r := range append([][]string{t.Columns}, t.Rows...) {
		for j, s := range r {
			widths[j] = max(widths[j], width(s, p.label))
		}
	}
	return widths
}

// columnGap is the space between columns, in label sizes.
const columnGap = 2.2

func (t tableLayer) naturalWidth(p *pane) vg.Length {
	widths := t.columnWidths(p)
	return sum(widths) + vg.Length(len(widths)-1)*columnGap*p.label
}

func (t tableLayer) naturalHeight(p *pane) vg.Length {
	return vg.Length(len(t.Rows)+1) * rowHeight * p.label
}

// draw sets the columns at their natural widths from the left, between three
// rules.
func (t tableLayer) draw(p *pane) {
	n := len(t.Rows)
	x := p.box.Min.X
	for j, w := range t.columnWidths(p) {
		at, align := x, alignLeft
		if t.numeric(j) {
			at, align = x+w, alignRight
		}
		p.text(vg.Point{X: at, Y: p.rowBase(n)}, t.Columns[j], p.label, soft, align)
		for i, r := range t.Rows {
			c := ink
			if j == 0 && i < len(t.Roles) {
				c = readable(t.Roles[i].Color())
			}
			p.text(vg.Point{X: at, Y: p.rowBase(n - 1 - i)}, r[j], p.label, c, align)
		}
		x += w + columnGap*p.label
	}
	for k, v := range []int{0, n, n + 1} {
		p.pen(soft, p.axis*[]vg.Length{1.3, 0.8, 1.3}[k], nil)
		y := p.at(0, float64(v)).Y
		p.segment(vg.Point{X: p.box.Min.X, Y: y}, vg.Point{X: x - columnGap*p.label, Y: y})
	}
}

func (p *pane) rowBase(row int) vg.Length {
	return p.at(0, float64(row)+0.5).Y - p.label*0.36
}
