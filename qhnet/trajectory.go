package qhnet

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/ode"
)

// Trajectory is what a flow or a descent recorded, and why it ended.
type Trajectory struct {
	Points    []Point
	Separated *Point // the first that shows all points classified correctly, nil if none does; see Separating
	Status    ode.Status
	Work      Work

	margins *Margins
}

// Work is what a flow has cost, and what has made it slow.
type Work struct {
	ode.Statistics
	Limited []int // by block of the model, the attempted steps in which it had the largest error for its tolerance
}

// Point is the state of a flow at one recorded instant.
type Point struct {
	LogLoss float64   // log L
	LogTime float64   // log t, good to 1e-4 or so; -∞ at the start
	Scaled  float64   // s = ∫ L dt
	Step    int       // of a descent; 0 in a flow
	Slope   float64   // ‖∇ log L‖
	Margin  float64   // the smallest margin q
	Theta   []float64 // θ
}

// GobEncode returns an error, as a model has no gob form. Keep the Points, or use a Store.
func (tr Trajectory) GobEncode() ([]byte, error) {
	return nil, errors.New("qhnet: a Trajectory cannot be stored, as its model cannot; store its Points, or run it by Store.Follow or Store.Train")
}

// LogInverse returns u = log(1/L).
func (p Point) LogInverse() float64 { return -p.LogLoss }

// Last returns the last recorded point. It panics if nothing was recorded.
func (tr *Trajectory) Last() Point {
	tr.check()
	return tr.Points[len(tr.Points)-1]
}

// check panics if there is no recorded point.
func (tr *Trajectory) check() {
	if tr == nil || len(tr.Points) == 0 {
		panic("qhnet: a trajectory without points; look at the error of its run, and use Since of a log(1/L) below its end")
	}
}

// Margins returns the margins that flowed, with kinks as the flow rounded them.
func (tr *Trajectory) Margins() *Margins { return tr.margins }

// Model returns the model that flowed.
func (tr *Trajectory) Model() Model {
	tr.check()
	return tr.margins.Model()
}

// Series returns f at every recorded point.
func (tr *Trajectory) Series(f func(Point) float64) []float64 {
	if f == nil {
		panic("qhnet: Series of a nil function; give what to read from a Point")
	}
	values := make([]float64, len(tr.Points))
	for i, p := range tr.Points {
		values[i] = f(p)
	}
	return values
}

// LogInverses returns u = log(1/L) at every recorded point.
func (tr *Trajectory) LogInverses() []float64 { return tr.Series(Point.LogInverse) }

// Since returns the trajectory from log(1/L) = u on, or a little below, where a solver's
// errors place the record due at u; it shares the points.
func (tr *Trajectory) Since(u float64) *Trajectory {
	if math.IsNaN(u) {
		panic("qhnet: Since a log(1/L) of NaN; use a number")
	}
	later, u := *tr, u-1e-5*math.Abs(u)
	for len(later.Points) > 0 && later.Points[0].LogInverse() < u {
		later.Points = later.Points[1:]
	}
	return &later
}

// BlockNorm returns ‖θ_b‖ of one block at every recorded point.
func (tr *Trajectory) BlockNorm(block string) ([]float64, error) {
	blocks := tr.Model().Blocks()
	b, err := findBlock(blocks, block)
	if err != nil {
		return nil, err
	}
	return tr.Series(func(p Point) float64 { return floats.Norm(blocks[b].Of(p.Theta), 2) }), nil
}
