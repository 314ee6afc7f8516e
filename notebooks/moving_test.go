package main

import (
	"bytes"
	"image/gif"
	"testing"
)

func TestMovingPictureMoves(t *testing.T) {
	data, err := movingPicture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	first, last := g.Image[0].Pix, g.Image[len(g.Image)-1].Pix
	if len(g.Image) < 20 || bytes.Equal(first, last) {
		t.Errorf("%d frames, and the last is the first: %v", len(g.Image), bytes.Equal(first, last))
	}
}
