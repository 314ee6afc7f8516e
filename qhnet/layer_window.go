package qhnet

import "qhlab/qhnet/internal/kernel"

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
		return nil, p.fail("takes images of channels×height×width, its input is %s", shapeText(in.shape))
	}
	if side < 1 || stride < 1 || padding < 0 {
		return nil, p.fail("has side %d, stride %d and padding %d; side and stride start at 1, padding at 0", side, stride, padding)
	}
	w := &window{
		channels: in.shape[0], height: in.shape[1], width: in.shape[2],
		rows: side, cols: side, stride: stride, padding: padding,
	}
	if side > w.height+2*padding || side > w.width+2*padding {
		return nil, p.fail("has a %d×%d window, larger than its input %s with padding %d", side, side, shapeText(in.shape), padding)
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
