package dataset_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"qhlab/qhnet/dataset"
)

func TestMNIST(t *testing.T) {
	folder := realMNIST(t)
	set, err := folder.MNIST(dataset.Test, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	// Counts of the test labels, and the first ten, as published widely.
	if got, want := set.Counts(), []int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}; !slices.Equal(got, want) {
		t.Errorf("class counts %v, want %v", got, want)
	}
	if got, want := set.Labels[:10], []int{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}; !slices.Equal(got, want) {
		t.Errorf("first labels %v, want %v", got, want)
	}
	if low, high := mat.Min(set.X), mat.Max(set.X); low != 0 || high != 1 {
		t.Errorf("pixels from %v to %v", low, high)
	}
	few, err := folder.MNIST(dataset.Test, 100)
	if err != nil || few.Len() != 100 || !mat.Equal(few.X, set.X.Slice(0, 100, 0, 784)) {
		t.Errorf("the first 100 points: %d points, error %v", few.Len(), err)
	}

	// A plain copy reads the same; a changed pixel does not pass.
	plain := dataset.Folder(t.TempDir())
	images := unzip(t, folder, "t10k-images-idx3-ubyte")
	put(t, plain, "mnist/t10k-images-idx3-ubyte", images)
	put(t, plain, "mnist/t10k-labels-idx1-ubyte", unzip(t, folder, "t10k-labels-idx1-ubyte"))
	again, err := plain.MNIST(dataset.Test, 50)
	if err != nil || !mat.Equal(again.X, set.X.Slice(0, 50, 0, 784)) {
		t.Errorf("plain files: %v", err)
	}
	images[5000]++
	put(t, plain, "mnist/t10k-images-idx3-ubyte", images)
	wantError(t, "file is damaged", second(plain.MNIST(dataset.Test, 50)))
	put(t, plain, "mnist/t10k-images-idx3-ubyte", images[:5000])
	wantError(t, "truncated", second(plain.MNIST(dataset.Test, 50)))
}

func TestMissingFolderSaysWhereFilesGo(t *testing.T) {
	folder := dataset.Folder(filepath.Join(t.TempDir(), "nowhere"))
	for want, err := range map[string]error{
		filepath.Join("nowhere", "mnist"):   second(folder.MNIST(dataset.Train, 0)),
		filepath.Join("nowhere", "cifar10"): second(folder.CIFAR10(dataset.Test, 0)),
	} {
		wantError(t, want, err)
		wantError(t, dataset.FolderVariable, err)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v must wrap fs.ErrNotExist", err)
		}
	}
	wantError(t, `no part "valid"`, second(folder.MNIST("valid", 0)))
	wantError(t, `no part "valid"`, second(folder.CIFAR10("valid", 0)))
	t.Setenv(dataset.FolderVariable, "elsewhere")
	if got := dataset.DefaultFolder(); got != "elsewhere" {
		t.Errorf("default folder %q ignores %s", got, dataset.FolderVariable)
	}
}

// batch is a CIFAR-10 batch whose image k has the constant planes k, k+1, k+2
// (mod 256) and the label k mod 10.
func batch() []byte {
	const record = 3073
	data := make([]byte, 10000*record)
	for k := range 10000 {
		r := data[k*record:][:record]
		r[0] = byte(k % 10)
		for i := range 3072 {
			r[1+i] = byte(k + i/1024)
		}
	}
	return data
}

func TestCIFAR10(t *testing.T) {
	folder := dataset.Folder(t.TempDir())
	data := batch()
	const name = "cifar10/cifar-10-batches-bin/test_batch.bin"
	put(t, folder, name, data)
	set, err := folder.CIFAR10(dataset.Test, 30)
	if err != nil || set.Check() != nil {
		t.Fatal(err, set.Check())
	}
	if got := set.X.RawRowView(12); got[0] != 12./255 || got[1024] != 13./255 || got[3071] != 14./255 || set.Labels[12] != 2 {
		t.Errorf("image 12 begins with %v, label %d", got[0], set.Labels[12])
	}
	data[3073*7] = 10
	put(t, folder, name, data)
	wantError(t, "record 7 has label 10", second(folder.CIFAR10(dataset.Test, 30)))
	put(t, folder, name, data[:9999])
	wantError(t, "9999 bytes", second(folder.CIFAR10(dataset.Test, 30)))
	wantError(t, "cifar-10-binary.tar.gz", second(folder.CIFAR10(dataset.Train, 30)))

	var archive bytes.Buffer
	zip := gzip.NewWriter(&archive)
	w := tar.NewWriter(zip)
	for _, part := range []string{"cifar-10-batches-bin/readme.html", "cifar-10-batches-bin/data_batch_1.bin"} {
		if err := w.WriteHeader(&tar.Header{Name: part, Size: 3, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("abc"))
	}
	w.Close()
	zip.Close()
	put(t, folder, "cifar10/cifar-10-binary.tar.gz", archive.Bytes())
	wantError(t, "SHA-256", second(folder.CIFAR10(dataset.Train, 30)))
	put(t, folder, "cifar10/cifar-10-binary.tar.gz", archive.Bytes()[:40])
	wantError(t, "unexpected EOF", second(folder.CIFAR10(dataset.Train, 30)))
}

func second(_ dataset.Set, err error) error { return err }

func wantError(t *testing.T, want string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

func put(t *testing.T, folder dataset.Folder, name string, data []byte) {
	t.Helper()
	path := filepath.Join(string(folder), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func unzip(t *testing.T, folder dataset.Folder, name string) []byte {
	t.Helper()
	file, err := os.Open(filepath.Join(string(folder), "mnist", name+".gz"))
	if err != nil {
		t.Skipf("%s is not compressed here: %v", name, err)
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	if _, err := data.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}
