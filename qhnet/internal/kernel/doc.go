// Package kernel is the arithmetic of qhnet that must be fast: the matrix
// product, with what a network does right after it, and functions of vectors.
// All of it is float64, runs in the calling goroutine and allocates nothing.
//
// # Instruction sets
//
// On amd64 there is assembly for AVX-512 and for AVX2 with FMA, chosen when the
// program starts by what the processor has; everything else uses Go and gonum. The
// environment variable QHLAB_KERNEL=avx512, avx2 or portable asks for less than
// the best, and the build tag purego leaves the assembly out. AVX2 and AVX-512
// give the same bits: sums are taken in the same order, each product fused with
// its addition. The portable code rounds differently.
//
// # The matrix product
//
// C is computed in tiles whose sums stay in registers, 12×16 with AVX-512 and 6×8
// with AVX2, or smaller at the edges; one routine in assembly does a stack of
// them. A tile reads the rows of A by their stride, one value at a time, so that
// a transposed A costs nothing, and the rows of B a vector at a time. For large
// products the operands are cut into blocks that fit the caches, after
//
//	K. Goto, R. van de Geijn, Anatomy of High-Performance Matrix Multiplication,
//	ACM Transactions on Mathematical Software 34(3), 2008,
//
// and copied where that pays, in panels as wide or as high as a tile: B if it is
// transposed, either one if its stride lets rows crowd each other out of the cache, or if
// it is read often from many pages. What a tile reads later is fetched ahead: A eight steps
// before, B sixteen, and C, whose rows may crowd each other, only into the second cache.
//
// # The assembly
//
// It is written by the program in the directory generate, a module of its own that
// depends on avo; go generate runs it. All functions end in VZEROUPPER and keep to
// the slices they are given: what stands beside the last full vector is read and written
// behind a mask.
package kernel

//go:generate go -C generate run . -out ../assembly_amd64.s
