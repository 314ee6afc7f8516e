//go:build !amd64 || purego

package kernel

// Without assembly the level is portable and none of these is called.
const unreachable = "qhnet: no assembly in this build"

func tileAVX512(_ *tile) bool                                { panic(unreachable) }
func tileAVX2(_ *tile) bool                                  { panic(unreachable) }
func transposeAVX512(_, _ *float64, _, _, _ int)             { panic(unreachable) }
func transposeAVX2(_, _ *float64, _, _, _ int)               { panic(unreachable) }
func transposeAVX(_, _ *float64, _, _, _ int)                { panic(unreachable) }
func gatherAVX512(_, _ *float64, _, _, _, _ int)             { panic(unreachable) }
func gatherAVX2(_, _ *float64, _, _, _, _ int)               { panic(unreachable) }
func rectifyAVX512(_, _ *float64, _ int)                     { panic(unreachable) }
func rectifyAVX2(_, _ *float64, _ int)                       { panic(unreachable) }
func gateAVX512(_, _, _ *float64, _ int)                     { panic(unreachable) }
func gateAVX2(_, _, _ *float64, _ int)                       { panic(unreachable) }
func addScaledAVX512(_, _ *float64, _ int, _ float64)        { panic(unreachable) }
func addScaledAVX2(_, _ *float64, _ int, _ float64)          { panic(unreachable) }
func addRowAVX512(_, _ *float64, _, _, _ int)                { panic(unreachable) }
func addRowAVX2(_, _ *float64, _, _, _ int)                  { panic(unreachable) }
func sumRowsAVX512(_, _ *float64, _, _, _ int)               { panic(unreachable) }
func sumRowsAVX2(_, _ *float64, _, _, _ int)                 { panic(unreachable) }
func sumAVX512(_ *float64, _ int) float64                    { panic(unreachable) }
func sumAVX2(_ *float64, _ int) float64                      { panic(unreachable) }
func largestAVX512(_ *float64, _ int) (float64, bool)        { panic(unreachable) }
func largestAVX2(_ *float64, _ int) (float64, bool)          { panic(unreachable) }
func smallestAVX512(_ *float64, _ int) (float64, bool)       { panic(unreachable) }
func smallestAVX2(_ *float64, _ int) (float64, bool)         { panic(unreachable) }
func expAVX512(_, _ *float64, _ int, _, _ float64) float64   { panic(unreachable) }
func expAVX2(_, _ *float64, _ int, _, _ float64) float64     { panic(unreachable) }
func affineAVX512(_, _ *float64, _ int, _, _ float64)        { panic(unreachable) }
func affineAVX2(_, _ *float64, _ int, _, _ float64)          { panic(unreachable) }
func affineByAVX512(_, _, _, _ *float64, _ int)              { panic(unreachable) }
func affineByAVX2(_, _, _, _ *float64, _ int)                { panic(unreachable) }
func projectAVX512(_, _, _ *float64, _ int, _, _, _ float64) { panic(unreachable) }
func projectAVX2(_, _, _ *float64, _ int, _, _, _ float64)   { panic(unreachable) }
func projectByAVX512(_, _, _, _, _, _ *float64, _ int)       { panic(unreachable) }
func projectByAVX2(_, _, _, _, _, _ *float64, _ int)         { panic(unreachable) }
func momentsAVX512(_, _ *float64, _ int) (float64, float64)  { panic(unreachable) }
func momentsAVX2(_, _ *float64, _ int) (float64, float64)    { panic(unreachable) }
func addMomentsAVX512(_, _, _, _ *float64, _ int)            { panic(unreachable) }
func addMomentsAVX2(_, _, _, _ *float64, _ int)              { panic(unreachable) }
func addProductsAVX512(_, _, _ *float64, _ int)              { panic(unreachable) }
func addProductsAVX2(_, _, _ *float64, _ int)                { panic(unreachable) }
func multiplyAVX512(_, _, _ *float64, _ int)                 { panic(unreachable) }
func multiplyAVX2(_, _, _ *float64, _ int)                   { panic(unreachable) }
