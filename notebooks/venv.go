package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const requirements = ".jupyter/requirements.txt"

// installLab makes .tools/venv, a Python environment with exactly the packages
// of the requirements file, each checked against its hash.
func installLab(ctx context.Context, p project, progress *progress) error {
	venv := p.path(".tools", "venv")
	stamp := stamp{filepath.Join(venv, ".stamp"), p.hash(requirements)}
	if stamp.valid() && exec.CommandContext(ctx, p.python(), "-c", "").Run() == nil {
		return nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(venv); err != nil {
		return err
	}
	create := exec.CommandContext(ctx, python, "-m", "venv", venv)
	if err := perform(create, progress.begin("making a Python environment")); err != nil {
		return fmt.Errorf("%w\n%s cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv mends that", err, python)
	}
	install := exec.CommandContext(ctx, p.python(), "-m", "pip", "install",
		"--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "-r", p.path(requirements))
	install.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=", "PIP_USER=0", "PIP_TARGET=", "PYTHONPATH=", "PYTHONHOME=")
	if err := perform(install, progress.begin("installing JupyterLab")); err != nil {
		return err
	}
	return stamp.write()
}

// findPython returns a Python for which the requirements file has packages.
func findPython(ctx context.Context) (string, error) {
	var seen []string
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"} {
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
		return "", errors.New("JupyterLab needs Python 3.10 to 3.13, and there is no python3 on PATH: install it and start again")
	}
	return "", fmt.Errorf("JupyterLab needs Python 3.10 to 3.13, and there is only %s: install one and start again", strings.Join(seen, ", "))
}

func pythonVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	return string(bytes.TrimSpace(out)), err
}

func supported(version string) bool {
	var major, minor int
	n, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return n == 2 && err == nil && major == 3 && minor >= 10 && minor <= 13
}
