package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// gather emits
//
//	func gatherX(dst, src *float64, dstStride, srcStride, cols, rows int)
//
// which copies rows of cols values, at most two vectors of them. It writes two
// whole vectors for each row, in order, so that with a short dstStride the
// next row overwrites what is too much. Strides are in bytes.
func gather(s set) {
	TEXT("gather"+s.name, attr.NOSPLIT, "func(dst, src *float64, dstStride, srcStride, cols, rows int)")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	down, next := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64())
	cols, rows := Load(Param("cols"), GP64()), Load(Param("rows"), GP64())
	ks := s.masks(2, cols)
	loop := func(name string, ks []mask) {
		Label(name)
		for v, k := range ks {
			s.load(Mem{Base: src, Disp: 8 * s.lanes * v}, k, s.registers[v])
		}
		for v := range ks {
			VMOVUPD(s.registers[v], Mem{Base: dst, Disp: 8 * s.lanes * v})
		}
		ADDQ(next, src)
		ADDQ(down, dst)
		DECQ(rows)
		JNZ(LabelRef(name))
		VZEROUPPER()
		RET()
	}
	CMPQ(cols, U8(2*s.lanes))
	JEQ(LabelRef("whole"))
	loop("part", ks)
	loop("whole", make([]mask, 2))
}
