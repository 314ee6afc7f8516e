package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qhlab/qhnet/store"
)

// Five processes, one of which is killed half way and started again, give the
// bytes of a single process.
func TestShardsInProcessesMergeToTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command and computes a sweep twice")
	}
	command := filepath.Join(t.TempDir(), "notebooks")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	start := func(store string, args ...string) *exec.Cmd {
		c := exec.Command(command, append([]string{"sweep", "rate-gap"}, args...)...)
		c.Env = append(os.Environ(), "QHLAB_STORE="+store)
		c.Stdout, c.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	finish := func(store string, args ...string) []byte {
		c := start(store, args...)
		if err := c.Wait(); err != nil {
			t.Fatalf("sweep %v: %v\n%s", args, err, c.Stderr)
		}
		return c.Stdout.(*bytes.Buffer).Bytes()
	}

	whole, parts := t.TempDir(), t.TempDir()
	finish(whole)
	for _, shard := range []int{0, 1, 3, 4} {
		finish(parts, "-shard", fmt.Sprintf("%d/5", shard))
	}
	before := stored(t, parts)
	victim := start(parts, "-shard", "2/5", "-workers", "1")
	for deadline := time.Now().Add(time.Minute); stored(t, parts) < before+2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the shard computed nothing in a minute")
		}
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait()
	t.Logf("killed with %d of 24 points stored", stored(t, parts))
	finish(parts, "-shard", "2/5")

	file := filepath.Join(t.TempDir(), "merged.jsonl")
	finish(parts, "-merge", "-o", file)
	merged, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := finish(whole, "-merge"); !bytes.Equal(merged, want) || bytes.Count(want, []byte("\n")) != 24 {
		t.Errorf("the merged bytes differ:\n%.400s\n%.400s", merged, want)
	}
}

// stored counts the finished results in a store.
func stored(t *testing.T, dir string) int {
	files, err := filepath.Glob(filepath.Join(dir, "*.run"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestSweepMistakesAreExplained(t *testing.T) {
	t.Setenv("QHLAB_STORE", t.TempDir())
	run := func(args ...string) error { return sweep(t.Context(), here(t), args) }
	wantError(t, run("nonsense"), `"nonsense"`, "rate-gap", "visibility", "needed-bias")
	wantError(t, run("rate-gap", "-shard", "5/5"), "-shard 5/5", "0/5")
	wantError(t, run("rate-gap", "-shard", "1of5"), "-shard 1of5")
	wantError(t, run("rate-gap", "-merge"), "24 of 24 points are not in the store")
	wantError(t, run("rate-gap", "visibility"), "one sweep at a time")
}

func TestSweepsAreListed(t *testing.T) {
	var list strings.Builder
	listSweeps(&list, store.Store{Dir: here(t).store()})
	for _, name := range []string{"rate-gap", "visibility", "needed-bias"} {
		if !strings.Contains(list.String(), name) {
			t.Errorf("the list lacks %s:\n%s", name, list.String())
		}
	}
}
