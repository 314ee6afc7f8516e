package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestKernelIsInstalledForTheUserAndRemoved(t *testing.T) {
	p := withKernel(t)
	t.Setenv("JUPYTER_DATA_DIR", t.TempDir())
	folder, err := userKernels()
	if err != nil {
		t.Fatal(err)
	}
	if err := installKernel(t.Context(), p, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec kernelspec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	// The command as Jupyter would start it, from a folder outside the project.
	argv := spec.fill("{connection_file}", "/nowhere/kernel-0.json", "exec notebooks", "echo notebooks")
	if got, err := commandOutput(t.TempDir(), argv...); err != nil || got != "notebooks proxy "+p.root+" /nowhere/kernel-0.json" {
		t.Errorf("the kernel would be started as %q, %v", got, err)
	}
	if err := installKernel(t.Context(), p, []string{"-remove"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("the kernel was not removed")
	}
}

func TestKernelOfSomethingElseIsNotReplaced(t *testing.T) {
	t.Setenv("JUPYTER_DATA_DIR", t.TempDir())
	folder, err := userKernels()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "kernel.json"), `{"argv": ["gonb"]}`)
	wantError(t, installKernel(t.Context(), here(t), nil), "something else", "-force")
	wantError(t, installKernel(t.Context(), here(t), []string{"-remove"}), "something else")
}
