package plotting

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// Labels at line ends never overlap while they fit, and keep the order of their
// lines.
func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := lonely(paper)
	p := &pane{look: l, Canvas: draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: 100, Y: 200}}}}
	for range 200 {
		n := 1 + rng.IntN(14) // 14 labels of 9.6 points fit 200
		ends := make([]endLabel, n)
		for i := range ends {
			ends[i].at.Y = vg.Length(200 * math.Pow(rng.Float64(), 3))
		}
		sort.Slice(ends, func(i, j int) bool { return ends[i].at.Y < ends[j].at.Y })
		p.spread(ends)
		for i := 1; i < n; i++ {
			if gap := ends[i].y - ends[i-1].y; gap < l.label*1.2-1e-6 {
				t.Fatalf("labels %d and %d are %.2f apart", i-1, i, gap)
			}
		}
		if ends[0].y < -1e-6 || ends[n-1].y > 200+l.label {
			t.Fatalf("labels reach from %.1f to %.1f", ends[0].y, ends[n-1].y)
		}
	}
}

// Labels that do not meet stay at their lines.
func TestSpreadLeavesAlone(t *testing.T) {
	l := lonely(paper)
	p := &pane{look: l, Canvas: draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: 100, Y: 200}}}}
	ends := []endLabel{{at: vg.Point{Y: 20}}, {at: vg.Point{Y: 90}}, {at: vg.Point{Y: 150}}}
	p.spread(ends)
	for _, e := range ends {
		if e.y != e.at.Y {
			t.Errorf("the label of %g is at %g", e.at.Y, e.y)
		}
	}
}

// Two dotted lines cannot be told apart in a key, one can.
func TestTheoriesInKey(t *testing.T) {
	layers := []Layer{
		Line{X: []float64{0, 1}, Y: []float64{0, 1}, Label: "flow"},
		ReferenceY{At: 0.5, Label: "half"}, ReferenceY{At: 0.7, Label: "most"},
	}
	for n, want := range map[int]int{2: 2, 3: 1} {
		pl, err := Figure{Panels: []Panel{{Key: true, Layers: layers[:n]}}}.plan(paper)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(pl.panes[0].keys()); got != want {
			t.Errorf("%d entries for %d lines, want %d", got, n, want)
		}
		if room := pl.panes[0].endRoom(); (room > 0) != (n == 3) {
			t.Errorf("%d lines have %g points for labels at their ends", n, room)
		}
	}
}

// Panels on shared axes do not repeat a key, and neighbours not a colour bar.
func TestOmitRepeated(t *testing.T) {
	points := func(label string) Panel {
		return Panel{Layers: []Layer{Scatter{X: []float64{0, 1}, Y: []float64{0, 1}, Label: label}}}
	}
	heat := func(high float64) Panel {
		return Panel{Layers: []Layer{HeatMap{Values: mat.NewDense(1, 2, []float64{0, 1}), High: high}}}
	}
	for _, c := range []struct {
		name   string
		figure Figure
		keys   string // rows of entries above each panel
		bars   string
	}{
		{"shared", Figure{ShareX: true, Panels: []Panel{points("a"), points("a"), points("b")}}, "[1 0 1]", "[false false false]"},
		{"not shared", Figure{Panels: []Panel{points("a"), points("a")}}, "[1 1]", "[false false]"},
		{"bars", Figure{Columns: 2, Panels: []Panel{heat(1), heat(1), heat(1), heat(2)}}, "[0 0 0 0]", "[false true true true]"},
	} {
		pl, err := c.figure.plan(paper)
		if err != nil {
			t.Fatal(err)
		}
		var keys []int
		var bars []bool
		for _, p := range pl.panes {
			keys = append(keys, len(p.keyRows()))
			bars = append(bars, heated(p) && !p.barless)
		}
		if got := fmt.Sprint(keys); got != c.keys {
			t.Errorf("%s: keys %s, want %s", c.name, got, c.keys)
		}
		if got := fmt.Sprint(bars); got != c.bars {
			t.Errorf("%s: bars %s, want %s", c.name, got, c.bars)
		}
	}
}

func heated(p *pane) bool {
	_, ok := p.bar()
	return ok
}

// Labels inside a panel stand clear of data, of areas and of each other, with their
// superscripts and with the labels at the ends of lines.
func TestLabelsStandClear(t *testing.T) {
	_, up, toEye := Scene{}.axes()
	rings := Contours{F: func(x, y float64) float64 { return x*x + y*y }, Levels: []float64{0.2, 0.5, 1}, Labels: []string{"10^{10^4}", "10^5", "10^{6}"}}
	points := Scatter{X: []float64{-0.45, 0.45, 0, 0, 0.7, -0.7, 1, -1}, Y: []float64{0, 0, 0.45, -0.45, 0, 0, 0, 0}}
	for name, p := range map[string]Panel{
		"levels": {Equal: true, Layers: []Layer{rings, points, Note{Label: "middle"}}},
		"an end on a line": {Layers: []Layer{
			Line{X: []float64{0, 0.5}, Y: []float64{0.5, 0.5}, Label: "ends"}, Line{X: []float64{0, 1, 0.55, 0.55}, Y: []float64{0, 0, 0, 1}}}},
		"an end": {Layers: []Layer{
			Line{X: []float64{0, 0.5}, Y: []float64{0, 1}, Label: "ends here"}, Scatter{X: []float64{0, 1}, Y: []float64{0, 1}},
			ReferenceX{At: 0.45, Label: "beside"}}},
		"space": {Layers: []Layer{Scene{Shapes: []Shape{
			Plane{Normal: toEye, Side: 2}, // a square, with a ball at the middles of two sides, and room below
			Ball{Center: Point3{}.plus(-1, up), Radius: 0.3, Label: "y = −1"}, Ball{Center: Point3{}.plus(1, up), Radius: 0.3, Label: "y = +1"},
			Points{At: []Point3{Point3{}.plus(-2, up)}}}}}},
	} {
		pl, err := Figure{Width: Single, Panels: []Panel{p}}.plan(paper)
		if err != nil {
			t.Fatal(err)
		}
		if err := pl.draw(draw.NewCanvas(new(recorder.Canvas), pl.width, pl.height), Figure{Panels: []Panel{p}}); err != nil {
			t.Fatal(err)
		}
		pane := pl.panes[0]
		if len(pane.taken) == 0 {
			t.Fatalf("%s: no labels", name)
		}
		for i, a := range pane.taken {
			for _, b := range pane.taken[:i] {
				if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
					t.Errorf("%s: label %d overlaps another", name, i)
				}
			}
			if n := covered(a, pane.busy); n > 0 {
				t.Errorf("%s: label %d covers %d points of data", name, i, n)
			}
		}
	}
}
