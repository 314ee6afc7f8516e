package qhnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
)

// Descent trains by a discrete optimizer and records the same points as a
// [Flow], at steps that grow by a constant factor.
type Descent struct {
	Margins   *Margins
	Start     []float64 // θ before the first step, not changed
	Optimizer Optimizer // a pointer such as &LossScaled{Step: 0.1}; every run empties its memory first
	Steps     int       // to take
	Until     float64   // log(1/L) that ends the training earlier, if positive

	Loss        Loss    // nil means Exponential
	WeightDecay float64 // κ of the penalty κ‖θ‖²/2 added to L
	PerDecade   int     // recorded points in a decade of steps; 0 means 20

	// Batches, if not nil, makes the gradients stochastic: one batch a step, in
	// an order drawn anew for every pass from Seed.
	Batches []*Margins
	Seed    uint64

	// Checkpoint, if not empty, is a file that the training is saved to about once
	// a second, atomically, and resumed from, to the same bits. Steps, Until and
	// Stop may change in between: more steps go on from those taken. A run that ends
	// before what the file holds starts anew and leaves it alone.
	Checkpoint string

	// Stop, if not nil, is asked after every record and ends the training if true.
	// Of a training that it has ended, it is asked again before that goes on.
	Stop func(*Trajectory) bool

	// Progress, if not nil, hears the step and the log(1/L) of the last record,
	// after every record and about once a second between them.
	Progress func(step int, logInverse float64)
}

// Run trains. If it is interrupted or fails, it returns what was recorded so far
// together with the error; with a Checkpoint the next call goes on from there.
func (d Descent) Run(ctx context.Context) (*Trajectory, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	r, err := newDescentRun(&d)
	if err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// Forget deletes the training's checkpoint, if there is one.
func (d Descent) Forget() error { return forget(d.Checkpoint) }

// forget deletes a file unless it is missing.
func forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *Descent) validate() error {
	if d.Margins == nil || d.Optimizer == nil {
		panic("qhnet: Descent needs Margins and an Optimizer")
	}
	checkLength("Descent.Start", len(d.Start), NumParameters(d.Margins.Model()))
	if d.Steps < 1 {
		return fmt.Errorf("qhnet: Descent.Steps = %d; take at least one step", d.Steps)
	}
	if !(d.WeightDecay >= 0) || math.IsInf(d.WeightDecay, 0) {
		return fmt.Errorf("qhnet: Descent.WeightDecay = %v; it must be finite and not negative", d.WeightDecay)
	}
	if o, ok := d.Optimizer.(Validator); ok {
		if err := o.Validate(); err != nil {
			return err
		}
	}
	if _, ok := d.Optimizer.(keeper); ok && d.WeightDecay > 0 {
		return fmt.Errorf("qhnet: %T takes back steps that raise the loss, which a penalty does on purpose; use no WeightDecay or another optimizer", d.Optimizer)
	} else if ok && d.Batches != nil {
		return fmt.Errorf("qhnet: %T compares losses from step to step, which differ from batch to batch; use no Batches or another optimizer", d.Optimizer)
	}
	if d.Loss == nil {
		d.Loss = Exponential{}
	}
	if d.PerDecade <= 0 {
		d.PerDecade = 20
	}
	return nil
}
