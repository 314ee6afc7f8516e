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

//go:noescape
func affineAVX512(dst, x *float64, n int, factor, term float64)

//go:noescape
func affineAVX2(dst, x *float64, n int, factor, term float64)

//go:noescape
func affineByAVX512(dst, x, factor, term *float64, n int)

//go:noescape
func affineByAVX2(dst, x, factor, term *float64, n int)

//go:noescape
func projectAVX512(dst, x, z *float64, n int, mean, dot, scale float64)

//go:noescape
func projectAVX2(dst, x, z *float64, n int, mean, dot, scale float64)

//go:noescape
func projectByAVX512(dst, x, z, mean, dot, scale *float64, n int)

//go:noescape
func projectByAVX2(dst, x, z, mean, dot, scale *float64, n int)

//go:noescape
func momentsAVX512(x, z *float64, n int) (sum, product float64)

//go:noescape
func momentsAVX2(x, z *float64, n int) (sum, product float64)

//go:noescape
func addMomentsAVX512(sum, product, x, z *float64, n int)

//go:noescape
func addMomentsAVX2(sum, product, x, z *float64, n int)

//go:noescape
func addProductsAVX512(dst, x, y *float64, n int)

//go:noescape
func addProductsAVX2(dst, x, y *float64, n int)

//go:noescape
func multiplyAVX512(dst, x, y *float64, n int)

//go:noescape
func multiplyAVX2(dst, x, y *float64, n int)
