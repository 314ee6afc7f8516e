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
	for _, e := range examinations {
		found, mend := e.examine(t.Context(), p)
		switch e.name {
		case "gonb", "goimports", "gopls", "a cell", "JupyterLab":
			if mend != prepareAgain || !e.needed {
				t.Errorf("%s: %q, to mend it %q", e.name, found, mend)
			}
		}
	}
	if err := doctor(t.Context(), p, nil); err == nil {
		t.Error("doctor is content with an empty folder")
	}
	fakePython(t, "3.12", "no")
	if found, mend := examinePython(t.Context(), p); !strings.Contains(mend, "python3-venv") {
		t.Errorf("Python without venv: %q, to mend it %q", found, mend)
	}
	t.Setenv("PATH", t.TempDir())
	if found, mend := examineGo(t.Context(), p); mend == "" {
		t.Errorf("no go: %q", found)
	}
}
