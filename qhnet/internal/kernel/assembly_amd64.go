//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// best returns the highest level of this processor.
func best() level {
	switch x := cpu.X86; {
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasBMI2:
		return avx512
	case x.HasAVX2 && x.HasFMA && x.HasBMI2:
		return avx2
	}
	return portable
}

// The assembly counts on this size.
var _ [20 * 8]byte = [unsafe.Sizeof(tile{})]byte{}

// What the generated assembly holds, for the active level unless a name says
// another one; see the functions of the same names.

//go:noescape
func tilesAsm(t *tile) (ok bool)

//go:noescape
func transposeAVX512(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func transposeAVX2(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func transposeAVX(dst, src *float64, dstStride, srcStride, blocks int)

//go:noescape
func gatherAsm(dst, src *float64, dstStride, srcStride, cols, rows, panels, across int)

//go:noescape
func rectifyAsm(dst, x *float64, n int)

//go:noescape
func gateAsm(dst, x, gate *float64, n int)

//go:noescape
func addScaledAsm(dst, x *float64, n int, c float64)

//go:noescape
func multiplyAsm(dst, x, y *float64, n int)

//go:noescape
func addProductsAsm(dst, x, y *float64, n int)

//go:noescape
func addMomentsAsm(sum, product, x, z *float64, n int)

//go:noescape
func affineAsm(dst, x *float64, n int, factor, term float64)

//go:noescape
func affineByAsm(dst, x, factor, term *float64, n int)

//go:noescape
func projectAsm(dst, x, z *float64, n int, mean, dot, scale float64)

//go:noescape
func projectByAsm(dst, x, z, mean, dot, scale *float64, n int)

//go:noescape
func addRowAsm(v, x *float64, stride, rows, cols int)

//go:noescape
func sumRowsAsm(v, x *float64, stride, rows, cols int)

//go:noescape
func sumAsm(x *float64, n int) float64

//go:noescape
func momentsAsm(x, z *float64, n int) (sum, product float64)

//go:noescape
func largestAsm(x *float64, n int) (value float64, ok bool)

//go:noescape
func smallestAsm(x *float64, n int) (value float64, ok bool)

//go:noescape
func expAsm(dst, x *float64, n int, scale, shift float64) (sum float64)

//go:noescape
func tanhAsm(value, slope, curvature, x *float64, n int)

//go:noescape
func softplusAsm(value, slope, curvature, x *float64, n int)
