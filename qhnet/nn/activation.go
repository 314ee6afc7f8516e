package nn

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"

	"qhlab/qhnet/internal/kernel"
)

// ReLU is max(h, 0).
func ReLU() Layer { return rectifier("relu", "relu", 0) }

// LeakyReLU is h for h > 0 and slope·h otherwise.
func LeakyReLU(slope float64) Layer {
	return rectifier("leakyrelu", fmt.Sprintf("leakyrelu with slope %g", slope), slope)
}

// rectifier is h for h > 0 and leak·h otherwise.
func rectifier(stem, text string, leak float64) Layer {
	return Layer{stem: stem, text: text, lipschitz: math.Max(1, math.Abs(leak)), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if math.IsNaN(leak) || math.IsInf(leak, 0) {
			return wire{}, p.fail("has slope %v for negative values; it must be finite", leak)
		}
		p.kinks = true
		switch {
		case p.kinkWidth > 0:
			return p.round(in, leak), nil
		case leak == 0:
			return p.rectify(in), nil
		}
		return p.activate(in, in.exponent, curve(func(h float64) (value, slope, curvature float64) {
			if h > 0 {
				return h, 1, 0
			}
			return leak * h, leak, 0
		}).rows), nil
	}}
}

// rectify adds a ReLU. A product that makes its input rectifies its own result, and the two share
// memory; another that reads its output masks the adjoints.
func (p *plan) rectify(in wire) wire {
	out := p.wire(in.shape, p.trainable(in), in.exponent)
	p.wires[out.id].summands = p.wires[in.id].summands
	if p.wires[in.id].fresh {
		p.wires[in.id].rectified = true
		p.wires[out.id].valueOf = in.id
	}
	p.stage(out, func(b *binding) operator {
		return linear{&rectifierMap{b.signals[in.id], b.signals[out.id], p.wires[in.id].rectified, p.wires[out.id].gated}}
	})
	return out
}

// rectifierMap passes everything on where its input is positive.
type rectifierMap struct {
	in, out     *signal
	done, gated bool
}

func (o *rectifierMap) apply(q quantity, points span) {
	switch {
	case q != values:
		kernel.Gate(o.out.rows(q, points), o.in.rows(q, points), o.in.rows(values, points))
	case !o.done:
		kernel.Rectify(o.out.rows(values, points), o.in.rows(values, points))
	}
}

func (o *rectifierMap) transpose(q quantity, points span) {
	if o.in.has(q) && !o.gated {
		kernel.Gate(o.in.rows(q, points), o.out.rows(q, points), o.in.rows(values, points))
	}
}

// activation applies a function to each entry, and stores its derivatives with the values:
// one Forward serves many products with the Jacobian and the Hessian.
type activation struct {
	in, out  *signal
	function function
	at       jet
}

// function sets a jet to its values and derivatives at each entry of h.
type function func(to jet, h []float64)

// jet holds the values of an activation and its first two derivatives.
type jet struct{ value, slope, bend []float64 }

// activate adds a function applied to each entry, with the given exponent.
func (p *plan) activate(in wire, e exponent, f function) wire {
	return p.entrywise(in, e, func(in, out *signal) operator {
		n := len(in.data[values])
		return &activation{in, out, f, jet{slope: make([]float64, n), bend: make([]float64, n)}}
	})
}

func (o *activation) forward(points span) error {
	o.function(jet{o.out.rows(values, points), o.in.cut(o.at.slope, points), o.in.cut(o.at.bend, points)}, o.in.rows(values, points))
	return nil
}

func (o *activation) tangent(points span) {
	kernel.Multiply(o.out.rows(tangents, points), o.in.cut(o.at.slope, points), o.in.rows(tangents, points))
}

func (o *activation) reverse(points span) {
	if o.in.has(adjoints) {
		kernel.Multiply(o.in.rows(adjoints, points), o.in.cut(o.at.slope, points), o.out.rows(adjoints, points))
	}
}

// reverseTangent is s dz̄ + s' ḣ z̄ with the slope s.
func (o *activation) reverseTangent(points span) {
	d := o.in.rows(adjointTangents, points)
	kernel.Multiply(d, o.in.cut(o.at.slope, points), o.out.rows(adjointTangents, points))
	adjoint, bend := o.out.rows(adjoints, points)[:len(d)], o.in.cut(o.at.bend, points)[:len(d)]
	for i, moving := range o.in.rows(tangents, points)[:len(d)] {
		d[i] += bend[i] * moving * adjoint[i]
	}
}

// round adds a rectifier whose kink is rounded to the plan's width.
func (p *plan) round(in wire, leak float64) wire {
	return p.entrywise(in, in.exponent, func(in, out *signal) operator {
		n := len(in.data[values])
		return &roundedRectifier{
			in: in, out: out, leak: leak, width: p.kinkWidth,
			slope: make([]float64, n), share: make([]float64, n), reach: make([]float64, n/in.width),
		}
	})
}

// roundedRectifier has, where |h_i| < δ and with a_i = (1 + h_i/δ)/2, the values
// leak h_i + (1 - leak) δ a_i³ (2 - a_i), and the derivatives
//
//	∂z_i/∂h_i = leak + (1 - leak) a_i² (3 - 2a_i),   ∂z_i/∂δ = 3 (1 - leak) a_i² (1 - a_i)²,   ∂δ/∂h_j = width² h_j/(nδ).
//
// Elsewhere it is the rectifier, with a_i = 0 or 1.
type roundedRectifier struct {
	in, out      *signal
	leak, width  float64
	slope, share []float64 // ∂z_i/∂h_i at fixed δ, and a_i
	reach        []float64 // δ of each point, 0 if no entry is nearer to the kink
}

func (o *roundedRectifier) forward(points span) error {
	for k := points.lo; k < points.hi; k++ {
		h, z := o.in.row(values, k), o.out.row(values, k)
		slope, share := row(o.slope, k, o.in.width), row(o.share, k, o.in.width)
		reach := o.width * math.Sqrt(floats.Dot(h, h)/float64(len(h)))
		o.reach[k] = 0
		for i, h := range h {
			switch {
			case h > 0 && h >= reach:
				z[i], slope[i], share[i] = h, 1, 1
			case h > -reach:
				o.reach[k] = reach
				a := (1 + h/reach) / 2
				z[i], slope[i], share[i] = o.leak*h+(1-o.leak)*reach*a*a*a*(2-a), o.leak+(1-o.leak)*a*a*(3-2*a), a
			default:
				z[i], slope[i], share[i] = o.leak*h, o.leak, 0
			}
		}
	}
	return nil
}

// swell returns ∂z_i/∂δ.
func (o *roundedRectifier) swell(a float64) float64 {
	return 3 * (1 - o.leak) * a * a * (1 - a) * (1 - a)
}

// grow returns ∂δ/∂h_j over h_j at point k, or zero where δ does not matter.
func (o *roundedRectifier) grow(k int) float64 {
	if o.reach[k] == 0 {
		return 0
	}
	return o.width * o.width / (float64(o.in.width) * o.reach[k])
}

func (o *roundedRectifier) tangent(points span) {
	kernel.Multiply(o.out.rows(tangents, points), o.in.cut(o.slope, points), o.in.rows(tangents, points))
	for k := points.lo; k < points.hi; k++ {
		grow := o.grow(k)
		if grow == 0 {
			continue
		}
		reach := grow * floats.Dot(o.in.row(values, k), o.in.row(tangents, k)) // δ̇
		z := o.out.row(tangents, k)
		for i, a := range row(o.share, k, o.in.width) {
			z[i] += o.swell(a) * reach
		}
	}
}

func (o *roundedRectifier) reverse(points span) { o.transpose(adjoints, points) }

// transpose takes adjoints, or their tangents, back at the slopes of the values.
func (o *roundedRectifier) transpose(q quantity, points span) {
	if !o.in.has(q) {
		return
	}
	kernel.Multiply(o.in.rows(q, points), o.in.cut(o.slope, points), o.out.rows(q, points))
	for k := points.lo; k < points.hi; k++ {
		if grow := o.grow(k); grow != 0 {
			floats.AddScaled(o.in.row(q, k), grow*o.swollen(k, q), o.in.row(values, k))
		}
	}
}

// swollen is Σ_i z̄_i ∂z_i/∂δ at point k.
func (o *roundedRectifier) swollen(k int, q quantity) (sum float64) {
	z := o.out.row(q, k)
	for i, a := range row(o.share, k, o.in.width) {
		sum += z[i] * o.swell(a)
	}
	return sum
}

// reverseTangent adds to transpose that of the adjoints at the tangents of the slopes.
func (o *roundedRectifier) reverseTangent(points span) {
	o.transpose(adjointTangents, points)
	for k := points.lo; k < points.hi; k++ {
		grow, delta := o.grow(k), o.reach[k]
		if grow == 0 {
			continue
		}
		h, moving, adjoint, back := o.in.row(values, k), o.in.row(tangents, k), o.out.row(adjoints, k), o.in.row(adjointTangents, k)
		reach := grow * floats.Dot(h, moving) // δ̇
		swollen, turned := o.swollen(k, adjoints), 0.0
		for i, a := range row(o.share, k, o.in.width) {
			if a > 0 && a < 1 {
				along := 6 * (1 - o.leak) * a * (1 - a) * (moving[i] - h[i]/delta*reach) / (2 * delta) * adjoint[i]
				back[i] += along
				turned += (1 - 2*a) * along
			}
		}
		floats.AddScaled(back, grow*swollen, moving)
		floats.AddScaled(back, grow*(turned-swollen*reach/delta), h)
	}
}

// curve is a function of one variable, given by its value and two derivatives.
type curve func(h float64) (value, slope, curvature float64)

// rows is the function that applies a curve to each entry.
func (c curve) rows(to jet, h []float64) {
	for i, h := range h {
		to.value[i], to.slope[i], to.bend[i] = c(h)
	}
}

// Linear is the identity.
func Linear() Layer {
	return Layer{stem: "linear", text: "identity", lipschitz: 1, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		return p.alias(in, in.shape), nil
	}}
}

// AbsPower is |h|^k, positively homogeneous of degree k ≥ 1.
func AbsPower(k float64) Layer {
	return power("abspower", k, func(h float64) (value, slope, curvature float64) {
		value, slope, curvature = positivePower(math.Abs(h), k)
		if h == 0 && k == 2 {
			curvature = 2 // no kink
		}
		return value, math.Copysign(slope, h), curvature
	})
}

// ReLUPower is max(h, 0)^k, positively homogeneous of degree k ≥ 1.
func ReLUPower(k float64) Layer {
	return power("relupower", k, func(h float64) (value, slope, curvature float64) { return positivePower(h, k) })
}

func power(stem string, degree float64, c curve) Layer {
	return function(c.rows).layer(stem, degree, func() error {
		if !(degree >= 1) || math.IsInf(degree, 1) {
			return fmt.Errorf("has degree %v; it needs a finite degree ≥ 1 to have a derivative at 0", degree)
		}
		return nil
	})
}

// layer applies a function of a degree, 0 if it has none, unless something is wrong.
func (f function) layer(stem string, degree float64, wrong func() error) Layer {
	text := stem
	if degree != 0 {
		text = fmt.Sprintf("%s of degree %g", stem, degree)
	}
	return Layer{stem: stem, text: text, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := wrong(); err != nil {
			return wire{}, p.fail("%v", err)
		}
		if degree == 0 {
			p.require(in.exponent, nil, "bends differently at every size of its input, so its input must not scale at all.")
		}
		return p.activate(in, in.exponent.times(degree), f), nil
	}}
}

// positivePower is h^k for h > 0 and otherwise 0. It has curvature 0 at the kink.
func positivePower(h, k float64) (value, slope, curvature float64) {
	switch {
	case !(h > 0):
		return max(h, 0), 0, 0 // max keeps a NaN
	case k == 1:
		return h, 1, 0
	case k == 2:
		return h * h, 2 * h, 2
	case k == 3:
		return h * h * h, 3 * h * h, 6 * h
	}
	power := math.Pow(h, k-1)
	return power * h, k * power, k * (k - 1) * power / h
}

// Tanh is the hyperbolic tangent. It is not homogeneous of any degree.
func Tanh() Layer {
	return smooth("tanh", func(to jet, h []float64) { kernel.TanhCurve(to.value, to.slope, to.bend, h) })
}

// GELU is hΦ(h), Φ the normal distribution function (Hendrycks and Gimpel,
// arXiv:1606.08415). It is not homogeneous, but asymptotically of degree 1.
func GELU() Layer {
	return smooth("gelu", curve(func(h float64) (value, slope, curvature float64) {
		distribution := math.Erfc(-h/math.Sqrt2) / 2
		density := math.Exp(-h*h/2) / math.Sqrt(2*math.Pi)
		return h * distribution, distribution + h*density, (2 - h*h) * density
	}).rows)
}

// Softplus is log(1 + e^h). It is not homogeneous, but asymptotically of degree 1.
func Softplus() Layer {
	return smooth("softplus", func(to jet, h []float64) { kernel.SoftplusCurve(to.value, to.slope, to.bend, h) })
}

func smooth(stem string, f function) Layer { return f.layer(stem, 0, func() error { return nil }) }

// Activation applies any function φ of one variable to each entry, given by its value, slope φ'
// and curvature φ”, and by the degree k of its homogeneity,
//
//	φ(s h) = s^k φ(h) for s > 0,   k ≥ 1,
//
// or 0 if it has none. The name is the stem of the layer's automatic name. The functions are
// called from several goroutines at once.
//
// [New] returns an error if differences at a few numbers disagree with the derivatives or the
// degree. Where φ has a kink, give the derivatives of one side; [qhnet.Margins.RoundKinks] does
// not round it, so a flow that comes to rest on it cannot go on.
func Activation(name string, degree float64, value, slope, curvature func(h float64) float64) Layer {
	if value == nil || slope == nil || curvature == nil {
		panic(fmt.Sprintf("qhnet: Activation %q: value, slope and curvature must not be nil", name))
	}
	c := curve(func(h float64) (float64, float64, float64) { return value(h), slope(h), curvature(h) })
	return function(c.rows).layer(name, degree, func() error {
		if name == "" || strings.Contains(name, ".") {
			return fmt.Errorf("is an Activation called %q; use a name without dots", name)
		}
		return checkActivation(degree, value, slope, curvature)
	})
}

// checkActivation compares functions with each other at numbers of both signs.
func checkActivation(degree float64, value, slope, curvature func(h float64) float64) error {
	if degree != 0 && !(degree >= 1 && !math.IsInf(degree, 1)) {
		return fmt.Errorf("has degree %v; use a finite degree ≥ 1, or 0 if the function is not homogeneous", degree)
	}
	// Central differences of size 1e-6 have errors of about 1e-10.
	const step, tolerance = 1e-6, 1e-6
	for _, h := range []float64{-1.3, -0.7, 0.7, 1.3} {
		difference := func(f func(float64) float64) float64 { return (f(h+step) - f(h-step)) / (2 * step) }
		for _, pair := range []struct {
			what       string
			have, want float64
		}{
			{"has slope %v at %v, but differences of its values give %v", slope(h), difference(value)},
			{"has curvature %v at %v, but differences of its slope give %v", curvature(h), difference(slope)},
		} {
			if !(math.Abs(pair.have-pair.want) <= tolerance*(1+math.Abs(pair.want))) {
				return fmt.Errorf(pair.what, pair.have, h, pair.want)
			}
		}
		if have, want := value(2*h), math.Pow(2, degree)*value(h); degree != 0 && !(math.Abs(have-want) <= 1e-9*math.Abs(have)) {
			return fmt.Errorf("has the value %v at %v; of degree %v it would be %v, after its value at %v", have, 2*h, degree, want, h)
		}
	}
	return nil
}
