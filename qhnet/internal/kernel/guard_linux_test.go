package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded returns a copy of x in memory of its own, at the end of it or at the
// beginning. An access just before or behind ends the program.
func guarded(t *testing.T, x []float64, atEnd bool) []float64 {
	page := unix.Getpagesize()
	size := (len(x)*word + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(memory) })
	for _, edge := range [][]byte{memory[:page], memory[page+size:]} {
		if err := unix.Mprotect(edge, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	start := page
	if atEnd {
		start += size - len(x)*word
	}
	if len(x) == 0 {
		return nil
	}
	copied := unsafe.Slice((*float64)(unsafe.Pointer(&memory[start])), len(x))
	copy(copied, x)
	return copied
}

func TestTransposeStaysInside(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(17, 18))
		for i := range 300 {
			rows, cols := rnd.IntN(40), rnd.IntN(40)
			src := guarded(t, random(rows*cols), i%2 == 0)
			dst := guarded(t, make([]float64, rows*cols), i%2 == 0)
			Transpose(dst, src, rows, cols)
			for j, v := range src {
				if got := dst[j%cols*rows+j/cols]; got != v {
					t.Fatalf("%d×%d: entry %d, %d is %v, not %v", rows, cols, j/cols, j%cols, got, v)
				}
			}
		}
	})
}

// TestCopiesStayInside copies all blocks, needed or not.
func TestCopiesStayInside(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		if active == portable {
			t.Skip("copies nothing")
		}
		rnd := rand.New(rand.NewPCG(19, 20))
		for range 300 {
			g := randomCall(rnd, side(rnd, 350), side(rnd, 200), side(rnd, 300), rnd.NormFloat64)
			if !ordinary(g.transA, g.transB, g.m, g.n, g.k, g.a, g.lda, g.b, g.ldb, g.c, g.ldc) {
				continue
			}
			run := func(w *buffer) {
				var p product
				p.set(g.transA, g.transB, g.m, g.n, g.k, g.a, g.lda, g.b, g.ldb, g.c, g.ldc)
				p.blocks(active, w, w)
			}
			var exact buffer
			run(&exact)
			larger := buffer{slices.Repeat([]float64{canary}, len(exact.a)+100), slices.Repeat([]float64{canary}, len(exact.b)+100)}
			run(&larger)
			for _, rest := range [][]float64{larger.a[len(exact.a):], larger.b[len(exact.b):]} {
				if slices.ContainsFunc(rest, func(v float64) bool { return v != canary }) {
					t.Fatalf("%v wrote behind its copies", g)
				}
			}
		}
	})
}

func TestGemmStaysInside(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(5, 6))
		for i := range 300 {
			g := randomCall(rnd, side(rnd, 350), side(rnd, 200), side(rnd, 300), rnd.NormFloat64)
			g.a, g.b, g.c = guarded(t, g.a, i%2 == 0), guarded(t, g.b, i%2 == 0), guarded(t, g.c, i%2 == 0)
			checkGemm(t, g)
		}
	})
}
