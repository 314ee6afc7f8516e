package plotting

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// Regions tints where a classifier decides for each class. With one output the
// classes are f < 0 (class 0) and f ≥ 0 (class 1); with several the decision is the
// largest.
type Regions struct {
	// F is the output of a binary classifier.
	F func(x, y float64) float64

	// Batch, instead of F, returns the outputs at many points: all outputs of
	// the first point, then of the second, …
	Batch func(x, y []float64) []float64
}

func (r Regions) name() string { return "regions" }

func (r Regions) extend(*extent) error { return surface{r.F, r.Batch}.check() }

// regionTint is light enough for points and labels of any colour to stand on.
const regionTint = 0.16

func (r Regions) draw(p *pane) {
	l, err := p.sample(surface{r.F, r.Batch})
	if err != nil {
		p.fail(r, err)
		return
	}
	for class, lead := range l.leads() {
		p.SetColor(tint(Class(class).Color(), regionTint))
		p.Fill(l.area(lead))
	}
}

// leads returns, for each class c, by how much the best output from c on exceeds
// the best before it. It is not negative where class c or a later one wins; so
// each class is painted over those before it, and no seam shows between them.
func (l *lattice) leads() [][]float64 {
	outputs := l.values
	everywhere := make([]float64, len(outputs[0]))
	if len(outputs) == 1 {
		return [][]float64{everywhere, outputs[0]}
	}
	leads := [][]float64{everywhere}
	for c := 1; c < len(outputs); c++ {
		lead := make([]float64, len(outputs[c]))
		for k := range lead {
			lead[k] = best(outputs[c:], k) - best(outputs[:c], k)
		}
		leads = append(leads, lead)
	}
	return leads
}

func best(outputs [][]float64, k int) float64 {
	m := math.Inf(-1)
	for _, v := range outputs {
		m = math.Max(m, v[k])
	}
	return m
}

// area returns the outline of where v ≥ 0, counterclockwise around it. The lattice
// is continued by a ring of cells without width where v is negative, so that
// outlines close along the border.
func (l *lattice) area(v []float64) vg.Path {
	next := make(map[int]int) // the crossing that follows one, the area at its left
	place := make(map[int]vg.Point)
	var order []int
	for j := -1; j <= l.ny; j++ {
		for i := -1; i <= l.nx; i++ {
			c := l.ringed(v, i, j)
			for k := range 4 {
				if c[k] < 0 || c[(k+1)%4] >= 0 {
					continue // the area does not end on this edge
				}
				e := l.edge(i, j, k)
				place[e] = l.crossing(c[k], c[(k+1)%4], i, j, k)
				order = append(order, e)
				m := k + 1
				for c[m%4] >= 0 || c[(m+1)%4] < 0 {
					m++
				}
				next[e] = l.edge(i, j, m%4)
			}
		}
	}
	var path vg.Path
	done := make(map[int]bool)
	for _, start := range order {
		var loop []vg.Point
		for e := start; !done[e]; e = next[e] {
			done[e] = true
			loop = append(loop, place[e])
		}
		if len(loop) > 2 {
			path = append(path, polyline(thin(append(loop, loop[0])))...)
		}
	}
	return path
}

// ringed returns the values at the corners of a cell of the continued lattice.
func (l *lattice) ringed(v []float64, i, j int) (out [4]float64) {
	for k, o := range cellCorners {
		x, y := i+o[0], j+o[1]
		out[k] = -1
		if x >= 0 && x <= l.nx && y >= 0 && y <= l.ny {
			out[k] = v[y*(l.nx+1)+x]
		}
	}
	return out
}
