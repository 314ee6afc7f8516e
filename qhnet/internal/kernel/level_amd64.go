//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

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
