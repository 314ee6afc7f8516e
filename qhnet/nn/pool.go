package nn

import "math"

// AveragePool takes the mean of each square window of an image, with a [Stride]
// of the window's side by default.
func AveragePool(side int, options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "averagepool", text: "average pooling " + with.windowText(side, side), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := with.check(p, "Stride"); err != nil {
			return wire{}, err
		}
		w, err := p.newWindow(in, side, with.strideOr(side), 0)
		if err != nil {
			return wire{}, err
		}
		return p.averagePool(in, w), nil
	}}
}

// GlobalAveragePool takes the mean of each channel of an image: channels × height
// × width becomes a vector of channels.
func GlobalAveragePool() Layer {
	return Layer{stem: "globalpool", text: "global average pooling", attach: func(p *plan, _ Layer, in wire) (wire, error) {
		w, err := p.newWindow(in, 1, 1, 0)
		if err != nil {
			return wire{}, err
		}
		w.rows, w.cols, w.outHeight, w.outWidth = w.height, w.width, 1, 1
		return p.alias(p.averagePool(in, w), in.shape[:1]), nil
	}}
}

// averagePool adds the mean over each position of a window.
func (p *plan) averagePool(in wire, w *window) wire {
	out := p.pool(in, w, func(_ *binding, in, out *signal) linearMap { return &averagePoolMap{in, out, w} })
	p.wires[out.id].summands = p.wires[in.id].summands
	return out
}

// pool adds an operator that leaves one entry a channel and position.
func (p *plan) pool(in wire, w *window, bind func(b *binding, in, out *signal) linearMap) wire {
	out := p.wire([]int{w.channels, w.outHeight, w.outWidth}, p.trainable(in), in.exponent)
	p.stage(out, func(b *binding) operator {
		return linear{bind(b, b.signals[in.id], b.signals[out.id])}
	})
	return out
}

// averagePoolMap is the mean over each position of a window without padding.
type averagePoolMap struct {
	in, out *signal
	window  *window
}

// share is the weight of each entry of the window.
func (o *averagePoolMap) share() float64 { return 1 / float64(o.window.rows*o.window.cols) }

func (o *averagePoolMap) apply(q quantity, points span) {
	for k := points.lo; k < points.hi; k++ {
		z, h := o.out.row(q, k), o.in.row(q, k)
		for i := range z {
			sum := 0.0
			for r := range o.window.rows {
				for _, v := range o.window.line(h, i, r) {
					sum += v
				}
			}
			z[i] = o.share() * sum
		}
	}
}

func (o *averagePoolMap) transpose(q quantity, points span) {
	if !o.in.has(q) {
		return
	}
	clear(o.in.rows(q, points))
	for k := points.lo; k < points.hi; k++ {
		h := o.in.row(q, k)
		for i, v := range o.out.row(q, k) {
			for r := range o.window.rows {
				line := o.window.line(h, i, r)
				for j := range line {
					line[j] += o.share() * v
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
func MaxPool(side int, options ...Option) Layer {
	with := configure(options)
	return Layer{stem: "maxpool", text: "max pooling " + with.windowText(side, side), attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := with.check(p, "Stride", "Padding"); err != nil {
			return wire{}, err
		}
		w, err := p.newWindow(in, side, with.strideOr(side), with.padding)
		if err != nil {
			return wire{}, err
		}
		if 2*with.padding > side {
			return wire{}, p.fail("has padding %d, more than half of its window's side %d; some windows would be empty", with.padding, side)
		}
		p.gate(in)
		return p.pool(in, w, func(b *binding, from, out *signal) linearMap {
			return &maxPoolMap{from, out, w, make([]int32, b.points*out.width), p.wires[in.id].gated}
		}), nil
	}}
}

// maxPoolMap remembers which entry of the image won each position.
type maxPoolMap struct {
	in, out *signal
	window  *window
	winners []int32 // index in the point's image, for each output of each point
	gated   bool    // whether it masks the adjoint of a rectifier before it
}

// won returns the winners of point k.
func (o *maxPoolMap) won(k int) []int32 { return o.winners[k*o.out.width : (k+1)*o.out.width] }

func (o *maxPoolMap) apply(q quantity, points span) {
	for k := points.lo; k < points.hi; k++ {
		z, h := o.out.row(q, k), o.in.row(q, k)
		if q == values {
			o.window.largest(z, o.won(k), h)
			continue
		}
		for i, winner := range o.won(k) {
			z[i] = h[winner]
		}
	}
}

// transpose gives each winner what its positions hold.
func (o *maxPoolMap) transpose(q quantity, points span) {
	if !o.in.has(q) {
		return
	}
	for k := points.lo; k < points.hi; k++ {
		h, z, largest := o.in.row(q, k), o.out.row(q, k), o.out.row(values, k)
		clear(h)
		for i, winner := range o.won(k) {
			if !o.gated || largest[i] > 0 {
				h[winner] += z[i]
			}
		}
	}
}

// largest sets dst to the largest entry of an image that the window sees at each
// position of each channel, and winners to its place.
func (w *window) largest(dst []float64, winners []int32, image []float64) {
	for line := range w.channels * w.outHeight {
		channel, y := line/w.outHeight, line%w.outHeight
		top := y*w.stride - w.padding
		bottom := min(top+w.rows, w.height)
		top = max(top, 0)
		first, won := channel*w.area()+top*w.width, winners[line*w.outWidth:][:w.outWidth]
		if w.cols == 2 && w.stride == 2 && w.padding == 0 {
			largestOfFour(won, image, first, w.width)
		} else {
			for x := range won {
				left := x*w.stride - w.padding
				right := min(left+w.cols, w.width)
				left = max(left, 0)
				won[x] = int32(largestOf(image, first+left, w.width, bottom-top, right-left))
			}
		}
	}
	for i, winner := range winners {
		dst[i] = image[winner]
	}
}

// largestOf returns the place of the largest entry of a rectangle that begins at
// first, in lines of the given width.
func largestOf(image []float64, first, width, rows, cols int) int {
	best, key := first, order(image[first])
	for range rows {
		for j, v := range image[first : first+cols] {
			if k := order(v); k > key {
				best, key = first+j, k
			}
		}
		first += width
	}
	return best
}

// largestOfFour is largestOf for a line of squares of two side by side, the most common
// ones.
func largestOfFour(winners []int32, image []float64, first, width int) {
	upper, lower := image[first:], image[first+width:]
	for x := range winners {
		u, l := upper[2*x:2*x+2], lower[2*x:2*x+2]
		best, key := 2*x, order(u[0])
		if k := order(u[1]); k > key {
			best, key = 2*x+1, k
		}
		if k := order(l[0]); k > key {
			best, key = 2*x+width, k
		}
		if order(l[1]) > key {
			best = 2*x + width + 1
		}
		winners[x] = int32(first + best)
	}
}

// order maps numbers to integers in the same order: unlike branches on numbers,
// those on integers become conditional moves, which random images do not slow.
func order(v float64) int64 {
	bits := int64(math.Float64bits(v + 0)) // -0 becomes 0
	return bits ^ int64(uint64(bits>>63)>>1)
}
