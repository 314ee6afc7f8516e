// Package latinmodern links Latin Modern, the face of LaTeX's documents, into a program
// that imports it for its effect: plotting then knows the face "latin-modern". It is not
// linked by default because its three fonts have a megabyte.
package latinmodern

import (
	"codeberg.org/go-fonts/latin-modern/lmmath"
	"codeberg.org/go-fonts/latin-modern/lmroman10italic"
	"codeberg.org/go-fonts/latin-modern/lmroman10regular"

	"qhlab/plotting/internal/label"
)

func init() {
	label.Register("latin-modern", "'Latin Modern Roman','LM Roman 10','CMU Serif',serif",
		lmroman10regular.TTF, lmroman10italic.TTF, lmmath.TTF)
}
