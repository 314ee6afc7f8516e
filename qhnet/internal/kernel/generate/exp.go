package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	// degree of the Taylor polynomial of e^r, |r| ≤ ½ log 2. What it leaves out is
	// below 0.35^14/14! = 5e-18, a fortieth of the spacing of float64 at 1.
	degree = 13

	// terms of artanh s = Σ s^(2k+1)/(2k+1), |s| ≤ ⅓. What they leave out is
	// below 3^-34/35 = 2e-18 of the first.
	terms = 17
)

// Where each constant stands in the table, in units of a vector of AVX-512.
const (
	log2e   = iota // 1/log 2
	ln2Hi          // log 2
	ln2Lo          // the rest of log 2
	lowest         // e^x is 0 from here down
	highest        // e^x is infinite from here up
	two
	signBit
	inverse                        // 1/0!, 1/1!, …
	odd     = inverse + degree + 1 // 1/1, 1/3, …
)

var constants Mem

// constant returns the place of a number repeated as often as a vector needs.
func constant(i int) Mem {
	if constants.Symbol.Name == "" {
		constants = GLOBL("expConstants", attr.RODATA|attr.NOPTR)
		// The rest of log 2 = 0.69314718055994530941723212145817656807… is what
		// its float64 leaves out.
		values := []float64{math.Log2E, math.Ln2, 2.3190468138462996e-17, -746, 710, 2, math.Copysign(0, -1)}
		f := 1.0
		for n := range degree + 1 {
			f *= float64(max(1, n))
			values = append(values, 1/f)
		}
		for k := range terms {
			values = append(values, 1/float64(2*k+1))
		}
		for i, v := range values {
			for lane := range 8 {
				DATA(64*i+8*lane, U64(math.Float64bits(v))) // F64(2) would become an integer
			}
		}
	}
	return constants.Offset(64 * i)
}

func exponentials() {
	both("exp", "func(dst, x *float64, n int, scale, shift float64) (sum float64)", exp)
	both("tanh", "func(value, slope, curvature, x *float64, n int)", func(s set) { s.curve(s.tanh) })
	both("softplus", "func(value, slope, curvature, x *float64, n int)", func(s set) { s.curve(s.softplus) })
}

// exponential holds the registers of an e^y in progress.
type exponential struct {
	y, whole, p, small, low, square, odd Register
}

func (s set) exponential(r []Register) exponential {
	return exponential{r[0], r[1], r[2], r[3], r[4], r[5], r[6]}
}

// start splits y = n log 2 + r, with n the nearest integer, in whole, and sets p to
// e^r - 1. Then e^y = 2^n (1 + p).
func (e exponential) start(s set) {
	// The second source, written first or loaded, is returned if it is not a number.
	VMOVUPD(constant(lowest), e.p)
	VMAXPD(e.y, e.p, e.y)
	VMULPD(constant(log2e), e.y, e.whole)
	if s.opmask {
		VRNDSCALEPD(U8(8), e.whole, e.whole) // to nearest, exceptions masked
	} else {
		VROUNDPD(U8(8), e.whole, e.whole)
	}
	VFNMADD231PD(constant(ln2Hi), e.whole, e.y) // exact: a multiple of 2^-53 below ½
	VMULPD(constant(ln2Lo), e.whole, e.low)
	VSUBPD(e.low, e.y, e.small) // r

	// y + (r² p - low): each sum rounds less than the next, and the rounding of r
	// does not count.
	VMULPD(e.small, e.small, e.square)
	s.series(inverse+2, inverse+degree, e.small, e.square, e.p, e.odd)
	VFMSUB213PD(e.low, e.square, e.p)
	VADDPD(e.y, e.p, e.p)
}

// series sets dst to the polynomial in x with the constants from, …, to, in two halves
// that do not wait for each other, of even and of odd powers. It uses up scratch.
func (s set) series(from, to int, x, square, dst, scratch Register) {
	for _, half := range []struct {
		top int
		sum Register
	}{{to, dst}, {to - 1, scratch}} {
		VMOVUPD(constant(half.top), half.sum)
	}
	for i := to - 2; i >= from; i-- {
		VFMADD213PD(constant(i), square, []Register{dst, scratch}[(to-i)%2])
	}
	if (to-from)%2 == 0 { // dst has the even powers
		VFMADD231PD(x, scratch, dst)
	} else {
		VFMADD213PD(scratch, x, dst)
	}
}

// exp emits dst = e^{scale·x + shift}. The sum has eight parts, of every eighth
// value, so that it is the same bits with vectors of four and of eight.
func exp(s set) {
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	r := s.registers
	scale, shift, totals, e := r[0], r[1], []Register{r[2], r[10]}[:8/s.lanes], s.exponential(r[3:])
	VBROADCASTSD(NewParamAddr("scale", 24), scale)
	VBROADCASTSD(NewParamAddr("shift", 32), shift)
	for _, total := range totals {
		s.clear(total)
	}
	s.sweep(n, len(totals), func(at func(Register) Mem, v int, k mask) {
		s.load(at(x), k, e.y)
		VFMADD213PD(shift, scale, e.y)
		VMOVUPD(constant(highest), e.p)
		VMINPD(e.y, e.p, e.y)
		e.start(s)
		s.finish(e, e.p)
		s.store(e.p, k, at(dst))
		s.keep(e.p, k)
		VADDPD(e.p, totals[v], totals[v])
	})
	s.collapse(totals, 2)
	Store(X2, Return("sum"))
}

// curve emits a function of each entry with two derivatives: of x in a register to
// the value, the slope and the curvature in three others.
func (s set) curve(of func(x, value, slope, curvature Register)) {
	value, slope := Load(Param("value"), GP64()), Load(Param("slope"), GP64())
	curvature, x, n := Load(Param("curvature"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	r := s.registers[:4]
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(x), k, r[0])
		of(r[0], r[1], r[2], r[3])
		s.store(r[1], k, at(value))
		s.store(r[2], k, at(slope))
		s.store(r[3], k, at(curvature))
	})
}

// tanh emits, with e = e^{-2|x|},
//
//	±(1 - e)/(1 + e),  4e/(1 + e)²,  -2 tanh x · slope.
func (s set) tanh(x, value, slope, curvature Register) {
	e := s.exponential(s.registers[4:])
	VORPD(constant(signBit), x, e.y)
	VADDPD(e.y, e.y, e.y)
	e.start(s)
	s.finish(e, slope)
	VSUBPD(constant(inverse), slope, value)
	s.clear(e.low)
	s.where(equal, e.low, e.whole, e.p, value, e.square) // e - 1 to its last digits

	VADDPD(constant(inverse), slope, e.y)
	VMOVUPD(constant(inverse), e.p)
	VDIVPD(e.y, e.p, e.p)
	VMULPD(e.p, value, value)
	VADDPD(e.p, e.p, e.p)
	VMULPD(e.p, slope, slope)
	VMULPD(e.p, slope, slope)
	VORPD(constant(signBit), value, value) // negative, so the sign is that of -x
	VXORPD(constant(signBit), x, e.y)
	VANDPD(constant(signBit), e.y, e.y)
	VXORPD(e.y, value, value)
	VMULPD(value, slope, curvature)
	VADDPD(curvature, curvature, curvature)
	VXORPD(constant(signBit), curvature, curvature)
}

// softplus emits, with e = e^{-|x|},
//
//	max(0, x) + log(1 + e),  1/(1 + e) or e/(1 + e),  e/(1 + e)²,
//
// and log(1 + e) = 2 artanh(e/(2 + e)).
func (s set) softplus(x, value, slope, curvature Register) {
	e := s.exponential(s.registers[4:])
	VORPD(constant(signBit), x, e.y)
	e.start(s)
	s.finish(e, e.y)

	VADDPD(constant(two), e.y, e.p)
	VDIVPD(e.p, e.y, e.small)
	VMULPD(e.small, e.small, e.square)
	VMULPD(e.square, e.square, e.low)
	s.series(odd, odd+terms-1, e.square, e.low, value, e.odd)
	VADDPD(e.small, e.small, e.small)
	VMULPD(e.small, value, value)
	s.clear(e.low)
	VMAXPD(x, e.low, e.p) // x if it is not a number
	VADDPD(e.p, value, value)

	VADDPD(constant(inverse), e.y, e.p)
	VMOVUPD(constant(inverse), e.whole)
	VDIVPD(e.p, e.whole, e.whole)
	VMULPD(e.whole, e.y, slope)
	VMULPD(e.whole, slope, curvature)
	s.where(less, x, e.low, e.whole, slope, e.square)
}

// finish sets dst to e^y, once started.
func (s set) finish(e exponential, dst Register) {
	VADDPD(constant(inverse), e.p, dst)
	s.timesPower(dst, e.whole, e.small, e.low)
}

// Comparisons: the second operand written against the first.
const (
	equal = 0
	less  = 17 // ordered, quiet
)

// where copies the lanes of from to dst in which b compares to a.
func (s set) where(compare U8, a, b Op, from, dst, scratch Register) {
	if s.opmask {
		VCMPPD(compare, a, b, K3)
		VMOVAPD(from, K3, dst)
	} else {
		VCMPPD(compare, a, b, scratch)
		VBLENDVPD(scratch, from, dst, dst)
	}
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
