// Package kernel is the arithmetic of qhnet that must be fast: the matrix
// product and what a network does between two of them.
package kernel

//go:generate go -C generate run . -out ../gemm_amd64.s
