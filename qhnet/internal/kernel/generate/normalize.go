package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A coefficient is a number for all values, or one for each in an array.
type coefficient struct {
	value Register
	array Register // nil if there is one number for all
}

// function begins a function of arrays, which come first, and of coefficients: one
// number each, behind n, or if by is set one array each, before n.
func (s set) function(name string, by bool, arrays, names []string) (at []Register, cs []coefficient, n Register) {
	parameters, numbers := arrays, names
	if by {
		parameters, numbers = append(append([]string(nil), arrays...), names...), nil
		name += "By"
	}
	signature := "func("
	for _, p := range parameters {
		signature += p + " *float64, "
	}
	signature += "n int"
	for _, p := range numbers {
		signature += ", " + p + " float64"
	}
	TEXT(name+s.name, attr.NOSPLIT, signature+")")
	for _, p := range arrays {
		at = append(at, Load(Param(p), GP64()))
	}
	for i, p := range names {
		c := coefficient{value: s.registers[len(s.registers)-3-i]} // the last two may be masks
		if by {
			c.array = Load(Param(p), GP64())
		} else {
			VBROADCASTSD(NewParamAddr(p, 8*(len(arrays)+1+i)), c.value)
		}
		cs = append(cs, c)
	}
	return at, cs, Load(Param("n"), GP64())
}

// each loads the coefficients that differ from value to value.
func (s set) each(cs []coefficient, at func(Register) Mem, k mask) {
	for _, c := range cs {
		if c.array != nil {
			s.load(at(c.array), k, c.value)
		}
	}
}

// affine emits dst = factor x + term.
func affine(by bool) func(set) {
	return func(s set) {
		a, cs, n := s.function("affine", by, []string{"dst", "x"}, []string{"factor", "term"})
		v := s.registers[0]
		s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
			s.load(at(a[1]), k, v)
			s.each(cs, at, k)
			VFMADD213PD(cs[1].value, cs[0].value, v)
			s.store(v, k, at(a[0]))
		})
		VZEROUPPER()
		RET()
	}
}

// project emits dst = (x - mean - dot z) scale.
func project(by bool) func(set) {
	return func(s set) {
		a, cs, n := s.function("project", by, []string{"dst", "x", "z"}, []string{"mean", "dot", "scale"})
		v, z := s.registers[0], s.registers[1]
		s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
			s.load(at(a[1]), k, v)
			s.load(at(a[2]), k, z)
			s.each(cs, at, k)
			VSUBPD(cs[0].value, v, v)
			VFNMADD231PD(cs[1].value, z, v)
			VMULPD(cs[2].value, v, v)
			s.store(v, k, at(a[0]))
		})
		VZEROUPPER()
		RET()
	}
}

// multiply emits dst = x ⊙ y.
func multiply(s set) {
	a, _, n := s.function("multiply", false, []string{"dst", "x", "y"}, nil)
	v, w := s.registers[0], s.registers[1]
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(a[1]), k, v)
		s.load(at(a[2]), k, w)
		VMULPD(v, w, v)
		s.store(v, k, at(a[0]))
	})
	VZEROUPPER()
	RET()
}

// addProducts emits dst += x ⊙ y.
func addProducts(s set) {
	a, _, n := s.function("addProducts", false, []string{"dst", "x", "y"}, nil)
	v, w, sum := s.registers[0], s.registers[1], s.registers[2]
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(a[1]), k, v)
		s.load(at(a[2]), k, w)
		s.load(at(a[0]), k, sum)
		VFMADD231PD(v, w, sum)
		s.store(sum, k, at(a[0]))
	})
	VZEROUPPER()
	RET()
}

// addMoments emits sum += x and product += x ⊙ z.
func addMoments(s set) {
	a, _, n := s.function("addMoments", false, []string{"sum", "product", "x", "z"}, nil)
	v, z, sum, product := s.registers[0], s.registers[1], s.registers[2], s.registers[3]
	s.sweep(n, 1, func(at func(Register) Mem, _ int, k mask) {
		s.load(at(a[2]), k, v)
		s.load(at(a[3]), k, z)
		s.load(at(a[0]), k, sum)
		s.load(at(a[1]), k, product)
		VADDPD(v, sum, sum)
		VFMADD231PD(v, z, product)
		s.store(sum, k, at(a[0]))
		s.store(product, k, at(a[1]))
	})
	VZEROUPPER()
	RET()
}

// moments emits Σ x_i and Σ x_i z_i, each in eight parts as sum does.
func moments(s set) {
	TEXT("moments"+s.name, attr.NOSPLIT, "func(x, z *float64, n int) (sum, product float64)")
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
	VZEROUPPER()
	RET()
}
