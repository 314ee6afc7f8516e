package main

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

// replaceFile writes a file in one step, so that a reader never sees half of it,
// and makes the folders above it. A file that was there keeps its permissions; a
// new one gets those that the user's umask leaves.
func replaceFile(path string, data []byte) error {
	folder, name := filepath.Split(path)
	if err := os.MkdirAll(filepath.Clean(folder), 0o777); err != nil {
		return err
	}
	temporary := filepath.Join(folder, "."+name+"."+rand.Text())
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // after the renaming there is nothing to remove
	if old, missing := os.Stat(path); missing == nil {
		err = file.Chmod(old.Mode().Perm())
	}
	_, broken := file.Write(data)
	if err = errors.Join(err, broken, file.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
