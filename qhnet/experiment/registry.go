package experiment

import (
	"context"
	"fmt"
	"io"
	"strings"

	"qhlab/qhnet/store"
)

// Experiment is a named sweep whose points and results may be of any type.
type Experiment struct {
	Name    string
	Purpose string // in one sentence
	Points  int

	// Shard computes the points shard, shard+shards, … that the store lacks.
	// Workers and progress are as in store.Sweep.
	Shard func(ctx context.Context, shard, shards, workers int, progress func(done, total int)) error

	// Merge writes all results, one JSON object a line, in the order of the points.
	Merge func(w io.Writer) error
}

// All lists the experiments; their results are kept in the given store.
func All(runs store.Store) []Experiment {
	return []Experiment{
		of(RateGap(runs), "how fast the direction of two-ball flows converges, for pairs of depths and seeds"),
		of(Visibility(runs), "at which log(1/L) the asymmetric direction becomes visible, over highest rate and gap"),
		of(NeededBias(runs), "whether ReLU networks find the bias of the theory, over depths, widths and seeds"),
	}
}

// Find returns the experiment of a name, or an error that lists the names.
func Find(runs store.Store, name string) (Experiment, error) {
	var names []string
	for _, e := range All(runs) {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Experiment{}, fmt.Errorf("there is no sweep %q; the sweeps are %s", name, strings.Join(names, ", "))
}

// of hides the types of a sweep's points and results.
func of[P, R any](s store.Sweep[P, R], purpose string) Experiment {
	return Experiment{
		Name: s.Name, Purpose: purpose, Points: len(s.Points),
		Shard: func(ctx context.Context, shard, shards, workers int, progress func(done, total int)) error {
			s := s
			s.Workers, s.Progress = workers, progress
			return s.Shard(ctx, shard, shards)
		},
		Merge: s.Merge,
	}
}
