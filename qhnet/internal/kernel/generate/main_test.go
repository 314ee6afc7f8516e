package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestAssemblyIsCurrent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new.s")
	if out, err := exec.Command("go", "run", ".", "-out", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../assembly_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(withoutFirstLine(made), withoutFirstLine(committed)) {
		t.Error("the assembly is not what this program writes; run go generate in the directory above")
	}
}

// withoutFirstLine leaves out the command that made a file.
func withoutFirstLine(text []byte) []byte {
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	return rest
}
