package label

import (
	"fmt"
	"strings"
	"unicode"
)

// A node is a part of a label: it can be set, and written as LaTeX.
type node interface {
	set(s *setter, size float64) box
	latex(w *writer)
}

type (
	row struct {
		nodes []node
		math  bool
	}
	// letter is one character with its accents.
	letter struct {
		rune     rune
		marks    []rune
		alphabet alphabet
		class    class
	}
	// word is the name of an operator, or text within a formula.
	word struct {
		row      row
		operator string // its name; empty for text
	}
	// scripted has a subscript, a superscript or both.
	scripted struct{ base, sub, super node }
	fraction struct{ over, under node }
	root     struct{ of node }
	overline struct{ of node }
	space    struct {
		width float64 // in ems
		name  string
	}
)

type parser struct {
	text []rune
	pos  int
}

// A mode is how the parser takes characters.
type mode struct {
	math     bool
	alphabet alphabet // of variables
	inner    bool     // in a script or an argument, where a hyphen is a minus sign
}

// A mistake is what is wrong with a label; parse returns it as an error.
type mistake string

// parse reads a label.
func parse(markup string) (n row, err error) {
	p := &parser{text: []rune(markup)}
	defer func() {
		if r := recover(); r != nil {
			m, ok := r.(mistake)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("label %q: %s", markup, string(m))
		}
	}()
	return p.row(mode{}, 0), nil
}

func (p *parser) fail(format string, args ...any) { panic(mistake(fmt.Sprintf(format, args...))) }

func (p *parser) more() bool { return p.pos < len(p.text) }

func (p *parser) take() rune {
	p.pos++
	return p.text[p.pos-1]
}

func (p *parser) next(r rune) bool {
	if p.more() && p.text[p.pos] == r {
		p.pos++
		return true
	}
	return false
}

// row reads up to the character end, which it takes, or to the end of the label.
func (p *parser) row(m mode, end rune) row {
	out := row{math: m.math}
	for p.more() {
		if end != 0 && p.next(end) {
			return out
		}
		if m.math && unicode.IsSpace(p.text[p.pos]) {
			p.pos++
			continue
		}
		out.nodes = append(out.nodes, p.scripts(p.node(m), m))
	}
	if end != 0 {
		p.fail("there is no closing %c", end)
	}
	return out
}

// node reads one character, group, formula or command.
func (p *parser) node(m mode) node {
	switch c := p.take(); {
	case c == '$' && !m.math:
		return p.row(mode{math: true, alphabet: italic, inner: true}, '$')
	case c == '\\' && p.more():
		return p.command(m)
	case c == '{' && m.math:
		return p.row(m, '}')
	case c == '}' && m.math:
		p.fail("} closes nothing")
		return nil
	case (c == '_' || c == '^') && p.more():
		p.pos-- // a script of nothing
		return row{math: m.math}
	case c == '\'' && m.math:
		return p.letter('′', m)
	case c == '-' && (m.inner || p.minus()):
		return p.letter('−', m)
	default:
		return p.letter(c, m)
	}
}

// minus reports whether the hyphen just read is the sign of a number.
func (p *parser) minus() bool {
	if !p.more() || !unicode.IsDigit(p.text[p.pos]) {
		return false
	}
	at := p.pos - 2
	return at < 0 || !unicode.IsLetter(p.text[at]) && !unicode.IsDigit(p.text[at])
}

// letter reads the accents of a character.
func (p *parser) letter(r rune, m mode) letter {
	l := letter{rune: r, class: tables().classes[r]}
	if variable(r) {
		l.alphabet = m.alphabet
	}
	for p.more() && unicode.Is(unicode.Mn, p.text[p.pos]) {
		l.marks = append(l.marks, p.take())
	}
	return l
}

// variable reports whether a character is slanted in formulas; Greek capitals are not.
func variable(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 'α' && r <= 'ω' || r == 'ϵ' || r == 'ϕ' || r == 'ϑ'
}

// scripts reads what is lowered and raised behind a node.
func (p *parser) scripts(base node, m mode) node {
	m.inner = true
	var s scripted
	for p.pos+1 < len(p.text) && (p.text[p.pos] == '_' || p.text[p.pos] == '^') {
		place := &s.sub
		if p.take() == '^' {
			place = &s.super
		}
		if *place != nil {
			p.fail("two scripts stand in one place; put braces around the first with what it belongs to")
		}
		*place = p.argument(m)
	}
	if s.sub == nil && s.super == nil {
		return base
	}
	s.base = base
	return s
}

// argument reads a group, a command or one character.
func (p *parser) argument(m mode) row {
	for p.next(' ') {
	}
	if !p.more() {
		p.fail("it ends where an argument is missing")
	}
	if p.next('{') {
		return p.row(m, '}')
	}
	return row{[]node{p.node(m)}, m.math}
}

// command reads what follows a backslash.
func (p *parser) command(m mode) node {
	name := p.name()
	s, isSymbol := tables().byName[name]
	width, isSpace := spaces[name]
	mark, isAccent := accents[name]
	named := unicode.IsLetter([]rune(name)[0])
	switch {
	case !named && !m.math: // the character itself
		return p.letter([]rune(name)[0], mode{})
	case isSymbol:
		l := p.letter(s.rune, m)
		l.class = s.class
		return l
	case isSpace:
		return space{width, name}
	case !named:
		return p.letter([]rune(name)[0], mode{})
	case strings.Contains(operatorNames, " "+name+" "):
		return word{spell(name), name}
	case isAccent:
		return p.accent(name, mark, m)
	}
	return p.construct(name, m)
}

// name reads the letters of a command, or one character that is none.
func (p *parser) name() string {
	start := p.pos
	for p.more() && p.text[p.pos] < unicode.MaxASCII && unicode.IsLetter(p.text[p.pos]) {
		p.pos++
	}
	if p.pos == start {
		p.pos++
	}
	return string(p.text[start:p.pos])
}

// construct reads a command that has arguments.
func (p *parser) construct(name string, m mode) node {
	m.inner = true
	switch name {
	case "frac":
		over := p.argument(m)
		return fraction{over, p.argument(m)}
	case "sqrt":
		return root{p.argument(m)}
	case "overline":
		return overline{p.argument(m)}
	case "mathcal":
		return p.argument(mode{math: true, alphabet: script, inner: true})
	case "mathbb":
		return p.argument(mode{math: true, alphabet: double, inner: true})
	case "mathrm":
		return p.argument(mode{math: true, inner: true})
	case "text":
		return word{row: p.argument(mode{})}
	case "operatorname":
		name := p.argument(mode{})
		return word{name, plain(name)}
	case "left", "right":
		if p.next('.') || !p.more() {
			return row{math: m.math}
		}
		return p.node(mode{math: true, inner: true})
	}
	p.fail(`\%s is not among the TeX commands that labels know`, name)
	return nil
}

// accent puts a mark on one letter.
func (p *parser) accent(name string, mark rune, m mode) node {
	if r := p.argument(m); len(r.nodes) == 1 {
		if l, ok := r.nodes[0].(letter); ok {
			l.marks = append(l.marks[:len(l.marks):len(l.marks)], mark)
			return l
		}
	}
	p.fail(`\%s stands on one letter only; \overline spans several`, name)
	return nil
}

// spell returns a name as text.
func spell(name string) row {
	var r row
	for _, c := range name {
		r.nodes = append(r.nodes, letter{rune: c})
	}
	return r
}

// plain returns the letters of text.
func plain(r row) string {
	var b strings.Builder
	for _, n := range r.nodes {
		if l, ok := n.(letter); ok {
			b.WriteRune(l.rune)
		}
	}
	return b.String()
}
