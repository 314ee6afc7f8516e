// Package store keeps results of long computations on disk, and runs sweeps whose
// points any number of processes can compute.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/progress"
)

// Store keeps results of long computations on disk, one file a result. It is
// safe to delete, and safe to share between processes.
type Store struct {
	Dir string
}

// Default is the folder named by the environment variable QHLAB_STORE, otherwise .cache/runs in the
// project around the working directory, otherwise qhlab/runs in the user's cache folder.
func Default() Store {
	if dir := os.Getenv("QHLAB_STORE"); dir != "" {
		return Store{dir}
	}
	if dir, err := os.Getwd(); err == nil {
		if m, ok := moduleAround(dir); ok && m.path == "qhlab" {
			return Store{filepath.Join(m.folder, ".cache", "runs")}
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return Store{filepath.Join(cache, "qhlab", "runs")}
}

// Remember returns the result for a key, computing and storing it the first time. The key must
// hold everything that determines the result (parameters, data, seed) and have a JSON form, R a
// gob form, that drop nothing: unexported fields are an error. The code that compute may run and
// the fields of R are part of every key, so that no result outlives what made it.
//
// A file that is damaged, or holds something else, is computed again. If the result cannot be
// written, it is returned together with the error.
func Remember[R any](s Store, name string, key any, compute func() (R, error)) (R, error) {
	if compute == nil {
		panic(fmt.Sprintf("qhnet: Remember %q without a function that computes it", name))
	}
	return remember(s, name, key, codeOf(compute), compute)
}

func remember[R any](s Store, name string, key any, code string, compute func() (R, error)) (R, error) {
	stored, path, err := recall[R](s, name, key, code)
	if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, file.ErrDamaged) {
		return stored, err
	}
	task := progress.Announce(name)
	defer task.End()
	result, err := compute()
	if err != nil {
		task.Say("ended early")
		return result, err
	}
	task.Say("kept for the next time")
	if err := file.Write(path, &entry[R]{filepath.Base(path), result}); err != nil {
		return result, fmt.Errorf("qhnet: the result of %q is not stored: %w", name, err)
	}
	return result, nil
}

// recall returns the stored result, and where it is or belongs. The error satisfies
// errors.Is(err, fs.ErrNotExist) if there is none.
func recall[R any](s Store, name string, key any, code string) (result R, path string, err error) {
	if path, err = s.path(name, key, reflect.TypeFor[R](), code); err != nil {
		return result, "", err
	}
	var e entry[R]
	if err = file.Read(path, &e); err == nil && e.Name != filepath.Base(path) {
		err = fmt.Errorf("qhnet: %s holds the result of another key, %s: %w", path, e.Name, file.ErrDamaged)
	}
	return e.Result, path, err
}

// entry is what a file holds: a result, and its own name, which is that of the key.
type entry[R any] struct {
	Name   string
	Result R
}

// Follow runs a flow with a checkpoint of its own in the store: a flow that was
// interrupted goes on, and one that has ended is not repeated. Any change of the
// model, the data, the start, the settings or the code is another flow.
func (s Store) Follow(ctx context.Context, f qhnet.Flow) (*qhnet.Trajectory, error) {
	key, err := f.Key()
	if err != nil {
		return nil, err
	}
	if f.Checkpoint, err = s.path("flow", key, reflect.TypeFor[qhnet.Point](), codeAround(f.Margins.Model(), f.Loss)); err != nil {
		return nil, err
	}
	return heal(ctx, f)
}

// heal runs from a checkpoint, or anew where that is damaged.
func heal(ctx context.Context, run interface {
	Run(ctx context.Context) (*qhnet.Trajectory, error)
	Forget() error
}) (*qhnet.Trajectory, error) {
	tr, err := run.Run(ctx)
	if !errors.Is(err, file.ErrDamaged) {
		return tr, err
	}
	if err := run.Forget(); err != nil {
		return nil, err
	}
	return run.Run(ctx)
}

// Train runs a descent with a checkpoint of its own in the store, as
// [Store.Follow] does a flow. Another number of steps, or another Until, is the
// same descent, which goes on from the steps it has taken.
func (s Store) Train(ctx context.Context, d qhnet.Descent) (*qhnet.Trajectory, error) {
	key, err := d.Key()
	if err != nil {
		return nil, err
	}
	if d.Checkpoint, err = s.path("descent", key, reflect.TypeFor[qhnet.Point](), codeAround(d.Margins.Model(), d.Loss, d.Optimizer)); err != nil {
		return nil, err
	}
	return heal(ctx, d)
}
