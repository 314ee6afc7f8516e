package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed peers
var sources embed.FS

// peers are the other programs, ready to run.
type peers struct{ dir string }

// build writes the sources of the other programs to dir, compiles CVODE's and
// installs SciPy.
func build(dir string) (*peers, error) {
	if err := os.CopyFS(filepath.Join(dir, "src"), sources); err != nil && !os.IsExist(err) {
		return nil, err
	}
	source := func(name string) string { return filepath.Join(dir, "src", "peers", name) }
	steps := [][]string{
		{"cc", "-O2", "-o", filepath.Join(dir, "cvode"), source("cvode.c"), "-lsundials_cvode", "-lsundials_nvecserial",
			"-lsundials_sunlinsoldense", "-lsundials_sunmatrixdense", "-lsundials_generic", "-lm"},
		{"python3", "-m", "venv", filepath.Join(dir, "venv")},
		{filepath.Join(dir, "venv", "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", source("requirements.txt")},
	}
	for _, s := range steps {
		if out, err := exec.Command(s[0], s[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(s, " "), err, out)
		}
	}
	return &peers{dir}, nil
}

// cvode runs CVODE's BDF.
func (p *peers) cvode(end, tolerance float64) (result, error) {
	return p.execute(filepath.Join(p.dir, "cvode"), filepath.Join(p.dir, "problem.txt"),
		number(end), number(tolerance), strconv.Itoa(repeats))
}

// scipy runs a method of SciPy's solve_ivp.
func (p *peers) scipy(method string, end, tolerance float64) (result, error) {
	return p.execute(filepath.Join(p.dir, "venv", "bin", "python"), filepath.Join(p.dir, "src", "peers", "scipy_ivp.py"),
		filepath.Join(p.dir, "problem.txt"), method, number(end), number(tolerance), "1")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// execute runs a program and reads the line that it prints.
func (p *peers) execute(name string, args ...string) (result, error) {
	command := exec.Command(name, args...)
	command.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1")
	out, err := command.Output()
	if err != nil {
		return result{}, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	r := result{theta: make([]float64, parameters)}
	fields := strings.Fields(string(out))
	if len(fields) != 3+parameters+1 {
		return result{}, fmt.Errorf("%s printed %q", name, out)
	}
	values := make([]float64, 3+parameters)
	for i := range values {
		if values[i], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return result{}, err
		}
	}
	r.seconds, r.evaluations, r.steps = values[0], int(values[1]), int(values[2])
	copy(r.theta, values[3:])
	r.version = fields[len(fields)-1]
	return r, nil
}
