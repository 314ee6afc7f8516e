package qhnet

import "gonum.org/v1/gonum/mat"

// statistics are what a batch normalization divides by once it is frozen.
type statistics struct {
	mean, inverse []float64 // μ and 1/σ of each entry of a point
}

// Freeze returns the network in evaluation mode: every [BatchNorm] uses the mean
// and variance it meets at θ over the rows of x, in place of those of the batch
// it is evaluated on. Blocks are unchanged, so the same θ fits. Statistics that
// do not move with θ change the rates: [Network.ScalingRules] of the frozen
// network ask that the input of each frozen normalization not scale.
func (n *Network) Freeze(theta []float64, x *mat.Dense) (*Network, error) {
	bound, err := n.Bind(x)
	if err != nil {
		return nil, err
	}
	if _, err := bound.Forward(theta); err != nil {
		return nil, err
	}
	frozen := map[string]statistics{}
	for _, s := range bound.(*NetworkEvaluation).steps {
		switch o := s.operator.(type) {
		case *batchMean:
			frozen[s.layer] = statistics{o.mean, o.inverse}
		case *frozenNormOperator:
			frozen[s.layer] = o.statistics
		}
	}
	return newNetwork(n.layers, frozen, n.plan.kinkWidth)
}

// frozenNormOperator is z = (h - μ)/σ with stored μ and σ.
type frozenNormOperator struct {
	in, out *signal
	statistics
}

func (o *frozenNormOperator) forward(_ []float64, points span) error {
	for k := points.lo; k < points.hi; k++ {
		z, h := row(o.out.value, k, o.in.width), row(o.in.value, k, o.in.width)
		for j, mean := range o.mean {
			z[j] = (h[j] - mean) * o.inverse[j]
		}
	}
	return nil
}

func (o *frozenNormOperator) tangent(_, _ []float64, points span) {
	setScaled(o.out.derivative, o.in.derivative, o.inverse, o.in.width, points)
}

func (o *frozenNormOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		setScaled(o.in.adjoint, o.out.adjoint, o.inverse, o.in.width, points)
	}
}

func (o *frozenNormOperator) reverseTangent(_, _ []float64, points span) {
	setScaled(o.in.adjointTangent, o.out.adjointTangent, o.inverse, o.in.width, points)
}
