package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const requirements = ".jupyter/requirements.txt"

// pythons are those for which all packages of the requirements file have wheels.
const (
	oldestPython, newestPython = 10, 14
	pythons                    = "Python 3.10 to 3.14"
)

// pythonCommand runs the Python of .tools/venv. Isolated (-I), it takes nothing
// from the working directory, PYTHONPATH and its like, or the user's packages.
func (p project) pythonCommand(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, p.python(), append([]string{"-I"}, args...)...)
}

// hasLab is a program that fails where an environment lacks JupyterLab, as one
// does after its Python was replaced by a newer one.
const hasLab = "import importlib.util as u; raise SystemExit(not u.find_spec('jupyterlab'))"

// installLab makes .tools/venv, a Python environment with exactly the packages
// of the requirements file, each checked against its hash.
func installLab(ctx context.Context, p project, progress *progress) error {
	venv := p.path(".tools", "venv")
	stamp := stamp{filepath.Join(venv, ".stamp"), p.hash(requirements)}
	if stamp.valid() && p.pythonCommand(ctx, "-c", hasLab).Run() == nil {
		return nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(venv); err != nil {
		return err
	}
	create := exec.CommandContext(ctx, python, "-I", "-m", "venv", venv)
	if err := perform(create, progress.begin("making a Python environment")); err != nil {
		return explainVenv(err)
	}
	install := p.pythonCommand(ctx, "-m", "pip", "install",
		"--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "-r", p.path(requirements))
	install.Env = append(os.Environ(), "PIP_USER=0", "PIP_TARGET=")
	if err := perform(install, progress.begin("installing JupyterLab")); err != nil {
		return err
	}
	return stamp.write()
}

// noVenv is what Python says when Debian's package of the module is missing.
var noVenv = regexp.MustCompile(`ensurepip is not|No module named '?(venv|ensurepip)`)

// explainVenv adds what to do to the error of a virtual environment.
func explainVenv(err error) error {
	if noVenv.MatchString(err.Error()) {
		return fmt.Errorf("%w\non Debian and Ubuntu, apt-get install python3-venv mends that", err)
	}
	return err
}

// findPython returns a Python for which the requirements file has packages.
func findPython(ctx context.Context) (string, error) {
	var seen []string
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := pythonVersion(ctx, path)
		if err == nil && supported(version) {
			return path, nil
		}
		seen = append(seen, fmt.Sprintf("%s %s", path, version))
	}
	if len(seen) == 0 {
		return "", errors.New("JupyterLab needs " + pythons + ", and there is no python3 on PATH: install it and start again")
	}
	return "", fmt.Errorf("JupyterLab needs %s, and there is only %s: install one and start again", pythons, strings.Join(seen, ", "))
}

func pythonVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	return string(bytes.TrimSpace(out)), err
}

func supported(version string) bool {
	var major, minor int
	n, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return n == 2 && err == nil && major == 3 && minor >= oldestPython && minor <= newestPython
}
