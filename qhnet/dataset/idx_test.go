package dataset_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qhlab/qhnet/dataset"
)

func ExampleReadIDX() {
	file := []byte{0, 0, 8, 2 /* two dimensions of */, 0, 0, 0, 2, 0, 0, 0, 3 /* sizes */, 1, 2, 3, 4, 5, 6}
	array, err := dataset.ReadIDX(bytes.NewReader(file))
	fmt.Println(array.Shape, array.Data, err)
	_, err = dataset.ReadIDX(bytes.NewReader(file[:15]))
	fmt.Println(err)
	// Output:
	// [2 3] [1 2 3 4 5 6] <nil>
	// dataset: IDX: truncated: shape [2 3] needs 6 entries, the file has 3
}

func TestReadIDXRejectsDamage(t *testing.T) {
	for want, file := range map[string]string{
		"truncated magic number":        "\x00\x00\x08",
		"magic number 0x00000d01":       "\x00\x00\x0d\x01\x00\x00\x00\x01x",
		"magic number 0x1f8b0800":       "\x1f\x8b\x08\x00",
		"truncated header":              "\x00\x00\x08\x03\x00\x00\x00\x01",
		"entries go on after the 1":     "\x00\x00\x08\x01\x00\x00\x00\x01xy",
		"needs 2147483648 entries":      "\x00\x00\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffx",
		"shape [2] needs 2 entries, th": "\x00\x00\x08\x01\x00\x00\x00\x02x",
	} {
		_, err := dataset.ReadIDX(strings.NewReader(file))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add([]byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 9})
	f.Add([]byte{0, 0, 8, 3, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, file []byte) {
		array, err := dataset.ReadIDX(bytes.NewReader(file))
		if err != nil {
			return
		}
		size := 1
		for _, s := range array.Shape {
			size *= s
		}
		if size != len(array.Data) {
			t.Errorf("shape %v with %d entries", array.Shape, len(array.Data))
		}
	})
}

func TestFromIDXRejectsMismatch(t *testing.T) {
	images := dataset.IDX{Shape: []int{2, 1, 2}, Data: []byte{0, 51, 102, 255}}
	set, err := dataset.FromIDX(images, dataset.IDX{Shape: []int{2}, Data: []byte{1, 0}}, 2, 0)
	if err != nil || set.Check() != nil {
		t.Fatal(err, set.Check())
	}
	if got := set.X.RawRowView(1); got[0] != 0.4 || got[1] != 1 || !slices.Equal(set.Labels, []int{1, 0}) {
		t.Errorf("second image %v, labels %v", got, set.Labels)
	}
	for _, test := range []struct {
		want           string
		images, labels dataset.IDX
	}{
		{"2 images but 3 labels", images, dataset.IDX{Shape: []int{3}, Data: []byte{0, 1, 0}}},
		{"label 7, but there are only 2 classes", images, dataset.IDX{Shape: []int{2}, Data: []byte{0, 7}}},
		{"want 3 dimensions and 1", images, images},
		{"are empty", dataset.IDX{Shape: []int{0, 1, 2}}, dataset.IDX{Shape: []int{0}}},
	} {
		_, err := dataset.FromIDX(test.images, test.labels, 2, 0)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}

// realMNIST is a data folder that holds the test part of MNIST, when someone has
// put one beside the project.
func realMNIST(t *testing.T) dataset.Folder {
	t.Helper()
	for _, folder := range []dataset.Folder{"../../../shared/data", dataset.DefaultFolder()} {
		if _, err := os.Stat(filepath.Join(string(folder), "mnist")); err == nil {
			return folder
		}
	}
	t.Skipf("MNIST is not on this machine: put it into %s/mnist or name a folder in %s", dataset.DefaultFolder(), dataset.FolderVariable)
	return ""
}
