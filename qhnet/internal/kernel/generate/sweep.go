package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sweep emits a loop over n ≥ 0 values, some vectors at a time, and what is left
// behind masks. at is the position of vector v in an array.
func (s set) sweep(n Register, vectors int, each func(at func(array Register) Mem, v int, k mask)) {
	i, end := GP64(), GP64()
	all := func(ks []mask) {
		for v, k := range ks {
			each(func(array Register) Mem {
				return Mem{Base: array, Index: i, Scale: 8, Disp: 8 * s.lanes * v}
			}, v, k)
		}
	}
	XORQ(i, i)
	MOVQ(n, end)
	ANDQ(I8(-s.lanes*vectors), end)
	JZ(LabelRef("tail"))
	Label("loop")
	all(make([]mask, vectors))
	ADDQ(U8(s.lanes*vectors), i)
	CMPQ(i, end)
	JLT(LabelRef("loop"))

	Label("tail")
	SUBQ(i, n)
	JZ(LabelRef("done"))
	all(s.masks(vectors, n))
	Label("done")
}

// rectifyAll emits dst = max(0, x). The second source of the instruction,
// here written first, is what it returns if one of them is not a number.
func rectifyAll(s set) {
	TEXT("rectify"+s.name, attr.NOSPLIT, "func(dst, x *float64, n int)")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	zero, v := s.registers[0], s.registers[1]
	s.clear(zero)
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(x), k, v)
		VMAXPD(v, zero, v)
		s.store(v, k, at(dst))
	})
	VZEROUPPER()
	RET()
}

// gateAll emits dst = x where gate > 0, and 0 elsewhere.
func gateAll(s set) {
	TEXT("gate"+s.name, attr.NOSPLIT, "func(dst, x, gate *float64, n int)")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	gate, n := Load(Param("gate"), GP64()), Load(Param("n"), GP64())
	zero, v, g := s.registers[0], s.registers[1], s.registers[2]
	s.clear(zero)
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(gate), k, g)
		s.load(at(x), k, v)
		s.keepPositive(g, zero, v)
		s.store(v, k, at(dst))
	})
	VZEROUPPER()
	RET()
}

// keepPositive clears v where g is not above zero. It uses up g.
func (s set) keepPositive(g, zero, v Register) {
	const less = 17 // ordered, quiet
	if s.opmask {
		VCMPPD(U8(less), g, zero, K3)
		VMOVAPD_Z(v, K3, v)
	} else {
		VCMPPD(U8(less), g, zero, g)
		VANDPD(g, v, v)
	}
}

// addScaled emits dst += c x.
func addScaled(s set) {
	TEXT("addScaled"+s.name, attr.NOSPLIT, "func(dst, x *float64, n int, c float64)")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	factor, v, sum := s.registers[0], s.registers[1], s.registers[2]
	VBROADCASTSD(NewParamAddr("c", 24), factor)
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(x), k, v)
		s.load(at(dst), k, sum)
		VFMADD231PD(v, factor, sum)
		s.store(sum, k, at(dst))
	})
	VZEROUPPER()
	RET()
}

// addRow emits a loop over the rows of x, each cols values long, that adds a
// vector to all of them. The stride is in bytes.
func addRow(s set) {
	rowwise(s, "addRow", func(vector Mem, down, stride, rows Register, k mask, name string) {
		v, row := s.registers[0], s.registers[1]
		s.load(vector, k, v)
		Label(name)
		s.load(Mem{Base: down}, k, row)
		VADDPD(v, row, row)
		s.store(row, k, Mem{Base: down})
		ADDQ(stride, down)
		DECQ(rows)
		JNZ(LabelRef(name))
	})
}

// sumRows emits one that adds all of them to the vector, in four sums that do
// not wait for each other.
func sumRows(s set) {
	rowwise(s, "sumRows", func(vector Mem, down, stride, rows Register, k mask, name string) {
		sum, row := s.registers[:4], s.registers[4:8]
		s.load(vector, k, sum[0])
		for _, v := range sum[1:] {
			s.clear(v)
		}
		add := func(i int) {
			s.load(Mem{Base: down}, k, row[i])
			VADDPD(row[i], sum[i], sum[i])
			ADDQ(stride, down)
		}
		SUBQ(U8(4), rows)
		JLT(LabelRef(name + "rest"))
		Label(name)
		for i := range sum {
			add(i)
		}
		SUBQ(U8(4), rows)
		JGE(LabelRef(name))
		Label(name + "rest")
		ADDQ(U8(4), rows)
		JZ(LabelRef(name + "end"))
		Label(name + "one")
		add(0)
		DECQ(rows)
		JNZ(LabelRef(name + "one"))
		Label(name + "end")
		VADDPD(sum[1], sum[0], sum[0])
		VADDPD(sum[3], sum[2], sum[2])
		VADDPD(sum[2], sum[0], sum[0])
		s.store(sum[0], k, vector)
	})
}

// rowwise emits a loop over columns, a vector of them at a time. down is its place in
// the first row, and free to move.
func rowwise(s set, name string, columns func(vector Mem, down, stride, rows Register, k mask, name string)) {
	TEXT(name+s.name, attr.NOSPLIT, "func(v, x *float64, stride, rows, cols int)")
	vector, x := Load(Param("v"), GP64()), Load(Param("x"), GP64())
	stride, rows, cols := Load(Param("stride"), GP64()), Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
	turn := 0
	s.sweep(cols, 1, func(at func(Register) Mem, _ int, k mask) {
		down, left := GP64(), GP64()
		LEAQ(at(x), down)
		MOVQ(rows, left)
		turn++
		columns(at(vector), down, stride, left, k, label("down%d", turn))
	})
	VZEROUPPER()
	RET()
}

// sum emits the sum of n values in eight parts, of every eighth value, so that
// it is the same bits with vectors of four and of eight.
func sum(s set) {
	TEXT("sum"+s.name, attr.NOSPLIT, "func(x *float64, n int) float64")
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	totals, v := s.registers[:8/s.lanes], s.registers[2]
	for _, total := range totals {
		s.clear(total)
	}
	s.sweep(n, len(totals), func(at func(Register) Mem, i int, k mask) {
		s.load(at(x), k, v)
		VADDPD(v, totals[i], totals[i])
	})
	s.collapse(totals, 0)
	Store(X0, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// collapse adds the eight parts of a sum into the lowest lane of register i, which
// is totals[0]. It uses up register i+1.
func (s set) collapse(totals []Register, i int) {
	if s.opmask {
		VEXTRACTF64X4(U8(1), totals[0], ymm[i+1])
		VADDPD(ymm[i+1], ymm[i], ymm[i])
	} else {
		VADDPD(totals[1], totals[0], ymm[i])
	}
	VEXTRACTF128(U8(1), ymm[i], xmm[i+1])
	VADDPD(xmm[i+1], xmm[i], xmm[i])
	VPERMILPD(U8(1), xmm[i], xmm[i+1])
	VADDSD(xmm[i+1], xmm[i], xmm[i])
}

// extreme emits the largest or the smallest of n values, n at least the lanes of a
// vector. If one of them is not a number, ok is false.
func largest(s set)  { extreme(s, "largest", func(v, w, dst Op) { VMAXPD(v, w, dst) }) }
func smallest(s set) { extreme(s, "smallest", func(v, w, dst Op) { VMINPD(v, w, dst) }) }

func extreme(s set, name string, pick func(v, w, dst Op)) {
	TEXT(name+s.name, attr.NOSPLIT, "func(x *float64, n int) (value float64, ok bool)")
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	best, v, nan := s.registers[0], s.registers[1], s.registers[2]
	i := GP64()
	at := Mem{Base: x, Index: i, Scale: 8}
	see := func() {
		VMOVUPD(at, v)
		pick(v, best, best)
		VADDPD(v, nan, nan)
	}
	XORQ(i, i)
	VMOVUPD(Mem{Base: x}, best)
	s.clear(nan)
	SUBQ(U8(s.lanes), n)
	JMP(LabelRef("test"))
	Label("loop")
	see()
	ADDQ(U8(s.lanes), i)
	Label("test")
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	MOVQ(n, i)
	see()

	const unordered = 3
	VADDPD(best, nan, nan)
	bits := GP32()
	if s.opmask {
		VCMPPD(U8(unordered), nan, nan, K3)
		KMOVW(K3, bits)
		VEXTRACTF64X4(U8(1), best, Y1)
		pick(Y1, Y0, Y0)
	} else {
		VCMPPD(U8(unordered), nan, nan, nan)
		VMOVMSKPD(nan, bits)
	}
	VEXTRACTF128(U8(1), Y0, X1)
	pick(X1, X0, X0)
	VPERMILPD(U8(1), X0, X1)
	pick(X1, X0, X0)
	ok := GP8()
	TESTL(bits, bits)
	SETEQ(ok)
	Store(ok, Return("ok"))
	Store(X0, Return("value"))
	VZEROUPPER()
	RET()
}
