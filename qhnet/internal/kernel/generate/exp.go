package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// degree of the Taylor polynomial of e^r, |r| ≤ ½ log 2. What it leaves out is
// below 0.35^14/14! = 5e-18, a fortieth of the spacing of float64 at 1.
const degree = 13

// Where each constant stands in the table, in units of a vector of AVX-512.
const (
	log2e   = iota // 1/log 2
	ln2Hi          // log 2
	ln2Lo          // the rest of log 2
	lowest         // e^x is 0 from here down
	highest        // e^x is infinite from here up
	inverse        // 1/0!, 1/1!, …
)

var constants Mem

// constant returns the place of a number repeated as often as a vector needs.
func constant(i int) Mem {
	if constants.Symbol.Name == "" {
		constants = GLOBL("expConstants", attr.RODATA|attr.NOPTR)
		// The rest of log 2 = 0.69314718055994530941723212145817656807… is what
		// its float64 leaves out.
		values := []float64{math.Log2E, math.Ln2, 2.3190468138462996e-17, -746, 710}
		f := 1.0
		for n := range degree + 1 {
			f *= float64(max(1, n))
			values = append(values, 1/f)
		}
		for i, v := range values {
			for lane := range 8 {
				DATA(64*i+8*lane, U64(math.Float64bits(v))) // F64(2) would become an integer
			}
		}
	}
	return constants.Offset(64 * i)
}

// exp emits
//
//	func expX(dst, x *float64, n int, scale, shift float64) (sum float64)
//
// which sets dst to e^{scale·x + shift}. With n the nearest integer to y/log 2
// and r = y - n log 2, e^y = 2^n e^r. The sum has eight parts, of every eighth
// value, so that it is the same bits with vectors of four and of eight.
func exp(s set) {
	TEXT("exp"+s.name, attr.NOSPLIT, "func(dst, x *float64, n int, scale, shift float64) (sum float64)")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	r := s.registers
	scale, shift, totals := r[0], r[1], []Register{r[2], r[9]}[:8/s.lanes]
	y, whole, p, small, low, square := r[3], r[4], r[5], r[6], r[7], r[8]
	VBROADCASTSD(NewParamAddr("scale", 24), scale)
	VBROADCASTSD(NewParamAddr("shift", 32), shift)
	for _, total := range totals {
		s.clear(total)
	}
	s.sweep(n, len(totals), func(at func(Register) Mem, v int, k mask) {
		s.load(at(x), k, y)
		VFMADD213PD(shift, scale, y)
		// The second source, written first or loaded, is returned if it is not a number.
		VMOVUPD(constant(lowest), p)
		VMAXPD(y, p, y)
		VMOVUPD(constant(highest), p)
		VMINPD(y, p, y)

		VMULPD(constant(log2e), y, whole)
		if s.opmask {
			VRNDSCALEPD(U8(8), whole, whole) // to nearest, exceptions masked
		} else {
			VROUNDPD(U8(8), whole, whole)
		}
		VFNMADD231PD(constant(ln2Hi), whole, y) // exact: a multiple of 2^-53 below ½
		VMULPD(constant(ln2Lo), whole, low)
		VSUBPD(low, y, small) // r

		VMOVUPD(constant(inverse+degree), p)
		for d := degree - 1; d >= 2; d-- {
			VFMADD213PD(constant(inverse+d), small, p)
		}
		// 1 + (y + (r² p - low)): each sum rounds less than the next, and the
		// rounding of r does not count.
		VMULPD(small, small, square)
		VFMSUB213PD(low, square, p)
		VADDPD(y, p, p)
		VADDPD(constant(inverse), p, p)
		s.timesPower(p, whole, small, low)
		s.store(p, k, at(dst))
		s.keep(p, k)
		VADDPD(p, totals[v], totals[v])
	})
	s.collapse(totals, 2)
	Store(X2, Return("sum"))
	VZEROUPPER()
	RET()
}

// timesPower multiplies p by 2^n, n whole, such that results below the normal
// range are rounded once. Without an instruction for it, by 2^{⌊n/2⌋} and then
// by the rest.
func (s set) timesPower(p, n, t, u Register) {
	if s.opmask {
		VSCALEFPD(n, p, p)
		return
	}
	tx, ux := t.(VecPhysical).AsX(), u.(VecPhysical).AsX()
	VCVTPD2DQY(n, tx)
	VPSRAD(U8(1), tx, ux)
	VPSUBD(ux, tx, tx)
	for _, x := range []struct{ narrow, wide Register }{{tx, t}, {ux, u}} {
		VPMOVSXDQ(x.narrow, x.wide)
		VPADDQ(exponentBias(), x.wide, x.wide)
		VPSLLQ(U8(52), x.wide, x.wide)
	}
	VMULPD(u, p, p)
	VMULPD(t, p, p)
}

var biases Mem

// exponentBias is what float64 adds to an exponent, as integers.
func exponentBias() Mem {
	if biases.Symbol.Name == "" {
		biases = GLOBL("exponentBias", attr.RODATA|attr.NOPTR)
		for i := range 4 {
			DATA(8*i, U64(1023))
		}
	}
	return biases
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
