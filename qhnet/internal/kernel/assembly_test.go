package kernel

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A function that leaves the upper halves of vector registers in use slows down
// what the caller does with the lower ones.
func TestAssemblyEndsInVZEROUPPER(t *testing.T) {
	text, err := os.ReadFile("assembly_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	functions := strings.Split(string(text), "\nTEXT ")[1:]
	for _, f := range functions {
		name, _, _ := strings.Cut(f, "(")
		paths := strings.Split(f, "\tRET\n")
		for _, path := range paths[:len(paths)-1] {
			if !strings.Contains(path[max(0, len(path)-100):], "VZEROUPPER") {
				t.Errorf("%s returns without VZEROUPPER", name)
			}
		}
	}
	if len(functions) < 20 {
		t.Errorf("found %d functions only", len(functions))
	}
}

// With AVX2 a masked store takes as long as many others.
func TestElementwiseLoopsStoreOneVectorBehindAMask(t *testing.T) {
	text, err := os.ReadFile("assembly_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	second := regexp.MustCompile(`VMASKMOVPD\s+Y\d+, Y14,`)
	for _, f := range strings.Split(string(text), "\nTEXT ")[1:] {
		name, _, _ := strings.Cut(f, "(")
		if name != "·expAsm" && name != "·tilesAsm" && second.MatchString(f) {
			t.Errorf("%s stores two vectors behind masks", name)
		}
	}
}
