package plotting_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"

	"qhlab/plotting"
)

var update = flag.Bool("update", false, "rewrite the golden pictures in testdata")

// goldenDPI keeps the committed pictures small; text is still legible.
const goldenDPI = 108

// keepVariable names a folder that keeps what the tests draw, in all formats, to
// be looked at.
const keepVariable = "QHLAB_KEEP"

func keep(name string, f plotting.Drawing) error {
	dir := os.Getenv(keepVariable)
	if dir == "" {
		return nil
	}
	for _, format := range allFormats {
		data, err := plotting.Encode(f, format)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+"."+string(format)), data, 0o644); err != nil {
			return err
		}
	}
	data, err := plotting.Preview(f, goldenDPI, true)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+"-screen.png"), data, 0o644)
}

// compare draws a figure and prints whether it is the committed picture. An
// Example that ends with it is at once documentation and golden test.
func compare(name string, f plotting.Drawing) {
	got, err := plotting.Preview(f, goldenDPI, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := keep(name, f); err != nil {
		fmt.Println(err)
		return
	}
	compareBytes(name, got)
}

// comparePicture is compare for a picture that is drawn already.
func comparePicture(name string, img image.Image) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		fmt.Println(err)
		return
	}
	compareBytes(name, b.Bytes())
}

func compareBytes(name string, got []byte) {
	file := filepath.Join("testdata", name+".png")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := samePicture(got, want); err != nil {
		failed := filepath.Join(os.TempDir(), name+"-got.png")
		_ = os.WriteFile(failed, got, 0o644)
		fmt.Printf("%s: %v; see %s\n", file, err, failed)
		return
	}
	fmt.Println("same picture as", file)
}

// samePicture wants every pixel on the processor that drew the committed pictures.
// On others fused multiply-add may change a few pixels at edges by a few levels.
func samePicture(got, want []byte) error {
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		return err
	}
	b, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		return err
	}
	if a.Bounds() != b.Bounds() {
		return fmt.Errorf("is %v, want %v", a.Bounds().Size(), b.Bounds().Size())
	}
	var levels uint32 // of 1<<16
	pixels := 0
	if runtime.GOARCH != "amd64" {
		levels, pixels = 8<<8, a.Bounds().Dx()*a.Bounds().Dy()/1000
	}
	if n := different(a, b, levels); n > pixels {
		return fmt.Errorf("%d pixels differ", n)
	}
	return nil
}

func different(a, b image.Image, levels uint32) (n int) {
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			if max(r0, r1)-min(r0, r1) > levels || max(g0, g1)-min(g0, g1) > levels || max(b0, b1)-min(b0, b1) > levels {
				n++
			}
		}
	}
	return n
}
