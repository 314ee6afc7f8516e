package plotting

import "math"

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

// leads returns, for each class, by how much its output exceeds all others, which
// is not negative exactly where the class wins.
func (l *lattice) leads() [][]float64 {
	outputs := l.values
	if len(outputs) == 1 {
		negative := make([]float64, len(outputs[0]))
		for k, v := range outputs[0] {
			negative[k] = -v
		}
		return [][]float64{negative, outputs[0]}
	}
	leads := make([][]float64, len(outputs))
	for c := range outputs {
		leads[c] = make([]float64, len(outputs[c]))
		for k := range leads[c] {
			best := math.Inf(-1)
			for d := range outputs {
				if d != c {
					best = math.Max(best, outputs[d][k])
				}
			}
			leads[c][k] = outputs[c][k] - best
		}
	}
	return leads
}
