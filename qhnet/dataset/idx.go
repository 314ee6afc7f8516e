package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// idxUnsignedByte is the type code of unsigned bytes in an IDX header
// (Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits).
const idxUnsignedByte = 0x08

// IDX is an array of bytes in the file format of MNIST, row-major.
type IDX struct {
	Shape []int
	Data  []byte
}

// ReadIDX reads one array of unsigned bytes: two zero bytes, a type code, the
// number of dimensions, their big-endian sizes, and the entries. It is an error
// if the magic number is another one or the entries are too few or too many.
func ReadIDX(r io.Reader) (IDX, error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return IDX{}, fmt.Errorf("dataset: IDX: truncated magic number: %w", err)
	}
	rank := int(magic[3])
	if !bytes.Equal(magic[:3], []byte{0, 0, idxUnsignedByte}) || rank == 0 {
		return IDX{}, fmt.Errorf("dataset: IDX: magic number %#08x is not that of an array of unsigned bytes, 0x000008 and the number of dimensions", magic[:])
	}
	sizes := make([]uint32, rank)
	if err := binary.Read(r, binary.BigEndian, sizes); err != nil {
		return IDX{}, fmt.Errorf("dataset: IDX: truncated header of %d dimensions: %w", rank, err)
	}
	var array IDX
	total := int64(1)
	for _, size := range sizes {
		array.Shape = append(array.Shape, int(size))
		// Past 2³¹ entries no later factor matters: the file cannot have them.
		total = min(total*int64(size), 1<<31)
	}
	var err error
	// Growing with what arrives, rather than by the header, keeps a damaged
	// header from claiming gigabytes.
	if array.Data, err = io.ReadAll(io.LimitReader(r, total+1)); err != nil {
		return IDX{}, fmt.Errorf("dataset: IDX: %w", err)
	}
	if got := int64(len(array.Data)); got < total {
		return IDX{}, fmt.Errorf("dataset: IDX: truncated: shape %v needs %d entries, the file has %d", array.Shape, total, got)
	} else if got > total {
		return IDX{}, fmt.Errorf("dataset: IDX: entries go on after the %d of shape %v", total, array.Shape)
	}
	return array, nil
}
