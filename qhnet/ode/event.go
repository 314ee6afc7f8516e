package ode

import (
	"fmt"
	"math"
)

// Event is a scalar function g(t, y) whose sign changes along the solution are
// located by root-finding on the dense output.
type Event struct {
	Name      string
	Value     func(t float64, y []float64) float64
	Direction Direction
	Terminal  bool // end the run at the first occurrence
}

// Direction selects sign changes of an event's value.
type Direction int

const (
	Either  Direction = iota
	Rising            // from negative to positive along the integration
	Falling           // from positive to negative along the integration
)

// Occurrence is a located event. Sign changes of one event within one step count as one if
// their number is odd, and are not seen if it is even; Control.Max bounds the step.
type Occurrence struct {
	Event int // index in Options.Events
	Name  string
	T     float64
	Y     []float64
}

// eventFinder watches the values of all events from step to step.
type eventFinder struct {
	events []Event
	fresh  bool      // the step is the first of a run
	value  []float64 // at the start of the step
	end    []float64 // at the end of the step
	y      []float64
}

func newEventFinder(events []Event, m int) *eventFinder {
	n := len(events)
	return &eventFinder{events: events, value: make([]float64, n), end: make([]float64, n), y: make([]float64, m)}
}

// evaluate sets dst to the values of all events at (t, y).
func (f *eventFinder) evaluate(dst []float64, t float64, y []float64) (err error) {
	for i := range f.events {
		if dst[i], err = f.at(i, t, y); err != nil {
			return err
		}
	}
	return nil
}

// at returns the value of event i.
func (f *eventFinder) at(i int, t float64, y []float64) (float64, error) {
	v := f.events[i].Value(t, y)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("event %d %q has the value %v at t = %.10g", i, f.events[i].Name, v, t)
	}
	return v, nil
}

// first finds the earliest crossing in the stretch that has not been passed, and
// its index, or -1.
func (f *eventFinder) first(s *Stretch) (index int, t float64, err error) {
	index = -1
	for i := range f.events {
		if !f.crossed(i) {
			continue
		}
		root, err := f.locate(i, s)
		if err != nil {
			return -1, 0, err
		}
		if index < 0 || math.Abs(root-s.T0) < math.Abs(t-s.T0) {
			index, t = i, root
		}
	}
	return index, t, nil
}

// A run that starts where another one located an event starts at the root up to rounding:
// that far, compared with its change over the first step.
const atRoot = 1e-10

// crossed reports whether event i changes sign, in its direction, from value to end, where
// zero counts.
func (f *eventFinder) crossed(i int) bool {
	a, b := f.value[i], f.end[i]
	if f.fresh && math.Abs(a) <= atRoot*math.Abs(b) {
		a = 0
	}
	rising := a < 0 && b >= 0
	falling := a > 0 && b <= 0
	direction := f.events[i].Direction
	return rising && direction != Falling || falling && direction != Rising
}

// next makes the end of the step the start of the next one.
func (f *eventFinder) next() {
	copy(f.value, f.end)
	f.fresh = false
}

// locate finds the root of event i in the stretch to the spacing of float64.
func (f *eventFinder) locate(i int, s *Stretch) (root float64, err error) {
	root = findRoot(func(t float64) (v float64) {
		s.At(f.y, t)
		v, err = f.at(i, t, f.y) // 0 with an error, which ends the search
		return v
	}, s.T0, s.T1, f.value[i], f.end[i])
	return root, err
}

// findRoot finds a root of f between a and b, where f has the values fa and fb of opposite
// sign, to the spacing of float64; f has the sign of fb there, or is zero. It takes secants,
// halving the value at an end that stays (the Illinois method), and every third time the
// middle, which bounds the number of evaluations. Gonum has no root-finder.
func findRoot(f func(float64) float64, a, b, fa, fb float64) float64 {
	falls := math.Signbit(fb)
	wa, wb := fa, fb // the values as the secant weighs them
	stayed := 0      // how often in a row b has moved, negative for a
	for k := 1; fb != 0 && math.Abs(b-a) > spacing(b); k++ {
		x, middle := b-wb*((b-a)/(wb-wa)), a+(b-a)/2
		if k%3 == 0 || !(math.Min(a, b) < x && x < math.Max(a, b)) {
			x = middle
		}
		if x == a || x == b {
			break
		}
		if v := f(x); v == 0 || math.Signbit(v) == falls {
			b, fb, wb = x, v, v
			if stayed = max(stayed, 0) + 1; stayed > 1 {
				wa /= 2
			}
		} else {
			a, wa = x, v
			if stayed = min(stayed, 0) - 1; stayed < -1 {
				wb /= 2
			}
		}
	}
	return b
}

// spacing returns the distance of |x| to the next float64.
func spacing(x float64) float64 {
	x = math.Abs(x)
	return math.Nextafter(x, math.Inf(1)) - x
}
