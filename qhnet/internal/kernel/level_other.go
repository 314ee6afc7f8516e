//go:build !amd64 || purego

package kernel

func best() level { return portable }

const unreachable = "qhnet: no assembly in this build"

func tileAVX512(*tile) bool { panic(unreachable) }
func tileAVX2(*tile) bool   { panic(unreachable) }

func transposeAVX512(_, _ *float64, _, _, _ int) { panic(unreachable) }
func transposeAVX2(_, _ *float64, _, _, _ int)   { panic(unreachable) }
func transposeAVX(_, _ *float64, _, _, _ int)    { panic(unreachable) }

func gatherAVX512(_, _ *float64, _, _, _, _ int) { panic(unreachable) }
func gatherAVX2(_, _ *float64, _, _, _, _ int)   { panic(unreachable) }
