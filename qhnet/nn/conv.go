package nn

import (
	"qhlab/qhnet"
	"qhlab/qhnet/internal/kernel"
)

// Conv is a two-dimensional convolution (a correlation, as usual) with a square
// window of the given side,
//
//	z_o(y, x) = Σ_{i,r,s} W_{o,i,r,s} h_i(y·stride + r - padding, x·stride + s - padding) + b_o,
//
// with [Stride] 1, [Padding] 0 and bias unless options say otherwise. W has the
// shape channels × input channels × side × side.
func Conv(channels, side int, options ...Option) Layer {
	with := configure(options)
	text := with.text("convolution " + with.windowText(side, 1))
	return Layer{stem: "conv", kind: Kernels, text: text, attach: func(p *plan, _ Layer, in wire) (wire, error) {
		if err := with.check(p, "NoBias", "Stride", "Padding"); err != nil {
			return wire{}, err
		}
		if channels < 1 {
			return wire{}, p.fail("has %d channels; it needs at least 1", channels)
		}
		w, err := p.newWindow(in, side, with.strideOr(1), with.padding)
		if err != nil {
			return wire{}, err
		}
		return p.convolution(in, channels, w, with), nil
	}}
}

func (p *plan) convolution(in wire, channels int, w *window, with settings) wire {
	weight, rate := p.block("weight", channels, w.channels, w.rows, w.cols)
	out := p.wire([]int{channels, w.outHeight, w.outWidth}, true, in.exponent.plus(rate))
	blocks := append([]qhnet.Block{weight}, p.biasOf(out, with)...)
	p.product(out, weight.Len()*w.positions(), func(b *binding) operator {
		o := &convMap{in: b.signals[in.id], out: b.signals[out.id], weight: weight, bias: blocks[1:], window: w, rectified: p.wires[out.id].rectified}
		for range b.shards {
			o.unfolded = append(o.unfolded, make([]float64, w.cells()*w.positions()))
			o.transposed = append(o.transposed, make([]float64, weight.Len()))
		}
		return b.bilinear(o, in, out, blocks...)
	})
	return out
}

// convMap is z = W U(h) + b for each point, or max(z, 0) if rectified, where
// U unfolds an image to what the window sees, cells × positions, and W is
// channels × cells.
type convMap struct {
	in, out   *signal
	weight    qhnet.Block
	bias      []qhnet.Block // none or one
	window    *window
	rectified bool

	unfolded, transposed [][]float64 // for each shard: U(h), and a matrix like Wᵀ
}

// shape returns the sides of W and of what is unfolded.
func (o *convMap) shape() (channels, cells, positions int) {
	return o.weight.Shape[0], o.window.cells(), o.window.positions()
}

func (o *convMap) apply(p *point, out, in quantity, add bool, points span) {
	channels, cells, positions := o.shape()
	w, u := o.weight.Of(p.theta), o.unfolded[points.shard]
	after := kernel.Epilogue{Rectify: o.rectified && out == values}
	if len(o.bias) > 0 && in == values {
		after.RowBias = o.bias[0].Of(p.theta)
	}
	for k := points.lo; k < points.hi; k++ {
		o.window.unfold(u, o.in.row(in, k))
		kernel.GemmEpilogue(false, false, channels, positions, cells, w, cells, u, positions, keep(add), o.out.row(out, k), positions, after)
	}
}

func (o *convMap) transpose(p *point, in, out quantity, add bool, points span) {
	channels, cells, positions := o.shape()
	w, u := o.weight.Of(p.theta), o.unfolded[points.shard]
	if !add {
		clear(o.in.rows(in, points))
	}
	for k := points.lo; k < points.hi; k++ {
		kernel.Gemm(true, false, cells, positions, channels, 1, w, cells, o.out.row(out, k), positions, 0, u, positions)
		o.window.fold(o.in.row(in, k), u)
	}
}

// outer sums Σ U(h) z̄ᵀ, cells × channels, whose product copies the smaller factor.
func (o *convMap) outer(dst []float64, out, in quantity, points span) {
	channels, cells, positions := o.shape()
	u, sum := o.unfolded[points.shard], o.transposed[points.shard]
	for k := points.lo; k < points.hi; k++ {
		o.window.unfold(u, o.in.row(in, k))
		kernel.Gemm(false, true, cells, channels, positions, 1, u, positions, o.out.row(out, k), positions, keep(k > points.lo), sum, channels)
	}
	w := o.weight.Of(dst)
	for i := range cells {
		for c, v := range row(sum, i, channels) {
			w[c*cells+i] += v
		}
	}
	if len(o.bias) > 0 && in == values {
		addChannelSums(o.bias[0].Of(dst), o.out.rows(out, points), o.out.width)
	}
}

// window is a rectangle that slides over the channels of an image.
type window struct {
	channels, height, width int // of the image
	rows, cols              int // of the window
	stride, padding         int
	outHeight, outWidth     int    // number of positions
	views                   []view // of each cell
}

// newWindow places a square window on an image.
func (p *plan) newWindow(in wire, side, stride, padding int) (*window, error) {
	if len(in.shape) != 3 {
		return nil, p.fail("takes images of channels×height×width, its input is %s", in.shape)
	}
	if side < 1 || stride < 1 || padding < 0 || padding >= side {
		return nil, p.fail("has side %d, stride %d and padding %d; side and stride start at 1, padding at 0 and stays below side", side, stride, padding)
	}
	w := &window{
		channels: in.shape[0], height: in.shape[1], width: in.shape[2],
		rows: side, cols: side, stride: stride, padding: padding,
	}
	if side-padding > w.height+padding || side-padding > w.width+padding {
		return nil, p.fail("has a %d×%d window, larger than its input %s with padding %d", side, side, in.shape, padding)
	}
	w.outHeight = (w.height+2*padding-side)/stride + 1
	w.outWidth = (w.width+2*padding-side)/stride + 1
	for i := range w.cells() {
		w.views = append(w.views, w.view(i))
	}
	return w, nil
}

// area is the number of entries of a channel of the image.
func (w *window) area() int { return w.height * w.width }

// positions is the number of places the window takes on a channel.
func (w *window) positions() int { return w.outHeight * w.outWidth }

// cells is the number of entries of the window on all channels.
func (w *window) cells() int { return w.channels * w.rows * w.cols }

// inside returns the range of output columns, or rows, at which the given entry
// of the window falls on an image of the given length.
func (w *window) inside(entry, length, positions int) (lo, hi int) {
	shift := w.padding - entry // an output o sees the image at o·stride - shift
	if shift > 0 {
		lo = (shift + w.stride - 1) / w.stride
	}
	hi = min(positions, (length-1+shift)/w.stride+1)
	if length-1+shift < 0 {
		hi = 0
	}
	return min(lo, hi), hi
}

// view is what one entry of the window sees: position (y, x) sees entry
// at + (y·width + x)·stride of the image if y and x are in range, otherwise
// padding.
type view struct {
	at                       int
	top, bottom, left, right int
}

func (w *window) view(cell int) view {
	channel, r, c := cell/(w.rows*w.cols), cell/w.cols%w.rows, cell%w.cols
	v := view{at: channel*w.area() + (r-w.padding)*w.width + c - w.padding}
	v.top, v.bottom = w.inside(r, w.height, w.outHeight)
	v.left, v.right = w.inside(c, w.width, w.outWidth)
	return v
}

// piece returns the range of positions from the first to the last that see the
// image, among them some that see padding.
func (w *window) piece(v *view) (lo, hi int) {
	if v.top == v.bottom || v.left == v.right {
		return 0, 0
	}
	return v.top*w.outWidth + v.left, (v.bottom-1)*w.outWidth + v.right
}

// aligned tells whether neighbouring rows of positions see neighbouring rows of
// the image, so that both can be taken in one piece.
func (w *window) aligned() bool { return w.stride == 1 && w.outWidth == w.width }

// clearSides sets the positions left and right of the image to zero.
func (w *window) clearSides(seen []float64, v *view) {
	if v.left == 0 && v.right == w.outWidth {
		return
	}
	for y := v.top; y < v.bottom; y++ {
		line := row(seen, y, w.outWidth)
		for x := range v.left {
			line[x] = 0
		}
		for x := v.right; x < w.outWidth; x++ {
			line[x] = 0
		}
	}
}

// unfold writes what the window sees: cells()×positions(), with zeros from the
// padding.
func (w *window) unfold(dst, image []float64) {
	for i := range w.views {
		v, seen := &w.views[i], row(dst, i, w.positions())
		lo, hi := w.piece(v)
		clear(seen[:lo])
		clear(seen[hi:])
		if w.aligned() && lo < hi {
			copy(seen[lo:hi], image[v.at+lo:v.at+hi])
		} else if lo < hi {
			w.unfoldLines(seen, v, image)
		}
		w.clearSides(seen, v)
	}
}

func (w *window) unfoldLines(seen []float64, v *view, image []float64) {
	for y := v.top; y < v.bottom; y++ {
		line, at := row(seen, y, w.outWidth)[v.left:v.right], v.at+(y*w.width+v.left)*w.stride
		if w.stride == 1 {
			copy(line, image[at:])
			continue
		}
		for x := range line {
			line[x] = image[at+x*w.stride]
		}
	}
}

// fold adds to each entry of the image all that the windows hold for it: the
// transpose of unfold. It overwrites what src holds for the padding.
func (w *window) fold(image, src []float64) {
	for i := range w.views {
		v, seen := &w.views[i], row(src, i, w.positions())
		lo, hi := w.piece(v)
		if w.aligned() && lo < hi {
			w.clearSides(seen, v)
			kernel.AddScaled(image[v.at+lo:v.at+hi], 1, seen[lo:hi])
		} else if lo < hi {
			w.foldLines(image, v, seen)
		}
	}
}

func (w *window) foldLines(image []float64, v *view, seen []float64) {
	for y := v.top; y < v.bottom; y++ {
		at := v.at + (y*w.width+v.left)*w.stride
		for x, u := range row(seen, y, w.outWidth)[v.left:v.right] {
			image[at+x*w.stride] += u
		}
	}
}
