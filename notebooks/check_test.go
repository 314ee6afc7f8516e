package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"testing"
)

func TestPicturesAreComparedByTheirPixels(t *testing.T) {
	encode := func(level png.CompressionLevel, width int, dot uint8) string {
		picture := image.NewNRGBA(image.Rect(0, 0, width, 5))
		picture.Set(3, 2, color.NRGBA{R: dot, A: 255})
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: level}
		if err := encoder.Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}
	first := encode(png.BestSpeed, 4, 200)
	for _, c := range []struct{ fresh, want string }{
		{encode(png.NoCompression, 4, 200), "its picture has the same pixels in different bytes"},
		{encode(png.BestSpeed, 4, 190), "its picture differs in 1 pixels of 20, by at most 10 of 255"},
		{encode(png.BestSpeed, 6, 200), "its picture is (6,5), saved is (4,5)"},
		{"nonsense", "its picture differs and cannot be decoded"},
	} {
		if got := diffPictures(first, c.fresh); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
