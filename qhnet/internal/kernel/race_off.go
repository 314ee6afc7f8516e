//go:build !race

package kernel

func read(...[]float64)  {}
func write(...[]float64) {}

func readRows(bool, []float64, int, int, int) {}
func writeRows([]float64, int, int, int)      {}
