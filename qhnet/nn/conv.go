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
	return conv{channels, side, configure(options)}
}

type conv struct {
	channels, side int
	with           settings
}

func (conv) stem() string { return "conv" }

func (conv) kind() Kind { return Kernels }

func (l conv) text() string {
	return l.with.text("convolution " + l.with.windowText(l.side, 1))
}

func (l conv) attach(p *plan, in wire) (wire, error) {
	if err := l.with.check(p, "NoBias", "Stride", "Padding"); err != nil {
		return wire{}, err
	}
	if l.channels < 1 {
		return wire{}, p.fail("has %d channels; it needs at least 1", l.channels)
	}
	w, err := p.newWindow(in, l.side, l.with.strideOr(1), l.with.padding)
	if err != nil {
		return wire{}, err
	}
	weight, rate := p.block("weight", l.channels, w.channels, l.side, l.side)
	out := p.wire([]int{l.channels, w.outHeight, w.outWidth}, true, in.exponent.plus(rate))
	bias := p.biasOf(out, l.with)
	p.product(out, weight.Len()*w.positions(), func(b *binding) operator {
		o := &convOperator{in: b.signals[in.id], out: b.signals[out.id], weight: weight, bias: bias, window: w, rectified: p.wires[out.id].rectified}
		for range b.shards {
			o.unfolded = append(o.unfolded, make([]float64, w.cells()*w.positions()))
		}
		return o
	})
	return out, nil
}

// convOperator is z = W U(h) + b for each point, or max(z, 0) if rectified, where
// U unfolds an image to what the window sees, cells × positions, and W is
// channels × cells.
type convOperator struct {
	in, out   *signal
	weight    qhnet.Block
	bias      *qhnet.Block
	window    *window
	rectified bool
	unfolded  [][]float64 // for each shard
}

// weights views W, or anything indexed like it.
func (o *convOperator) weights(theta []float64) matrix {
	return matrixOf(o.weight.Of(theta), o.weight.Shape[0], o.window.cells())
}

// scratch views the shard's memory for U.
func (o *convOperator) scratch(points span) matrix {
	return matrixOf(o.unfolded[points.shard], o.window.cells(), o.window.positions())
}

// unfold views U of one point's image.
func (o *convOperator) unfold(images []float64, k int, points span) matrix {
	u := o.scratch(points)
	o.window.unfold(u.data, row(images, k, o.in.width))
	return u
}

// image views one point's image on the output side.
func (o *convOperator) image(images []float64, k int) matrix {
	return matrixOf(row(images, k, o.out.width), o.weight.Shape[0], o.window.positions())
}

func (o *convOperator) forward(theta []float64, points span) error {
	o.convolve(o.out.value, theta, points, o.rectified)
	return nil
}

func (o *convOperator) result() *signal { return o.out }

// unrectified computes z where a rectifier has taken its place.
func (o *convOperator) unrectified(dst, theta []float64, points span) {
	o.convolve(dst, theta, points, false)
}

// convolve sets dst to W U(h) + b.
func (o *convOperator) convolve(dst, theta []float64, points span, rectified bool) {
	w, after := o.weights(theta), kernel.Epilogue{Rectify: rectified}
	if o.bias != nil {
		after.RowBias = o.bias.Of(theta)
	}
	for k := points.lo; k < points.hi; k++ {
		z, u := o.image(dst, k), o.unfold(o.in.value, k, points)
		kernel.GemmEpilogue(false, false, z.rows, z.cols, u.rows, w.data, w.cols, u.data, u.cols, 0, z.data, z.cols, after)
	}
}

func (o *convOperator) tangent(theta, v []float64, points span) {
	o.convolve(o.out.derivative, v, points, false)
	if !o.in.trainable {
		return
	}
	for k := points.lo; k < points.hi; k++ {
		addProduct(o.image(o.out.derivative, k), o.weights(theta), o.unfold(o.in.derivative, k, points), matrix{})
	}
}

func (o *convOperator) reverse(theta []float64, points span) {
	if o.in.adjoint == nil {
		return
	}
	u := o.scratch(points)
	for k := points.lo; k < points.hi; k++ {
		setTProduct(u, o.weights(theta), o.image(o.out.adjoint, k))
		o.fold(o.in.adjoint, k, u)
	}
}

func (o *convOperator) reverseTangent(theta, v []float64, points span) {
	if !o.in.trainable {
		return
	}
	u := o.scratch(points)
	for k := points.lo; k < points.hi; k++ {
		setTProduct(u, o.weights(theta), o.image(o.out.adjointTangent, k))
		addTProduct(u, o.weights(v), o.image(o.out.adjoint, k))
		o.fold(o.in.adjointTangent, k, u)
	}
}

// fold sets one point's image to Uᵀ of what is unfolded.
func (o *convOperator) fold(images []float64, k int, u matrix) {
	image := row(images, k, o.in.width)
	clear(image)
	o.window.fold(image, u.data)
}

func (o *convOperator) gradient(dst []float64, points span) {
	o.addProducts(dst, o.out.adjoint, o.in.value, points)
	o.addBias(dst, o.out.adjoint, points)
}

func (o *convOperator) gradientTangent(dst []float64, points span) {
	o.addProducts(dst, o.out.adjointTangent, o.in.value, points)
	o.addBias(dst, o.out.adjointTangent, points)
	if o.in.trainable {
		o.addProducts(dst, o.out.adjoint, o.in.derivative, points)
	}
}

// addProducts adds Σ_k z̄_k U(h_k)ᵀ to the weights' part of dst.
func (o *convOperator) addProducts(dst, adjoints, images []float64, points span) {
	for k := points.lo; k < points.hi; k++ {
		addProductT(o.weights(dst), o.image(adjoints, k), o.unfold(images, k, points))
	}
}

// addBias adds the sums of the channels' adjoints to the bias's part of dst.
func (o *convOperator) addBias(dst, adjoints []float64, points span) {
	if o.bias != nil {
		addChannelSums(o.bias.Of(dst), adjoints, o.out.width, points)
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
	if side < 1 || stride < 1 || padding < 0 {
		return nil, p.fail("has side %d, stride %d and padding %d; side and stride start at 1, padding at 0", side, stride, padding)
	}
	w := &window{
		channels: in.shape[0], height: in.shape[1], width: in.shape[2],
		rows: side, cols: side, stride: stride, padding: padding,
	}
	if side > w.height+2*padding || side > w.width+2*padding {
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

// unfold writes what the window sees: cells()×positions(), with zeros from the
// padding.
func (w *window) unfold(dst, image []float64) {
	for i := range w.cells() {
		w.unfoldCell(dst[i*w.positions():(i+1)*w.positions()], &w.views[i], image)
	}
}

// fold adds to each entry of the image all that the windows hold for it: the
// transpose of unfold. It overwrites what src holds for the padding.
func (w *window) fold(image, src []float64) {
	for i := range w.cells() {
		w.foldCell(image, &w.views[i], src[i*w.positions():(i+1)*w.positions()])
	}
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

// empty tells whether all positions see padding.
func (v *view) empty() bool { return v.top == v.bottom || v.left == v.right }

// aligned tells whether neighbouring rows of positions see neighbouring rows of
// the image, so that both can be taken in one piece.
func (w *window) aligned() bool { return w.stride == 1 && w.outWidth == w.width }

// piece returns the range of positions from the first to the last that see the
// image, among them some that see padding.
func (w *window) piece(v *view) (lo, hi int) {
	return v.top*w.outWidth + v.left, (v.bottom-1)*w.outWidth + v.right
}

// clearPadding sets the positions that see padding to zero.
func (w *window) clearPadding(dst []float64, v *view) {
	clear(dst[:v.top*w.outWidth])
	clear(dst[v.bottom*w.outWidth:])
	if v.left == 0 && v.right == w.outWidth {
		return
	}
	for y := v.top; y < v.bottom; y++ {
		line := dst[y*w.outWidth : (y+1)*w.outWidth]
		for x := 0; x < v.left; x++ {
			line[x] = 0
		}
		for x := v.right; x < w.outWidth; x++ {
			line[x] = 0
		}
	}
}

func (w *window) unfoldCell(dst []float64, v *view, image []float64) {
	switch {
	case v.empty():
		clear(dst)
		return
	case w.aligned():
		lo, hi := w.piece(v)
		copy(dst[lo:hi], image[v.at+lo:v.at+hi])
	default:
		for y := v.top; y < v.bottom; y++ {
			line, at := dst[y*w.outWidth:(y+1)*w.outWidth], v.at+y*w.stride*w.width
			if w.stride == 1 {
				copy(line[v.left:v.right], image[at+v.left:at+v.right])
				continue
			}
			for x := v.left; x < v.right; x++ {
				line[x] = image[at+x*w.stride]
			}
		}
	}
	w.clearPadding(dst, v)
}

func (w *window) foldCell(image []float64, v *view, src []float64) {
	switch {
	case v.empty():
	case w.aligned():
		w.clearPadding(src, v)
		lo, hi := w.piece(v)
		kernel.AddScaled(image[v.at+lo:v.at+hi], 1, src[lo:hi])
	default:
		for y := v.top; y < v.bottom; y++ {
			line, at := src[y*w.outWidth:(y+1)*w.outWidth], v.at+y*w.stride*w.width
			for x := v.left; x < v.right; x++ {
				image[at+x*w.stride] += line[x]
			}
		}
	}
}
