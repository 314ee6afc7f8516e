package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gather copies rows of panels·cols values, each row to the panels in turn, cols to each, at most two
// vectors of them. It writes two whole vectors for each, so that with a short dstStride the next row
// overwrites what is too much. Strides are in bytes.
func gather(s set) {
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	down, next := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64())
	cols, rows := Load(Param("cols"), GP64()), Load(Param("rows"), GP64())
	across := Load(Param("across"), GP64())
	ks := s.masks(2, cols)
	loop := func(name string, ks []mask) {
		to, from, panels := GP64(), GP64(), GP64()
		Label(name)
		MOVQ(dst, to)
		MOVQ(src, from)
		Load(Param("panels"), panels)
		Label(name + "_panel")
		PREFETCHT0(Mem{Base: from, Index: next, Scale: 4})
		for v, k := range ks {
			s.load(Mem{Base: from, Disp: 8 * s.lanes * v}, k, s.registers[v])
		}
		for v := range ks {
			VMOVUPD(s.registers[v], Mem{Base: to, Disp: 8 * s.lanes * v})
		}
		LEAQ(Mem{Base: from, Index: cols, Scale: 8}, from)
		ADDQ(across, to)
		DECQ(panels)
		JNZ(LabelRef(name + "_panel"))
		ADDQ(next, src)
		ADDQ(down, dst)
		DECQ(rows)
		JNZ(LabelRef(name))
	}
	CMPQ(cols, U8(2*s.lanes))
	JEQ(LabelRef(s.label("whole")))
	loop(s.label("part"), ks)
	JMP(LabelRef(s.label("end")))
	loop(s.label("whole"), make([]mask, 2))
	Label(s.label("end"))
}

// transpose reads as many rows as a vector has lanes, and blocks times as many
// columns, and writes the transposed matrix. Strides are in bytes.
func transpose(s set) {
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	down, across := Load(Param("dstStride"), GP64()), Load(Param("srcStride"), GP64())
	blocks := Load(Param("blocks"), GP64())
	three := GP64()
	LEAQ(Mem{Base: across, Index: across, Scale: 2}, three)

	Label("block")
	rows := s.registers[:s.lanes]
	at := src
	for i, v := range rows {
		m := Mem{Base: at}
		if i%3 > 0 {
			m.Index, m.Scale = across, uint8(i%3)
		}
		VMOVUPD(m, v)
		if i%3 == 2 && i < s.lanes-1 {
			next := GP64()
			LEAQ(Mem{Base: at, Index: three, Scale: 1}, next)
			at = next
		}
	}
	columns := s.transposed(rows, s.registers[s.lanes:])
	for _, v := range columns {
		VMOVUPD(v, Mem{Base: dst})
		ADDQ(down, dst)
	}
	ADDQ(I32(8*s.lanes), src)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// transposed emits a transposition in registers and returns where the columns
// ended up. Pairs of rows are interleaved first; then pairs are moved.
func (s set) transposed(rows, spare []Register) []Register {
	n := len(rows)
	pairs := spare[:n]
	for i := 0; i < n; i += 2 {
		VUNPCKLPD(rows[i+1], rows[i], pairs[i])
		VUNPCKHPD(rows[i+1], rows[i], pairs[i+1])
	}
	if n == 2 {
		return pairs
	}
	columns := make([]Register, n)
	for odd := range 2 {
		p := func(i int) Register { return pairs[2*i+odd] }
		if n == 4 {
			columns[odd], columns[2+odd] = rows[odd], rows[2+odd]
			VPERM2F128(U8(0x20), p(1), p(0), columns[odd])
			VPERM2F128(U8(0x31), p(1), p(0), columns[2+odd])
			continue
		}
		const even, odds = 0x88, 0xdd // quarters 0, 2 and 1, 3 of both sources
		q := rows[4*odd : 4*odd+4]
		VSHUFF64X2(U8(even), p(1), p(0), q[0])
		VSHUFF64X2(U8(odds), p(1), p(0), q[1])
		VSHUFF64X2(U8(even), p(3), p(2), q[2])
		VSHUFF64X2(U8(odds), p(3), p(2), q[3])
		for i, c := range []struct{ from, pick int }{{0, even}, {1, even}, {0, odds}, {1, odds}} {
			columns[2*i+odd] = p(i)
			VSHUFF64X2(U8(c.pick), q[c.from+2], q[c.from], columns[2*i+odd])
		}
	}
	return columns
}
