//go:build !amd64 || purego

package kernel

func best() level { return portable }

// Without assembly the level is portable and none of these is called.
const unreachable = "qhnet: no assembly in this build"

func tilesAsm(_ *tile) bool                               { panic(unreachable) }
func transposeAVX512(_, _ *float64, _, _, _ int)          { panic(unreachable) }
func transposeAVX2(_, _ *float64, _, _, _ int)            { panic(unreachable) }
func transposeAVX(_, _ *float64, _, _, _ int)             { panic(unreachable) }
func gatherAsm(_, _ *float64, _, _, _, _, _, _ int)       { panic(unreachable) }
func rectifyAsm(_, _ *float64, _ int)                     { panic(unreachable) }
func gateAsm(_, _, _ *float64, _ int)                     { panic(unreachable) }
func addScaledAsm(_, _ *float64, _ int, _ float64)        { panic(unreachable) }
func multiplyAsm(_, _, _ *float64, _ int)                 { panic(unreachable) }
func addProductsAsm(_, _, _ *float64, _ int)              { panic(unreachable) }
func addMomentsAsm(_, _, _, _ *float64, _ int)            { panic(unreachable) }
func affineAsm(_, _ *float64, _ int, _, _ float64)        { panic(unreachable) }
func affineByAsm(_, _, _, _ *float64, _ int)              { panic(unreachable) }
func projectAsm(_, _, _ *float64, _ int, _, _, _ float64) { panic(unreachable) }
func projectByAsm(_, _, _, _, _, _ *float64, _ int)       { panic(unreachable) }
func addRowAsm(_, _ *float64, _, _, _ int)                { panic(unreachable) }
func sumRowsAsm(_, _ *float64, _, _, _ int)               { panic(unreachable) }
func sumAsm(_ *float64, _ int) float64                    { panic(unreachable) }
func momentsAsm(_, _ *float64, _ int) (float64, float64)  { panic(unreachable) }
func largestAsm(_ *float64, _ int) (float64, bool)        { panic(unreachable) }
func smallestAsm(_ *float64, _ int) (float64, bool)       { panic(unreachable) }
func expAsm(_, _ *float64, _ int, _, _ float64) float64   { panic(unreachable) }
func tanhAsm(_, _, _, _ *float64, _ int)                  { panic(unreachable) }
func softplusAsm(_, _, _, _ *float64, _ int)              { panic(unreachable) }
