package typeset

import (
	"fmt"
	"strings"
	"unicode"
)

// LaTeX writes a line of markup for LaTeX, in text mode with the document's font:
// scripts as \textsuperscript and \textsubscript, symbols from amssymb, accents
// on letters. pdfLaTeX and LuaLaTeX both set it. The error names a character for
// which no command is known.
func LaTeX(markup string) (string, error) {
	var b strings.Builder
	p := parser{text: []rune(markup)}
	p.latex(&b, 0)
	if p.unknown != 0 {
		return "", fmt.Errorf("no LaTeX command is known for %q (%U) in %q; write it otherwise", p.unknown, p.unknown, markup)
	}
	return b.String(), nil
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
		p.latexLetter(b)
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
		p.latexLetter(b)
	}
	b.WriteByte('}')
}

// latexLetter writes the next character with the accent that may follow it.
func (p *parser) latexLetter(b *strings.Builder) {
	text := p.text[p.pos:]
	symbol, math := p.latexSymbol(text[0])
	p.pos++
	if len(text) > 1 {
		if accent, ok := latexAccents[text[1]]; ok {
			symbol, math = accent+"{"+symbol+"}", true
			p.pos++
		}
	}
	if math {
		symbol = `\ensuremath{` + symbol + `}`
	}
	b.WriteString(symbol)
}

func (p *parser) latexSymbol(r rune) (symbol string, math bool) {
	if s, ok := latexSpecial[r]; ok {
		return s, false
	}
	if s, ok := latexMath[r]; ok {
		return s, true
	}
	const lastLetter = 'ž' // of Latin Extended-A, which T1 fonts have
	if r < ' ' || r > '~' && !(unicode.IsLetter(r) && r <= lastLetter) {
		p.unknown = r
	}
	return string(r), false
}

var latexAccents = map[rune]string{
	'\u0300': `\grave`, '\u0301': `\acute`, '\u0306': `\breve`, '\u030c': `\check`,
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
	'⊂': `\subset`, '⊆': `\subseteq`, '⊃': `\supset`, '⊇': `\supseteq`, '∪': `\cup`, '∩': `\cap`, '∅': `\emptyset`, '∖': `\setminus`,
	'∼': `\sim`, '≃': `\simeq`, '≅': `\cong`, '≪': `\ll`, '≫': `\gg`, '≲': `\lesssim`, '≳': `\gtrsim`, '≔': `:=`,
	'⊗': `\otimes`, '⊕': `\oplus`, '⋅': `\cdot`, '÷': `\div`, '∓': `\mp`, '∗': `*`, '⋯': `\cdots`,
	'⌊': `\lfloor`, '⌋': `\rfloor`, '⌈': `\lceil`, '⌉': `\rceil`, '′': `'`, '″': `''`, '°': `^\circ`,
	'↔': `\leftrightarrow`, '⇐': `\Leftarrow`, '⇔': `\Leftrightarrow`, '↗': `\nearrow`, '↘': `\searrow`,
	'ℂ': `\mathbb{C}`, 'ℚ': `\mathbb{Q}`, 'ᵀ': `^T`, 'ⁿ': `^n`, 'ⁱ': `^i`, 'ᵢ': `_i`, 'ⱼ': `_j`, '₊': `_+`, '₋': `_-`,
	'∑': `\sum`, '∏': `\prod`, '∫': `\int`, '∠': `\angle`, '∧': `\wedge`, '∨': `\vee`, '∀': `\forall`, '∃': `\exists`,
	'ℝ': `\mathbb{R}`, 'ℕ': `\mathbb{N}`, 'ℤ': `\mathbb{Z}`, 'ℒ': `\mathcal{L}`, 'ℓ': `\ell`,
	'−': `-`, '½': `\frac12`, '⅓': `\frac13`, '⅔': `\frac23`, '¼': `\frac14`, '¾': `\frac34`,
	'²': `^2`, '³': `^3`, '¹': `^1`, '⁰': `^0`, '⁴': `^4`, '⁵': `^5`, '⁶': `^6`, '⁷': `^7`, '⁸': `^8`, '⁹': `^9`,
	'⁺': `^+`, '⁻': `^-`,
	'₀': `_0`, '₁': `_1`, '₂': `_2`, '₃': `_3`, '₄': `_4`, '₅': `_5`, '₆': `_6`, '₇': `_7`, '₈': `_8`, '₉': `_9`,
	'●': `\bullet`, '○': `\circ`, '✓': `\checkmark`, '✗': `\times`,
}
