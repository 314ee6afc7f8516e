package main

import (
	"go/parser"
	"go/token"
	"testing"
)

func TestOnlyCellsOfDeclarationsAreNotRun(t *testing.T) {
	for declarations, want := range map[string]bool{
		"":                                  true,
		"func main() { flag.Parse() }":      true,
		"func main() { flag.Parse(); f() }": false,
		"func main() { flag.Usage() }":      false,
		"func main() { flag.Parse(); x := 1; _ = x }":             false,
		"func main() {}; func init() { print(1) }":                false,
		"type t int; func (t) init() {}; func (t) main() { f() }": true,
		"func f() { panic(1) }; const c = len(`a`)":               true,
		"var a, b = -1.5e-3, []int{1, c}; var d []string":         true,
		"var a = plotting.Axis{Label: `x`, Scale: plotting.Log}":  true,
		"var a = map[string][]float64{`a`: {1, 2 * (b - c)}}":     true,
		"var a = func() int { panic(1) }":                         true,
		"var a = func() int { panic(1) }()":                       false,
		"var a = sync.OnceValue(func() int { panic(1) })":         true,
		"var a = sync.OnceValue(f())":                             false,
		"var a = uint64(1) + uint64(b)":                           true,
		"var a = uint64(f())":                                     false,
		"var a = struct{ n int }{1}":                              true,
		"var a = b.c":                                             false, // b may be nil
		"var a = b[7]":                                            false,
		"var a = b / c":                                           false,
		"var a = 1 << b":                                          false,
		"var a = *b":                                              false,
		"var a = <-b":                                             false,
		"var a = b.(int)":                                         false,
		"var a = b == c":                                          false, // may not be comparable
		"var _ = fmt.Sprint(1)":                                   false,
		"var a = other.Value":                                     false, // a variable for all that we see
		"func f() { var a = g(); _ = a }":                         true,
	} {
		source := "package main\nimport (\"flag\"; \"fmt\"; \"sync\"; \"qhlab/plotting\"; o \"qhlab/other\")\n" + declarations
		program, err := parser.ParseFile(token.NewFileSet(), "main.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", declarations, err)
		}
		if got := onlyDeclares(program); got != want {
			t.Errorf("%q only declares: %v, want %v", declarations, got, want)
		}
	}
}
