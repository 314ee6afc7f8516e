package label

import (
	"fmt"
	"math"
	"strings"
	"unicode"
)

// A setter sets a label while it reads it.
type setter struct {
	face    *Face
	text    []rune
	pos     int
	missing rune // the first character that no font has
	unknown rune // the first character that LaTeX has no command for
}

// A mode is how the setter takes characters.
type mode struct {
	math     bool
	alphabet alphabet // of variables
	inner    bool     // in a script or an argument, where a hyphen is a minus sign
	size     float64
}

// script returns the mode of a script or of a part of a fraction.
func (m mode) script() mode {
	const first, nested = 0.75, 0.9 // smaller ones cannot be read
	if m.inner = true; m.size < 1 {
		m.size *= nested
	} else {
		m.size *= first
	}
	return m
}

// A mistake is what is wrong with a label; set returns it as an error.
type mistake string

// set sets one line of a label.
func set(markup string, f *Face) (l *Line, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, ok := r.(mistake)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("label %q: %s", markup, string(m))
		}
	}()
	s := &setter{face: f, text: []rune(markup)}
	l = s.row(mode{size: 1}, 0)
	return l, s.finish(l)
}

// finish returns an error if no font has a character, and keeps another for LaTeX.
func (s *setter) finish(l *Line) error {
	l.Family = s.face.Family
	const format = "label %q: no %s %q (%U); write it otherwise"
	if s.unknown != 0 {
		l.latexError = fmt.Errorf(format, string(s.text), "LaTeX command is known for", s.unknown, s.unknown)
	}
	if s.missing != 0 {
		return fmt.Errorf(format+", or choose another face", string(s.text), "font has", s.missing, s.missing)
	}
	return nil
}

func fail(format string, args ...any) { panic(mistake(fmt.Sprintf(format, args...))) }

func (s *setter) more() bool { return s.pos < len(s.text) }

func (s *setter) next(r rune) bool {
	if s.more() && s.text[s.pos] == r {
		s.pos++
		return true
	}
	return false
}

// row sets all up to the character end, which it takes, or to the end of the label.
func (s *setter) row(m mode, end rune) *Line {
	out := new(Line)
	last := opening
	for s.more() {
		if end != 0 && s.next(end) {
			return out
		}
		if m.math && unicode.IsSpace(s.text[s.pos]) {
			s.pos++
			continue
		}
		l := s.scripts(s.item(m), m)
		if l.class == binary && (last == binary || last == relation || last == opening || last == punctuation || last == operator) {
			l.class = ordinary // a sign
		}
		if m.math && (m.size == 1 || last == operator || l.class == operator) {
			out.Width += gap(last, l.class) * m.size
		}
		out.add(l, out.Width, 0)
		out.latex += l.latex
		last = l.class
	}
	if end != 0 {
		fail("there is no closing %c", end)
	}
	return out
}

// gap is the room between two symbols in ems (TeXbook, page 170).
func gap(left, right class) float64 {
	const thin, medium, thick = 3. / 18, 4. / 18, 5. / 18
	switch {
	case left == opening, right == closing, right == punctuation, left == relation && right == relation:
		return 0
	case left == relation, right == relation:
		return thick
	case left == binary, right == binary:
		return medium
	case left == punctuation, right == operator, left == operator && right != opening:
		return thin
	}
	return 0
}

// item sets one character, group, formula or command.
func (s *setter) item(m mode) *Line {
	c := s.text[s.pos]
	s.pos++
	switch {
	case c == '$' && !m.math:
		l := s.row(mode{math: true, alphabet: italic, inner: true, size: m.size}, '$')
		l.latex = "$" + l.latex + "$"
		return l
	case c == '\\' && s.more():
		return s.command(m)
	case c == '{' && m.math:
		l := s.row(m, '}')
		l.latex = "{" + l.latex + "}"
		return l
	case c == '}' && m.math:
		fail("} closes nothing")
	case (c == '_' || c == '^') && s.more():
		s.pos-- // a script of nothing
		return new(Line)
	case c == '\'' && m.math:
		return s.letter('′', m)
	case c == '-' && (m.inner || s.signs()):
		return s.letter('−', m)
	}
	return s.letter(c, m)
}

// signs reports whether the hyphen just read is the sign of a number.
func (s *setter) signs() bool {
	if !s.more() || !unicode.IsDigit(s.text[s.pos]) {
		return false
	}
	return s.pos < 2 || !unicode.IsLetter(s.text[s.pos-2]) && !unicode.IsDigit(s.text[s.pos-2])
}

// scripts sets what is lowered and raised behind a base, left-aligned to each other.
func (s *setter) scripts(base *Line, m mode) *Line {
	const (
		rise, drop = 0.40, 0.18 // ems of the base: scripts clear each other
		capital    = 0.76       // ems: how high a letter is
	)
	start, raised, lean := base.Width, [2]bool{}, base.lean
	for s.pos+1 < len(s.text) && (s.text[s.pos] == '_' || s.text[s.pos] == '^') {
		place, x, y, command := 0, start, -drop*m.size, `\textsubscript`
		if s.text[s.pos] == '^' {
			place, x, y, command = 1, start+lean, rise*m.size, `\textsuperscript`
			if len(base.Rules) > 0 {
				y += math.Max(0, base.Height-capital*m.size)
			}
		}
		if m.math {
			command = string(s.text[s.pos])
		}
		if raised[place] {
			fail("two scripts stand in one place; put braces around the first with what it belongs to")
		}
		raised[place] = true
		s.pos++
		script := s.argument(m.script())
		base.add(script, x, y)
		base.latex += command + "{" + script.latex + "}"
	}
	return base
}

// argument sets a group, a command or one character.
func (s *setter) argument(m mode) *Line {
	m.inner = true
	for s.next(' ') {
	}
	if !s.more() {
		fail("it ends where an argument is missing")
	}
	if s.next('{') {
		return s.row(m, '}')
	}
	return s.item(m)
}

// letter sets a character with the accents that follow it.
func (s *setter) letter(r rune, m mode) *Line {
	l := s.glyph(r, m)
	for s.more() && unicode.Is(unicode.Mn, s.text[s.pos]) {
		s.accent(l, s.text[s.pos], m)
		s.pos++
	}
	return l
}

// glyph sets one character.
func (s *setter) glyph(r rune, m mode) *Line {
	if !variable(r) && !(m.alphabet == double && unicode.IsDigit(r)) {
		m.alphabet = upright
	}
	g := s.face.glyph(r, m.alphabet)
	if g.ID == 0 && s.missing == 0 {
		s.missing = g.Shown
	}
	g.Size = m.size
	ink := g.Font.shape(g.ID)
	l := &Line{Glyphs: []Glyph{g}, Width: m.size * ink.advance, Height: math.Max(0, m.size*ink.top), Depth: math.Max(0, -m.size*ink.bottom)}
	right := ink.right
	if g.Slant {
		right += Slope * ink.top
	}
	l.lean = m.size * math.Max(0, right-ink.advance)
	l.class, l.latex = tables().classes[r], s.latex(r, m)
	return l
}

// accent puts a mark on a letter: centred over its ink and lifted above a high one.
func (s *setter) accent(l *Line, r rune, m mode) {
	const least = 0.07 // distance in ems, that of DejaVu's ô
	base := l.Glyphs[0]
	ink := base.Font.shape(base.ID)
	mark := s.face.glyph(r, upright)
	over := mark.Font.shape(mark.ID)
	mark.Mark, mark.Size = true, m.size
	mark.X = m.size * (ink.left + ink.right - over.left - over.right) / 2
	if base.Slant {
		mark.X += m.size * Slope * ink.top * 0.7
	}
	if over.bottom > 0 {
		mark.Y = m.size * math.Max(0, ink.top+least-over.bottom)
	}
	l.Glyphs = append(l.Glyphs, mark)
	l.Height = math.Max(l.Height, m.size*over.top+mark.Y)
	command := latexMarks()[r]
	if command == "" {
		s.unknown = r
	}
	inside, ok := strings.CutPrefix(l.latex, `\ensuremath{`)
	if ok {
		inside = strings.TrimSuffix(inside, "}")
	}
	l.latex = formula(command+"{"+inside+"}", m)
}

// command sets what a backslash begins. Between dollar signs a character that is no letter
// may be a command; elsewhere it is itself.
func (s *setter) command(m mode) *Line {
	name := s.name()
	named := unicode.IsLetter([]rune(name)[0])
	symbol, isSymbol := tables().byName[name]
	width, isSpace := spaces[name]
	mark, isAccent := accents[name]
	switch {
	case !named && !(m.math && (isSymbol || isSpace)):
		return s.letter([]rune(name)[0], mode{math: m.math, size: m.size})
	case isSymbol:
		l := s.letter(symbol.rune, m)
		l.class = symbol.class
		return l
	case isSpace:
		return &Line{Width: width * m.size, latex: `\` + name + " "}
	case strings.Contains(operatorNames, " "+name+" "):
		l := s.word(name, m)
		l.class, l.latex = operator, formula(`\`+name+" ", m)
		return l
	case isAccent:
		l := s.argument(m)
		if len(l.Glyphs) != 1 {
			fail(`\%s stands on one letter only`, name)
		}
		s.accent(l, mark, m)
		return l
	}
	return s.construct(name, m)
}

// name reads the letters of a command, or one character that is none.
func (s *setter) name() string {
	start := s.pos
	for s.more() && s.text[s.pos] < unicode.MaxASCII && unicode.IsLetter(s.text[s.pos]) {
		s.pos++
	}
	s.pos = max(s.pos, start+1)
	return string(s.text[start:s.pos])
}

// word sets characters one after the other.
func (s *setter) word(text string, m mode) *Line {
	l := new(Line)
	for _, r := range text {
		c := s.glyph(r, mode{size: m.size})
		l.add(c, l.Width, 0)
		l.latex += c.latex
	}
	return l
}

// alphabets by the commands that choose them.
var alphabets = map[string]alphabet{"mathcal": script, "mathbb": double, "mathrm": upright}

// construct sets a command that has arguments.
func (s *setter) construct(name string, m mode) (l *Line) {
	inner := m
	inner.math = true
	switch name {
	case "mathcal", "mathbb", "mathrm":
		inner.alphabet = alphabets[name]
		l = s.argument(inner)
	case "frac":
		over := s.argument(inner.script())
		l = fraction(over, s.argument(inner.script()), m.size)
	case "sqrt":
		l = s.root(s.argument(inner), m)
	case "overline":
		l = s.argument(inner)
		l.bar(0, l.Height+barGap*m.size, l.Width+l.lean, m.size)
		l.latex = `\overline{` + l.latex + "}"
	case "text", "operatorname":
		if l = s.plain(m); name == "operatorname" {
			l.class = operator
		}
		l.latex = `\` + name + "{" + l.latex + "}"
	default:
		fail(`\%s is not among the TeX commands that labels know`, name)
	}
	l.latex = formula(l.latex, m)
	return l
}

// plain sets an argument as text, in which a hyphen is a hyphen.
func (s *setter) plain(m mode) *Line {
	if !s.next('{') {
		fail("text stands in braces")
	}
	return s.row(mode{size: m.size}, '}')
}

const (
	axis   = 0.26 // ems: height of a fraction's bar
	bar    = 0.05 // its thickness
	barGap = 0.08 // to what stands above or below it
)

func fraction(over, under *Line, size float64) *Line {
	const side = 0.06 // ems beside the bar
	l := &Line{latex: `\frac{` + over.latex + "}{" + under.latex + "}"}
	width := math.Max(over.Width, under.Width) + 0.1*size
	l.add(over, side*size+(width-over.Width)/2, (axis+bar/2+barGap)*size+over.Depth)
	l.add(under, side*size+(width-under.Width)/2, (axis-bar/2-barGap)*size-under.Height)
	l.bar(side*size, (axis-bar/2)*size, width, size)
	l.Width, l.lean = width+2*side*size, 0
	return l
}

// root sets a radical sign that reaches from the depth of its argument to the bar above it.
func (s *setter) root(of *Line, m mode) *Line {
	l := s.glyph('√', mode{math: true, size: m.size})
	g := &l.Glyphs[0]
	ink := g.Font.shape(g.ID)
	top := math.Max(of.Height+(barGap+bar)*m.size, m.size*ink.top)
	g.Size = math.Max(m.size, (top+of.Depth)/(ink.top-ink.bottom))
	g.Y = top - ink.top*g.Size
	x := ink.right * g.Size
	l.Height, l.Depth, l.Width = top, math.Max(of.Depth, -g.Y-ink.bottom*g.Size), 0
	l.add(of, x+0.02*m.size, 0)
	l.bar(x-bar*m.size/2, top-bar*m.size, of.Width+of.lean+0.06*m.size, m.size)
	l.Width, l.lean = x+of.Width+of.lean+0.08*m.size, 0
	l.class, l.latex = ordinary, `\sqrt{`+of.latex+"}"
	return l
}
