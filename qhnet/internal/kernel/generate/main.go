// Command generate writes the assembly of package kernel. It is a module of
// its own, so that avo is no dependency of qhlab; run it by
//
//	go generate ./qhnet/internal/kernel
package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	vectors()
	exponentials()
	both("gather", "func(dst, src *float64, dstStride, srcStride, cols, rows, panels, across int)", gather)
	both("tiles", "func(t *[20]uint64) (ok bool)", tile) // a tile's words
	for _, s := range []set{avx512, avx2, avx} {
		TEXT("transpose"+s.name, attr.NOSPLIT, "func(dst, src *float64, dstStride, srcStride, blocks int)")
		transpose(s)
	}
	Generate()
}

// both emits a function for AVX2 and for AVX-512, which looks at the level in use.
func both(name, signature string, body func(set)) {
	const level512 = 2
	TEXT(name+"Asm", attr.NOSPLIT, signature)
	CMPQ(Mem{Symbol: Symbol{Name: "·active"}, Base: reg.StaticBase}, I8(level512))
	JEQ(LabelRef(avx512.name))
	body(avx2)
	VZEROUPPER()
	RET()
	Label(avx512.name)
	body(avx512)
	VZEROUPPER()
	RET()
}
