package qhnet

import (
	"fmt"
	"math"
)

// BatchNorm normalizes each feature, or each channel of an image, over the
// whole batch of bound points,
//
//	ĥ = (h - μ)/√(σ² + ε),
//
// with mean μ and variance σ² over the batch (Ioffe and Szegedy,
// arXiv:1502.03167). Derivatives go through μ and σ. [Network.Freeze] makes the
// network that uses stored statistics instead.
//
// All normalizations have ε = 0 unless [Epsilon] is given; Forward then returns
// an error that names the feature or the point whose variance is zero. [Affine],
// [WithScale] and [WithShift] add trainable factors and terms, one a feature or
// channel.
func BatchNorm(options ...Option) Layer {
	return norm{name: "batch normalization", batch: true, centred: true, with: configure(options)}
}

// LayerNorm normalizes all features of each point to mean 0 and variance 1 (Ba,
// Kiros and Hinton, arXiv:1607.06450).
func LayerNorm(options ...Option) Layer {
	return norm{name: "layer normalization", centred: true, groups: 1, with: configure(options)}
}

// RMSNorm divides all features of each point by their root mean square (Zhang
// and Sennrich, arXiv:1910.07467).
func RMSNorm(options ...Option) Layer {
	return norm{name: "RMS normalization", groups: 1, with: configure(options)}
}

// GroupNorm splits the features or channels of each point into groups of equal
// size, in order, and normalizes each group to mean 0 and variance 1 (Wu and He,
// arXiv:1803.08494).
func GroupNorm(groups int, options ...Option) Layer {
	return norm{name: "group normalization", centred: true, groups: groups, with: configure(options)}
}

type norm struct {
	name    string
	batch   bool
	centred bool
	groups  int // of one point
	with    settings
}

func (norm) kind() string { return "norm" }

func (l norm) text() string {
	s := l.name
	if l.groups > 1 {
		s += fmt.Sprintf(" in %d groups", l.groups)
	}
	if l.with.epsilon != 0 {
		s += fmt.Sprintf(", ε = %g", l.with.epsilon)
	}
	if l.with.scale {
		s += ", scale"
	}
	if l.with.shift {
		s += ", shift"
	}
	return s
}

func (l norm) attach(p *plan, in wire) (wire, error) {
	if err := l.check(p, in); err != nil {
		return wire{}, err
	}
	out := l.normalize(p, in)
	if l.with.scale {
		out = p.scale(out)
	}
	if l.with.shift {
		out = p.shift("shift", out, l.with.scale)
	}
	return out, nil
}

func (l norm) check(p *plan, in wire) error {
	if err := l.with.check(p, "Affine", "WithScale", "WithShift", "Epsilon"); err != nil {
		return err
	}
	if e := l.with.epsilon; !(e >= 0) || math.IsInf(e, 1) {
		return p.fail("has ε = %v; it must be finite and not negative", e)
	}
	if !l.batch && (l.groups < 1 || in.shape[0]%l.groups != 0) {
		return p.fail("cannot split %s into %d groups of equal size along its first side", shapeText(in.shape), l.groups)
	}
	return nil
}

// normalize adds the normalization without what is trainable about it.
func (l norm) normalize(p *plan, in wire) wire {
	trainable := p.trainable(in)
	statistics, frozen := p.frozen[p.layer]
	switch {
	case l.batch && frozen:
		p.require(in.exponent, nil, "uses stored statistics, which do not scale with its input, so its input must not scale at all.")
		out := p.wire(in.shape, trainable, nil)
		p.stage(trainable, func(b *binding) operator {
			return &frozenNormOperator{b.signals[in.id], b.signals[out.id], statistics}
		})
		return out
	case l.with.epsilon > 0:
		p.require(in.exponent, nil, "adds ε = %g to the variance of its input, so its input must not scale at all.", l.with.epsilon)
	}
	out := p.wire(in.shape, trainable, nil)
	if l.batch {
		p.batchNorm(l, in.shape[0], trainable, in, out)
		return out
	}
	layer := p.layer
	p.stage(trainable, func(b *binding) operator {
		return newPointNormOperator(l, layer, b.points, b.signals[in.id], b.signals[out.id])
	})
	return out
}

// vanishes tells whether there is no variance to divide by. Entries that agree
// but for rounding have a variance of the size of the bound.
func (l norm) vanishes(variance, mean float64) bool {
	noise := 8 * 0x1p-52 * mean
	return variance <= noise*noise && l.with.epsilon == 0
}

// undefined explains where a normalization has nothing to divide by.
func (l norm) undefined(layer, where, what string) error {
	return fmt.Errorf("qhnet: %s: %s has %s, which %s cannot divide by; change the parameters or the data, or give the layer an Epsilon", layer, where, what, l.name)
}
