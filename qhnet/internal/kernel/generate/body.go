package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

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

	Comment(label("%d rows, %d vectors.", b.rows, b.vectors))
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
	for _, move := range []struct{ pointer, row int }{
		{tileA, tileARow}, {tileC, tileCRow}, {tileGate, tileGateRow}, {tileRowBias, tileRowBiasStep},
	} {
		by := GP64()
		IMUL3Q(U8(b.rows), Mem{Base: b.t, Disp: move.row}, by)
		ADDQ(by, Mem{Base: b.t, Disp: move.pointer})
	}
	JMP(LabelRef(name))
}

// prefetch fetches C when the product takes longer than that. A tile's row is two
// cache lines with AVX-512, if it starts with one.
func (b *body) prefetch(name string) {
	const long = 64
	depth, skip := GP64(), name+"_prefetch"
	MOVQ(Mem{Base: b.t, Disp: tileDepth}, depth)
	CMPQ(depth, U8(long))
	JLT(LabelRef(skip))
	b.eachRow(tileC, tileCRow, func(_ int, row Mem) {
		for line := 0; line < 8*b.lanes*b.vectors; line += 64 {
			PREFETCHT0(row.Offset(line))
		}
	})
	Label(skip)
}

func (b *body) row(i int) []Register { return b.sum[i*b.vectors : (i+1)*b.vectors] }

// multiply sets sum to Σ_p a[·,p] b[p,·].
func (b *body) multiply(name string) {
	var rows [4]Register // pointers to rows 0, 3, 6, 9 of A
	stride, three := GP64(), GP64()
	MOVQ(Mem{Base: b.t, Disp: tileARow}, stride)
	for i := 0; 3*i < b.rows; i++ {
		rows[i] = GP64()
		if i == 0 {
			MOVQ(Mem{Base: b.t, Disp: tileA}, rows[0])
			if b.rows > 3 {
				LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, three)
			}
		} else {
			LEAQ(Mem{Base: rows[i-1], Index: three, Scale: 1}, rows[i])
		}
	}
	right, depth, down, step := GP64(), GP64(), GP64(), GP64()
	MOVQ(Mem{Base: b.t, Disp: tileB}, right)
	MOVQ(Mem{Base: b.t, Disp: tileDepth}, depth)
	MOVQ(Mem{Base: b.t, Disp: tileBStep}, down)
	MOVQ(Mem{Base: b.t, Disp: tileAStep}, step)
	for _, v := range b.sum {
		b.clear(v)
	}

	Label(name + "_loop")
	b.fetchAhead(right, down)
	for v := range b.right {
		b.load(Mem{Base: right, Disp: 8 * b.lanes * v}, b.masks[v], b.right[v])
	}
	for i := range b.rows {
		left := b.spare[i%len(b.spare)]
		at := Mem{Base: rows[i/3]}
		if i%3 > 0 {
			at.Index, at.Scale = stride, uint8(i%3)
		}
		VBROADCASTSD(at, left)
		for v, sum := range b.row(i) {
			VFMADD231PD(b.right[v], left, sum)
		}
	}
	ADDQ(down, right)
	for i := 0; 3*i < b.rows; i++ {
		ADDQ(step, rows[i])
	}
	DECQ(depth)
	JNZ(LabelRef(name + "_loop"))
}

// fetchAhead fetches the row of B that is used eight steps later. For tiles of
// full width: products of many of them outgrow the first cache.
func (b *body) fetchAhead(right, down Register) {
	if b.masks[0] != nil {
		return
	}
	later := Mem{Base: right, Index: down, Scale: 8}
	for line := 0; line < 8*b.lanes*b.vectors; line += 64 {
		PREFETCHT0(later.Offset(line))
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
