// Package store keeps results of long computations on disk, and runs sweeps whose
// points any number of processes can compute.
package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"qhlab/qhnet"
	"qhlab/qhnet/internal/file"
	"qhlab/qhnet/progress"
)

// Store keeps results of long computations on disk, one file a result. It is
// safe to delete, and safe to share between processes.
type Store struct {
	Dir string
}

// Default is the folder named by the environment variable QHLAB_STORE,
// otherwise .cache/runs in the project around the working directory, otherwise
// qhlab/runs in the user's cache folder.
func Default() Store {
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
// result outlives what made it. R must have a gob form that drops nothing.
//
// A file that is damaged, or holds something else, is computed again. If the
// result cannot be written, it is returned together with the error.
func Remember[R any](s Store, name string, key any, compute func() (R, error)) (R, error) {
	if compute == nil {
		panic(fmt.Sprintf("qhnet: Remember %q without a function that computes it; give one, or use Recall", name))
	}
	path, err := s.path(name, key, reflect.TypeFor[R]())
	if err != nil {
		var none R
		return none, err
	}
	if stored, err := load[R](path); err == nil {
		return stored, nil
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, file.ErrDamaged) {
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

// entry is what a file holds: a result, and its own name, which is that of the key.
type entry[R any] struct {
	Name   string
	Result R
}

func load[R any](path string) (R, error) {
	var e entry[R]
	err := file.Read(path, &e)
	if err == nil && e.Name != filepath.Base(path) {
		err = fmt.Errorf("qhnet: %s holds the result of another key, %s: %w", path, e.Name, file.ErrDamaged)
	}
	return e.Result, err
}

// Follow runs a flow with a checkpoint of its own in the store: a flow that was
// interrupted goes on, and one that has ended is not repeated. Any change of the
// model, the data, the start, the settings or the code is another flow.
func (s Store) Follow(ctx context.Context, f qhnet.Flow) (*qhnet.Trajectory, error) {
	key, err := f.Key()
	if err != nil {
		return nil, err
	}
	if f.Checkpoint, err = s.path("flow", key, reflect.TypeFor[qhnet.Point]()); err != nil {
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
	if d.Checkpoint, err = s.path("descent", key, reflect.TypeFor[qhnet.Point]()); err != nil {
		return nil, err
	}
	return heal(ctx, d)
}

// codeVersion hashes what results depend on besides their keys: the sources of the
// packages of qhnet where they were compiled, as an edit of them changes results. A
// program that is far from its sources, or older than one of them, is its own version.
var codeVersion = sync.OnceValue(func() string {
	h := sha256.New()
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(here))
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !source.MatchString(path) || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if info, err := entry.Info(); err != nil || info.ModTime().After(built()) {
			return errors.Join(err, errEdited)
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(path, root), len(text))
		h.Write(text)
		return err
	})
	if err != nil {
		return programVersion()
	}
	return fmt.Sprintf("%x", h.Sum(nil))
})

var source = regexp.MustCompile(`\.(go|s)$`)

var errEdited = errors.New("a source is newer than the program")

// built returns when the program was.
func built() time.Time {
	program, err := os.Executable()
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(program)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func programVersion() string {
	program, err := os.Executable()
	if err != nil {
		panic("qhnet: store: neither the sources nor the program can be found: " + err.Error())
	}
	text, err := os.ReadFile(program)
	if err != nil {
		panic("qhnet: store: " + err.Error())
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}
