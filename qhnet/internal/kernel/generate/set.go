package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A set is an instruction set as the generators see it: vectors of some lanes
// and a way to leave lanes out of a load or a store.
type set struct {
	name      string
	lanes     int        // doubles in a vector
	registers []Register // its vector registers
	rows      int        // rows of a full tile, two vectors wide
	maskRows  int        // rows of a tile two vectors wide with lanes left out
	opmask    bool       // lanes are left out by mask registers, not by vectors
}

var (
	zmm = []Register{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}
	ymm = []Register{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

	xmm = []Register{X0, X1, X2, X3, X4, X5, X6, X7}

	avx512 = set{name: "AVX512", lanes: 8, registers: zmm, rows: 12, maskRows: 12, opmask: true}
	avx2   = set{name: "AVX2", lanes: 4, registers: ymm, rows: 6, maskRows: 4}
	avx    = set{name: "AVX", lanes: 2, registers: xmm}
)

// A mask says which lanes of a vector take part: nil for all of them, a mask
// register with AVX-512, a vector of zeros and ones with AVX2.
type mask = Op

// load sets v to the lanes of m that take part and zeros.
func (s set) load(m Mem, k mask, v Register) {
	switch {
	case k == nil:
		VMOVUPD(m, v)
	case s.opmask:
		VMOVUPD_Z(m, k, v)
	default:
		VMASKMOVPD(m, k, v)
	}
}

// store writes the lanes of v that take part.
func (s set) store(v Register, k mask, m Mem) {
	switch {
	case k == nil:
		VMOVUPD(v, m)
	case s.opmask:
		VMOVUPD(v, k, m)
	default:
		VMASKMOVPD(v, k, m)
	}
}

// clear sets v to zeros.
func (s set) clear(v Register) {
	if s.opmask {
		VPXORQ(v, v, v)
	} else {
		VXORPD(v, v, v)
	}
}

// masks prepares masks that let the first cols lanes of n vectors take part.
// With AVX2 the last registers are used up for them.
func (s set) masks(n int, cols Register) []mask {
	ks := make([]mask, n)
	if s.opmask {
		bits, count := GP64(), cols
		MOVQ(I32(-1), bits)
		BZHIQ(count, bits, bits)
		for i := range ks {
			ks[i] = []Register{K1, K2}[i]
			KMOVW(bits.As32(), ks[i])
			SHRQ(U8(8), bits)
		}
		return ks
	}
	table, at := GP64(), GP64()
	LEAQ(laneTable(), table)
	MOVQ(U32(8), at)
	SUBQ(cols, at)
	for i := range ks {
		ks[i] = s.registers[len(s.registers)-1-i]
		VMOVUPD(Mem{Base: table, Index: at, Scale: 8, Disp: 32 * i}, ks[i])
	}
	return ks
}

var lanes Mem

// laneTable is eight words of ones and then eight of zeros.
func laneTable() Mem {
	if lanes.Symbol.Name == "" {
		lanes = GLOBL("lanes", attr.RODATA|attr.NOPTR)
		for i := range 16 {
			word := U64(0)
			if i < 8 {
				word = ^U64(0)
			}
			DATA(8*i, word)
		}
	}
	return lanes
}

// label makes a name of the part of a function for this instruction set.
func (s set) label(format string, args ...any) string {
	return s.name + fmt.Sprintf(format, args...)
}

// keep clears the lanes of v that take no part.
func (s set) keep(v Register, k mask) {
	switch {
	case k == nil:
	case s.opmask:
		VMOVAPD_Z(v, k, v)
	default:
		VANDPD(k, v, v)
	}
}
