package qhnet

import (
	"math"
)

// MaxPool takes the largest entry of each square window of an image, with a
// [Stride] of the window's side and [Padding] 0 by default. Of equal entries the
// first counts.
func MaxPool(side int, options ...Option) Layer { return maxPool{side, configure(options)} }

type maxPool struct {
	side int
	with settings
}

func (maxPool) kind() string { return "maxpool" }

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
