package label

import (
	"maps"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

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

type symbol struct {
	rune  rune
	class class
}

// symbolNames lists TeX's name of each symbol; where a symbol has two, LaTeX output has
// the first.
var symbolNames = map[class]string{
	ordinary: `
		alpha α beta β gamma γ delta δ varepsilon ε epsilon ϵ zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
		mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ varphi φ phi ϕ chi χ psi ψ omega ω
		Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω
		nabla ∇ partial ∂ infty ∞ ell ℓ hbar ℏ emptyset ∅ forall ∀ exists ∃ angle ∠ prime ′ surd √ dots … ldots … cdots ⋯
		Vert ‖ | ‖ vert | top ⊤ checkmark ✓ square □ dagger †`,
	operator: `sum ∑ prod ∏ int ∫`,
	binary: `
		pm ± mp ∓ times × cdot · ast ∗ div ÷ circ ∘ bullet ● odot ⊙ otimes ⊗ oplus ⊕ cup ∪ cap ∩ setminus ∖ wedge ∧ vee ∨ star ⋆`,
	relation: `
		le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ propto ∝ sim ∼ simeq ≃ cong ≅ ll ≪ gg ≫ lesssim ≲ gtrsim ≳
		in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ perp ⊥ parallel ∥ mid ∣ to → rightarrow → leftarrow ← gets ←
		mapsto ↦ leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ uparrow ↑ downarrow ↓ nearrow ↗ searrow ↘`,
	opening: `langle ⟨ lfloor ⌊ lceil ⌈ { {`,
	closing: `rangle ⟩ rfloor ⌋ rceil ⌉ } }`,
}

// operatorNames are set upright with their name.
const operatorNames = " arg cos cosh det dim exp inf ker lim ln log max min sin sinh sup tan tanh Pr "

// accents by name, as combining characters.
var accents = map[string]rune{
	"hat": '\u0302', "tilde": '\u0303', "bar": '\u0304', "breve": '\u0306', "dot": '\u0307', "ddot": '\u0308',
	"check": '\u030c', "grave": '\u0300', "acute": '\u0301', "vec": '\u20d7',
}

// spaces by name, in ems.
var spaces = map[string]float64{
	",": 3. / 18, ":": 4. / 18, ";": 5. / 18, "!": -3. / 18, " ": 0.3, "quad": 1, "qquad": 2,
}

// asciiClass is the class of characters that have no name.
var asciiClass = map[rune]class{
	'+': binary, '-': binary, '*': binary, '=': relation, '<': relation, '>': relation, ':': relation,
	'−': binary, '(': opening, '[': opening, ')': closing, ']': closing, ',': punctuation, ';': punctuation,
}

// unnamed is the LaTeX of characters without a command of their own.
var unnamed = map[rune]string{
	'−': `-`, '½': `\frac12`, '⅓': `\frac13`, '⅔': `\frac23`, '¼': `\frac14`, '¾': `\frac34`, '″': `''`, '⋅': `\cdot `,
	'µ': `\mu `, '○': `\circ `, '✗': `\times `, '°': `^\circ `, '<': `<`, '>': `>`, '|': `|`, '′': `'`, '≔': `:=`,
}

// raised and lowered characters, and what LaTeX raises and lowers for them.
const (
	raised, raisedPlain   = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱᵀ", "0123456789+-niT"
	lowered, loweredPlain = "₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼ", "0123456789+-ij"
)

type symbolTables struct {
	byName  map[string]symbol
	classes map[rune]class
	latex   map[rune]string // in formulas
}

var tables = sync.OnceValue(func() symbolTables {
	t := symbolTables{make(map[string]symbol), make(map[rune]class), make(map[rune]string)}
	for c := ordinary; c <= closing; c++ {
		fields := strings.Fields(symbolNames[c])
		for i := 0; i < len(fields); i += 2 {
			r, _ := utf8.DecodeRuneInString(fields[i+1])
			t.byName[fields[i]] = symbol{r, c}
			if _, ok := t.latex[r]; !ok {
				t.latex[r], t.classes[r] = `\`+fields[i]+" ", c
			}
		}
	}
	maps.Copy(t.latex, unnamed)
	maps.Copy(t.classes, asciiClass)
	for i, r := range []rune(raised) {
		t.latex[r] = "^" + raisedPlain[i:i+1]
	}
	for i, r := range []rune(lowered) {
		t.latex[r] = "_" + loweredPlain[i:i+1]
	}
	for shown, plain := range map[rune]rune{'ℒ': 'L', 'ℋ': 'H', 'ℱ': 'F', 'ℬ': 'B', 'ℰ': 'E', 'ℛ': 'R'} {
		t.latex[shown] = `\mathcal{` + string(plain) + "}"
	}
	for plain, shown := range letterlike[double] {
		t.latex[shown] = `\mathbb{` + string(plain) + "}"
	}
	return t
})

// textLaTeX is what LaTeX reads as something else, and how it sets it.
var textLaTeX = map[rune]string{
	'%': `\%`, '&': `\&`, '#': `\#`, '$': `\$`, '_': `\_`, '{': `\{`, '}': `\}`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '\\': `\textbackslash{}`,
	'–': `--`, '—': `---`, '…': `\dots{}`, '’': `'`, '‘': "`", '“': "``", '”': `''`, '\u00a0': `~`,
}

// latex returns a character's LaTeX and notes if there is none.
func (s *setter) latex(r rune, m mode) string {
	formulaLaTeX, isSymbol := tables().latex[r]
	textLaTeX, isSpecial := textLaTeX[r]
	const lastLetter = 'ž' // of Latin Extended-A, which T1 fonts have
	switch {
	case m.alphabet == script:
		return `\mathcal{` + string(r) + "}"
	case m.alphabet == double:
		return `\mathbb{` + string(r) + "}"
	case isSpecial && !(m.math && isSymbol):
		return textLaTeX
	case isSymbol:
		return formula(formulaLaTeX, m)
	case r < ' ' || r > '~' && !(unicode.IsLetter(r) && r <= lastLetter):
		s.unknown = r
	case m.math && m.alphabet == upright && variable(r):
		return `\mathrm{` + string(r) + "}"
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

var latexMarks = sync.OnceValue(func() map[rune]string {
	marks := map[rune]string{'\u0305': `\bar`}
	for name, r := range accents {
		marks[r] = `\` + name
	}
	return marks
})

// An alphabet is a shape of letters.
type alphabet byte

const (
	upright alphabet = iota
	italic
	script
	double // struck twice, as ℝ
)

// variable reports whether a character is slanted in formulas; Greek capitals are not.
func variable(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 'α' && r <= 'ω' || r == 'ϵ' || r == 'ϕ' || r == 'ϑ'
}

// The characters of the mathematical alphabets that Unicode has elsewhere.
var letterlike = map[alphabet]map[rune]rune{
	italic: {'h': 'ℎ'},
	script: {'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ', 'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ', 'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ'},
	double: {'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ', 'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'},
}

// firstLetters are the alphabets' A; a follows Z.
var firstLetters = map[alphabet]rune{italic: 0x1d434, script: 0x1d49c, double: 0x1d538}

// in returns a letter's character in an alphabet, or the letter itself.
func (a alphabet) in(r rune) rune {
	if c, ok := letterlike[a][r]; ok {
		return c
	}
	switch {
	case a == upright:
	case r >= 'A' && r <= 'Z':
		return firstLetters[a] + r - 'A'
	case r >= 'a' && r <= 'z':
		return firstLetters[a] + 26 + r - 'a'
	case a == italic && r >= 'α' && r <= 'ω':
		return 0x1d6fc + r - 'α'
	case a == double && r >= '0' && r <= '9':
		return 0x1d7d8 + r - '0'
	}
	return r
}
