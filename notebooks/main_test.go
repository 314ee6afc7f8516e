package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// withKernel prepares the kernel once for all tests and returns the project.
func withKernel(t testing.TB) project {
	t.Helper()
	return prepared(t, kernelPrepared)
}

// withLab prepares JupyterLab as well.
func withLab(t testing.TB) project {
	t.Helper()
	return prepared(t, labPrepared)
}

// TestMain gives the tests a store of their own, and names what was skipped for lack
// of time. go test shows nothing of what a passing test prints, so a shell waits for its
// end and then writes to where go itself writes, or to the terminal.
func TestMain(m *testing.M) {
	store, err := os.MkdirTemp("", "qhlab-store-")
	if err != nil {
		panic(err)
	}
	os.Setenv(storeVariable, store)
	code := m.Run()
	os.RemoveAll(store)
	if len(skipped) > 0 {
		report := fmt.Sprintf("qhlab/notebooks: the time limit was near, so %d tests were skipped: %s\nwith -timeout 40m there is time for all\n",
			len(skipped), strings.Join(skipped, " "))
		const last = `n=0; while kill -0 "$1" && [ $n -lt 36000 ]; do sleep 0.1; n=$((n+1)); done; printf %s "$2" >&3`
		for _, path := range []string{fmt.Sprintf("/proc/%d/fd/2", os.Getppid()), "/dev/tty"} {
			if out, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
				cmd := exec.Command("/bin/sh", "-c", last, "sh", strconv.Itoa(os.Getppid()), report)
				cmd.ExtraFiles = []*os.File{out}
				cmd.Start()
				break
			}
		}
	}
	os.Exit(code)
}

// skipped are the tests for which there was no time.
var (
	skipped   []string
	skippedMu sync.Mutex
)

// needTime skips a slow test when the limit that go test sets to all of them is
// near, which on a busy machine ten minutes are: a missed limit would hide every
// other result.
func needTime(t testing.TB) {
	t.Helper()
	limited, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return
	}
	if deadline, ok := limited.Deadline(); ok && time.Until(deadline) < 3*time.Minute {
		skippedMu.Lock()
		skipped = append(skipped, t.Name())
		skippedMu.Unlock()
		t.Skip("the time limit of go test is near; with -timeout 40m there is time for this test")
	}
}

var kernelPrepared, labPrepared = preparedOnce(prepareKernel), preparedOnce(prepareLab)

func preparedOnce(prepare prepareStep) func() error {
	return sync.OnceValue(func() error {
		p, err := findProject()
		if err != nil {
			return err
		}
		progress := newProgress(os.Stderr)
		defer progress.close()
		return prepare(context.Background(), p, progress)
	})
}

func prepared(t testing.TB, once func() error) project {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real kernels, which -short leaves out")
	}
	needTime(t)
	if err := once(); err != nil {
		t.Fatal(err)
	}
	return here(t)
}

// here is the project that the tests belong to.
func here(t testing.TB) project {
	t.Helper()
	p, err := findProject()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// silent is a progress that shows nothing.
func silent(t testing.TB) *progress {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := newProgress(null)
	t.Cleanup(func() { p.close(); null.Close() })
	return p
}

// copyNotebook returns the path of a copy that a test may change.
func copyNotebook(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(target, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return target
}

// wantError fails unless err mentions every part.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not mention %q:\n%v", part, err)
		}
	}
}

func TestSubcommandsAreListedAndUnknownOnesRefused(t *testing.T) {
	var b strings.Builder
	printHelp(&b)
	for _, c := range subcommands() {
		if !strings.Contains(b.String(), c.name) {
			t.Errorf("help does not list %s", c.name)
		}
	}
	wantError(t, dispatch(t.Context(), []string{"nonsense"}), `"nonsense"`)
	t.Setenv("HOME", t.TempDir())
	for _, args := range [][]string{{"help", "me"}, {"readme", "05"}, {"kernel", "remove"}, {"prepare", "-h"}} {
		wantError(t, dispatch(t.Context(), args), fmt.Sprintf("%s takes no %q", args[0], args[1]))
	}
	if err := dispatch(t.Context(), []string{"--help"}); err != nil {
		t.Error(err)
	}
}

func TestProjectIsFoundFromItsSubfolders(t *testing.T) {
	want := here(t).root
	t.Chdir(filepath.Join(want, "qhnet", "ode"))
	if got := here(t).root; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	stranger := t.TempDir()
	writeFile(t, filepath.Join(stranger, "go.mod"), "module mine\n\nrequire qhlab v0.0.0\n")
	t.Chdir(stranger)
	_, err := findProject()
	wantError(t, err, "not inside a checkout")
}

func TestNotebooksAreSelectedByPartsOfTheirNames(t *testing.T) {
	all := []string{"notebooks/04-maximum-margin.ipynb", "notebooks/05-robustness.ipynb", "notebooks/07-margin.ipynb"}
	for name, want := range map[string]string{
		"05":                  "05-robustness",
		"robustness":          "05-robustness",
		"05-robustness":       "05-robustness",
		"05-robustness.ipynb": "05-robustness",
		"margin":              "04-maximum-margin 07-margin",
		"collapse":            "",
	} {
		if got := strings.Join(titles(matchNotebooks(all, name)), " "); got != want {
			t.Errorf("%q selects %q, want %q", name, got, want)
		}
	}
}
