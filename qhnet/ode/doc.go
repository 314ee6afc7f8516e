// Package ode solves initial value problems
//
//	y' = f(t, y),  y(t0) = y0,  y ∈ R^m,
//
// with error control. One call, [Solve], walks the solution; what to solve, how
// to step, how to choose the step size, what to record, which events to look
// for and when to stop are separate values.
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
//   - [DormandPrince]: explicit Runge-Kutta 5(4), dense output of order 4. For
//     problems that are not stiff.
//   - [RadauIIA]: implicit Runge-Kutta of order 5, dense output of the same order.
//     For stiff problems; its linear systems are dense unless the problem brings a
//     [Linearization].
//   - [RKC]: stabilized explicit Runge-Kutta-Chebyshev of order 2. For large
//     systems whose stiff eigenvalues are close to the negative real axis.
//   - [Auto]: measures which of the three is the cheapest, again and again. It is the
//     default.
//
// The README of qhnet/internal/bench has tables of them against CVODE and SciPy.
//
// # Ends
//
// A run that reaches its end, a terminal event or a stop predicate returns a nil
// error. Every other end returns the partial [Solution] together with a
// [*Failure] that has a [Status], the time, a sentence that says what to try,
// and the cause. A problem that cannot be started, such as one with an empty
// interval, returns a nil Solution and an error that names the field.
//
// Mistakes of the programmer (a slice of the wrong length) panic with a message
// that begins "ode:". No method allocates per step after its first steps.
package ode
