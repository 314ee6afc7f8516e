package kernel

import "os"

// A level is a set of instructions that the kernels are written for.
type level int

const (
	portable level = iota // Go and gonum
	avx2                  // AVX2 and FMA
	avx512                // AVX-512 F, DQ, BW and VL
)

var levelNames = [...]string{portable: "portable", avx2: "avx2", avx512: "avx512"}

func (l level) String() string { return levelNames[l] }

// Variable is the environment variable that lowers the level: "avx512", "avx2"
// or "portable". What the processor does not have cannot be asked for.
const Variable = "QHLAB_KERNEL"

var active = choose(os.Getenv(Variable), best())

// choose returns the level called name, but at most the best one.
func choose(name string, best level) level {
	for l, s := range levelNames {
		if s == name {
			return min(level(l), best)
		}
	}
	return best
}

// Name returns the instruction set in use: "avx512", "avx2" or "portable".
func Name() string { return active.String() }
