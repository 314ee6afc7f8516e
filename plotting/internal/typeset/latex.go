package typeset

import "strings"

// LaTeX writes a line of markup for LaTeX, in text mode with the document's font:
// scripts as \textsuperscript and \textsubscript, symbols from amssymb, accents
// on letters. pdfLaTeX and LuaLaTeX both set it.
func LaTeX(markup string) string {
	var b strings.Builder
	runes := []rune(markup)
	p := parser{text: runes}
	p.latex(&b, 0)
	return b.String()
}

// LaTeXText writes plain text for LaTeX.
func LaTeXText(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); {
		i += writeLetter(&b, runes[i:])
	}
	return b.String()
}

func (p *parser) latex(b *strings.Builder, depth int) {
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '}' && depth > 0:
			return
		case (c == '_' || c == '^') && p.pos+1 < len(p.text):
			p.pos++
			p.latexScript(b, c, depth)
			continue
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
		case c == '-' && (depth > 0 || p.minus()):
			b.WriteString(`\ensuremath{-}`)
			p.pos++
			continue
		}
		p.pos += writeLetter(b, p.text[p.pos:])
	}
}

func (p *parser) latexScript(b *strings.Builder, kind rune, depth int) {
	if kind == '_' {
		b.WriteString(`\textsubscript{`)
	} else {
		b.WriteString(`\textsuperscript{`)
	}
	if p.text[p.pos] == '{' {
		p.pos++
		p.latex(b, depth+1)
		p.pos++
	} else {
		p.pos += writeLetter(b, p.text[p.pos:])
	}
	b.WriteByte('}')
}

// writeLetter writes the first character with the accent that may follow it, and
// returns how many runes it took.
func writeLetter(b *strings.Builder, text []rune) int {
	symbol, math := latexSymbol(text[0])
	if len(text) > 1 {
		if accent, ok := latexAccents[text[1]]; ok {
			b.WriteString(`\ensuremath{` + accent + `{` + symbol + `}}`)
			return 2
		}
	}
	if math {
		symbol = `\ensuremath{` + symbol + `}`
	}
	b.WriteString(symbol)
	return 1
}

func latexSymbol(r rune) (symbol string, math bool) {
	if s, ok := latexSpecial[r]; ok {
		return s, false
	}
	if s, ok := latexMath[r]; ok {
		return s, true
	}
	return string(r), false
}

var latexAccents = map[rune]string{
	'\u0302': `\hat`, '\u0303': `\tilde`, '\u0304': `\bar`, '\u0305': `\bar`,
	'\u0307': `\dot`, '\u0308': `\ddot`, '\u20d7': `\vec`,
}

var latexSpecial = map[rune]string{
	'%': `\%`, '&': `\&`, '#': `\#`, '$': `\$`, '_': `\_`, '{': `\{`, '}': `\}`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '\\': `\textbackslash{}`,
	'–': `--`, '—': `---`, '…': `\dots{}`, '’': `'`, '“': "``", '”': `''`,
}

var latexMath = map[rune]string{
	'α': `\alpha`, 'β': `\beta`, 'γ': `\gamma`, 'δ': `\delta`, 'ε': `\varepsilon`, 'ϵ': `\epsilon`,
	'ζ': `\zeta`, 'η': `\eta`, 'θ': `\theta`, 'ι': `\iota`, 'κ': `\kappa`, 'λ': `\lambda`,
	'μ': `\mu`, 'µ': `\mu`, 'ν': `\nu`, 'ξ': `\xi`, 'π': `\pi`, 'ρ': `\rho`, 'σ': `\sigma`,
	'τ': `\tau`, 'υ': `\upsilon`, 'φ': `\varphi`, 'ϕ': `\phi`, 'χ': `\chi`, 'ψ': `\psi`, 'ω': `\omega`,
	'Γ': `\Gamma`, 'Δ': `\Delta`, 'Θ': `\Theta`, 'Λ': `\Lambda`, 'Ξ': `\Xi`, 'Π': `\Pi`,
	'Σ': `\Sigma`, 'Φ': `\Phi`, 'Ψ': `\Psi`, 'Ω': `\Omega`,
	'∇': `\nabla`, '∂': `\partial`, '∈': `\in`, '∉': `\notin`, '∞': `\infty`, '√': `\surd`,
	'⟨': `\langle`, '⟩': `\rangle`, '‖': `\Vert`, '∥': `\parallel`, '|': `|`,
	'≤': `\le`, '≥': `\ge`, '<': `<`, '>': `>`, '≠': `\ne`, '≈': `\approx`, '≡': `\equiv`, '∝': `\propto`,
	'±': `\pm`, '×': `\times`, '·': `\cdot`, '∘': `\circ`, '⊥': `\perp`, '⊙': `\odot`,
	'→': `\to`, '←': `\leftarrow`, '↦': `\mapsto`, '⇒': `\Rightarrow`, '↑': `\uparrow`, '↓': `\downarrow`,
	'∑': `\sum`, '∏': `\prod`, '∫': `\int`, '∠': `\angle`, '∧': `\wedge`, '∨': `\vee`, '∀': `\forall`, '∃': `\exists`,
	'ℝ': `\mathbb{R}`, 'ℕ': `\mathbb{N}`, 'ℤ': `\mathbb{Z}`, 'ℒ': `\mathcal{L}`, 'ℓ': `\ell`,
	'−': `-`, '½': `\frac12`, '⅓': `\frac13`, '⅔': `\frac23`, '¼': `\frac14`, '¾': `\frac34`,
	'²': `^2`, '³': `^3`, '¹': `^1`, '⁰': `^0`, '⁴': `^4`, '⁵': `^5`, '⁶': `^6`, '⁷': `^7`, '⁸': `^8`, '⁹': `^9`,
	'⁺': `^+`, '⁻': `^-`,
	'₀': `_0`, '₁': `_1`, '₂': `_2`, '₃': `_3`, '₄': `_4`, '₅': `_5`, '₆': `_6`, '₇': `_7`, '₈': `_8`, '₉': `_9`,
	'●': `\bullet`, '○': `\circ`, '✓': `\checkmark`, '✗': `\times`,
}
