package label

import (
	"fmt"
	"strings"
	"unicode"
)

// LaTeX writes the line for LaTeX: formulas as formulas, text in the document's font
// with scripts as \textsuperscript and \textsubscript. It needs amssymb. The error names a
// character for which no command is known.
func (l *Line) LaTeX() (string, error) {
	var w writer
	l.nodes.latex(&w)
	if w.unknown != 0 {
		return "", fmt.Errorf("label %q: no LaTeX command is known for %q (%U); write it otherwise", l.markup, w.unknown, w.unknown)
	}
	return w.String(), nil
}

type writer struct {
	strings.Builder
	math    bool
	command bool // the last thing written was a command of letters
	unknown rune
}

// put writes LaTeX; a letter stands apart from a command before it.
func (w *writer) put(s string) {
	if s == "" {
		return
	}
	if w.command && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z') {
		w.WriteByte(' ')
	}
	w.WriteString(s)
	name := s[strings.LastIndexByte(s, '\\')+1:]
	w.command = len(name) < len(s) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// group writes a command with an argument.
func (w *writer) group(command string, n node) {
	w.put(command + "{")
	n.latex(w)
	w.put("}")
}

// formula writes something in math mode.
func (w *writer) formula(write func()) {
	if w.math {
		write()
		return
	}
	w.put(`\ensuremath{`)
	w.math = true
	write()
	w.math = false
	w.put("}")
}

var latexMarks = func() map[rune]string {
	m := map[rune]string{'\u0305': `\bar`}
	for name, r := range accents {
		m[r] = `\` + name
	}
	return m
}()

// latexText is what LaTeX reads as something else, and how it sets it.
var latexText = map[rune]string{
	'%': `\%`, '&': `\&`, '#': `\#`, '$': `\$`, '_': `\_`, '{': `\{`, '}': `\}`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '\\': `\textbackslash{}`,
	'–': `--`, '—': `---`, '…': `\dots{}`, '’': `'`, '‘': "`", '“': "``", '”': `''`, '\u00a0': `~`,
}

func (l letter) latex(w *writer) {
	for _, mark := range l.marks {
		if latexMarks[mark] == "" {
			w.unknown = mark
		}
	}
	symbol, formula := w.symbol(l.rune, l.alphabet)
	if !formula && len(l.marks) == 0 {
		w.put(symbol)
		return
	}
	w.formula(func() {
		for _, mark := range l.marks {
			w.put(latexMarks[mark] + "{")
		}
		w.put(symbol)
		w.put(strings.Repeat("}", len(l.marks)))
	})
}

// symbol returns the LaTeX of a character and whether it is for math mode.
func (w *writer) symbol(r rune, a alphabet) (s string, formula bool) {
	switch {
	case a == script:
		return `\mathcal{` + string(r) + `}`, true
	case a == double:
		return `\mathbb{` + string(r) + `}`, true
	}
	if s, ok := latexText[r]; ok && (!w.math || tables().latex[r] == "") {
		return s, false
	}
	if s, ok := tables().latex[r]; ok {
		return s, true
	}
	for _, x := range []alphabet{script, double} {
		for plain, shown := range letterlike[x] {
			if r == shown {
				return w.symbol(plain, x)
			}
		}
	}
	const lastLetter = 'ž' // of Latin Extended-A, which T1 fonts have
	if r < ' ' || r > '~' && !(unicode.IsLetter(r) && r <= lastLetter) {
		w.unknown = r
	}
	if w.math && variable(r) && a == upright {
		return `\mathrm{` + string(r) + `}`, true
	}
	return string(r), false
}

func (r row) latex(w *writer) {
	outside := r.math && !w.math
	if outside {
		w.put("$")
		w.math = true
	}
	for _, n := range r.nodes {
		_, grouped := n.(row)
		if grouped && w.math {
			w.put("{")
		}
		n.latex(w)
		if grouped && w.math {
			w.put("}")
		}
	}
	if outside {
		w.put("$")
		w.math = false
	}
}

func (n word) latex(w *writer) {
	switch {
	case n.operator == "":
		w.put(`\text{`)
		was := w.math
		w.math = false
		n.row.latex(w)
		w.math = was
		w.put("}")
	case strings.Contains(operatorNames, " "+n.operator+" "):
		w.formula(func() { w.put(`\` + n.operator) })
	default:
		w.formula(func() { w.put(`\operatorname{` + n.operator + `}`) })
	}
}

func (n space) latex(w *writer) { w.put(`\` + n.name) }

func (n scripted) latex(w *writer) {
	sub, super := `\textsubscript`, `\textsuperscript`
	if w.math || n.formula() {
		sub, super = "_", "^"
	}
	write := func() {
		n.base.latex(w)
		if n.sub != nil {
			w.group(sub, n.sub)
		}
		if n.super != nil {
			w.group(super, n.super)
		}
	}
	if n.formula() {
		w.formula(write)
		return
	}
	write()
}

// formula reports whether the base is part of a formula, whose scripts are too.
func (n scripted) formula() bool {
	r, ok := n.base.(row)
	_, isWord := n.base.(word)
	return ok && r.math || isWord
}

func (n fraction) latex(w *writer) {
	w.formula(func() {
		w.group(`\frac`, n.over)
		w.group("", n.under)
	})
}

func (n root) latex(w *writer) { w.formula(func() { w.group(`\sqrt`, n.of) }) }

func (n overline) latex(w *writer) { w.formula(func() { w.group(`\overline`, n.of) }) }
