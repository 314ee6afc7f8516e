package main

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// compare fails when the saved outputs of a notebook are not the fresh ones of the
// same cells. Processors that fuse a multiplication with an addition, and other
// instruction sets, round differently, so the last printed digit of a number may
// differ, and three hundredths of a picture's pixels; how many cells do is returned.
func compare(path string, saved, fresh *notebook) (rounded int, err error) {
	var differences []string
	for i, c := range fresh.Cells {
		exact, d := diffCells(saved.Cells[i], c)
		if d != "" {
			differences = append(differences, fmt.Sprintf("%s: cell %s: %s", title(path), position(fresh, i), d))
		} else if !exact {
			rounded++
		}
	}
	if len(differences) > 0 {
		return rounded, fmt.Errorf("%s\n%s: the saved outputs are not those of a fresh run; to save them: go run ./notebooks run %[2]s",
			strings.Join(differences, "\n"), title(path))
	}
	return rounded, nil
}

// position names a cell by its execution count, or by its place in the file.
func position(nb *notebook, i int) string {
	if count := nb.Cells[i].ExecutionCount; count != nil {
		return fmt.Sprintf("[%d]", *count)
	}
	return fmt.Sprintf("%d of %d", i+1, len(nb.Cells))
}

// diffCells says how two cells differ beyond rounding, and whether they are the same to the byte.
func diffCells(saved, fresh *cell) (exact bool, difference string) {
	switch a, b := saved.ExecutionCount, fresh.ExecutionCount; {
	case fresh.Type != "code":
		return true, ""
	case (a == nil) != (b == nil) || a != nil && *a != *b:
		return false, "its saved execution count is not from one clean run"
	}
	exact = true
	// A program's two streams reach the kernel in any order, so each is compared as a
	// whole, wherever it is interrupted by the other or by a picture.
	for _, stream := range []string{"stdout", "stderr"} {
		a, b := saved.stream(stream), fresh.stream(stream)
		exact = exact && a == b
		if !sameText(a, b) {
			return false, stream + " " + diffLines(a, b)
		}
	}
	before, now := saved.displays(), fresh.displays()
	if len(before) != len(now) {
		return false, fmt.Sprintf("%d outputs besides text, saved are %d", len(now), len(before))
	}
	for i := range now {
		same, d := diffOutputs(before[i], now[i])
		if d != "" {
			return false, d
		}
		exact = exact && same
	}
	return exact, ""
}

func (c *cell) displays() []*output {
	return slices.DeleteFunc(slices.Clone(c.Outputs), func(o *output) bool { return o.Type == "stream" })
}

func diffOutputs(saved, fresh *output) (exact bool, difference string) {
	switch {
	case saved.Type != fresh.Type:
		return false, fmt.Sprintf("its output is %s, saved is %s", fresh.Type, saved.Type)
	case saved.ErrorValue != fresh.ErrorValue:
		return false, diffLines(saved.ErrorValue, fresh.ErrorValue)
	}
	exact = true
	both := map[string]any{}
	maps.Copy(both, saved.Data)
	maps.Copy(both, fresh.Data)
	for _, mime := range slices.Sorted(maps.Keys(both)) {
		a, b := fmt.Sprint(saved.Data[mime]), fmt.Sprint(fresh.Data[mime])
		exact = exact && a == b
		switch {
		case a == b:
		case mime == "image/png" || mime == "image/gif":
			difference = diffPictures(a, b)
		case !sameText(a, b):
			difference = mime + " " + diffLines(a, b)
		}
		if difference != "" {
			return false, difference
		}
	}
	return exact, ""
}

// inexact matches what is rounded: a number with a decimal point or an exponent.
var inexact = regexp.MustCompile(`[-+]?\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)`)

// sameText tells whether texts differ only in the last digit of numbers and the space around them.
func sameText(a, b string) bool {
	if a == b {
		return true
	}
	skeleton := func(s string) string { return strings.Join(strings.Fields(inexact.ReplaceAllString(s, " 0.0 ")), " ") }
	x, y := inexact.FindAllString(a, -1), inexact.FindAllString(b, -1)
	return skeleton(a) == skeleton(b) && slices.EqualFunc(x, y, sameNumber)
}

// sameNumber tells whether two printed numbers differ by at most one in the last
// digit that is printed of both, or are both nothing but rounding.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil {
		return false
	}
	const rounding = 1e-11
	return math.Abs(x-y) <= 1.001*max(lastDigit(a), lastDigit(b)) || max(math.Abs(x), math.Abs(y)) < rounding
}

// lastDigit is what a one in the last digit of a printed number is worth.
func lastDigit(s string) float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	_, decimals, _ := strings.Cut(mantissa, ".")
	power, _ := strconv.Atoi(exponent)
	return math.Pow10(power - len(decimals))
}

func diffLines(saved, fresh string) string {
	const most = 3
	a, b := strings.Split(saved, "\n"), strings.Split(fresh, "\n")
	var d strings.Builder
	d.WriteString("differs")
	for i, shown := 0, 0; i < max(len(a), len(b)) && shown < most; i++ {
		x, y := lineAt(a, i), lineAt(b, i)
		if x != y {
			fmt.Fprintf(&d, "\n    line %d\n    - %s\n    + %s", i+1, x, y)
			shown++
		}
	}
	return d.String()
}

func lineAt(list []string, i int) string {
	if i >= len(list) {
		return "(nothing)"
	}
	line := []rune(list[i])
	if len(line) > 160 {
		return string(line[:160]) + "…"
	}
	return string(line)
}

// diffPictures says how two pictures differ if more than three hundredths of their pixels do.
func diffPictures(saved, fresh string) string {
	a, errA := decodePicture(saved)
	b, errB := decodePicture(fresh)
	switch {
	case errA != nil || errB != nil:
		return "its picture differs and cannot be decoded"
	case a.Rect != b.Rect:
		return fmt.Sprintf("its picture is %v, saved is %v", b.Rect.Size(), a.Rect.Size())
	}
	changed, largest := 0, 0
	for i := 0; i < len(a.Pix); i += 4 {
		if !bytes.Equal(a.Pix[i:i+4], b.Pix[i:i+4]) {
			changed++
		}
	}
	for i, x := range a.Pix {
		largest = max(largest, int(x)-int(b.Pix[i]), int(b.Pix[i])-int(x))
	}
	if 100*changed <= 3*len(a.Pix)/4 {
		return ""
	}
	return fmt.Sprintf("its picture differs in %d pixels of %d, by at most %d of 255", changed, len(a.Pix)/4, largest)
}

// decodePicture returns a picture, or all frames of one that moves below each other.
func decodePicture(encoded string) (*image.RGBA, error) {
	data, err := decodeBase64(encoded)
	if err != nil {
		return nil, err
	}
	var frames []image.Image
	if moving, err := gif.DecodeAll(bytes.NewReader(data)); err == nil {
		for _, frame := range moving.Image {
			frames = append(frames, frame)
		}
	} else if picture, err := png.Decode(bytes.NewReader(data)); err == nil {
		frames = append(frames, picture)
	} else {
		return nil, err
	}
	size := frames[0].Bounds().Size()
	pixels := image.NewRGBA(image.Rect(0, 0, size.X, size.Y*len(frames)))
	for i, frame := range frames {
		at := frame.Bounds().Add(image.Pt(0, i*size.Y))
		draw.Draw(pixels, at, frame, frame.Bounds().Min, draw.Src)
	}
	return pixels, nil
}
