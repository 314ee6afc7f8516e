package dataset

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// A file of CIFAR-10 is 10,000 records: a label and 3 planes of 32×32 bytes.
const (
	cifarPixels  = 3 * 32 * 32
	cifarRecord  = 1 + cifarPixels
	cifarPerFile = 10000
	cifarArchive = "cifar-10-binary.tar.gz"
	cifarFolder  = "cifar-10-batches-bin"
)

// CIFAR10 reads the first limit points of a part of CIFAR-10 (all if limit ≤ 0),
// with pixels from 0 to 1 and shape 3×32×32. It reads the unpacked files in
// cifar10/cifar-10-batches-bin (compressed or not), checking their lengths and
// labels, or else the published archive in cifar10/, checking its SHA-256. It is
// an error if neither is there or one is damaged. All of the training part takes
// 1.2 GB as float64.
func (f Folder) CIFAR10(part Part, limit int) (Set, error) {
	names := []string{"test_batch.bin"}
	if part == Train {
		names = names[:0]
		for i := range 5 {
			names = append(names, fmt.Sprintf("data_batch_%d.bin", i+1))
		}
	} else if part != Test {
		return Set{}, fmt.Errorf("dataset: CIFAR-10 has no part %q; use %q or %q", part, Train, Test)
	}
	if limit <= 0 {
		limit = len(names) * cifarPerFile
	}
	needed := (limit + cifarPerFile - 1) / cifarPerFile
	names = names[:min(needed, len(names))]
	batches, err := f.readCIFAR(names)
	if err != nil {
		return Set{}, err
	}
	var records []byte
	for _, name := range names {
		if err := checkCIFAR(batches[name]); err != nil {
			return Set{}, fmt.Errorf("dataset: CIFAR-10: %s in %s: %w", name, f, err)
		}
		records = append(records, batches[name]...)
	}
	return fromCIFAR(records, min(limit, len(names)*cifarPerFile), part), nil
}

// readCIFAR returns the contents of files by name.
func (f Folder) readCIFAR(names []string) (map[string][]byte, error) {
	archive := filepath.Join(string(f), CIFAR10().Folder, cifarArchive)
	batches := map[string][]byte{}
	for _, name := range names {
		r, err := f.open(CIFAR10(), path.Join(cifarFolder, name))
		if errors.Is(err, fs.ErrNotExist) {
			return readCIFARArchive(archive, f)
		}
		if err != nil {
			return nil, err
		}
		batches[name], err = io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("dataset: CIFAR-10: %s: %w", name, err)
		}
	}
	return batches, nil
}

func readCIFARArchive(archive string, f Folder) (map[string][]byte, error) {
	file, err := os.Open(archive)
	if err != nil {
		return nil, f.missing(CIFAR10(), cifarArchive+" or "+cifarFolder, err)
	}
	defer file.Close()
	sum := newChecksum(file)
	batches, err := untar(sum)
	if err == nil {
		err = sum.verify(CIFAR10().Files[0].SHA256)
	}
	if err != nil {
		return nil, fmt.Errorf("dataset: CIFAR-10: %s: %w", archive, err)
	}
	return batches, nil
}

// untar returns the contents of the batches in a compressed archive, by base
// name.
func untar(r io.Reader) (map[string][]byte, error) {
	unzip, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	batches := map[string][]byte{}
	for archive := tar.NewReader(unzip); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return batches, nil
		}
		if err != nil {
			return nil, err
		}
		if path.Ext(header.Name) != ".bin" {
			continue
		}
		// One byte more than a batch shows that it is too long.
		data, err := io.ReadAll(io.LimitReader(archive, cifarPerFile*cifarRecord+1))
		if err != nil {
			return nil, err
		}
		batches[path.Base(header.Name)] = data
	}
}

func checkCIFAR(batch []byte) error {
	if len(batch) != cifarPerFile*cifarRecord {
		return fmt.Errorf("%d bytes, want %d records of %d: the file is truncated or another one", len(batch), cifarPerFile, cifarRecord)
	}
	for k := range cifarPerFile {
		if label := batch[k*cifarRecord]; label > 9 {
			return fmt.Errorf("record %d has label %d, want 0..9", k, label)
		}
	}
	return nil
}

func fromCIFAR(records []byte, n int, part Part) Set {
	set := Set{Name: "CIFAR-10 " + string(part), Labels: make([]int, n), Classes: 10, Shape: []int{3, 32, 32}}
	images := make([]byte, 0, n*cifarPixels)
	for k := range n {
		record := records[k*cifarRecord:][:cifarRecord]
		set.Labels[k] = int(record[0])
		images = append(images, record[1:]...)
	}
	set.X = pixels(images, n, cifarPixels)
	return set
}
