// Package qhnet builds quasi-homogeneous models, finds their rates, follows
// gradient flow on an exponential loss far past separability, and certifies
// the asymmetric maximum margin the flow converges to, after
//
//	D. Kunin, A. Yamamura, C. Ma, S. Ganguli,
//	The Asymmetric Maximum Margin Bias of Quasi-Homogeneous Neural Networks,
//	arXiv:2210.03820.
//
// Notation. θ ∈ R^m are the parameters, one flat vector; a [Block] is a named
// slice of it. A [Model] f(x; θ) has C outputs. It is Λ-quasi-homogeneous, with
// Λ = diag(λ_1, …, λ_m), λ_i ≥ 0 (the rates), when
//
//	f(x; e^{αΛ} θ) = e^α f(x; θ)   for every α ∈ R and x.
//
// # The way through
//
// A model is anything with the four methods of [Model], such as a network or a product of
// package nn. [RatesOf] finds the rates that its architecture admits, and [Audit] prints
// them with the reason for each rule, or says which layer stands in the way. [NewMargins]
// binds the model to labelled points; everything below sees it through its [Margins] only.
//
// [Flow] follows gradient flow, in a clock in which log(1/L) = 10⁶ is not far away,
// and records a [Trajectory]. [Descent] trains by steps of an [Optimizer] instead.
// [SurvivingRates] tells which parameters the flow keeps, [Certify] how well its
// end satisfies the optimality conditions of
//
//	minimize ½‖θ‖²_Λmax   subject to   q_k(θ) ≥ 1 for all k,
//
// and [Certificate] prints the answer. [Predict] and [Accuracy] use what was found.
//
// # The other rooms
//
//	qhnet/nn        networks of layers, and products of parameters
//	qhnet/oracle    the same limits from elsewhere: closed forms, convex programs, a direct solver
//	qhnet/collapse  Neural Collapse: its metrics, and the problem where it is exact
//	qhnet/robust    attacks and certified distances
//	qhnet/store     results on disk, and sweeps that share them
//	qhnet/ode       initial-value solvers, which know no models
//	qhnet/dataset   labelled points
//
// # Errors
//
// Mistakes of the programmer (a slice of the wrong length) panic with a message
// that begins "qhnet:". Data, files and convergence return errors that say what
// was wrong, where, and what to do.
package qhnet
