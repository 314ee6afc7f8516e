package ode

import "fmt"

// Solution is what a run returns, complete or not.
type Solution struct {
	Status Status

	// T is the last time reached and Y the solution there.
	T float64
	Y []float64

	// Times and Values are the collected records, Values[i] = y(Times[i]).
	Times  []float64
	Values [][]float64

	Events     []Occurrence // located events in the order of the integration
	Statistics Statistics
}

// Status says why a run ended.
type Status int

const (
	Reached        Status = iota // the end of the interval
	EventReached                 // a terminal event
	Stopped                      // a stop predicate returned true
	StepLimit                    // Stopping.MaxSteps attempted steps, or Stopping.MaxWork
	StepUnderflow                // the step size fell to the spacing of float64 at t
	NonFinite                    // the derivative failed or was not finite
	EventNonFinite               // an event's value was not finite
	Interrupted                  // the context was cancelled
	CallbackFailed               // a callback of the caller returned an error
)

var statusTexts = [...]struct{ name, advice string }{
	Reached:        {"end reached", ""},
	EventReached:   {"terminal event", ""},
	Stopped:        {"stopped by the caller", ""},
	StepLimit:      {"step limit", "raise Stopping.MaxSteps or MaxWork, loosen the tolerances, or use RadauIIA or Auto if the problem is stiff"},
	StepUnderflow:  {"step size underflow", "the solution may have a singularity or the derivative a jump here: look at it near this time, end before it, or loosen tolerances close to rounding error"},
	NonFinite:      {"derivative not finite", "the solution left the domain of the derivative: end before this time, stop at an event, or change variables"},
	EventNonFinite: {"event value not finite", "make the event's Value finite along the whole solution"},
	Interrupted:    {"interrupted", "continue from the last checkpoint with Options.Resume"},
	CallbackFailed: {"callback failed", "see the cause"},
}

// String returns the status in words.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusTexts) {
		return fmt.Sprintf("Status(%d)", int(s))
	}
	return statusTexts[s].name
}

// OK reports whether the run ended as it was asked to: at the end of the
// interval, at a terminal event or at a stop predicate.
func (s Status) OK() bool { return s == Reached || s == EventReached || s == Stopped }

// Failure is the error of a run that ended before it should, returned with its Solution.
type Failure struct {
	Status Status
	T      float64 // how far the solution is valid
	Step   float64 // the last step size tried
	Cause  error   // may be nil
}

// Error says what happened, where, why if known, and what to try.
func (f *Failure) Error() string {
	s := fmt.Sprintf("ode: %v at t = %.10g (step %.3g)", f.Status, f.T, f.Step)
	if f.Cause != nil {
		s += ": " + f.Cause.Error()
	}
	return s + "; " + statusTexts[f.Status].advice
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }
