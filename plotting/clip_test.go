package plotting

import (
	"math"
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

// A line loses what lies in the box and nothing else, to two points.
func TestWithout(t *testing.T) {
	box := vg.Rectangle{Min: vg.Point{X: 20, Y: 20}, Max: vg.Point{X: 40, Y: 40}}
	line := []vg.Point{{X: 0, Y: 30}, {X: 30, Y: 30}, {X: 30, Y: 90}, {X: 90, Y: 90}, {X: 30, Y: 30}}
	pieces := without(box, line)
	want := [][2]vg.Point{{{X: 0, Y: 30}, {X: 20, Y: 30}}, {{X: 30, Y: 40}, {X: 40, Y: 40}}}
	if len(pieces) != len(want) {
		t.Fatalf("%d pieces, want %d: %v", len(pieces), len(want), pieces)
	}
	for i, piece := range pieces {
		for k, q := range []vg.Point{piece[0], piece[len(piece)-1]} {
			if d := q.Sub(want[i][k]); math.Hypot(float64(d.X), float64(d.Y)) > 2 {
				t.Errorf("piece %d ends at %v, want %v", i, q, want[i][k])
			}
		}
		if n := covered(vg.Rectangle{Min: box.Min.Add(vg.Point{X: 1, Y: 1}), Max: box.Max.Sub(vg.Point{X: 1, Y: 1})}, dense(thin(piece))); n > 0 {
			t.Errorf("piece %d has %d points in the box", i, n)
		}
	}
	outside := []vg.Point{{X: 0, Y: 0}, {X: 90, Y: 0}}
	if got := without(box, outside); len(got) != 1 || got[0][0] != outside[0] || got[0][len(got[0])-1] != outside[1] {
		t.Errorf("a line outside became %v", got)
	}
}
