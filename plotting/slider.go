package plotting

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"

	"qhlab/plotting/internal/typeset"
)

// Slider is a number that the reader of an interactive figure changes.
type Slider struct {
	Label    string // markup, as in a figure
	Min, Max float64
	Value    float64 // at the beginning
	Step     float64 // zero: a hundredth of the range
}

// check panics if the slider has no range, or begins outside of it.
func (s Slider) check() {
	if !(s.Min < s.Max) || !(s.Min <= s.Value && s.Value <= s.Max) || !(s.Step >= 0) || math.IsInf(s.Max-s.Min, 0) {
		panic(fmt.Sprintf("plotting: slider %q: want finite Min < Max, a Value between them and a Step of at least 0, got %v, %v, %v and %v",
			s.Label, s.Min, s.Max, s.Value, s.Step))
	}
}

func (s Slider) step() float64 {
	if s.Step == 0 {
		return (s.Max - s.Min) / 100
	}
	return s.Step
}

// decimals is the number of decimals that tell the slider's positions apart.
func (s Slider) decimals() int {
	const most = 12 // beyond that a step is noise of the arithmetic
	for d := range most {
		scaled := s.step() * math.Pow10(d)
		if math.Abs(scaled-math.Round(scaled)) < 1e-6*scaled {
			return d
		}
	}
	return most
}

func (s Slider) format(v float64) string {
	return strconv.FormatFloat(v, 'f', s.decimals(), 64)
}

// ownKeys keeps JupyterLab from taking arrow keys and Enter for its own; it looks
// for this attribute at the focused element first.
const ownKeys = `data-lm-suppress-shortcuts="true"`

// row is the slider in the page: label, slider and value.
func (s Slider) row(id string) string {
	return fmt.Sprintf(`<label for="%[1]s">%[2]s</label>`+
		`<input type="range" `+ownKeys+` id="%[1]s" min="%[3]g" max="%[4]g" step="%[5]g" value="%[6]g" data-decimals="%[7]d">`+
		`<output for="%[1]s" style="font-variant-numeric:tabular-nums">%[8]s</output>`,
		id, markupHTML(s.Label), s.Min, s.Max, s.step(), s.Value, s.decimals(), s.format(s.Value))
}

// markupHTML sets a label in HTML, with its sub- and superscripts.
func markupHTML(markup string) string {
	var b strings.Builder
	for _, r := range typeset.Parse(markup).Runs {
		text := html.EscapeString(r.Text)
		switch {
		case r.Rise > 0:
			text = "<sup>" + text + "</sup>"
		case r.Rise < 0:
			text = "<sub>" + text + "</sub>"
		}
		b.WriteString(text)
	}
	return b.String()
}

// describe writes the sliders' values in a line.
func describe(sliders []Slider, values []float64) string {
	var parts []string
	for i, s := range sliders {
		parts = append(parts, s.Label+" = "+s.format(values[i]))
	}
	return strings.Join(parts, " · ")
}
