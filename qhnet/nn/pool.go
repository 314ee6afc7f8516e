package nn

import (
	"math"
)

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

func (averagePool) stem() string { return "averagepool" }

func (averagePool) kind() Kind { return Other }

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

func (globalPool) stem() string { return "globalpool" }

func (globalPool) kind() Kind { return Other }

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

// MaxPool takes the largest entry of each square window of an image, with a
// [Stride] of the window's side and [Padding] 0 by default. Of equal entries the
// first counts.
func MaxPool(side int, options ...Option) Layer { return maxPool{side, configure(options)} }

type maxPool struct {
	side int
	with settings
}

func (maxPool) stem() string { return "maxpool" }

func (maxPool) kind() Kind { return Other }

func (l maxPool) text() string { return "max pooling " + l.with.windowText(l.side, l.side) }

func (l maxPool) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "Stride", "Padding"); err != nil {
		return wire{}, err
	}
	w, err := p.newWindow(in, l.side, l.with.strideOr(l.side), l.with.padding)
	if err != nil {
		return wire{}, err
	}
	if 2*l.with.padding > l.side {
		return wire{}, p.fail("has padding %d, more than half of its window's side %d; some windows would be empty", l.with.padding, l.side)
	}
	return p.pool(in, w, func(b *binding, in, out *signal) operator {
		return &maxPoolOperator{in, out, w, make([]int32, b.points*out.width)}
	}), nil
}

// pool adds an operator that leaves one entry a channel and position.
func (p *plan) pool(in wire, w *window, bind func(b *binding, in, out *signal) operator) wire {
	trainable := p.trainable(in)
	out := p.wire([]int{w.channels, w.outHeight, w.outWidth}, trainable, in.exponent)
	p.stage(trainable, func(b *binding) operator {
		return bind(b, b.signals[in.id], b.signals[out.id])
	})
	return out
}

// maxPoolOperator remembers which entry of the image won each position.
type maxPoolOperator struct {
	in, out *signal
	window  *window
	winners []int32 // index in the point's image, for each output of each point
}

func (o *maxPoolOperator) forward(_ []float64, points span) error {
	for k := points.lo; k < points.hi; k++ {
		h, z := row(o.in.value, k, o.in.width), row(o.out.value, k, o.out.width)
		o.window.largest(z, o.winners[k*o.out.width:(k+1)*o.out.width], h)
	}
	return nil
}

// largest sets values to the largest entry of an image that the window sees at each
// position of each channel, and winners to its place.
func (w *window) largest(values []float64, winners []int32, image []float64) {
	i := 0
	for channel := range w.channels {
		for y := range w.outHeight {
			top := y*w.stride - w.padding
			bottom := min(top+w.rows, w.height)
			top = max(top, 0)
			line := channel*w.area() + top*w.width
			for x := range w.outWidth {
				left := x*w.stride - w.padding
				right := min(left+w.cols, w.width)
				left = max(left, 0)
				winner := line + left
				if w.cols == 2 && right-left == 2 && bottom-top == 2 {
					winner = largestOfFour(image, winner, w.width)
				} else {
					winner = largestOf(image, winner, w.width, bottom-top, right-left)
				}
				winners[i], values[i] = int32(winner), image[winner]
				i++
			}
		}
	}
}

// largestOf returns the place of the largest entry of a rectangle that begins at
// first, in lines of the given width.
func largestOf(image []float64, first, width, rows, cols int) int {
	best, key := first, order(image[first])
	for range rows {
		for j := first; j < first+cols; j++ {
			if k := order(image[j]); k > key {
				best, key = j, k
			}
		}
		first += width
	}
	return best
}

// largestOfFour is largestOf for a square of two, the most common one.
func largestOfFour(image []float64, first, width int) int {
	upper, lower := image[first:first+2], image[first+width:first+width+2]
	best, key := first, order(upper[0])
	if k := order(upper[1]); k > key {
		best, key = first+1, k
	}
	if k := order(lower[0]); k > key {
		best, key = first+width, k
	}
	if order(lower[1]) > key {
		best = first + width + 1
	}
	return best
}

// order maps numbers to integers in the same order: unlike branches on numbers,
// those on integers become conditional moves, which random images do not slow.
func order(v float64) int64 {
	bits := int64(math.Float64bits(v + 0)) // -0 becomes 0
	return bits ^ int64(uint64(bits>>63)>>1)
}

func (o *maxPoolOperator) tangent(_, _ []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		dh, dz := row(o.in.derivative, k, o.in.width), row(o.out.derivative, k, o.out.width)
		for i, winner := range o.winners[k*o.out.width : (k+1)*o.out.width] {
			dz[i] = dh[winner]
		}
	}
}

func (o *maxPoolOperator) reverse(_ []float64, points span) {
	if o.in.adjoint != nil {
		o.scatter(o.in.adjoint, o.out.adjoint, points)
	}
}

func (o *maxPoolOperator) reverseTangent(_, _ []float64, points span) {
	o.scatter(o.in.adjointTangent, o.out.adjointTangent, points)
}

// scatter gives each winner the adjoint of its position.
func (o *maxPoolOperator) scatter(dst, src []float64, points span) {
	clear(points.of(dst, o.in.width))
	for k := points.lo; k < points.hi; k++ {
		d, s := row(dst, k, o.in.width), row(src, k, o.out.width)
		for i, winner := range o.winners[k*o.out.width : (k+1)*o.out.width] {
			d[winner] += s[i]
		}
	}
}
