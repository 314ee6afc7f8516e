package qhnet

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Optimizer is a discrete update of parameters. It sees the gradient only as
// g = -∇ log L together with log L, so that nothing underflows: -∇L = L g. If it has a
// method Validate() error, a [Descent] calls that before it runs.
type Optimizer interface {
	// Update moves theta by one step, given g and log L there. It returns the
	// logarithm of the time dt that gradient flow of L takes for such a step, or
	// NaN if the optimizer does not follow gradient flow.
	Update(theta, g []float64, logLoss float64) (logTime float64)
}

// Rememberer is an optimizer with memory between steps. Memory returns pointers
// to all of it; a checkpoint saves and restores the slices.
type Rememberer interface {
	Memory() []*[]float64
}

// keeper is an optimizer that takes back steps which raise the loss, and those to a point
// where the loss is not finite.
type keeper interface {
	// Retreat moves theta back, with a smaller step to follow, if there was a step.
	Retreat(theta []float64) bool

	// lastKept returns the last point kept and log L there, nil before the first.
	lastKept() (theta []float64, logLoss float64)
}

func checkPositive(name string, value float64) error {
	if value > 0 && !math.IsInf(value, 0) {
		return nil
	}
	return fmt.Errorf("qhnet: %s = %v; it must be finite and positive", name, value)
}

func checkFraction(name string, value float64) error {
	if value >= 0 && value < 1 {
		return nil
	}
	return fmt.Errorf("qhnet: %s = %v; it must be at least 0 and below 1", name, value)
}

// GradientDescent is θ ← θ - η ∇L with a fixed step size η. As L falls, so does
// the step: log(1/L) grows only like log(η·steps).
type GradientDescent struct {
	Step float64 // η
}

// Validate reports settings that no run can use.
func (o *GradientDescent) Validate() error {
	return checkPositive("GradientDescent.Step", o.Step)
}

// Update implements [Optimizer].
func (o *GradientDescent) Update(theta, g []float64, logLoss float64) float64 {
	floats.AddScaled(theta, o.Step*math.Exp(logLoss), g)
	return math.Log(o.Step)
}

// LossScaled is gradient descent on L with step size α/L, that is, a step α on log L, after
// the loss-based schedule of Lyu and Li, arXiv:1906.05890, appendix: a step that does not
// raise the loss is kept and α grows by the factor 2^(1/5); one that does is taken back and
// α shrinks by 2^(1/10). Records show kept points only, their time all steps. It refuses
// batches and weight decay, with which losses of successive steps do not compare.
type LossScaled struct {
	Step float64 // α at the start

	alpha           []float64 // α and log L at the last kept point
	keptTheta, kept []float64 // θ and g there
}

// Validate reports settings that no run can use.
func (o *LossScaled) Validate() error {
	return checkPositive("LossScaled.Step", o.Step)
}

const stepGrows, stepShrinks = 1.148698354997035, 1.0717734625362931 // 2^(1/5), 2^(1/10)

// Update implements [Optimizer].
func (o *LossScaled) Update(theta, g []float64, logLoss float64) float64 {
	switch {
	case o.alpha == nil:
		o.alpha = []float64{o.Step, logLoss}
		o.keptTheta, o.kept = slices.Clone(theta), slices.Clone(g)
	case logLoss > o.alpha[1]:
		o.Retreat(theta)
	default:
		o.alpha[0] *= stepGrows
		o.alpha[1] = logLoss
		copy(o.keptTheta, theta)
		copy(o.kept, g)
	}
	floats.AddScaled(theta, o.alpha[0], o.kept)
	return math.Log(o.alpha[0]) - o.alpha[1]
}

// Retreat takes back the last step, if there is one.
func (o *LossScaled) Retreat(theta []float64) bool {
	if o.alpha == nil {
		return false
	}
	o.alpha[0] /= stepShrinks
	copy(theta, o.keptTheta)
	return true
}

func (o *LossScaled) lastKept() (theta []float64, logLoss float64) {
	if o.alpha == nil {
		return nil, 0
	}
	return o.keptTheta, o.alpha[1]
}

// Memory implements [Rememberer].
func (o *LossScaled) Memory() []*[]float64 { return []*[]float64{&o.alpha, &o.keptTheta, &o.kept} }

// Momentum is heavy-ball gradient descent,
//
//	v ← β v - ∇L,  θ ← θ + η v.
type Momentum struct {
	Step  float64 // η
	Decay float64 // β, such as 0.9

	velocity []float64
}

// Validate reports settings that no run can use.
func (o *Momentum) Validate() error {
	return errors.Join(checkPositive("Momentum.Step", o.Step), checkFraction("Momentum.Decay", o.Decay))
}

// Update implements [Optimizer].
func (o *Momentum) Update(theta, g []float64, logLoss float64) float64 {
	if o.velocity == nil {
		o.velocity = make([]float64, len(theta))
	}
	floats.Scale(o.Decay, o.velocity)
	floats.AddScaled(o.velocity, math.Exp(logLoss), g)
	floats.AddScaled(theta, o.Step, o.velocity)
	return math.Log(o.Step) - math.Log1p(-o.Decay)
}

// Memory implements [Rememberer].
func (o *Momentum) Memory() []*[]float64 { return []*[]float64{&o.velocity} }

// Normalized takes steps of a given length along heavy-ball averages of the direction of
// steepest descent, and makes them shorter in time,
//
//	v ← β v + (1-β) g/‖g‖,  θ ← θ + η/(1 + t/T) v.
//
// It reaches losses far below the smallest float64 in some hundred steps.
type Normalized struct {
	Step  float64 // η, the length of the first steps
	Decay float64 // β, such as 0.9
	After int     // T, the steps after which they are half as long; 0 means never

	velocity, clock []float64 // v; t
}

// Validate reports settings that no run can use.
func (o *Normalized) Validate() error {
	if o.After < 0 {
		return fmt.Errorf("qhnet: Normalized.After = %d; it must not be negative", o.After)
	}
	return errors.Join(checkPositive("Normalized.Step", o.Step), checkFraction("Normalized.Decay", o.Decay))
}

// Update implements [Optimizer]. A point where the gradient is zero is not left.
func (o *Normalized) Update(theta, g []float64, logLoss float64) float64 {
	if o.velocity == nil {
		o.velocity, o.clock = make([]float64, len(theta)), []float64{0}
	}
	length, step := floats.Norm(g, 2), o.Step
	if o.After > 0 {
		step /= 1 + o.clock[0]/float64(o.After)
	}
	o.clock[0]++
	floats.Scale(o.Decay, o.velocity)
	if length > 0 {
		floats.AddScaled(o.velocity, (1-o.Decay)/length, g)
	}
	floats.AddScaled(theta, step, o.velocity)
	return math.Log(step) - math.Log(length) - logLoss
}

// Memory implements [Rememberer].
func (o *Normalized) Memory() []*[]float64 { return []*[]float64{&o.velocity, &o.clock} }

// Adam is the method of Kingma and Ba, arXiv:1412.6980, on the gradient of L. Its moments
// are kept relative to the loss of the last step, so that with Epsilon = 0 it goes on when
// L has left the range of float64. With Epsilon > 0 it stops there, as Adam does.
type Adam struct {
	Step    float64 // such as 1e-3
	Beta1   float64 // 0 means 0.9
	Beta2   float64 // 0 means 0.999
	Epsilon float64

	mean, square []float64 // moments over L and L²
	clock        []float64 // steps taken, log L of the last
}

// Validate reports settings that no run can use.
func (o *Adam) Validate() error {
	if !(o.Epsilon >= 0) || math.IsInf(o.Epsilon, 1) {
		return fmt.Errorf("qhnet: Adam.Epsilon = %v; it must be finite and not negative", o.Epsilon)
	}
	return errors.Join(checkPositive("Adam.Step", o.Step), checkFraction("Adam.Beta1", o.Beta1), checkFraction("Adam.Beta2", o.Beta2))
}

// Update implements [Optimizer].
func (o *Adam) Update(theta, g []float64, logLoss float64) float64 {
	beta1, beta2 := cmp.Or(o.Beta1, 0.9), cmp.Or(o.Beta2, 0.999)
	if o.clock == nil {
		o.mean, o.square = make([]float64, len(theta)), make([]float64, len(theta))
		o.clock = []float64{0, logLoss}
	}
	rescale := math.Exp(o.clock[1] - logLoss)
	o.clock[0], o.clock[1] = o.clock[0]+1, logLoss
	unbias1, unbias2 := 1-math.Pow(beta1, o.clock[0]), 1-math.Pow(beta2, o.clock[0])
	epsilon := o.Epsilon * math.Min(math.Exp(-logLoss), math.MaxFloat64) // 0 stays 0 where 1/L overflows
	for i, v := range g {
		o.mean[i] = beta1*rescale*o.mean[i] + (1-beta1)*v
		o.square[i] = beta2*rescale*rescale*o.square[i] + (1-beta2)*v*v
		if root := math.Sqrt(o.square[i]/unbias2) + epsilon; root > 0 { // the square of 1e-200 is 0
			theta[i] += o.Step * o.mean[i] / unbias1 / root
		}
	}
	return math.NaN()
}

// Memory implements [Rememberer].
func (o *Adam) Memory() []*[]float64 { return []*[]float64{&o.mean, &o.square, &o.clock} }
