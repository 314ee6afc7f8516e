package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// check leaves the function without storing if a sum is not a number.
func (b *body) check() {
	total := b.right[0]
	if len(b.sum) == 1 {
		total = b.sum[0]
	} else {
		VADDPD(b.sum[0], b.sum[1], total)
	}
	other := b.spare[0]
	if len(b.sum) > 3 {
		VADDPD(b.sum[2], b.sum[3], other)
	}
	for i := 4; i < len(b.sum); i++ {
		into := []Register{total, other}[i%2]
		VADDPD(b.sum[i], into, into)
	}
	if len(b.sum) == 3 {
		VADDPD(b.sum[2], total, total)
	}
	if len(b.sum) > 3 {
		VADDPD(other, total, total)
	}
	const unordered = 3
	if b.opmask {
		VCMPPD(U8(unordered), total, total, K3)
		KORTESTW(K3, K3)
	} else {
		bits := GP32()
		VCMPPD(U8(unordered), total, total, b.right[0])
		VMOVMSKPD(b.right[0], bits)
		TESTL(bits, bits)
	}
	JNZ(LabelRef(b.fail))
}

func (b *body) scale() {
	alpha := b.spare[0]
	VBROADCASTSD(Mem{Base: b.t, Disp: tileAlpha}, alpha)
	for _, sum := range b.sum {
		VMULPD(alpha, sum, sum)
	}
}

func (b *body) accumulate() {
	beta := b.right[0]
	VBROADCASTSD(Mem{Base: b.t, Disp: tileBeta}, beta)
	b.eachRow(tileC, tileCRow, func(i int, row Mem) {
		for v, sum := range b.row(i) {
			old := b.spare[v]
			b.load(row.Offset(8*b.lanes*v), b.masks[v], old)
			VFMADD231PD(old, beta, sum)
		}
	})
}

func (b *body) bias() {
	at := GP64()
	MOVQ(Mem{Base: b.t, Disp: tileBias}, at)
	for v := range b.right {
		b.load(Mem{Base: at, Disp: 8 * b.lanes * v}, b.masks[v], b.right[v])
	}
	for i := range b.rows {
		for v, sum := range b.row(i) {
			VADDPD(b.right[v], sum, sum)
		}
	}
}

func (b *body) rowBias() {
	at := GP64()
	MOVQ(Mem{Base: b.t, Disp: tileRowBias}, at)
	for i := range b.rows {
		bias := b.spare[i%len(b.spare)]
		VBROADCASTSD(Mem{Base: at, Disp: 8 * i}, bias)
		for _, sum := range b.row(i) {
			VADDPD(bias, sum, sum)
		}
	}
}

// rectify is max(0, ·). The second source, here written first, is returned
// when one of them is not a number.
func (b *body) rectify() {
	zero := b.right[0]
	b.clear(zero)
	for _, sum := range b.sum {
		VMAXPD(sum, zero, sum)
	}
}

// gate keeps a lane where the gate is above zero and clears it elsewhere.
func (b *body) gate() {
	zero := b.right[0]
	b.clear(zero)
	b.eachRow(tileGate, tileGateRow, func(i int, row Mem) {
		for v, sum := range b.row(i) {
			gate := b.spare[v]
			b.load(row.Offset(8*b.lanes*v), b.masks[v], gate)
			b.keepPositive(gate, zero, sum)
		}
	})
}
