//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// best returns the highest level of this processor.
func best() level {
	switch x := cpu.X86; {
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasBMI2:
		return avx512
	case x.HasAVX2 && x.HasFMA && x.HasBMI2:
		return avx2
	}
	return portable
}
