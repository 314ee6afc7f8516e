package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// computed runs the notebook of a sweep in a store of its own and returns the file of its
// results.
func computed(t *testing.T, p project, path, store string) string {
	t.Helper()
	t.Setenv("QHLAB_STORE", store)
	if err := run(t.Context(), p, []string{path}); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(filepath.Dir(path), "results", "radii.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(kept)
}

// stored counts the finished results in a store.
func stored(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.run"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// A check accepts results that this code has made, and refuses those of other code with
// the command that makes them anew.
func TestShardsOfANotebookMakeItsResults(t *testing.T) {
	p := withKernel(t)
	path, store := copyNotebook(t, "testdata/sweep.ipynb"), t.TempDir()
	t.Setenv("QHLAB_STORE", store)
	for part, points := range []int{10, 20} {
		if err := run(t.Context(), p, []string{path, "-shard", []string{"0/2", "1/2"}[part]}); err != nil {
			t.Fatal(err)
		}
		if n := stored(t, store); n != points {
			t.Errorf("after part %d of 2 there are %d results, want %d", part, n, points)
		}
	}
	kept := computed(t, p, path, store)
	if n := strings.Count(kept, "\n"); n != 21 || stored(t, store) != 20 {
		t.Errorf("%d lines from %d results:\n%s", n, stored(t, store), kept)
	}
	t.Setenv("QHLAB_STORE", t.TempDir())
	if err := run(t.Context(), p, []string{path, "-check"}); err != nil || stored(t, os.Getenv("QHLAB_STORE")) != 0 {
		t.Errorf("a check computes what is kept, or fails: %v", err)
	}
	nb, err := readNotebook(path)
	if err != nil {
		t.Fatal(err)
	}
	nb.Cells[1].Source = text(strings.Replace(string(nb.Cells[1].Source), "1e4", "2e4", 1))
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(t.Context(), p, []string{path, "-check"}), "radii.jsonl holds the results of other code", "go run ./notebooks run sweep")
}

// Five tasks of a real Slurm, one of which is cancelled and submitted again, give the bytes
// of a single process.
func TestSlurmComputesASweep(t *testing.T) {
	for _, program := range []string{"slurmctld", "slurmd", "sbatch", "munged"} {
		if _, err := exec.LookPath(program); err != nil || os.Getuid() != 0 {
			t.Skip("needs root and Debian's slurm-wlm and munge")
		}
	}
	p := withKernel(t)
	folder := t.TempDir()
	script, err := filepath.Abs("testdata/slurm.sh")
	if err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", folder).CombinedOutput(); err != nil {
			t.Errorf("Slurm goes on: %v\n%s", err, out)
		}
	})
	command(script, "start", folder)
	t.Setenv("SLURM_CONF", filepath.Join(folder, "slurm.conf"))

	path, store := copyNotebook(t, "testdata/sweep.ipynb"), t.TempDir()
	t.Setenv("QHLAB_STORE", store)
	var file bytes.Buffer
	if err := writeJob(&file, slurmFile, p, path, 5); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "sweep.job"), file.String())
	job := command("sbatch", "--parsable", "sweep.job")
	await := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !is(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s takes too long:\n%s", what, command("squeue"))
			}
		}
	}
	await("the start of task 2", func() bool { return command("squeue", "-h", "-t", "R", "-j", job+"_2") != "" })
	command("scancel", job+"_2")
	await("the array job", func() bool { return command("squeue", "-h") == "" })
	if n := stored(t, store); n < 16 || n > 20 {
		t.Errorf("%d of 20 points are stored after four whole tasks and one that was cancelled", n)
	}
	t.Logf("cancelled with %d of 20 points stored", stored(t, store))
	command("sbatch", "--array=2", "sweep.job")
	await("the task submitted again", func() bool { return command("squeue", "-h") == "" })
	if n := stored(t, store); n != 20 {
		t.Errorf("%d of 20 points are stored:\n%s", n, command("sh", "-c", "tail *.log"))
	}
	parts := computed(t, p, path, store)
	if stored(t, store) != 20 {
		t.Error("the notebook computed points that the tasks had computed")
	}
	if whole := computed(t, p, copyNotebook(t, path), t.TempDir()); whole != parts {
		t.Errorf("the results differ:\n%s\n%s", parts, whole)
	}
}

func TestSweepMistakesAreExplained(t *testing.T) {
	p := here(t)
	plain, sweeps := copyNotebook(t, "testdata/square.ipynb"), copyNotebook(t, "testdata/sweep.ipynb")
	try := func(args ...string) error { return run(t.Context(), p, args) }
	wantError(t, try(sweeps, "-shard", "5/5"), `"5/5" is no shard`, "0/5")
	wantError(t, try(sweeps, "-shard", "1of5"), `"1of5"`)
	wantError(t, try(plain, "-slurm", "3"), "no cell is tagged sweep")
	wantError(t, try(sweeps, "-slurm", "3", "-kubernetes", "2"), "one file is printed at a time")
	for _, tasks := range []string{"-3", "0", "many"} {
		wantError(t, try(sweeps, "-slurm", tasks), "want a number of tasks, at least 1")
	}
	wantError(t, try(sweeps, "-slurm", "3", "-check"), "takes neither -check")
	wantError(t, try(sweeps, plain, "-slurm", "3"), "one notebook")
	wantError(t, try(sweeps, "-kubernetes", "3"), "the image holds only the project's own notebooks")
	wantError(t, try(sweeps, "-shard", "0/2", "-check"), "-shard")
}

// The file is accepted by a validator with the published schema, where there is one.
func TestKubernetesFile(t *testing.T) {
	p := here(t)
	paths, err := p.notebooks([]string{"08"})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := writeJob(&file, kubernetesFile, p, paths[0], 7); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"completionMode: Indexed", "completions: 7", `run 08-neural-collapse-networks -shard "$JOB_COMPLETION_INDEX/7"`} {
		if !strings.Contains(file.String(), part) {
			t.Errorf("the file lacks %q:\n%s", part, file.String())
		}
	}
	validator, err := exec.LookPath("kubernetes-validate")
	if err != nil {
		t.Skip("needs kubernetes-validate, of PyPI")
	}
	path := filepath.Join(t.TempDir(), "job.yaml")
	writeFile(t, path, file.String())
	if out, err := exec.CommandContext(t.Context(), validator, "--strict", path).CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
