// Package ode solves initial value problems
//
//	y' = f(t, y),  y(t0) = y0,  y ∈ R^m,
//
// with error control. In one call of [Solve], what to solve, how to step, how to choose the
// step size, what to record, which events to look for and when to stop are separate values.
//
//	solution, err := ode.Solve(ctx, ode.Problem{
//		Derivative: func(dst []float64, t float64, y []float64) error {
//			dst[0] = -y[0]
//			return nil
//		},
//		Start: 0, End: 10, Initial: []float64{1},
//	}, ode.Options{Control: &ode.Control{Relative: 1e-8, Absolute: 1e-10}})
//
// # Methods
//
//   - [DormandPrince], explicit, for problems that are not stiff.
//   - [RadauIIA], implicit, for stiff problems; its linear systems are dense unless the
//     problem brings a [Linearization].
//   - [RKC], stabilized explicit, for large systems whose stiff eigenvalues are close to
//     the negative real axis.
//   - [Auto], the default, measures which of the three is the cheapest, again and again.
//
// The README of qhnet/internal/bench has tables of them against CVODE and SciPy.
//
// # Ends
//
// A run that reaches its end, a terminal event or a stop predicate returns a nil error. Every
// other end returns the partial [Solution] with a [*Failure] that says what happened and what
// to try. A problem that cannot be started, such as one with an empty interval, returns a nil
// Solution and an error that names the field.
//
// Mistakes of the programmer (a slice of the wrong length) panic with a message that begins
// "ode:". No method allocates per step after its first steps.
package ode
