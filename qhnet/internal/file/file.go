// Package file writes values to files that appear whole or not at all, and tells a
// damaged file from a good one.
package file

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
)

// magic begins every file that Write makes.
const magic = "qhlab1\n"

// Write stores a value atomically: readers see the old file or the whole
// new one, also after a crash. The gob is followed by its checksum.
func Write(path string, value any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	content := bytes.NewBufferString(magic)
	if err := gob.NewEncoder(content).Encode(value); err != nil {
		return err
	}
	sum := crc32.ChecksumIEEE(content.Bytes()[len(magic):])
	content.Write(binary.BigEndian.AppendUint32(nil, sum))
	return maybe.WriteFile(path, content.Bytes(), 0o644) // folders are shared
}

// ErrDamaged is the error, wrapped, of a file that Write did not make or did not finish.
var ErrDamaged = errors.New("the file is damaged or holds something else; delete it and compute again")

// Read fills value from a file made by Write. The error satisfies
// errors.Is(err, fs.ErrNotExist) if there is none.
func Read(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	body := len(data) - crc32.Size
	if body < len(magic) || string(data[:len(magic)]) != magic {
		return fmt.Errorf("qhnet: %s: %w", path, ErrDamaged)
	}
	if crc32.ChecksumIEEE(data[len(magic):body]) != binary.BigEndian.Uint32(data[body:]) {
		return fmt.Errorf("qhnet: %s: %w", path, ErrDamaged)
	}
	if err := gob.NewDecoder(bytes.NewReader(data[len(magic):body])).Decode(value); err != nil {
		return fmt.Errorf("qhnet: %s: %w: %w", path, ErrDamaged, err)
	}
	return nil
}
