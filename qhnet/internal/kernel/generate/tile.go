package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
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

// tile emits
//
//	func tileX(t *tile) (ok bool)
//
// one body for each number of rows and three widths: two full vectors, two
// with lanes left out, one with lanes left out.
func tile(s set) {
	TEXT("tile"+s.name, attr.NOSPLIT, "func(t *[20]uint64) (ok bool)") // a tile's words
	Pragma("noescape")
	Doc("tile" + s.name + " computes one tile, see type tile.")
	t := Load(Param("t"), GP64())
	rows, cols := GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: tileRows}, rows)
	MOVQ(Mem{Base: t, Disp: tileCols}, cols)
	CMPQ(cols, U8(s.lanes))
	JLE(LabelRef("narrow"))
	CMPQ(cols, U8(2*s.lanes))
	JLT(LabelRef("masked"))

	group := func(name string, vectors, most int, masked bool) {
		Label(name)
		var ks []mask
		if masked {
			ks = s.masks(vectors, cols)
		} else {
			ks = make([]mask, vectors)
		}
		for r := most; r > 1; r-- {
			CMPQ(rows, U8(r))
			JEQ(LabelRef(label("%s%d", name, r)))
		}
		for r := 1; r <= most; r++ {
			Label(label("%s%d", name, r))
			b := body{set: s, rows: r, vectors: vectors, masks: ks, t: t,
				leave: "done", fail: "refuse"}
			b.emit(label("%s%d", name, r))
		}
	}
	group("full", 2, s.rows, false)
	group("masked", 2, s.maskRows, true)
	group("narrow", 1, s.rows, true)

	for _, end := range []struct {
		label string
		ok    U8
	}{{"done", 1}, {"refuse", 0}} {
		Label(end.label)
		VZEROUPPER()
		ok := GP8()
		MOVB(end.ok, ok)
		Store(ok, Return("ok"))
		RET()
	}
}
