package dataset

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FolderVariable is the environment variable that names the data folder.
const FolderVariable = "QHLAB_DATA"

// Folder is where data sets lie as files, each collection in a folder of its
// own: MNIST in mnist/, CIFAR-10 in cifar10/. The published files are read as
// they are, compressed or not.
type Folder string

// DefaultFolder returns the folder named by QHLAB_DATA, or else qhlab in the
// user's cache folder.
func DefaultFolder() Folder {
	if path := os.Getenv(FolderVariable); path != "" {
		return Folder(path)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return Folder(filepath.Join(cache, "qhlab"))
}

// Part names the training or the test points of a published data set.
type Part string

// The parts that publishers define.
const (
	Train Part = "train"
	Test  Part = "test"
)

// open opens name or name.gz of a collection, decompressed.
func (f Folder) open(c Collection, name string) (io.ReadCloser, error) {
	path := filepath.Join(string(f), c.Folder, name)
	file, err := os.Open(path)
	if err == nil {
		return file, nil
	}
	file, err = os.Open(path + ".gz")
	if err != nil {
		return nil, f.missing(c, name, err)
	}
	unzip, err := gzip.NewReader(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("dataset: %s.gz: %w", path, err)
	}
	return unzipped{unzip, file}, nil
}

type unzipped struct {
	*gzip.Reader
	file io.Closer
}

func (u unzipped) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// missing says where the files of a collection go.
func (f Folder) missing(c Collection, name string, cause error) error {
	if !errors.Is(cause, fs.ErrNotExist) {
		return fmt.Errorf("dataset: %s: %w", c.Title, cause)
	}
	return fmt.Errorf("dataset: %s is not in %s (no %s, compressed or not): download it with `go run ./notebooks data %s`, put the files from %s there, or name another folder in %s: %w",
		c.Title, filepath.Join(string(f), c.Folder), name, c.Folder, c.Mirrors[0], FolderVariable, fs.ErrNotExist)
}

// checksum passes data through and remembers its SHA-256.
type checksum struct {
	source io.Reader
	sum    interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func newChecksum(r io.Reader) *checksum { return &checksum{r, sha256.New()} }

func (c *checksum) Read(p []byte) (int, error) {
	n, err := c.source.Read(p)
	c.sum.Write(p[:n])
	return n, err
}

// verify reads what is left and compares the sum of everything.
func (c *checksum) verify(want string) error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	if got := hex.EncodeToString(c.sum.Sum(nil)); got != want {
		return fmt.Errorf("SHA-256 is %s, published %s: the file is damaged or another one; delete it and download it again", got, want)
	}
	return nil
}
