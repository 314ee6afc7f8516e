//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"

	"qhlab/qhnet/internal/kernel"
)

type shape struct {
	op      string // of A and B: "N" as it is, "T" transposed
	m, n, k int
}

type operands struct{ a, b, c []float64 }

// kept from request to request, so that a library's turn is not a first touch.
var products = map[shape]operands{}

func gemm(request string) ([]float64, error) {
	var s shape
	var what string
	var count int
	if _, err := fmt.Sscan(request, &what, &s.op, &s.m, &s.n, &s.k, &count); err != nil {
		return nil, err
	}
	o, ok := products[s]
	if !ok {
		o = operands{normal(s.m * s.k), normal(s.k * s.n), make([]float64, s.m*s.n)}
		products[s] = o
	}
	ta, tb := s.op[0] == 'T', s.op[1] == 'T'
	lda, ldb := s.k, s.n
	if ta {
		lda = s.m
	}
	if tb {
		ldb = s.k
	}
	return []float64{perRun(count, func() {
		kernel.Gemm(ta, tb, s.m, s.n, s.k, 1, o.a, lda, o.b, ldb, 0, o.c, s.n)
	})}, nil
}

func normal(n int) []float64 {
	rnd := rand.New(rand.NewPCG(1, 1))
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	return x
}
