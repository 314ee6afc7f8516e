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
// Mistakes of the programmer (a slice of the wrong length) panic with a message
// that begins "qhnet:". Data, files and convergence return errors that say what
// was wrong, where, and what to do.
package qhnet
