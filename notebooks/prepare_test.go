package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWarmPreparationIsFast(t *testing.T) {
	p := withLab(t)
	start := time.Now()
	if err := prepareLab(t.Context(), p, silent(t)); err != nil {
		t.Fatal(err)
	}
	// Twice the second that a user may wait, for a machine that is busy testing.
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestOnlyOneAtATimeHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "lock")
	var group sync.WaitGroup
	var holders, waits atomic.Int32
	for range 8 {
		group.Go(func() {
			unlock, err := lockFile(path, func() { waits.Add(1) })
			if err != nil {
				t.Error(err)
				return
			}
			if holders.Add(1) != 1 {
				t.Error("two hold the lock")
			}
			time.Sleep(5 * time.Millisecond)
			holders.Add(-1)
			unlock()
		})
	}
	group.Wait()
	if waits.Load() == 0 {
		t.Error("nobody was told to wait")
	}
}

func TestIncompleteInstallationStartsAgain(t *testing.T) {
	p := withKernel(t)
	for _, missing := range []string{".stamp-gonb", "goimports", "go"} { // the first as if killed before the end
		path := filepath.Join(p.bin(), missing)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := prepareKernel(t.Context(), p, silent(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// After an upgrade of the system's Python an environment finds nothing of what
// was installed for the old one.
func TestEnvironmentWithoutJupyterLabIsMadeAgain(t *testing.T) {
	p := project{t.TempDir()}
	writeFile(t, p.path(".jupyter", "requirements.txt"), "")
	if out, err := exec.Command("python3", "-m", "venv", "--without-pip", p.path(".tools", "venv")).CombinedOutput(); err != nil {
		t.Skipf("no Python to make an environment with: %v\n%s", err, out)
	}
	if err := (stamp{p.path(".tools", "venv", ".stamp"), p.hash(requirements)}).write(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	wantError(t, installLab(t.Context(), p, silent(t)), "no python3 on PATH")
}

func TestCancelledInstallationIsNotMarkedAsFinished(t *testing.T) {
	p := project{t.TempDir()}
	writeFile(t, p.path(".jupyter", "requirements.txt"), "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := installLab(ctx, p, silent(t)); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(p.path(".tools", "venv", ".stamp")); err == nil {
		t.Error("marked as finished")
	}
}

// fakePython puts a python3 on PATH that claims a version and fails with a
// complaint at everything else.
func fakePython(t *testing.T, version, complaint string) {
	t.Helper()
	folder := t.TempDir()
	script := "#!/bin/sh\ncase \"$*\" in *version_info*) echo " + version + ";; *) echo " + complaint + "; exit 1;; esac\n"
	writeFile(t, filepath.Join(folder, "python3"), script)
	if err := os.Chmod(filepath.Join(folder, "python3"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPythonWithoutVenvIsExplained(t *testing.T) {
	p := project{t.TempDir()}
	fakePython(t, "3.12", "No module named venv")
	wantError(t, installLab(t.Context(), p, silent(t)), "apt-get install python3-venv", "No module named venv")
	fakePython(t, "3.12", "No space left on device")
	err := installLab(t.Context(), p, silent(t))
	wantError(t, err, "No space left on device")
	if strings.Contains(err.Error(), "python3-venv") {
		t.Errorf("a full disk is blamed on a package: %v", err)
	}
}

func TestUnsupportedPythonIsExplained(t *testing.T) {
	p := project{t.TempDir()}
	fakePython(t, "3.8", "no")
	wantError(t, installLab(t.Context(), p, silent(t)), pythons, "3.8")
	t.Setenv("PATH", t.TempDir())
	wantError(t, installLab(t.Context(), p, silent(t)), "no python3 on PATH")
}

// Every setting here has broken cells or builds for somebody. With all tools
// prepared, none may matter.
func TestHostileEnvironments(t *testing.T) {
	p := withLab(t)
	cache, _ := firstLine(exec.Command("go", "env", "GOCACHE"))
	modules, _ := firstLine(exec.Command("go", "env", "GOMODCACHE"))
	home := map[string]string{"HOME": os.DevNull + "/home", "GOCACHE": cache, "GOMODCACHE": modules, "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}
	for name, variables := range map[string]map[string]string{
		"workspaces off":         {"GOWORK": "off"},
		"modules writable":       {"GOFLAGS": "-mod=mod"},
		"modules vendored":       {"GOFLAGS": "-mod=vendor"},
		"no go on PATH":          {"PATH": "/usr/bin:/bin"},
		"home read-only":         home,
		"no network":             {"GOPROXY": "https://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"},
		"other Jupyter settings": {"JUPYTER_PATH": "/nowhere", "JUPYTER_CONFIG_DIR": "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range variables {
				t.Setenv(variable, value)
			}
			k := start(t, p)
			if _, err := execute(t, t.Context(), k, firstCell+"\nimport \"qhlab/qhnet\""); err != nil {
				t.Fatal(err)
			}
			c, err := execute(t, t.Context(), k, "%%\nfmt.Println(qhnet.Block{Shape: []int{7}}.Len())")
			if err != nil || c.stream("stdout") != "7\n" {
				t.Errorf("printed %q, %v\n%s", c.stream("stdout"), err, c.errorText())
			}
			if name == "no go on PATH" {
				return // without go there is no "go run" either
			}
			if err := prepareLab(t.Context(), p, silent(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A module that raises stands for any that the user's Python would find first.
func TestPythonOfTheUserHasNoInfluence(t *testing.T) {
	p := withLab(t)
	folder := t.TempDir()
	for _, module := range []string{"tornado", "venv", "importlib"} {
		writeFile(t, filepath.Join(folder, module+".py"), "raise SystemExit('the wrong "+module+"')")
	}
	t.Setenv("PYTHONPATH", folder)
	t.Setenv("PYTHONHOME", folder)
	if err := prepareLab(t.Context(), p, silent(t)); err != nil {
		t.Error(err)
	}
	for _, f := range []finding{examinePython(t.Context(), p), examineLab(t.Context(), p)} {
		if f.mend != "" {
			t.Errorf("%s: %s", f.name, f.detail)
		}
	}
	server, err := startLab(t.Context(), p, folder, "127.0.0.1", 8888)
	if err != nil {
		t.Fatal(err)
	}
	server.stop()
}
