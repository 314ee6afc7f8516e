package plotting

import (
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/plot/vg"
)

// distance from a point to a segment.
func distance(q, a, b vg.Point) float64 {
	dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
	t := 0.0
	if n := dx*dx + dy*dy; n > 0 {
		t = math.Min(1, math.Max(0, (float64(q.X-a.X)*dx+float64(q.Y-a.Y)*dy)/n))
	}
	return math.Hypot(float64(q.X-a.X)-t*dx, float64(q.Y-a.Y)-t*dy)
}

func TestThinStaysNear(t *testing.T) {
	shapes := map[string]func(s float64) (x, y float64){
		"circle":    func(s float64) (float64, float64) { return 100 * math.Cos(6.28*s), 100 * math.Sin(6.28*s) },
		"fast sine": func(s float64) (float64, float64) { return 400 * s, 50 * math.Sin(900*s) },
		"there and back": func(s float64) (float64, float64) {
			return 100 * math.Sin(9*s), 0
		},
		"still": func(float64) (float64, float64) { return 1, 1 },
	}
	for name, f := range shapes {
		var points []vg.Point
		for k := range 5001 {
			x, y := f(float64(k) / 5000)
			points = append(points, vg.Point{X: vg.Length(x), Y: vg.Length(y)})
		}
		kept := thin(points)
		if kept[0] != points[0] || kept[len(kept)-1] != points[len(points)-1] {
			t.Errorf("%s: an end is lost", name)
		}
		for _, q := range points {
			least := math.Inf(1)
			for i := 1; i < len(kept); i++ {
				least = math.Min(least, distance(q, kept[i-1], kept[i]))
			}
			// The tip itself may be off by one tolerance as well.
			if least > 2*tolerance {
				t.Fatalf("%s: a point is %.3g points off", name, least)
			}
		}
		t.Logf("%s: %d of %d points", name, len(kept), len(points))
	}
}

func TestClip(t *testing.T) {
	p := &pane{box: vg.Rectangle{Max: vg.Point{X: 10, Y: 10}}}
	pieces := p.clip([]vg.Point{{X: -5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 25}, {X: 8, Y: 25}, {X: 8, Y: -1e300}})
	want := [][]vg.Point{{{X: 0, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 10}}, {{X: 8, Y: 10}, {X: 8, Y: 0}}}
	if len(pieces) != len(want) {
		t.Fatalf("got %v, want %v", pieces, want)
	}
	for i := range want {
		for j := range want[i] {
			if math.Hypot(float64(pieces[i][j].X-want[i][j].X), float64(pieces[i][j].Y-want[i][j].Y)) > 1e-9 {
				t.Errorf("got %v, want %v", pieces[i], want[i])
			}
		}
	}
}

// A line loses what lies in the box and nothing else.
func TestWithout(t *testing.T) {
	box := vg.Rectangle{Min: vg.Point{X: 2, Y: 2}, Max: vg.Point{X: 4, Y: 4}}
	line := []vg.Point{{X: 0, Y: 3}, {X: 3, Y: 3}, {X: 3, Y: 9}, {X: 9, Y: 9}, {X: 3, Y: 3}}
	want := [][]vg.Point{{{X: 0, Y: 3}, {X: 2, Y: 3}}, {{X: 3, Y: 4}, {X: 3, Y: 9}, {X: 9, Y: 9}, {X: 4, Y: 4}}}
	if got := without(box, line); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	outside := []vg.Point{{X: 0, Y: 0}, {X: 9, Y: 0}}
	if got := without(box, outside); !reflect.DeepEqual(got, [][]vg.Point{outside}) {
		t.Errorf("a line outside became %v", got)
	}
}
