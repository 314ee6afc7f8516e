package qhnet

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// fileMagic begins every file that writeFile makes.
const fileMagic = "qhlab1\n"

// writeFile stores a value atomically: readers see the old file or the whole
// new one, also after a crash. The gob is followed by its checksum.
func writeFile(path string, value any) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, filepath.Base(path)+".part*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temporary.Close()
			os.Remove(temporary.Name())
		}
	}()
	if err := temporary.Chmod(0o644); err != nil { // not its owner's alone: folders are shared
		return err
	}
	sum := crc32.NewIEEE()
	if _, err := io.WriteString(temporary, fileMagic); err != nil {
		return err
	}
	if err := gob.NewEncoder(io.MultiWriter(temporary, sum)).Encode(value); err != nil {
		return err
	}
	if _, err := temporary.Write(sum.Sum(nil)); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

var errDamaged = errors.New("the file is damaged or holds something else; delete it and compute again")

// readFile fills value from a file made by writeFile. The error satisfies
// errors.Is(err, fs.ErrNotExist) if there is none.
func readFile(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	body := len(data) - crc32.Size
	if body < len(fileMagic) || string(data[:len(fileMagic)]) != fileMagic {
		return fmt.Errorf("qhnet: %s: %w", path, errDamaged)
	}
	sum := crc32.NewIEEE()
	sum.Write(data[len(fileMagic):body])
	if string(sum.Sum(nil)) != string(data[body:]) {
		return fmt.Errorf("qhnet: %s: %w", path, errDamaged)
	}
	if err := gob.NewDecoder(bytes.NewReader(data[len(fileMagic):body])).Decode(value); err != nil {
		return fmt.Errorf("qhnet: %s: %w: %w", path, errDamaged, err)
	}
	return nil
}
