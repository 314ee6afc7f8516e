//go:build !purego

package kernel

// What the generated assembly holds; see the functions of the same names.

//go:noescape
func tileAVX512(t *tile) (ok bool)

//go:noescape
func tileAVX2(t *tile) (ok bool)

//go:noescape
func transposeAVX512(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func transposeAVX2(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func transposeAVX(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func gatherAVX512(dst, src *float64, dstStride, srcStride, cols, rows int)

//go:noescape
func gatherAVX2(dst, src *float64, dstStride, srcStride, cols, rows int)

//go:noescape
func rectifyAVX512(dst, x *float64, n int)

//go:noescape
func rectifyAVX2(dst, x *float64, n int)

//go:noescape
func gateAVX512(dst, x, gate *float64, n int)

//go:noescape
func gateAVX2(dst, x, gate *float64, n int)

//go:noescape
func addScaledAVX512(dst, x *float64, n int, c float64)

//go:noescape
func addScaledAVX2(dst, x *float64, n int, c float64)

//go:noescape
func addRowAVX512(v, x *float64, stride, rows, cols int)

//go:noescape
func addRowAVX2(v, x *float64, stride, rows, cols int)

//go:noescape
func sumRowsAVX512(v, x *float64, stride, rows, cols int)

//go:noescape
func sumRowsAVX2(v, x *float64, stride, rows, cols int)

//go:noescape
func sumAVX512(x *float64, n int) float64

//go:noescape
func sumAVX2(x *float64, n int) float64

//go:noescape
func largestAVX512(x *float64, n int) (value float64, ok bool)

//go:noescape
func largestAVX2(x *float64, n int) (value float64, ok bool)

//go:noescape
func smallestAVX512(x *float64, n int) (value float64, ok bool)

//go:noescape
func smallestAVX2(x *float64, n int) (value float64, ok bool)

//go:noescape
func expAVX512(dst, x *float64, n int, scale, shift float64) (sum float64)

//go:noescape
func expAVX2(dst, x *float64, n int, scale, shift float64) (sum float64)
