package qhnet

// AveragePool takes the mean of each square window of an image, with a [Stride]
// of the window's side by default.
func AveragePool(side int, options ...Option) Layer { return averagePool{side, configure(options)} }

// GlobalAveragePool takes the mean of each channel of an image: channels × height
// × width becomes a vector of channels.
func GlobalAveragePool() Layer { return globalPool{} }

type averagePool struct {
	side int
	with settings
}

func (averagePool) kind() string { return "averagepool" }

func (l averagePool) text() string { return "average pooling " + l.with.windowText(l.side, l.side) }

func (l averagePool) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "Stride"); err != nil {
		return wire{}, err
	}
	w, err := p.newWindow(in, l.side, l.with.strideOr(l.side), 0)
	if err != nil {
		return wire{}, err
	}
	return p.averagePool(in, w), nil
}

type globalPool struct{}

func (globalPool) kind() string { return "globalpool" }

func (globalPool) text() string { return "global average pooling" }

func (globalPool) attach(p *plan, in wire) (wire, error) {
	w, err := p.newWindow(in, 1, 1, 0)
	if err != nil {
		return wire{}, err
	}
	w.rows, w.cols, w.outHeight, w.outWidth = w.height, w.width, 1, 1
	return p.alias(p.averagePool(in, w), in.shape[:1]), nil
}

// averagePool adds the mean over each position of a window.
func (p *plan) averagePool(in wire, w *window) wire {
	return p.pool(in, w, func(_ *binding, in, out *signal) operator {
		return &averagePoolOperator{in, out, w}
	})
}

// averagePoolOperator is the mean over each position of a window without
// padding.
type averagePoolOperator struct {
	in, out *signal
	window  *window
}

func (o *averagePoolOperator) forward(_ []float64, points span) error {
	o.average(o.out.value, o.in.value, points)
	return nil
}

func (o *averagePoolOperator) tangent(_, _ []float64, points span) {
	o.average(o.out.derivative, o.in.derivative, points)
}

func (o *averagePoolOperator) average(dst, src []float64, points span) {
	share := 1 / float64(o.window.rows*o.window.cols)
	for k := points.lo; k < points.hi; k++ {
		z, h := row(dst, k, o.out.width), row(src, k, o.in.width)
		for i := range z {
			sum := 0.0
			for r := range o.window.rows {
				for _, v := range o.window.line(h, i, r) {
					sum += v
				}
			}
			z[i] = share * sum
		}
	}
}

func (o *averagePoolOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.spread(o.in.adjoint, o.out.adjoint, points)
	}
}

func (o *averagePoolOperator) reverseTangent(_, _ []float64, points span) {
	o.spread(o.in.adjointTangent, o.out.adjointTangent, points)
}

// spread is the transpose of average.
func (o *averagePoolOperator) spread(dst, src []float64, points span) {
	share := 1 / float64(o.window.rows*o.window.cols)
	clear(points.of(dst, o.in.width))
	for k := points.lo; k < points.hi; k++ {
		h, z := row(dst, k, o.in.width), row(src, k, o.out.width)
		for i, v := range z {
			for r := range o.window.rows {
				line := o.window.line(h, i, r)
				for j := range line {
					line[j] += share * v
				}
			}
		}
	}
}

// line returns row r of what an unpadded window sees at output i of an image.
func (w *window) line(image []float64, i, r int) []float64 {
	channel, y, x := i/w.positions(), i/w.outWidth%w.outHeight, i%w.outWidth
	start := channel*w.area() + (y*w.stride+r)*w.width + x*w.stride
	return image[start : start+w.cols]
}
