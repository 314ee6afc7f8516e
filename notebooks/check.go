package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"slices"
	"strings"
)

// compare fails when the saved outputs of a notebook are not exactly the fresh
// ones of the same cells. Pictures are compared byte by byte.
func compare(path string, saved, fresh *notebook) error {
	var differences []string
	for i, c := range fresh.Cells {
		if d := diffCells(saved.Cells[i], c); d != "" {
			differences = append(differences, fmt.Sprintf("%s: cell %s: %s", title(path), position(fresh, i), d))
		}
	}
	if len(differences) > 0 {
		return fmt.Errorf("%s\n%s: the saved outputs are not those of a fresh run; to save them: go run ./notebooks run %[2]s",
			strings.Join(differences, "\n"), title(path))
	}
	return nil
}

// position names a cell by its execution count, or by its place in the file.
func position(nb *notebook, i int) string {
	if count := nb.Cells[i].ExecutionCount; count != nil {
		return fmt.Sprintf("[%d]", *count)
	}
	return fmt.Sprintf("%d of %d", i+1, len(nb.Cells))
}

func diffCells(saved, fresh *cell) string {
	switch a, b := saved.ExecutionCount, fresh.ExecutionCount; {
	case fresh.Type != "code":
		return ""
	case (a == nil) != (b == nil) || a != nil && *a != *b:
		return "its saved execution count is not from one clean run"
	}
	// A program's two streams reach the kernel in any order, so each is compared as a
	// whole, wherever it is interrupted by the other or by a picture.
	for _, stream := range []string{"stdout", "stderr"} {
		if a, b := saved.stream(stream), fresh.stream(stream); a != b {
			return stream + " " + diffLines(a, b)
		}
	}
	before, now := saved.displays(), fresh.displays()
	if len(before) != len(now) {
		return fmt.Sprintf("%d outputs besides text, saved are %d", len(now), len(before))
	}
	for i := range now {
		if d := diffOutputs(before[i], now[i]); d != "" {
			return d
		}
	}
	return ""
}

// displays are the outputs of the cell other than streams.
func (c *cell) displays() []*output {
	return slices.DeleteFunc(slices.Clone(c.Outputs), func(o *output) bool { return o.Type == "stream" })
}

func diffOutputs(saved, fresh *output) string {
	switch {
	case saved.Type != fresh.Type:
		return fmt.Sprintf("its output is %s, saved is %s", fresh.Type, saved.Type)
	case saved.ErrorValue != fresh.ErrorValue:
		return diffLines(saved.ErrorValue, fresh.ErrorValue)
	}
	for _, mime := range mediaTypes(saved, fresh) {
		a, b := fmt.Sprint(saved.Data[mime]), fmt.Sprint(fresh.Data[mime])
		switch {
		case a == b:
		case mime == "image/png":
			return diffPictures(a, b)
		default:
			return mime + " " + diffLines(a, b)
		}
	}
	return ""
}

func mediaTypes(outputs ...*output) []string {
	var types []string
	for _, o := range outputs {
		for mime := range o.Data {
			types = append(types, mime)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// diffLines shows the first lines in which two texts differ.
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

// diffPictures tells different pictures from the same picture in other bytes.
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
		if x, y := a.Pix[i:i+4], b.Pix[i:i+4]; !bytes.Equal(x, y) {
			changed++
			for j := range x {
				largest = max(largest, int(x[j])-int(y[j]), int(y[j])-int(x[j]))
			}
		}
	}
	if changed == 0 {
		return "its picture has the same pixels in different bytes"
	}
	return fmt.Sprintf("its picture differs in %d pixels of %d, by at most %d of 255", changed, len(a.Pix)/4, largest)
}

func decodePicture(encoded string) (*image.RGBA, error) {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return nil, err
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	pixels := image.NewRGBA(picture.Bounds())
	draw.Draw(pixels, pixels.Rect, picture, picture.Bounds().Min, draw.Src)
	return pixels, nil
}
