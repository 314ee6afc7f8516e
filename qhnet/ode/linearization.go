package ode

// Linearization solves the linear systems of an implicit method,
//
//	(z I - J) x = b,   J ≈ ∂f/∂y at the point of the last Refresh,
//
// for one real and one complex shift z. A problem whose Jacobian has structure
// implements it to avoid dense m×m factorizations; see [LowRank]. J may be
// approximate: Newton's iteration then converges linearly, and the solution it
// converges to is the same.
type Linearization interface {
	// Refresh moves the linearization to (t, y). An error makes the step be
	// retried smaller.
	Refresh(t float64, y []float64) error

	// Factor prepares the systems with the shifts re and z, whose sign is that
	// of the step. It is called whenever the step size or the point has changed.
	Factor(re float64, z complex128) error

	// Solve replaces x by (re I - J)⁻¹ x and, unless it is nil, u by
	// (z I - J)⁻¹ u.
	Solve(x []float64, u []complex128)
}
