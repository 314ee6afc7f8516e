package label

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"gonum.org/v1/plot/vg"
)

// A setter sets a label while it reads it.
type setter struct {
	face    *face
	text    []rune
	pos     int
	missing rune // the first character that no font has
	unknown rune // the first character that LaTeX has no command for
	mistake string
}

// A mode is how the setter takes characters.
type mode struct {
	math  bool
	inner bool // in a script or an argument, where a hyphen is a minus sign
	size  float64
}

// script returns the mode of a script or of a part of a fraction.
func (m mode) script() mode {
	factor := 0.75
	if m.size < 1 {
		factor = 0.9 // smaller ones cannot be read
	}
	return mode{m.math, true, m.size * factor}
}

// fail notes the first mistake, and skips the rest of the label.
func (s *setter) fail(format string, args ...any) *Line {
	s.mistake = cmp.Or(s.mistake, fmt.Sprintf(format, args...))
	s.pos = len(s.text)
	return new(Line)
}

// set sets one line of a label. With a mistake the line is empty.
func set(markup string, f *face) *Line {
	s := &setter{face: f, text: []rune(markup)}
	l := s.row(mode{size: 1}, 0)
	l.Family = f.family
	const format = "label %q: no %s %q (%U); write it otherwise"
	if s.unknown != 0 {
		l.latexError = fmt.Errorf(format, markup, "LaTeX command is known for", s.unknown, s.unknown)
	}
	if s.missing != 0 {
		l.err = fmt.Errorf(format+", or choose another face", markup, "font has", s.missing, s.missing)
	}
	if s.mistake != "" {
		return &Line{err: fmt.Errorf("label %q: %s", markup, s.mistake)}
	}
	return l
}

func (s *setter) more() bool { return s.pos < len(s.text) }

func (s *setter) next(r rune) bool {
	found := s.more() && s.text[s.pos] == r
	if found {
		s.pos++
	}
	return found
}

// row sets all up to the character end, which it takes, or to the end of the label.
func (s *setter) row(m mode, end rune) *Line {
	out := new(Line)
	last := opening
	for s.more() {
		if end != 0 && s.next(end) {
			return out
		}
		if m.math && s.next(' ') {
			continue
		}
		l := s.scripts(s.item(m), m)
		if l.class == binary && last != ordinary && last != closing {
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
		return s.fail("there is no closing %c", end)
	}
	return out
}

// A class says how much room a symbol of a formula gets (TeXbook, chapter 18).
type class byte

const (
	ordinary class = iota
	operator
	binary
	relation
	opening
	closing
	punctuation
)

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
		l := s.row(mode{true, true, m.size}, '$')
		l.latex = "$" + l.latex + "$"
		return l
	case c == '\\' && s.more():
		return s.command(m)
	case c == '{' && m.math:
		l := s.row(m, '}')
		l.latex = "{" + l.latex + "}"
		return l
	case c == '}' && m.math:
		return s.fail("} closes nothing")
	case (c == '_' || c == '^') && s.more():
		s.pos-- // a script of nothing
		return new(Line)
	case c == '\'' && m.math:
		c = '′'
	case c == '-' && (m.inner || s.signs()):
		c = '−'
	}
	return s.letter(c, m)
}

// signs reports whether the hyphen just read is the sign of a number.
func (s *setter) signs() bool {
	return s.more() && unicode.IsDigit(s.text[s.pos]) && (s.pos < 2 || !unicode.IsLetter(s.text[s.pos-2]) && !unicode.IsDigit(s.text[s.pos-2]))
}

// scripts sets what is lowered and raised behind a base, left-aligned to each other.
func (s *setter) scripts(base *Line, m mode) *Line {
	const (
		rise, drop = 0.40, 0.18 // ems of the base: scripts clear each other
		capital    = 0.76       // ems: how high a letter is
	)
	start, lean, seen := base.Width, base.lean, ""
	for s.pos+1 < len(s.text) && (s.text[s.pos] == '_' || s.text[s.pos] == '^') {
		place, x, y, command := string(s.text[s.pos]), start, -drop*m.size, `\textsubscript`
		s.pos++
		if strings.Contains(seen, place) {
			return s.fail("two scripts stand in one place; put braces around the first with what it belongs to")
		}
		seen += place
		if place == "^" {
			x, y, command = start+lean, rise*m.size, `\textsuperscript`
			if len(base.Bars) > 0 {
				y += math.Max(0, base.Height-capital*m.size)
			}
		}
		if m.math {
			command = place
		}
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
		return s.fail("it ends where an argument is missing")
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

func (s *setter) glyph(r rune, m mode) *Line {
	g := s.face.glyph(r, m.math && variable(r))
	if g.ID == 0 && s.missing == 0 {
		s.missing = r
	}
	g.Size = m.size
	ink := g.Font.shape(g.ID)
	right := ink.right
	if g.Slant {
		right += Slope * ink.top
	}
	return &Line{
		Glyphs: []Glyph{g}, Width: m.size * ink.advance, Height: math.Max(0, m.size*ink.top), Depth: math.Max(0, -m.size*ink.bottom),
		lean: m.size * math.Max(0, right-ink.advance), class: symbols().classes[r], latex: s.latex(r, m),
	}
}

// variable reports whether a character is slanted in formulas; Greek capitals are not.
func variable(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 'α' && r <= 'ω' || r == 'ϵ' || r == 'ϕ' || r == 'ϑ'
}

// accent puts a mark on a letter: centred over its ink and lifted above a high one.
func (s *setter) accent(l *Line, r rune, m mode) {
	const least = 0.07 // distance in ems, that of DejaVu's ô
	base, mark := l.Glyphs[0], s.face.glyph(r, false)
	ink, over := base.Font.shape(base.ID), mark.Font.shape(mark.ID)
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
	command, ok := symbols().marks[r]
	if !ok {
		s.unknown = r
	}
	l.latex = formula(`\`+command+"{"+s.latex(base.Rune, mode{math: true})+"}", m)
}

// command sets what a backslash begins. Between dollar signs a character that is no letter
// may be a command; elsewhere it is itself.
func (s *setter) command(m mode) *Line {
	start := s.pos
	for s.more() && s.text[s.pos] < unicode.MaxASCII && unicode.IsLetter(s.text[s.pos]) {
		s.pos++
	}
	s.pos = max(s.pos, start+1)
	name := string(s.text[start:s.pos])
	if !m.math && !unicode.IsLetter(first(name)) {
		return s.letter(first(name), m)
	}
	var l *Line
	switch t := symbols(); {
	case t.byName[name] != 0:
		return s.letter(t.byName[name], m)
	case spaces[name] != 0:
		return &Line{Width: spaces[name] * m.size, latex: `\` + name + " "}
	case strings.Contains(operatorNames, " "+name+" "):
		l = s.word(name, m)
		l.class, l.latex = operator, `\`+name+" "
	case accents[name] != 0:
		l = s.argument(m)
		if len(l.Glyphs) != 1 {
			return s.fail(`\%s stands on one letter only`, name)
		}
		s.accent(l, accents[name], m)
		return l
	case name == "frac":
		inner := mode{math: true, size: m.size}.script()
		over := s.argument(inner)
		l = fraction(over, s.argument(inner), m.size)
	case name == "text":
		if !s.next('{') {
			return s.fail("text stands in braces")
		}
		l = s.row(mode{size: m.size}, '}') // in which a hyphen is a hyphen
		l.latex = `\text{` + l.latex + "}"
	default:
		return s.fail(`\%s is not among the TeX commands that labels know`, name)
	}
	l.latex = formula(l.latex, m)
	return l
}

func (s *setter) word(text string, m mode) *Line {
	l := new(Line)
	for _, r := range text {
		l.add(s.glyph(r, mode{size: m.size}), l.Width, 0)
	}
	return l
}

func fraction(over, under *Line, size float64) *Line {
	const (
		axis = 0.26 // ems: height of the bar
		bar  = 0.05 // its thickness
		gap  = 0.08 // to what stands above or below it
		side = 0.06 // to what stands beside it
	)
	l := &Line{latex: `\frac{` + over.latex + "}{" + under.latex + "}"}
	width := math.Max(over.Width, under.Width) + 0.1*size
	l.add(over, side*size+(width-over.Width)/2, (axis+bar/2+gap)*size+over.Depth)
	l.add(under, side*size+(width-under.Width)/2, (axis-bar/2-gap)*size-under.Height)
	low := vg.Point{X: vg.Length(side * size), Y: vg.Length((axis - bar/2) * size)}
	l.Bars = append(l.Bars, vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: vg.Length(width), Y: vg.Length(bar * size)})})
	l.Width, l.lean = width+2*side*size, 0
	return l
}

// symbolNames lists TeX's name of each symbol; where a symbol has two, LaTeX output has the first.
var symbolNames = map[class]string{
	ordinary: `
		alpha α beta β gamma γ delta δ varepsilon ε epsilon ϵ zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
		mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ varphi φ phi ϕ chi χ psi ψ omega ω
		Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω
		nabla ∇ partial ∂ infty ∞ ell ℓ emptyset ∅ forall ∀ exists ∃ angle ∠ prime ′ surd √ dots … cdots ⋯ Vert ‖ | ‖ top ⊤ dagger †`,
	operator: `sum ∑ prod ∏ int ∫`,
	binary:   `pm ± mp ∓ times × cdot · div ÷ circ ∘ odot ⊙ otimes ⊗ oplus ⊕ cup ∪ cap ∩ setminus ∖ wedge ∧ vee ∨`,
	relation: `
		le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ propto ∝ sim ∼ ll ≪ gg ≫ lesssim ≲ gtrsim ≳ in ∈ notin ∉ subset ⊂
		subseteq ⊆ supset ⊃ perp ⊥ parallel ∥ mid ∣ to → rightarrow → leftarrow ← mapsto ↦ leftrightarrow ↔ Rightarrow ⇒ Leftrightarrow ⇔
		uparrow ↑ downarrow ↓`,
	opening: `langle ⟨ lfloor ⌊ lceil ⌈ { {`,
	closing: `rangle ⟩ rfloor ⌋ rceil ⌉ } }`,
}

// plainSymbols are the characters without a name that have room around them.
var plainSymbols = map[class]string{binary: "+-−*", relation: "=<>:", opening: "([", closing: ")]", punctuation: ",;"}

const operatorNames = " arg cos cosh det dim exp inf ker lim ln log max min sin sinh sup tan tanh Pr "

// accents by name, as combining characters.
var accents = map[string]rune{
	"hat": '\u0302', "tilde": '\u0303', "bar": '\u0304', "dot": '\u0307', "ddot": '\u0308', "check": '\u030c', "vec": '\u20d7',
}

// spaces by name, in ems.
var spaces = map[string]float64{
	",": 3. / 18, ":": 4. / 18, ";": 5. / 18, "!": -3. / 18, " ": 0.3, "quad": 1, "qquad": 2,
}

// unnamed is the LaTeX of characters without a command of their own: those of formulas, then of text.
const (
	unnamed = "− - ′ ' ″ '' µ \\mu < < > > | | ½ \\frac12 ⅓ \\frac13 ⅔ \\frac23 ¼ \\frac14 ¾ \\frac34 ⋅ \\cdot ○ \\circ ✓ \\checkmark ✗ \\times ° ^\\circ " +
		"⁰ ^0 ¹ ^1 ² ^2 ³ ^3 ⁴ ^4 ⁵ ^5 ⁶ ^6 ⁷ ^7 ⁸ ^8 ⁹ ^9 ⁻ ^- ⁿ ^n ᵀ ^T ₀ _0 ₁ _1 ₂ _2 ₃ _3 ᵢ _i ⱼ _j " +
		"ℒ \\mathcal{L} ℋ \\mathcal{H} ℝ \\mathbb{R} ℕ \\mathbb{N} ℤ \\mathbb{Z} ℂ \\mathbb{C}"
	ofText = "% \\% & \\& # \\# $ \\$ _ \\_ { \\{ } \\} ~ \\textasciitilde{} ^ \\textasciicircum{} \\ \\textbackslash{} – -- — --- … \\dots{} ’ ' ‘ ` “ `` ” ''"
)

type symbolTables struct {
	byName      map[string]rune
	classes     map[rune]class
	latex, text map[rune]string // in formulas and in text
	marks       map[rune]string
}

var symbols = sync.OnceValue(func() symbolTables {
	t := symbolTables{make(map[string]rune), make(map[rune]class), make(map[rune]string), make(map[rune]string), map[rune]string{'\u0305': "bar"}}
	for c := ordinary; c <= punctuation; c++ {
		for pair := range slices.Chunk(strings.Fields(symbolNames[c]), 2) {
			name, r := pair[0], first(pair[1])
			t.byName[name] = r
			if t.latex[r] == "" {
				t.latex[r], t.classes[r] = `\`+name+" ", c
			}
		}
		for _, r := range plainSymbols[c] {
			t.classes[r] = c
		}
	}
	for latex, into := range map[string]map[rune]string{unnamed: t.latex, ofText: t.text} {
		for pair := range slices.Chunk(strings.Fields(latex), 2) {
			r, latex := first(pair[0]), pair[1]
			if strings.Contains(latex, `\`) && unicode.IsLetter(rune(latex[len(latex)-1])) {
				latex += " " // which ends a command
			}
			into[r] = latex
		}
	}
	for name, r := range accents {
		t.marks[r] = name
	}
	return t
})

func first(s string) rune { return []rune(s)[0] }

// latex returns a character's LaTeX and notes if there is none.
func (s *setter) latex(r rune, m mode) string {
	inFormula, isSymbol := symbols().latex[r]
	inText, isSpecial := symbols().text[r]
	const lastLetter = 'ž' // of Latin Extended-A, which T1 fonts have
	switch {
	case isSpecial && !(m.math && isSymbol):
		return inText
	case isSymbol:
		return formula(inFormula, m)
	case r < ' ' || r > '~' && !(unicode.IsLetter(r) && r <= lastLetter):
		s.unknown = r
	}
	return string(r)
}

// formula puts LaTeX into math mode.
func formula(latex string, m mode) string {
	if m.math {
		return latex
	}
	return `\ensuremath{` + latex + "}"
}
