package live

import (
	"encoding/json"
	"strings"
	"testing"

	"qhlab/plotting"
)

// ask returns a figure's answer to an input.
func ask(t *testing.T, name string, in Input) (a Answer) {
	t.Helper()
	input, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(Ask(name, input, func(float64) {}), &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuditReadsLayers(t *testing.T) {
	for text, want := range map[string]string{
		"Input(2), Dense(8), ReLU(), Dense(1)":               "dense1.weight",
		"nn.Input(2),\nnn.Dense(8, nn.NoBias()),\n":          "Homogeneous of degree 1",
		"Input(2), Residual(Dense(2), LeakyReLU(1)),":        "no exponent fits at block1",
		"Input(2), Dense(4), RMSNorm(WithScale()), Dense(1)": "conserved",
	} {
		if a := ask(t, "audit", Input{Text: text}); a.Error != "" || !strings.Contains(a.Text, want) {
			t.Errorf("%q gives %q and the error %q, want %q", text, a.Text, a.Error, want)
		}
	}
	for text, want := range map[string]string{
		"Input(2), Dense":        "calls such as Dense(8)",
		"Input(2), Dance(3)":     "none of the layers",
		"Input(2), Dense(\"a\")": "calls such as Dense(8)",
		"Input(2), Dense(2.5)":   "Dense cannot take its argument 1",
		"Input(2), Dense()":      "too few arguments",
		"Input(2), NoBias()":     "is no layer",
		"Input(2), Dense(0)":     "at least 1",
		"os.Exit(1)":             "none of the layers",
		"Input(2":                "not a list of layers",
		"":                       "Input",
	} {
		if a := ask(t, "audit", Input{Text: text}); !strings.Contains(a.Error, want) {
			t.Errorf("%q gives %q and the error %q, want %q", text, a.Text, a.Error, want)
		}
	}
}

func TestDragFollowsTheFlow(t *testing.T) {
	a := ask(t, "drag", Input{Values: []float64{2, 1}, Points: crossed})
	if a.Error != "" || !strings.Contains(a.Text, "log(1/L) = 1") || !strings.HasPrefix(a.SVG, "<svg") {
		t.Errorf("%q, %q", a.Text, a.Error)
	}
	if low, high := a.Handles[0], a.Handles[1]; !(0 < low.X && low.X < high.X && high.X < 0.6 && 0 < low.Y && low.Y < high.Y && high.Y < 1) {
		t.Errorf("the square is from %v to %v", low, high)
	}
	same := Input{Values: []float64{2, 1}, Points: []Point{{1, 1, 0}, {1, 1, 1}}} // nothing separates these
	if a := ask(t, "drag", same); !strings.Contains(a.Error, "separated") || a.SVG == "" {
		t.Errorf("points that no boundary separates: %q, a picture of %d bytes", a.Error, len(a.SVG))
	}
}

func TestFailuresAreAnswers(t *testing.T) {
	Figures["panics"] = Interact([]plotting.Slider{{Max: 1}}, func([]float64) plotting.Figure { panic("no room") })
	Figures["empty"] = Interact(nil, func([]float64) plotting.Figure { return plotting.Figure{Name: "empty"} })
	defer delete(Figures, "panics")
	defer delete(Figures, "empty")
	for name, want := range map[string]string{"panics": "no room", "empty": "has no panels", "absent": "no live figure"} {
		if a := ask(t, name, Input{Values: make([]float64, len(Figures[name].Controls))}); !strings.Contains(a.Error, want) {
			t.Errorf("%s gives the error %q, want %q", name, a.Error, want)
		}
	}
}
