package kernel

import (
	"math"
	"unsafe"
)

// Rectify sets dst to max(0, x). A NaN stays one. The slices have one length
// and may be the same.
func Rectify(dst, x []float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	if active != portable {
		rectifyAsm(first(dst), first(x), len(dst))
		return
	}
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		dst[i] = v
	}
}

// Gate sets dst to x where gate > 0 and to 0 elsewhere: the derivative of
// [Rectify] at gate, or at its value there, times x. The slices have one length and
// dst and x may be the same.
func Gate(dst, x, gate []float64) {
	x, gate = x[:len(dst)], gate[:len(dst)]
	read(x, gate)
	write(dst)
	if active != portable {
		gateAsm(first(dst), first(x), first(gate), len(dst))
		return
	}
	for i, v := range x {
		if !(gate[i] > 0) {
			v = 0
		}
		dst[i] = v
	}
}

// AddScaled adds c x to dst, of the same length.
func AddScaled(dst []float64, c float64, x []float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	if active != portable {
		addScaledAsm(first(dst), first(x), len(dst), c)
		return
	}
	for i, v := range x {
		dst[i] += c * v
	}
}

// Affine sets dst to factor·x + term. The slices have one length and may be the
// same, here and below.
func Affine(dst, x []float64, factor, term float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	if active != portable {
		affineAsm(first(dst), first(x), len(dst), factor, term)
		return
	}
	for i, v := range x {
		dst[i] = factor*v + term
	}
}

// AffineBy sets dst to factors ⊙ x + terms, entry by entry.
func AffineBy(dst, x, factors, terms []float64) {
	x, factors, terms = x[:len(dst)], factors[:len(dst)], terms[:len(dst)]
	read(x, factors, terms)
	write(dst)
	if active != portable {
		affineByAsm(first(dst), first(x), first(factors), first(terms), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = factors[i]*v + terms[i]
	}
}

// Project sets dst to (x - mean - dot·z)·scale: what a normalization with the
// result z makes of a derivative.
func Project(dst, x, z []float64, mean, dot, scale float64) {
	x, z = x[:len(dst)], z[:len(dst)]
	read(x, z)
	write(dst)
	if active != portable {
		projectAsm(first(dst), first(x), first(z), len(dst), mean, dot, scale)
		return
	}
	for i, v := range x {
		dst[i] = (v - mean - dot*z[i]) * scale
	}
}

// ProjectBy is [Project] with a mean, a dot and a scale for each entry.
func ProjectBy(dst, x, z, means, dots, scales []float64) {
	x, z = x[:len(dst)], z[:len(dst)]
	means, dots, scales = means[:len(dst)], dots[:len(dst)], scales[:len(dst)]
	read(x, z, means, dots, scales)
	write(dst)
	if active != portable {
		projectByAsm(first(dst), first(x), first(z), first(means), first(dots), first(scales), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = (v - means[i] - dots[i]*z[i]) * scales[i]
	}
}

// Moments returns Σ x_i and Σ x_i z_i.
func Moments(x, z []float64) (sum, product float64) {
	z = z[:len(x)]
	read(x, z)
	if active != portable {
		return momentsAsm(first(x), first(z), len(x))
	}
	for i, v := range x {
		sum += v
		product += v * z[i]
	}
	return sum, product
}

// AddMoments adds x to sum and x ⊙ z to product.
func AddMoments(sum, product, x, z []float64) {
	product, x, z = product[:len(sum)], x[:len(sum)], z[:len(sum)]
	read(x, z)
	write(sum, product)
	if active != portable {
		addMomentsAsm(first(sum), first(product), first(x), first(z), len(sum))
		return
	}
	for i, v := range x {
		sum[i] += v
		product[i] += v * z[i]
	}
}

// Multiply sets dst to x ⊙ y.
func Multiply(dst, x, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	read(x, y)
	write(dst)
	if active != portable {
		multiplyAsm(first(dst), first(x), first(y), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

// AddProducts adds x ⊙ y to dst.
func AddProducts(dst, x, y []float64) {
	x, y = x[:len(dst)], y[:len(dst)]
	read(x, y)
	write(dst)
	if active != portable {
		addProductsAsm(first(dst), first(x), first(y), len(dst))
		return
	}
	for i, v := range x {
		dst[i] += v * y[i]
	}
}

// AddRow adds a row vector to each row of x, rows of len(row) values.
func AddRow(x, row []float64) {
	rows := countRows(x, row)
	read(row)
	write(x)
	if active != portable {
		addRowAsm(first(row), first(x), len(row)*word, rows, len(row))
		return
	}
	for ; len(x) > 0; x = x[len(row):] {
		for i, v := range row {
			x[i] += v
		}
	}
}

// SumRows adds all rows of x, of len(sum) values each, to sum.
func SumRows(sum, x []float64) {
	rows := countRows(x, sum)
	read(x)
	write(sum)
	if active != portable {
		sumRowsAsm(first(sum), first(x), len(sum)*word, rows, len(sum))
		return
	}
	for ; len(x) > 0; x = x[len(sum):] {
		for i := range sum {
			sum[i] += x[i]
		}
	}
}

func countRows(x, row []float64) int {
	if len(x) == 0 {
		return 0
	}
	if len(row) == 0 || len(x)%len(row) != 0 {
		panic("qhnet: the matrix has no whole number of rows")
	}
	return len(x) / len(row)
}

// Sum returns Σ x_i.
func Sum(x []float64) (sum float64) {
	read(x)
	if active != portable {
		return sumAsm(first(x), len(x))
	}
	for _, v := range x {
		sum += v
	}
	return sum
}

// Max returns the largest value, NaN if one of them is, -Inf if there is none.
func Max(x []float64) float64 {
	read(x)
	if active != portable && len(x) >= 8 {
		if v, ok := largestAsm(&x[0], len(x)); ok {
			return v
		}
	}
	largest := math.Inf(-1)
	for _, v := range x {
		largest = max(largest, v)
	}
	return largest
}

// Min returns the smallest value, NaN if one of them is, +Inf if there is none.
func Min(x []float64) float64 {
	read(x)
	if active != portable && len(x) >= 8 {
		if v, ok := smallestAsm(&x[0], len(x)); ok {
			return v
		}
	}
	smallest := math.Inf(1)
	for _, v := range x {
		smallest = min(smallest, v)
	}
	return smallest
}

// Exp sets dst to e^{scale·x + shift} and returns the sum of it. The exponent
// is rounded once, so it is exact where scale·x + shift is, and e^y is within
// one unit in the last place. A NaN stays one. The slices have one length and
// may be the same.
//
// With scale 1 and shift -max x, dst/sum is softmax(x) and max x + log sum is
// log Σ e^x; with scale -1 and shift min x the same for -x. [Max] and [Min] give
// the shifts.
func Exp(dst, x []float64, scale, shift float64) (sum float64) {
	x = x[:len(dst)]
	read(x)
	write(dst)
	if active != portable {
		return expAsm(first(dst), first(x), len(dst), scale, shift)
	}
	for i, v := range x {
		dst[i] = math.Exp(math.FMA(scale, v, shift))
		sum += dst[i]
	}
	return sum
}

// TanhCurve sets value to tanh x, slope and curvature to its derivatives, to four units
// in the last place. The slices have one length, and value may be x.
func TanhCurve(value, slope, curvature, x []float64) {
	x, slope, curvature = x[:len(value)], slope[:len(value)], curvature[:len(value)]
	read(x)
	write(value, slope, curvature)
	if active != portable {
		tanhAsm(first(value), first(slope), first(curvature), first(x), len(value))
		return
	}
	for i, v := range x {
		y := -2 * math.Abs(v)
		less := math.Expm1(y)
		half := 2 / (2 + less)
		value[i] = math.Copysign(less*half/2, v)
		slope[i] = half * half * math.Exp(y)
		curvature[i] = -2 * value[i] * slope[i]
	}
}

// SoftplusCurve is the same for log(1 + e^x), whose slope is the logistic function.
func SoftplusCurve(value, slope, curvature, x []float64) {
	x, slope, curvature = x[:len(value)], slope[:len(value)], curvature[:len(value)]
	read(x)
	write(value, slope, curvature)
	if active != portable {
		softplusAsm(first(value), first(slope), first(curvature), first(x), len(value))
		return
	}
	for i, v := range x {
		e := math.Exp(-math.Abs(v))
		q := 1 / (1 + e)
		value[i] = max(0, v) + math.Log1p(e)
		slope[i] = e * q
		curvature[i] = e * q * q
		if v > 0 {
			slope[i] = q
		}
	}
}

// first points to the first value, if there is one.
func first(x []float64) *float64 { return unsafe.SliceData(x) }
