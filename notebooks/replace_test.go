package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestReplacedFileIsWholeAndKeepsItsPermissions(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(folder, "file")
	if err := replaceFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, letter := range []string{"a", "b", "c"} {
		group.Go(func() {
			if err := replaceFile(path, []byte(strings.Repeat(letter, 1<<20))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	data, err := os.ReadFile(path)
	if err != nil || len(data) != 1<<20 || strings.Count(string(data), string(data[:1])) != 1<<20 {
		t.Errorf("%d bytes of several writers, %v", len(data), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the permissions became %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("files are left beside it: %v, %v", entries, err)
	}
}
