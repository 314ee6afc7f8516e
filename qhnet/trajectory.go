package qhnet

import (
	"fmt"
	"math"

	"qhlab/qhnet/ode"
)

// Trajectory is what a flow recorded, and why it ended.
type Trajectory struct {
	Points    []Point
	Separated *Point // the first that shows all points classified correctly, nil if none does; see Separating
	Status    ode.Status
	Work      ode.Statistics

	margins *Margins
}

// Point is the state of a flow at one recorded instant.
type Point struct {
	LogLoss float64   // log L
	LogTime float64   // log t, -∞ at the start
	Scaled  float64   // s = ∫ L dt
	Step    int       // of a descent; 0 in a flow
	Slope   float64   // ‖∇ log L‖
	Margin  float64   // the smallest margin q
	Theta   []float64 // θ
}

// LogInverse returns u = log(1/L).
func (p Point) LogInverse() float64 { return -p.LogLoss }

// Last returns the last recorded point. It panics if nothing was recorded.
func (tr *Trajectory) Last() Point { return tr.Points[len(tr.Points)-1] }

// Margins returns the margins that flowed, with kinks as the flow rounded them.
func (tr *Trajectory) Margins() *Margins { return tr.margins }

// Model returns the model that flowed.
func (tr *Trajectory) Model() Model { return tr.margins.Model() }

// Series returns f at every recorded point.
func (tr *Trajectory) Series(f func(Point) float64) []float64 {
	values := make([]float64, len(tr.Points))
	for i, p := range tr.Points {
		values[i] = f(p)
	}
	return values
}

// LogInverses returns u = log(1/L) at every recorded point.
func (tr *Trajectory) LogInverses() []float64 { return tr.Series(Point.LogInverse) }

// Since returns the trajectory from log(1/L) = u on; it shares the points.
func (tr *Trajectory) Since(u float64) *Trajectory {
	later := *tr
	for len(later.Points) > 0 && later.Points[0].LogInverse() < u {
		later.Points = later.Points[1:]
	}
	return &later
}

// SmoothedMargin returns at every recorded point
//
//	γ̄ = log(1/(nL)) / ‖θ‖_Λ^{1/λ_max},
//
// which along the flow of the exponential loss never decreases once nL < 1, for
// every admissible Λ. It is NaN before. For Λ = I/L it is the smoothed margin of
// Lyu and Li, arXiv:1906.05890.
func (tr *Trajectory) SmoothedMargin(lambda []float64) []float64 {
	power := 1 / (2 * maxRate(lambda))
	return tr.Series(func(p Point) float64 {
		excess := -p.LogLoss - math.Log(float64(tr.margins.Points()))
		if excess <= 0 {
			return math.NaN()
		}
		return excess * math.Pow(weightedSquares(lambda, p.Theta), -power)
	})
}

// BlockNorm returns ‖θ_b‖ of one block at every recorded point.
func (tr *Trajectory) BlockNorm(block string) ([]float64, error) {
	b, err := findBlock(tr.Model(), block)
	if err != nil {
		return nil, err
	}
	return tr.Series(func(p Point) float64 { return math.Sqrt(squares(b.Of(p.Theta))) }), nil
}

func findBlock(m Model, name string) (Block, error) {
	var names []string
	for _, b := range m.Blocks() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Block{}, fmt.Errorf("qhnet: the model has no block %q; its blocks are %q", name, names)
}

func maxRate(lambda []float64) float64 {
	largest := 0.0
	for _, l := range lambda {
		largest = max(largest, l)
	}
	return largest
}

func weightedSquares(weights, v []float64) float64 {
	checkLength("lambda", len(weights), len(v))
	sum := 0.0
	for i, w := range weights {
		sum += w * v[i] * v[i]
	}
	return sum
}

func squares(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return sum
}
