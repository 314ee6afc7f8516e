package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A user waits for every start of the command, so with everything in place it may
// only let go build see whether a package changed.
func TestWarmPreparationOnlyBuildsThePackages(t *testing.T) {
	p := withLab(t)
	progress := silent(t)
	var steps []string
	progress.begun = func(name string) { steps = append(steps, name) }
	if err := prepareLab(t.Context(), p, progress); err != nil {
		t.Fatal(err)
	}
	if want := []string{"building the project's packages", "building the kernel's proxy"}; !slices.Equal(steps, want) {
		t.Errorf("took the steps %q, want %q", steps, want)
	}
}

func TestIncompleteAndDamagedInstallationsStartAgain(t *testing.T) {
	p := withKernel(t)
	for name, damage := range map[string]func(path string) error{
		".stamp-gonb": os.Remove, // as if killed before the end
		"goimports":   os.Remove,
		"go":          os.Remove,
		"gonb":        func(path string) error { return os.Truncate(path, 1<<20) },
	} {
		path := filepath.Join(p.bin(), name)
		if err := damage(path); err != nil {
			t.Fatal(err)
		}
		if err := prepareKernel(t.Context(), p, silent(t)); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 1<<20 {
			t.Errorf("%s was not mended: %v", name, err)
		}
	}
}

func TestStampSeesDamage(t *testing.T) {
	folder := t.TempDir()
	module, cache := filepath.Join(folder, "lib", "module.py"), filepath.Join(folder, "lib", "__pycache__", "module.pyc")
	writeFile(t, module, "x = 1")
	s := stamp{filepath.Join(folder, ".stamp"), "key", []string{filepath.Join(folder, "lib")}}
	if s.valid() {
		t.Error("valid before it was written")
	}
	if err := s.write(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, cache, "made by running Python")
	if !s.valid() {
		t.Error("not valid after it was written")
	}
	writeFile(t, module, "x")
	if s.valid() {
		t.Error("valid although a module is cut")
	}
	if os.Remove(module); s.valid() {
		t.Error("valid although a module is gone")
	}
}

// pip says in dozens of lines that there is no network.
func TestNoNetworkIsOneSentence(t *testing.T) {
	p := project{t.TempDir()}
	writeFile(t, p.path(".jupyter", "requirements.txt"), "nonsense==1 --hash=sha256:"+strings.Repeat("0", 64)+"\n")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("PIP_INDEX_URL", "https://127.0.0.1:1/simple")
	err := installLab(t.Context(), p, silent(t))
	wantError(t, err, "installing JupyterLab needs the network")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a sentence: %v", err)
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
	if err := p.lab().write(); err != nil {
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
	for _, examine := range []func(context.Context, project) (string, error){examinePython, examineLab} {
		if found, err := examine(t.Context(), p); err != nil {
			t.Errorf("%s: %v", found, err)
		}
	}
	server, err := startLab(t.Context(), p, folder, "127.0.0.1", 8888)
	if err != nil {
		t.Fatal(err)
	}
	server.stop()
}

func TestToolsAreDirectives(t *testing.T) {
	out, err := here(t).goCommand("list", "tool").Output()
	if err != nil {
		t.Fatal(err)
	}
	tools := strings.Fields(string(out))
	for _, want := range []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", "honnef.co/go/tools/cmd/staticcheck"} {
		if !slices.Contains(tools, want) {
			t.Errorf("go.mod has no tool directive for %s", want)
		}
	}
}
