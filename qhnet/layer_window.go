package qhnet

// window is a rectangle that slides over the channels of an image.
type window struct {
	channels, height, width int // of the image
	rows, cols              int // of the window
	stride, padding         int
	outHeight, outWidth     int // number of positions
}

// newWindow places a square window on an image.
func (p *plan) newWindow(in wire, side, stride, padding int) (window, error) {
	if len(in.shape) != 3 {
		return window{}, p.fail("takes images of channels×height×width, its input is %s", shapeText(in.shape))
	}
	if side < 1 || stride < 1 || padding < 0 {
		return window{}, p.fail("has side %d, stride %d and padding %d; side and stride start at 1, padding at 0", side, stride, padding)
	}
	w := window{
		channels: in.shape[0], height: in.shape[1], width: in.shape[2],
		rows: side, cols: side, stride: stride, padding: padding,
	}
	if side > w.height+2*padding || side > w.width+2*padding {
		return window{}, p.fail("has a %d×%d window, larger than its input %s with padding %d", side, side, shapeText(in.shape), padding)
	}
	w.outHeight = (w.height+2*padding-side)/stride + 1
	w.outWidth = (w.width+2*padding-side)/stride + 1
	return w, nil
}

// area is the number of entries of a channel of the image.
func (w window) area() int { return w.height * w.width }

// positions is the number of places the window takes on a channel.
func (w window) positions() int { return w.outHeight * w.outWidth }

// cells is the number of entries of the window on all channels.
func (w window) cells() int { return w.channels * w.rows * w.cols }

// inside returns the range of output columns, or rows, at which the given entry
// of the window falls on an image of the given length.
func (w window) inside(entry, length, positions int) (lo, hi int) {
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
func (w window) unfold(dst, image []float64) {
	for cell := range w.cells() {
		channel, r, c := w.cell(cell)
		src := image[channel*w.area() : (channel+1)*w.area()]
		out := dst[cell*w.positions() : (cell+1)*w.positions()]
		top, bottom := w.inside(r, w.height, w.outHeight)
		left, right := w.inside(c, w.width, w.outWidth)
		clear(out[:top*w.outWidth])
		clear(out[bottom*w.outWidth:])
		for y := top; y < bottom; y++ {
			line := out[y*w.outWidth : (y+1)*w.outWidth]
			clear(line[:left])
			clear(line[right:])
			if left == right {
				continue
			}
			at := (y*w.stride+r-w.padding)*w.width + c - w.padding
			if w.stride == 1 {
				copy(line[left:right], src[at+left:at+right])
				continue
			}
			for x := left; x < right; x++ {
				line[x] = src[at+x*w.stride]
			}
		}
	}
}

// fold adds to each entry of the image all that the windows hold for it: the
// transpose of unfold.
func (w window) fold(image, src []float64) {
	for cell := range w.cells() {
		channel, r, c := w.cell(cell)
		dst := image[channel*w.area() : (channel+1)*w.area()]
		in := src[cell*w.positions() : (cell+1)*w.positions()]
		top, bottom := w.inside(r, w.height, w.outHeight)
		left, right := w.inside(c, w.width, w.outWidth)
		if left == right {
			continue
		}
		for y := top; y < bottom; y++ {
			line := in[y*w.outWidth : (y+1)*w.outWidth]
			at := (y*w.stride+r-w.padding)*w.width + c - w.padding
			if w.stride == 1 {
				addScaled(dst[at+left:at+right], 1, line[left:right])
				continue
			}
			for x := left; x < right; x++ {
				dst[at+x*w.stride] += line[x]
			}
		}
	}
}

// cell returns the channel, row and column of an entry of the window.
func (w window) cell(i int) (channel, r, c int) {
	return i / (w.rows * w.cols), i / w.cols % w.rows, i % w.cols
}
