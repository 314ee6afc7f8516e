package qhnet

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"qhlab/qhnet/dataset"
)

// Batches cuts a set, shuffled, into parts of the given size (the last may be
// smaller) and binds the model to each.
func Batches(m Model, set dataset.Set, size int, rng *rand.Rand) ([]*Margins, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("qhnet: batches: %w", err)
	}
	if size < 1 {
		return nil, fmt.Errorf("qhnet: batches of size %d; use at least 1", size)
	}
	var batches []*Margins
	for part := range slices.Chunk(rng.Perm(set.Len()), size) {
		b, err := bindMargins(m, set.Subset(part))
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	return batches, nil
}

// batch returns the field of the next batch. The order of a pass depends only on
// Seed and the number of the pass, so that a resumed run repeats it.
func (r *descentRun) batch() *field {
	pass, i := r.Step/len(r.batches), r.Step%len(r.batches)
	if i == 0 || r.order == nil {
		r.order = rand.New(rand.NewPCG(r.Seed, uint64(pass))).Perm(len(r.batches))
	}
	return r.batches[r.order[i]]
}
