package main

import (
	"os/exec"
	"strings"
	"testing"
)

// commandOutput runs a program in a folder and returns what it prints.
func commandOutput(folder string, argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = folder
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func TestDoctorIsContentAfterPreparing(t *testing.T) {
	p := withLab(t)
	if err := doctor(t.Context(), p, nil); err != nil {
		t.Error(err)
	}
}

func TestDoctorNamesWhatIsMissingAndHowToMendIt(t *testing.T) {
	p := project{t.TempDir()}
	writeFile(t, p.path("go.mod"), "module qhlab\n\nrequire github.com/janpfeifer/gonb v0.11.4\n")
	for _, f := range []finding{examineGonb(t.Context(), p), examineKernel(t.Context(), p), examineLab(t.Context(), p)} {
		if !f.needed || f.mend == "" {
			t.Errorf("%s: %q, to mend it %q", f.name, f.detail, f.mend)
		}
	}
	if err := doctor(t.Context(), p, nil); err == nil {
		t.Error("doctor is content with an empty folder")
	}
	fakePython(t, "3.12", "no")
	if f := examinePython(t.Context(), p); !strings.Contains(f.mend, "python3-venv") {
		t.Errorf("Python without venv: %q, to mend it %q", f.detail, f.mend)
	}
	t.Setenv("PATH", t.TempDir())
	if f := examineGo(t.Context(), p); f.mend == "" {
		t.Errorf("no go: %q", f.detail)
	}
}
