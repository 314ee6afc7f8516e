//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

// read and write tell the race detector, which does not see into assembly, what
// it does.
func read(slices ...[]float64) {
	for _, x := range slices {
		if len(x) > 0 {
			runtime.RaceReadRange(unsafe.Pointer(&x[0]), len(x)*word)
		}
	}
}

func write(slices ...[]float64) {
	for _, x := range slices {
		if len(x) > 0 {
			runtime.RaceWriteRange(unsafe.Pointer(&x[0]), len(x)*word)
		}
	}
}

// readRows and writeRows leave out what lies between the rows of a matrix, or of
// the transpose of one.
func readRows(transposed bool, x []float64, ld, rows, cols int) {
	if transposed {
		rows, cols = cols, rows
	}
	for i := range rows {
		read(x[i*ld : i*ld+cols])
	}
}

func writeRows(x []float64, ld, rows, cols int) {
	for i := range rows {
		write(x[i*ld : i*ld+cols])
	}
}
