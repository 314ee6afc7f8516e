package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sweep emits a loop over n ≥ 0 values, some vectors at a time, and what is left
// behind masks. at is the position of vector v in an array.
func (s set) sweep(n Register, vectors int, each func(at func(array Register) Mem, v int, k mask)) {
	s.strips(n, vectors, vectors, func(at func(Register, int) Mem, ks []mask) {
		for v, k := range ks {
			each(func(array Register) Mem { return at(array, v) }, v, k)
		}
	})
}

// strips is sweep for several vectors at once, and for what needs not know their places. Masked
// stores are slow, so of what is left no more than masked vectors, one or all, are behind masks.
func (s set) strips(n Register, vectors, masked int, each func(at func(array Register, v int) Mem, ks []mask)) {
	i, end := GP64(), GP64()
	at := func(array Register, v int) Mem {
		return Mem{Base: array, Index: i, Scale: 8, Disp: 8 * s.lanes * v}
	}
	loop, tail, part, done := s.label("loop"), s.label("tail"), s.label("part"), s.label("done")
	XORQ(i, i)
	MOVQ(n, end)
	ANDQ(I8(-s.lanes*vectors), end)
	JZ(LabelRef(tail))
	Label(loop)
	each(at, make([]mask, vectors))
	ADDQ(U8(s.lanes*vectors), i)
	CMPQ(i, end)
	JLT(LabelRef(loop))

	Label(tail)
	SUBQ(i, n)
	JZ(LabelRef(done))
	for range vectors - masked {
		CMPQ(n, U8(s.lanes))
		JLT(LabelRef(part))
		each(at, make([]mask, 1))
		ADDQ(U8(s.lanes), i)
		SUBQ(U8(s.lanes), n)
		JZ(LabelRef(done))
	}
	if masked < vectors {
		Label(part)
	}
	each(at, s.masks(masked, n))
	Label(done)
}

const (
	line       = 8    // doubles in a line of the cache
	fetchAhead = 1024 // bytes; mostly what follows is the next row of a matrix that is in no near cache
)

// A formula is one line of arithmetic for each entry: names of the arrays and of the
// numbers that are the same for all entries, and what to do with them. The vectors
// of arrays are loaded before, and those that it names are stored after.
type formula struct {
	name    string
	arrays  string // in the order of the parameters
	numbers string // one each, or with by one array each
	by      bool
	stored  int  // how many of the arrays are results, from the first on
	adds    bool // to what they hold
	emit    func(s set, v, c []Register)
}

// parameters lists the parameters.
func (f formula) parameters() (arrays, numbers []string, signature string) {
	arrays, numbers = strings.Fields(f.arrays), strings.Fields(f.numbers)
	pointers, values := arrays, numbers
	if f.by {
		pointers, values = append(arrays[:len(arrays):len(arrays)], numbers...), nil
	}
	signature = "func("
	for _, p := range pointers {
		signature += p + " *float64, "
	}
	signature += "n int"
	for _, p := range values {
		signature += ", " + p + " float64"
	}
	return arrays, numbers, signature + ")"
}

// function emits the loop over all entries.
func (f formula) function() {
	arrays, numbers, signature := f.parameters()
	both(f.name, signature, func(s set) {
		var at, by, v, c []Register
		for i, p := range arrays {
			at, v = append(at, Load(Param(p), GP64())), append(v, s.registers[i])
		}
		for i, p := range numbers {
			c = append(c, s.registers[len(s.registers)-3-i]) // the last two may be masks
			if f.by {
				by = append(by, Load(Param(p), GP64()))
			} else {
				VBROADCASTSD(NewParamAddr(p, 8*(len(arrays)+1+i)), c[i])
			}
		}
		s.strips(Load(Param("n"), GP64()), line/s.lanes, 1, func(place func(Register, int) Mem, ks []mask) {
			for part, k := range ks {
				for i, a := range at {
					if part == 0 && k == nil {
						PREFETCHT0(place(a, part).Offset(fetchAhead))
					}
					if i >= f.stored || f.adds {
						s.load(place(a, part), k, v[i])
					}
				}
				for i, a := range by {
					s.load(place(a, part), k, c[i])
				}
				f.emit(s, v, c)
				for i := range f.stored {
					s.store(v[i], k, place(at[i], part))
				}
			}
		})
	})
}

// formulas are dst = max(0, x), dst = x where gate > 0, dst += c x, factor x + term,
// (x - mean - dot z) scale, x ⊙ y, dst += x ⊙ y, and sum += x with product += x ⊙ z.
func formulas() []formula {
	return []formula{
		{"rectify", "dst x", "", false, 1, false, func(s set, v, _ []Register) {
			zero := s.registers[5] // returned, as the second source, if the first is not a number
			s.clear(zero)
			VMAXPD(v[1], zero, v[0])
		}},
		{"gate", "dst x gate", "", false, 1, false, func(s set, v, _ []Register) {
			zero := s.registers[5]
			s.clear(zero)
			s.keepPositive(v[2], zero, v[1])
			VMOVAPD(v[1], v[0])
		}},
		{"addScaled", "dst x", "c", false, 1, true, func(_ set, v, c []Register) { VFMADD231PD(v[1], c[0], v[0]) }},
		{"multiply", "dst x y", "", false, 1, false, func(_ set, v, _ []Register) { VMULPD(v[1], v[2], v[0]) }},
		{"addProducts", "dst x y", "", false, 1, true, func(_ set, v, _ []Register) { VFMADD231PD(v[1], v[2], v[0]) }},
		{"addMoments", "sum product x z", "", false, 2, true, func(_ set, v, _ []Register) {
			VADDPD(v[2], v[0], v[0])
			VFMADD231PD(v[2], v[3], v[1])
		}},
		{"affine", "dst x", "factor term", false, 1, false, affine},
		{"affineBy", "dst x", "factor term", true, 1, false, affine},
		{"project", "dst x z", "mean dot scale", false, 1, false, project},
		{"projectBy", "dst x z", "mean dot scale", true, 1, false, project},
	}
}

func affine(_ set, v, c []Register) {
	VMOVAPD(v[1], v[0])
	VFMADD213PD(c[1], c[0], v[0])
}

func project(_ set, v, c []Register) {
	VSUBPD(c[0], v[1], v[0])
	VFNMADD231PD(c[1], v[2], v[0])
	VMULPD(c[2], v[0], v[0])
}

// keepPositive clears v where g is not above zero. It uses up g.
func (s set) keepPositive(g, zero, v Register) {
	if s.opmask {
		VCMPPD(U8(less), g, zero, K3)
		VMOVAPD_Z(v, K3, v)
	} else {
		VCMPPD(U8(less), g, zero, g)
		VANDPD(g, v, v)
	}
}

func vectors() {
	for _, f := range formulas() {
		f.function()
	}
	rowwise("addRow", addRow)
	rowwise("sumRows", sumRows)
	both("sum", "func(x *float64, n int) float64", sum)
	both("moments", "func(x, z *float64, n int) (sum, product float64)", moments)
	const extreme = "func(x *float64, n int) (value float64, ok bool)"
	both("largest", extreme, extremeBy(func(v, w, dst Op) { VMAXPD(v, w, dst) }))
	both("smallest", extreme, extremeBy(func(v, w, dst Op) { VMINPD(v, w, dst) }))
}

// A strip is the columns of a matrix that share a line of the cache, or what is left of them.
type strip struct {
	name         string
	vector       []Mem    // the entries of a vector above them
	masks        []mask   // of each
	down         Register // the first row, free to move
	stride, rows Register // in bytes; to come
}

// rowwise emits a loop over strips. The stride is in bytes.
func rowwise(name string, columns func(set, strip)) {
	both(name, "func(v, x *float64, stride, rows, cols int)", func(s set) {
		vector, x := Load(Param("v"), GP64()), Load(Param("x"), GP64())
		stride, rows, cols := Load(Param("stride"), GP64()), Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
		turn := 0
		s.strips(cols, line/s.lanes, 1, func(at func(Register, int) Mem, ks []mask) {
			turn++
			t := strip{name: s.label("down%d", turn), masks: ks, down: GP64(), stride: stride, rows: GP64()}
			LEAQ(at(x, 0), t.down)
			MOVQ(rows, t.rows)
			for v := range ks {
				t.vector = append(t.vector, at(vector, v))
			}
			columns(s, t)
		})
	})
}

// at is the position of vector v in the row that t.down has come to.
func (t strip) at(s set, v int) Mem { return Mem{Base: t.down, Disp: 8 * s.lanes * v} }

// addRow adds a vector to all rows.
func addRow(s set, t strip) {
	n := len(t.vector)
	v, row := s.registers[:n], s.registers[n:2*n]
	for i, m := range t.vector {
		s.load(m, t.masks[i], v[i])
	}
	Label(t.name)
	for i, k := range t.masks {
		s.load(t.at(s, i), k, row[i])
		VADDPD(v[i], row[i], row[i])
		s.store(row[i], k, t.at(s, i))
	}
	ADDQ(t.stride, t.down)
	DECQ(t.rows)
	JNZ(LabelRef(t.name))
}

// sumRows adds all rows to the vector, in four sums that do not wait for each other.
func sumRows(s set, t strip) {
	n := len(t.vector)
	sums, row := s.registers[:4*n], s.registers[4*n:5*n] // of vector i: sums[i], sums[n+i], …
	for i, m := range t.vector {
		s.load(m, t.masks[i], sums[i])
	}
	for _, v := range sums[n:] {
		s.clear(v)
	}
	add := func(sums []Register) {
		for i, k := range t.masks {
			s.load(t.at(s, i), k, row[i])
			VADDPD(row[i], sums[i], sums[i])
		}
		ADDQ(t.stride, t.down)
	}
	SUBQ(U8(4), t.rows)
	JLT(LabelRef(t.name + "rest"))
	Label(t.name)
	for i := range 4 {
		add(sums[i*n : (i+1)*n])
	}
	SUBQ(U8(4), t.rows)
	JGE(LabelRef(t.name))
	Label(t.name + "rest")
	ADDQ(U8(4), t.rows)
	JZ(LabelRef(t.name + "end"))
	Label(t.name + "one")
	add(sums[:n])
	DECQ(t.rows)
	JNZ(LabelRef(t.name + "one"))
	Label(t.name + "end")
	for i, m := range t.vector {
		VADDPD(sums[n+i], sums[i], sums[i])
		VADDPD(sums[3*n+i], sums[2*n+i], sums[2*n+i])
		VADDPD(sums[2*n+i], sums[i], sums[i])
		s.store(sums[i], t.masks[i], m)
	}
}

// sum emits the sum of n values in eight parts, of every eighth value, so that
// it is the same bits with vectors of four and of eight.
func sum(s set) {
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
}

// moments emits Σ x_i and Σ x_i z_i, each in eight parts as sum does.
func moments(s set) {
	x, z, n := Load(Param("x"), GP64()), Load(Param("z"), GP64()), Load(Param("n"), GP64())
	r := s.registers
	sums, products, v, w := r[:8/s.lanes], r[4:4+8/s.lanes], r[6], r[7]
	for i := range sums {
		s.clear(sums[i])
		s.clear(products[i])
	}
	s.sweep(n, len(sums), func(at func(Register) Mem, i int, k mask) {
		s.load(at(x), k, v)
		s.load(at(z), k, w)
		VADDPD(v, sums[i], sums[i])
		VFMADD231PD(v, w, products[i])
	})
	s.collapse(sums, 0)
	s.collapse(products, 4)
	Store(X0, Return("sum"))
	Store(X4, Return("product"))
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

// extremeBy emits the largest or the smallest of n values, n at least the lanes of a
// vector. If one of them is not a number, ok is false.
func extremeBy(pick func(v, w, dst Op)) func(set) {
	return func(s set) {
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
		JMP(LabelRef(s.label("test")))
		Label(s.label("loop"))
		see()
		ADDQ(U8(s.lanes), i)
		Label(s.label("test"))
		CMPQ(i, n)
		JLT(LabelRef(s.label("loop")))
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
	}
}
