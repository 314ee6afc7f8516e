// Package stix links STIX Two, a Times-like face with the signs of mathematics, into a
// program that imports it for its effect: plotting then knows the face "stix". It is not
// linked by default because its three fonts have 1.4 megabytes.
package stix

import (
	"codeberg.org/go-fonts/stix/stix2mathregular"
	"codeberg.org/go-fonts/stix/stix2textitalic"
	"codeberg.org/go-fonts/stix/stix2textregular"

	"qhlab/plotting/internal/label"
)

func init() {
	label.Register("stix", &label.Face{
		Family:  "'STIX Two Text','STIX Two Math',STIXGeneral,serif",
		Upright: stix2textregular.TTF,
		Italic:  stix2textitalic.TTF,
		Math:    stix2mathregular.TTF,
	})
}
