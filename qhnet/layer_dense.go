package qhnet

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Dense is a fully connected layer with the given number of units,
//
//	z = W h + b,   W units×inputs,
//
// without b under [NoBias]. It takes points that are vectors.
func Dense(units int, options ...Option) Layer {
	return dense{units, configure(options)}
}

type dense struct {
	units int
	with  settings
}

func (dense) kind() string { return "dense" }

func (l dense) text() string { return l.with.text("dense") }

func (l dense) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "NoBias"); err != nil {
		return wire{}, err
	}
	if l.units < 1 {
		return wire{}, p.fail("has %d units; it needs at least 1", l.units)
	}
	if len(in.shape) != 1 {
		return wire{}, p.fail("takes vectors, its input is %s; put Flatten or GlobalAveragePool before it", shapeText(in.shape))
	}
	weight, rate := p.block("weight", l.units, in.shape[0])
	out := p.wire([]int{l.units}, true, in.exponent.plus(rate))
	p.stage(true, func(b *binding) operator {
		return &denseOperator{in: b.signals[in.id], out: b.signals[out.id], weight: weight}
	})
	if !l.with.noBias {
		out = p.shift("bias", out, true)
	}
	return out, nil
}

// denseOperator is z = h Wᵀ for rows h, z.
type denseOperator struct {
	in, out *signal
	weight  Block
}

// matrix views W, or anything indexed like it.
func (o *denseOperator) matrix(theta []float64) blas64.General {
	return matrix(o.weight.Of(theta), o.out.width, o.in.width)
}

func (o *denseOperator) rows(s *signal, data []float64, points span) blas64.General {
	return matrix(points.of(data, s.width), points.len(), s.width)
}

func (o *denseOperator) forward(theta []float64, points span) error {
	x, y := o.rows(o.in, o.in.value, points), o.rows(o.out, o.out.value, points)
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, x, o.matrix(theta), 0, y)
	return nil
}

func (o *denseOperator) tangent(theta, v []float64, points span) {
	x, dy := o.rows(o.in, o.in.value, points), o.rows(o.out, o.out.derivative, points)
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, x, o.matrix(v), 0, dy)
	if o.in.trainable {
		dx := o.rows(o.in, o.in.derivative, points)
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, dx, o.matrix(theta), 1, dy)
	}
}

func (o *denseOperator) reverse(theta []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	g, h := o.rows(o.out, o.out.adjoint, points), o.rows(o.in, o.in.adjoint, points)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, g, o.matrix(theta), 0, h)
}

func (o *denseOperator) reverseTangent(theta, v []float64, points span) {
	if !o.in.trainable {
		return
	}
	g, dg := o.rows(o.out, o.out.adjoint, points), o.rows(o.out, o.out.adjointTangent, points)
	dh := o.rows(o.in, o.in.adjointTangent, points)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, dg, o.matrix(theta), 0, dh)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, g, o.matrix(v), 1, dh)
}

func (o *denseOperator) gradient(dst []float64, points span) {
	x, g := o.rows(o.in, o.in.value, points), o.rows(o.out, o.out.adjoint, points)
	addProduct(o.matrix(dst), g, x)
}

func (o *denseOperator) gradientTangent(dst []float64, points span) {
	x, dg := o.rows(o.in, o.in.value, points), o.rows(o.out, o.out.adjointTangent, points)
	addProduct(o.matrix(dst), dg, x)
	if o.in.trainable {
		dx, g := o.rows(o.in, o.in.derivative, points), o.rows(o.out, o.out.adjoint, points)
		addProduct(o.matrix(dst), g, dx)
	}
}

// addProduct adds gᵀx to dst. One point's outer product, a row of a Jacobian,
// is too small a matrix for a general product to pay.
func addProduct(dst, g, x blas64.General) {
	if g.Rows != 1 {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, g, x, 1, dst)
		return
	}
	for i, c := range g.Data[:g.Cols] {
		if c != 0 {
			addScaled(dst.Data[i*dst.Stride:i*dst.Stride+dst.Cols], c, x.Data)
		}
	}
}

// addScaled adds c·src to dst.
func addScaled(dst []float64, c float64, src []float64) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += c * src[i]
	}
}

// matrix views a slice as a rows×cols matrix.
func matrix(data []float64, rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
}
