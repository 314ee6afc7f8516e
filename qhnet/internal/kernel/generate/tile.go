package main

import (
	"fmt"
	"strconv"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Offsets in kernel.tile, whose fields are all eight bytes long.
const (
	tileA = 8 * iota
	tileARow
	tileAStep
	tileB
	tileBStep
	tileDepth
	tileC
	tileCRow
	tileRows
	tileCols
	tileAlpha
	tileBeta
	tileDo
	tileBias
	tileGate
	tileGateRow
	tileRowBias
	tileRowBiasStep
	tileCount
	tileANext
)

// Bits of tile.do, the same as the constants of type step in package kernel.
const (
	doScale = 1 << iota
	doAccumulate
	doBias
	doRowBias
	doRectify
	doGate
	doCheck
)

// tile emits one body for each number of rows and three widths: two full vectors,
// two with lanes left out, one with lanes left out.
func tile(s set) {
	t := Load(Param("t"), GP64())
	rows, cols := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: tileRows}, rows)
	MOVQ(Mem{Base: t, Disp: tileCols}, cols)
	CMPQ(cols, U8(s.lanes))
	JLE(LabelRef(s.label("narrow")))
	CMPQ(cols, U8(2*s.lanes))
	JLT(LabelRef(s.label("masked")))

	group := func(name string, vectors, most int, ks []mask) {
		for r := most; r > 1; r-- {
			CMPQ(rows, U8(r))
			JEQ(LabelRef(name + strconv.Itoa(r)))
		}
		for r := 1; r <= most; r++ {
			Label(name + strconv.Itoa(r))
			b := body{set: s, rows: r, vectors: vectors, masks: ks, t: t, leave: s.label("done"), fail: s.label("refuse")}
			b.emit(name + strconv.Itoa(r))
		}
	}
	group(s.label("full"), 2, s.rows, make([]mask, 2))
	Label(s.label("masked"))
	group(s.label("masked"), 2, s.maskRows, s.masks(2, cols))
	Label(s.label("narrow"))
	group(s.label("narrow"), 1, s.rows, s.masks(1, cols))

	ok := GP8()
	Label(s.label("refuse"))
	MOVB(U8(0), ok)
	JMP(LabelRef(s.label("end")))
	Label(s.label("done"))
	MOVB(U8(1), ok)
	Label(s.label("end"))
	Store(ok, Return("ok"))
}

// A body is the code for tiles of one number of rows and vectors. The product
// lives in rows×vectors registers from the first step to the last.
type body struct {
	set
	rows, vectors int
	masks         []mask

	t           Register   // *tile
	sum         []Register // row by row
	right       []Register // the vectors of B's row
	spare       []Register
	leave, fail string
}

func (b *body) emit(name string) {
	r := b.registers
	b.right, r = r[:b.vectors], r[b.vectors:]
	if !b.opmask && b.masks[0] != nil {
		r = r[:len(r)-b.vectors]
	}
	n := len(r) - b.rows*b.vectors
	b.spare, b.sum = r[:min(n, 6)], r[n:]

	Comment(fmt.Sprintf("%d rows, %d vectors.", b.rows, b.vectors))
	b.prefetch(name)
	b.multiply(name)
	do := GP64()
	MOVQ(Mem{Base: b.t, Disp: tileDo}, do)
	for _, step := range []struct {
		bit  int
		name string
		emit func()
	}{
		{doCheck, "check", b.check},
		{doScale, "scale", b.scale},
		{doAccumulate, "accumulate", b.accumulate},
		{doBias, "bias", b.bias},
		{doRowBias, "rowbias", b.rowBias},
		{doRectify, "rectify", b.rectify},
		{doGate, "gate", b.gate},
	} {
		skip := name + "_" + step.name
		TESTQ(U32(step.bit), do)
		JZ(LabelRef(skip))
		step.emit()
		Label(skip)
	}
	b.eachRow(tileC, tileCRow, func(i int, row Mem) {
		for v, sum := range b.row(i) {
			b.store(sum, b.masks[v], row.Offset(8*b.lanes*v))
		}
	})
	b.advance(name)
}

// advance moves to the tile below and starts over, or leaves.
func (b *body) advance(name string) {
	DECQ(Mem{Base: b.t, Disp: tileCount})
	JZ(LabelRef(b.leave))
	next := GP64()
	MOVQ(Mem{Base: b.t, Disp: tileANext}, next)
	ADDQ(next, Mem{Base: b.t, Disp: tileA})
	for _, move := range []struct{ pointer, row int }{
		{tileC, tileCRow}, {tileGate, tileGateRow}, {tileRowBias, tileRowBiasStep},
	} {
		by := GP64()
		IMUL3Q(U8(b.rows), Mem{Base: b.t, Disp: move.row}, by)
		ADDQ(by, Mem{Base: b.t, Disp: move.pointer})
	}
	JMP(LabelRef(name))
}

// prefetch fetches C when the product takes longer than that, into the second cache:
// in the first, its rows may share a few sets with what the tile uses. A tile's row is
// two cache lines with AVX-512, if it starts with one.
func (b *body) prefetch(name string) {
	const long = 64
	depth, skip := GP64(), name+"_prefetch"
	MOVQ(Mem{Base: b.t, Disp: tileDepth}, depth)
	CMPQ(depth, U8(long))
	JLT(LabelRef(skip))
	each := func(_ int, row Mem) { fetch(PREFETCHT1, row, 8*b.lanes*b.vectors) }
	b.eachRow(tileC, tileCRow, each)
	TESTQ(U32(doGate), Mem{Base: b.t, Disp: tileDo})
	JZ(LabelRef(skip))
	b.eachRow(tileGate, tileGateRow, each)
	Label(skip)
}

func (b *body) row(i int) []Register { return b.sum[i*b.vectors : (i+1)*b.vectors] }

// multiply sets sum to Σ_p a[·,p] b[p,·].
func (b *body) multiply(name string) {
	w := b.walk()
	for _, v := range b.sum {
		b.clear(v)
	}
	if b.masks[0] == nil {
		b.unrolled(name, w)
	}
	Label(name + "_one")
	b.step(w)
	DECQ(w.depth)
	JNZ(LabelRef(name + "_one"))
	Label(name + "_sums")
}

// unrolled takes the steps of multiply four at a time, which makes the end of the loop
// predictable. Products of many tiles of full width outgrow the first cache, so what
// is used later is fetched: the row of B sixteen steps ahead, as it may come from the
// third cache, and the column of A eight steps ahead.
func (b *body) unrolled(name string, w walk) {
	const steps = 4
	SUBQ(U8(steps), w.depth)
	JLT(LabelRef(name + "_rest"))
	ahead := GP64()
	LEAQ(Mem{Base: w.right, Index: w.down, Scale: 8}, ahead)
	Label(name + "_loop")
	for range steps {
		fetch(PREFETCHT0, Mem{Base: ahead, Index: w.down, Scale: 8}, 8*b.lanes*b.vectors)
		fetch(PREFETCHT0, Mem{Base: w.rows[0], Index: w.step, Scale: 8}, 8*b.rows)
		b.step(w)
		ADDQ(w.down, ahead)
	}
	SUBQ(U8(steps), w.depth)
	JGE(LabelRef(name + "_loop"))
	Label(name + "_rest")
	ADDQ(U8(steps), w.depth)
	JZ(LabelRef(name + "_sums"))
}

// A walk holds where multiply is in A and B.
type walk struct {
	rows         []Register // pointers to rows 0, 3, 6, 9 of A
	stride, step Register   // from row to row and from column to column of A
	right, down  Register   // the row of B, and from one to the next
	depth        Register   // steps to come
}

func (b *body) walk() walk {
	w := walk{stride: GP64(), step: GP64(), right: GP64(), down: GP64(), depth: GP64()}
	three, row := GP64(), GP64()
	MOVQ(Mem{Base: b.t, Disp: tileARow}, w.stride)
	MOVQ(Mem{Base: b.t, Disp: tileA}, row)
	if b.rows > 3 {
		LEAQ(Mem{Base: w.stride, Index: w.stride, Scale: 2}, three)
	}
	w.rows = append(w.rows, row)
	for i := 3; i < b.rows; i += 3 {
		next := GP64()
		LEAQ(Mem{Base: row, Index: three, Scale: 1}, next)
		w.rows, row = append(w.rows, next), next
	}
	MOVQ(Mem{Base: b.t, Disp: tileB}, w.right)
	MOVQ(Mem{Base: b.t, Disp: tileDepth}, w.depth)
	MOVQ(Mem{Base: b.t, Disp: tileBStep}, w.down)
	MOVQ(Mem{Base: b.t, Disp: tileAStep}, w.step)
	return w
}

// step adds the products of one step to sum.
func (b *body) step(w walk) {
	for v := range b.right {
		b.load(Mem{Base: w.right, Disp: 8 * b.lanes * v}, b.masks[v], b.right[v])
	}
	for i := range b.rows {
		left := b.spare[i%len(b.spare)]
		at := Mem{Base: w.rows[i/3]}
		if i%3 > 0 {
			at.Index, at.Scale = w.stride, uint8(i%3)
		}
		VBROADCASTSD(at, left)
		for v, sum := range b.row(i) {
			VFMADD231PD(b.right[v], left, sum)
		}
	}
	ADDQ(w.down, w.right)
	for _, row := range w.rows {
		ADDQ(w.step, row)
	}
}

// fetch fetches the cache lines of the bytes from m on.
func fetch(prefetch func(Op), m Mem, bytes int) {
	for line := 0; line < bytes; line += 64 {
		prefetch(m.Offset(line))
	}
}

// eachRow calls emit for the rows of the matrix whose pointer and row length
// stand in the tile.
func (b *body) eachRow(pointer, length int, emit func(i int, row Mem)) {
	at, next := GP64(), GP64()
	MOVQ(Mem{Base: b.t, Disp: pointer}, at)
	MOVQ(Mem{Base: b.t, Disp: length}, next)
	for i := range b.rows {
		emit(i, Mem{Base: at})
		if i < b.rows-1 {
			ADDQ(next, at)
		}
	}
}

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
