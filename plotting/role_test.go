package plotting

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// vision maps linear RGB to what a reader sees.
type vision struct {
	name   string
	matrix [9]float64
}

// visions are full colour vision, the three dichromacies as simulated by Machado,
// Oliveira and Fernandes (2009, doi:10.1109/TVCG.2009.113, severity 1), and a
// black-and-white print, which keeps the luminance.
var visions = []vision{
	{"full", [9]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}},
	{"protanopia", [9]float64{0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998}},
	{"deuteranopia", [9]float64{0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881}},
	{"tritanopia", [9]float64{1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900}},
	{"grey", [9]float64{0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722, 0.2126, 0.7152, 0.0722}},
}

// luminance is the relative luminance Y of an sRGB colour, 0 to 1 (IEC 61966-2-1).
func luminance(c color.NRGBA) (y float64) {
	weights := [3]float64{0.2126, 0.7152, 0.0722}
	for i, v := range linearRGB(c) {
		y += weights[i] * v
	}
	return y
}

func linearRGB(c color.NRGBA) (lin [3]float64) {
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		if s := float64(v) / 255; s <= 0.04045 {
			lin[i] = s / 12.92
		} else {
			lin[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return lin
}

// lab returns the CIE L*a*b* coordinates, for white D65, of a colour as seen.
func (v vision) lab(c color.NRGBA) [3]float64 {
	in := linearRGB(c)
	var rgb [3]float64
	for i := range 3 {
		for j := range 3 {
			rgb[i] += v.matrix[3*i+j] * in[j]
		}
		rgb[i] = math.Min(1, math.Max(0, rgb[i]))
	}
	x := (0.4124*rgb[0] + 0.3576*rgb[1] + 0.1805*rgb[2]) / 0.9505
	y := 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
	z := (0.0193*rgb[0] + 0.1192*rgb[1] + 0.9505*rgb[2]) / 1.0890
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	return [3]float64{116*f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))}
}

// difference is the CIE 1976 colour difference; about 2.3 is just noticeable.
func (v vision) difference(a, b color.NRGBA) float64 {
	p, q := v.lab(a), v.lab(b)
	return math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2]))
}

func closest(v vision, roles []Role) (least float64, pair string) {
	least = math.Inf(1)
	for i, a := range roles {
		for _, b := range roles[:i] {
			if d := v.difference(a.Color(), b.Color()); d < least {
				least, pair = d, fmt.Sprintf("%v and %v", b.Color(), a.Color())
			}
		}
	}
	return least, pair
}

// Every pair of series colours stays apart for every reader. 20 is nearly nine
// just noticeable differences, enough for thin lines; in grey only lightness is
// left, and 10 is more than four. Six classes have to be told apart in grey by
// their markers as well.
func TestRolesStayApart(t *testing.T) {
	for _, c := range []struct {
		name  string
		roles []Role
		grey  float64
	}{
		{"rates", []Role{Neutral, Highest, Second, Third, Fourth}, 10},
		{"four classes", []Role{Class(0), Class(1), Class(2), Class(3)}, 10},
		{"six classes", []Role{Class(0), Class(1), Class(2), Class(3), Class(4), Class(5)}, 4},
	} {
		for _, v := range visions {
			want := 20.0
			if v.name == "grey" {
				want = c.grey
			}
			got, pair := closest(v, c.roles)
			t.Logf("%s, %s: least difference %.1f", c.name, v.name, got)
			if got < want {
				t.Errorf("%s, %s: %s differ by %.1f, want %.0f", c.name, v.name, pair, got, want)
			}
		}
	}
}

// Colour is never the only channel: no two rates share a line style or a marker,
// nor do seven classes, and none has the theory's style. 42 classes differ in
// colour, or in both.
func TestSecondChannel(t *testing.T) {
	classes := make([]Role, 42)
	for k := range classes {
		classes[k] = Class(k)
	}
	looks := map[string]func(r Role) string{
		"line style":            func(r Role) string { return fmt.Sprint(RoleStyle.dash(r)) },
		"marker":                func(r Role) string { return fmt.Sprint(RoleMarker.of(r)) },
		"colour and line style": func(r Role) string { return fmt.Sprint(r.Color(), RoleStyle.dash(r)) },
		"colour and marker":     func(r Role) string { return fmt.Sprint(r.Color(), RoleMarker.of(r)) },
	}
	for _, c := range []struct {
		look  string
		roles []Role
	}{
		{"line style", []Role{Highest, Second, Third, Fourth, Reference}},
		{"line style", append([]Role{Reference}, classes[:7]...)},
		{"marker", []Role{Highest, Second, Third, Fourth}},
		{"marker", classes[:7]},
		{"colour and line style", classes},
		{"colour and marker", classes},
	} {
		seen := make(map[string]Role)
		for _, r := range c.roles {
			look := looks[c.look](r)
			if other, ok := seen[look]; ok {
				t.Errorf("roles %d and %d have one %s", other, r, c.look)
			}
			seen[look] = r
		}
	}
}

// There is no fifth rate, and the message says what to use instead.
func TestRateBeyond(t *testing.T) {
	defer func() {
		if message := fmt.Sprint(recover()); !strings.Contains(message, "Series(4)") {
			t.Errorf("Rate(4): %s", message)
		}
	}()
	Rate(4)
}

// Lines and markers have a contrast of at least 3 to 1 on paper (WCAG 2, 1.4.11),
// text at least 4.5 to 1 (1.4.3).
func TestContrast(t *testing.T) {
	for r := Neutral; r < Class(6); r++ {
		line, text := 1.05/(luminance(r.Color())+0.05), 1.05/(luminance(paper.readable(r.Color()))+0.05)
		if line < 3 || text < 4.5 {
			t.Errorf("role %d: contrast of lines %.2f, of text %.2f", r, line, text)
		}
	}
}

// On the screen every colour is seen on white and on the dark pages of JupyterLab and the
// site, and rates and four classes stay apart in full colour.
func TestScreenContrast(t *testing.T) {
	pages := []color.NRGBA{{255, 255, 255, 255}, {0x11, 0x11, 0x11, 255}, {0x16, 0x18, 0x1b, 255}}
	contrast := func(a, b color.NRGBA) float64 {
		return (math.Max(luminance(a), luminance(b)) + 0.05) / (math.Min(luminance(a), luminance(b)) + 0.05)
	}
	for r := Neutral; r < Class(6); r++ {
		for _, page := range pages {
			if c := contrast(screen.color(r), page); c < 3 {
				t.Errorf("role %d on %v: contrast %.2f", r, page, c)
			}
		}
	}
	for _, page := range pages {
		if c := contrast(screen.text, page); c < 3.8 {
			t.Errorf("text on %v: contrast %.2f", page, c)
		}
	}
	for _, roles := range [][]Role{{Highest, Second, Third, Fourth}, {Class(0), Class(1), Class(2), Class(3)}} {
		for i, a := range roles {
			for _, b := range roles[:i] {
				if d := visions[0].difference(screen.color(a), screen.color(b)); d < 20 {
					t.Errorf("roles %d and %d differ by %.1f on the screen", a, b, d)
				}
			}
		}
	}
}

// A name is one role, and an unknown one says which there are.
func TestNamed(t *testing.T) {
	if Named("Adam") == Named("SGD") {
		t.Error("two optimizers have one role")
	}
	defer func() {
		if message := fmt.Sprint(recover()); !strings.Contains(message, "momentum") {
			t.Errorf("unknown name: %s", message)
		}
	}()
	Named("adam")
}

// The colour maps are even: equal steps of the value are equal steps of lightness, or for
// opposite values equal lightness.
func TestColorMapsAreEven(t *testing.T) {
	const steps = 16
	light := func(c color.NRGBA) float64 { return visions[0].lab(c)[0] }
	of := func(h HeatMap) func(t float64) color.NRGBA {
		h.Values = mat.NewDense(1, 1, nil)
		b, err := h.bar()
		if err != nil {
			t.Fatal(err)
		}
		return b.color
	}
	both := of(HeatMap{Diverging: true})
	diverging := func(x float64) color.NRGBA { return both((x + 1) / 2) }
	for name, f := range map[string]func(float64) color.NRGBA{
		"sequential": of(HeatMap{}),
		"greys":      of(HeatMap{Colors: Greys()}),
	} {
		mean := (light(f(0)) - light(f(1))) / steps
		for k := range steps {
			step := light(f(float64(k)/steps)) - light(f(float64(k+1)/steps))
			// Oklab's lightness is not CIE's, and 8 bits round: a third off at most.
			if math.Abs(step-mean) > mean/3 {
				t.Errorf("%s: step %d is %.2f, the mean %.2f", name, k, step, mean)
			}
		}
	}
	for k := range steps {
		x := float64(k+1) / steps
		if d := math.Abs(light(diverging(x)) - light(diverging(-x))); d > 4 {
			t.Errorf("diverging(±%.2f): lightness differs by %.1f", x, d)
		}
	}
}

// Plotters of others have colours for white pages.
func TestGroundOnScreen(t *testing.T) {
	figure := func(layers ...Layer) Figure { return Figure{Panels: []Panel{{Layers: layers}}} }
	for _, c := range []struct {
		name  string
		d     Drawing
		white bool
	}{
		{"layers of this package", figure(Line{}, &HeatMap{}), false},
		{"a grid of gonum's", figure(Line{}, plotter.NewGrid()), true},
		{"a labelled one", figure(Labelled{Plotter: plotter.NewGrid()}), true},
		{"a plot", plot.New(), true},
	} {
		f, err := figureOf(c.d)
		if white := f.onScreen().ground != nil; err != nil || white != c.white {
			t.Errorf("%s: white ground %v", c.name, white)
		}
	}
}
