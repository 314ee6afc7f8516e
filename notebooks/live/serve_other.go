//go:build !js

package live

import (
	"io"
	"os"
)

// Serve answers the one question of the command line, a figure's name, with the input from
// standard input: what a browser is compared with.
func Serve() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil || len(os.Args) != 2 {
		os.Exit(2)
	}
	os.Stdout.Write(Ask(os.Args[1], input, func(float64) {}))
}
