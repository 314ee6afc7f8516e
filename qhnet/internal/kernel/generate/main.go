// Command generate writes the assembly of package kernel. It is a module of
// its own, so that avo is no dependency of qhlab; run it by
//
//	go generate ./qhnet/internal/kernel
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("!purego")
	for _, s := range []set{avx512, avx2} {
		for _, emit := range []func(set){
			tile, transpose, gather,
			rectifyAll, gateAll, addScaled, addRow, sumRows, sum, largest, smallest, exp,
			affine(false), affine(true), project(false), project(true), moments, addMoments, multiply, addProducts,
		} {
			emit(s)
		}
	}
	transpose(avx)
	Generate()
}
