package qhnet

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// Store keeps results of long computations on disk, one file a result. It is
// safe to delete, and safe to share between processes.
type Store struct {
	Dir string
}

// DefaultStore is the folder named by the environment variable QHLAB_STORE,
// otherwise .cache/runs in the project around the working directory, otherwise
// qhlab/runs in the user's cache folder.
func DefaultStore() Store {
	if dir := os.Getenv("QHLAB_STORE"); dir != "" {
		return Store{dir}
	}
	if dir, err := os.Getwd(); err == nil {
		for {
			mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && moduleLine.Match(mod) {
				return Store{filepath.Join(dir, ".cache", "runs")}
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return Store{filepath.Join(cache, "qhlab", "runs")}
}

// moduleLine is the line of go.mod that makes a folder this project.
var moduleLine = regexp.MustCompile(`(?m)^module qhlab\s*$`)

// Remember returns the result for a key, computing and storing it the first
// time. The key must hold everything that determines the result (parameters,
// data, seed) and have a JSON form that drops nothing: unexported fields are an
// error. The code of qhnet and the fields of R are part of every key, so that no
// result outlives what made it. R must have a gob form.
//
// A file that is damaged, or holds something else, is computed again. If the
// result cannot be written, it is returned together with the error.
func Remember[R any](s Store, name string, key any, compute func() (R, error)) (R, error) {
	path, err := s.path(name, key, reflect.TypeFor[R]())
	if err != nil {
		var none R
		return none, err
	}
	if stored, err := load[R](path); err == nil {
		return stored, nil
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
		return stored, err
	}
	result, err := compute()
	if err != nil {
		return result, err
	}
	if err := writeFile(path, &result); err != nil {
		return result, fmt.Errorf("qhnet: the result of %q is not stored: %w", name, err)
	}
	return result, nil
}

// Recall returns the stored result for a key. The error satisfies
// errors.Is(err, fs.ErrNotExist) if there is none.
func Recall[R any](s Store, name string, key any) (R, error) {
	path, err := s.path(name, key, reflect.TypeFor[R]())
	if err != nil {
		var none R
		return none, err
	}
	return load[R](path)
}

func load[R any](path string) (result R, err error) {
	err = readFile(path, &result)
	return result, err
}

// Follow runs a flow with a checkpoint of its own in the store: a flow that was
// interrupted goes on, and one that has ended is not repeated. Any change of the
// model, the data, the start, the settings or the code is another flow.
func (s Store) Follow(ctx context.Context, f Flow) (*Trajectory, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	r := newFlowRun(&f)
	if err := r.field.at(f.Start); err != nil {
		return nil, fmt.Errorf("qhnet: the flow cannot start: %w", err)
	}
	var err error
	if f.Checkpoint, err = s.path("flow", r.identify(), reflect.TypeFor[snapshot]()); err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// Train runs a descent with a checkpoint of its own in the store, as
// [Store.Follow] does a flow. Another number of steps, or another Until, is the
// same descent, which goes on from the steps it has taken.
func (s Store) Train(ctx context.Context, d Descent) (*Trajectory, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	r, err := newDescentRun(&d)
	if err != nil {
		return nil, err
	}
	name, err := r.identify()
	if err != nil {
		return nil, err
	}
	if d.Checkpoint, err = s.path("descent", name, reflect.TypeFor[descentState]()); err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// sources is the code that results depend on.
//
//go:embed *.go ode/*.go dataset/*.go experiment/*.go internal/kernel internal/polytope
var sources embed.FS

// codeVersion hashes the sources, tests aside.
var codeVersion = sync.OnceValue(func() string {
	h := sha256.New()
	err := fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := sources.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(text))
		h.Write(text)
		return err
	})
	if err != nil {
		panic("qhnet: reading the embedded sources: " + err.Error())
	}
	return fmt.Sprintf("%x", h.Sum(nil))
})
