package typeset

import (
	"math"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	type run struct {
		text  string
		level int // 1 for a script, 2 for a script of a script
		up    bool
	}
	for _, c := range []struct {
		markup string
		runs   []run
	}{
		{"plain text", []run{{"plain text", 0, false}}},
		{"x_1", []run{{"x", 0, false}, {"1", 1, false}}},
		{"10^{-3} s", []run{{"10", 0, false}, {"−3", 1, true}, {" s", 0, false}}},
		{"10^{10^{4}}", []run{{"10", 0, false}, {"10", 1, true}, {"4", 2, true}}},
		{"θ̂_i^2", []run{{"θ̂", 0, false}, {"i", 1, false}, {"2", 1, true}}},
		{`a\_b`, []run{{"a_b", 0, false}}},
		{"max-margin, -1 and 2-24", []run{{"max-margin, −1 and 2-24", 0, false}}},
		{"_", []run{{"_", 0, false}}},
		{"x^{unclosed", []run{{"x", 0, false}, {"unclosed", 1, true}}},
	} {
		got := Parse(c.markup).Runs
		if len(got) != len(c.runs) {
			t.Errorf("%q: %d runs, want %d: %+v", c.markup, len(got), len(c.runs), got)
			continue
		}
		for i, want := range c.runs {
			size := math.Pow(scriptSize, float64(want.level))
			if got[i].Text != want.text || math.Abs(got[i].Size-size) > 1e-12 || (want.level > 0 && (got[i].Rise > 0) != want.up) {
				t.Errorf("%q: run %d is %+v, want %+v", c.markup, i, got[i], want)
			}
		}
	}
}

// A sub- and a superscript of one letter begin at the same place, and the text
// goes on after the wider one.
func TestScriptsShareTheirBase(t *testing.T) {
	r := Parse("x_1^{22}y").Runs
	if r[1].X != r[2].X {
		t.Errorf("scripts begin at %g and %g", r[1].X, r[2].X)
	}
	if want := r[2].X + Width("22")*scriptSize; math.Abs(r[3].X-want) > 1e-12 {
		t.Errorf("text goes on at %g, want %g", r[3].X, want)
	}
}

// An accent takes no width, is centred on its letter and does not touch it.
func TestAccents(t *testing.T) {
	f := load()
	for _, s := range []string{"θ̂", "β̂", "x̄", "γ̄", "ê", "W̃"} {
		glyphs, w := Shape(s)
		if len(glyphs) == 1 {
			continue // one precomposed character
		}
		if want := Width(string([]rune(s)[0])); w != want {
			t.Errorf("%s: width %g, want %g", s, w, want)
		}
		base, accent := f.ink(glyphs[0].ID), f.ink(glyphs[1].ID)
		middle := (accent.left+accent.right)/2 + glyphs[1].X
		if want := (base.left + base.right) / 2; math.Abs(middle-want) > 1e-9 {
			t.Errorf("%s: the accent's middle is at %g, the letter's at %g", s, middle, want)
		}
		if gap := accent.bottom + glyphs[1].Y - base.top; gap < 0.02 {
			t.Errorf("%s: the accent is %g ems above the letter", s, gap)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := Check("∇ ⟨ ⟩ ∈ λ θ̂ ‖ ‖ ℒ ℝ ₁ ² ½ ⅓ → − ✓"); err != nil {
		t.Error(err)
	}
	if err := Check("a漢"); err == nil || !strings.Contains(err.Error(), "U+6F22") {
		t.Errorf("a character without a glyph: %v", err)
	}
}

func TestLaTeX(t *testing.T) {
	for markup, want := range map[string]string{
		"x_1":            `x\textsubscript{1}`,
		"10^{-3}":        `10\textsuperscript{\ensuremath{-}3}`,
		"θ̂_i":           `\ensuremath{\hat{\theta}}\textsubscript{i}`,
		"100 % of a & b": `100 \% of a \& b`,
		`a\_b {c}`:       `a\_b \{c\}`,
		"‖θ‖_Λ":          `\ensuremath{\Vert}\ensuremath{\theta}\ensuremath{\Vert}\textsubscript{\ensuremath{\Lambda}}`,
		"−1":             `\ensuremath{-}1`,
	} {
		if got := LaTeX(markup); got != want {
			t.Errorf("%q: got %s, want %s", markup, got, want)
		}
	}
}

// No markup panics, and every character is kept.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"x_1^2", "a^{b_{c}", "}{", "\\", "^", "_{", "θ̂^"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		label := Parse(s)
		if label.Width < 0 || math.IsNaN(label.Width) {
			t.Errorf("%q: width %g", s, label.Width)
		}
		LaTeX(s)
	})
}
