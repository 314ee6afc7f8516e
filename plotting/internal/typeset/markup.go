package typeset

import (
	"math"
	"strings"
	"unicode"
)

// Run is a piece of a label in one size. Rise lifts its baseline. Size, Rise and
// X are in ems of the label's own size.
type Run struct {
	Text       string
	Size, Rise float64
	X          float64
}

// Label is text set in one line.
type Label struct {
	Markup string
	Runs   []Run
	Width  float64 // in ems
}

const (
	scriptSize = 0.75  // of a script to its base
	nestedSize = 0.9   // of a script to the script it stands on, still to be read
	superRise  = 0.40  // ems of the base: a superscript clears a subscript below it
	subRise    = -0.18 // ems of the base
)

// Parse sets a line of markup: _x and _{xyz} are subscripts, ^x and ^{xyz}
// superscripts, which nest; a backslash takes the next character as it is. A
// hyphen in a script, or before a number, becomes a minus sign.
func Parse(markup string) Label {
	p := parser{text: []rune(markup)}
	end := p.run(0, 1, 0, 0)
	return Label{Markup: markup, Runs: p.runs, Width: end}
}

type parser struct {
	text    []rune
	pos     int
	runs    []Run
	unknown rune // that LaTeX has no command for
}

// run sets text from x on until the closing brace or the end, and returns where
// it ends. A sub- and a superscript of one base share their left edge.
func (p *parser) run(x, size, rise float64, depth int) float64 {
	var text strings.Builder
	script, scripted := x, false // right end of a pending script
	flush := func() {
		if text.Len() > 0 {
			s := text.String()
			p.runs = append(p.runs, Run{Text: s, Size: size, Rise: rise, X: x})
			x += Width(s) * size
			text.Reset()
		}
	}
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '}' && depth > 0:
			flush()
			return math.Max(x, script)
		case (c == '_' || c == '^') && p.pos+1 < len(p.text):
			flush()
			p.pos++
			shift := superRise
			if c == '_' {
				shift = subRise
			}
			smaller := size * scriptSize
			if size < 1 {
				smaller = size * nestedSize
			}
			end := p.script(x, smaller, rise+shift*size, depth)
			script, scripted = math.Max(script, end), true
			continue
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
			c = p.text[p.pos]
		case c == '-' && (depth > 0 || p.minus()):
			c = '−'
		}
		if scripted {
			x, scripted = math.Max(x, script), false
		}
		text.WriteRune(c)
		p.pos++
	}
	flush()
	return math.Max(x, script)
}

func (p *parser) script(x, size, rise float64, depth int) float64 {
	if p.text[p.pos] != '{' {
		c := string(p.text[p.pos])
		p.pos++
		for p.pos < len(p.text) && unicode.Is(unicode.Mn, p.text[p.pos]) {
			c += string(p.text[p.pos])
			p.pos++
		}
		p.runs = append(p.runs, Run{Text: c, Size: size, Rise: rise, X: x})
		return x + Width(c)*size
	}
	p.pos++
	end := p.run(x, size, rise, depth+1)
	if p.pos < len(p.text) {
		p.pos++ // the closing brace
	}
	return end
}

// minus reports whether the hyphen here is the sign of a number.
func (p *parser) minus() bool {
	if p.pos+1 >= len(p.text) || !unicode.IsDigit(p.text[p.pos+1]) {
		return false
	}
	return p.pos == 0 || !unicode.IsLetter(p.text[p.pos-1]) && !unicode.IsDigit(p.text[p.pos-1])
}

// Plain returns the characters of a line of markup without its structure.
func (l Label) Plain() string {
	var b strings.Builder
	for _, r := range l.Runs {
		b.WriteString(r.Text)
	}
	return b.String()
}

// Ink returns how far the label reaches below and above its baseline, in ems.
func (l Label) Ink() (below, above float64) {
	for _, r := range l.Runs {
		bottom, top := inkOf(r.Text)
		below = math.Max(below, -bottom*r.Size-r.Rise)
		above = math.Max(above, top*r.Size+r.Rise)
	}
	return below, above
}
