package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const modulePath = "qhlab"

// moduleLine is in the go.mod of the project, not in that of a module which
// requires it.
var moduleLine = regexp.MustCompile(`(?m)^module ` + modulePath + `\s*$`)

// project is the checkout that the command works on.
type project struct{ root string }

// findProject walks up from the working directory to the module's go.mod.
func findProject() (project, error) {
	start, err := os.Getwd()
	if err != nil {
		return project{}, err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleLine.Match(text) {
			return project{dir}, nil
		}
		if dir == filepath.Dir(dir) {
			return project{}, fmt.Errorf("%s is not inside a checkout of %s: change to its folder and start again", start, modulePath)
		}
	}
}

func (p project) path(elem ...string) string {
	return filepath.Join(append([]string{p.root}, elem...)...)
}

func (p project) bin() string    { return p.path(".tools", "bin") }
func (p project) python() string { return p.path(".tools", "venv", "bin", "python") }

// buildEnvironment is the environment for go commands on the project. It undoes
// settings of the user, made by export or go env -w, under which builds of the
// project or of cells fail. Only non-empty values override go env -w.
func (p project) buildEnvironment() []string {
	return append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
}

// kernelEnvironment is the environment for Jupyter and its kernels. All folders
// that Jupyter writes to are inside the project, so a read-only home is no
// obstacle and the user's own Jupyter settings have no influence. The settings
// of Go that cells need are in the kernelspec, where VS Code finds them too.
func (p project) kernelEnvironment() []string {
	state := p.path(".tools", "jupyter")
	return append(os.Environ(),
		"PATH="+p.bin()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"JUPYTER_PATH="+p.path(".jupyter"),
		"JUPYTER_CONFIG_PATH="+p.path(".jupyter"),
		"JUPYTER_CONFIG_DIR="+filepath.Join(state, "config"),
		"JUPYTER_DATA_DIR="+filepath.Join(state, "data"),
		"JUPYTER_RUNTIME_DIR="+filepath.Join(state, "runtime"),
		"JUPYTERLAB_SETTINGS_DIR="+filepath.Join(state, "settings"),
		"JUPYTERLAB_WORKSPACES_DIR="+filepath.Join(state, "workspaces"),
		"IPYTHONDIR="+filepath.Join(state, "ipython"),
	)
}

// notebooks returns the paths of the notebooks that the names select, without a name
// those of the project: a copy that somebody made is theirs. A name is a path, or the beginning or a word of the
// file's name: "05", "robustness" and "notebooks/05-robustness.ipynb" agree.
func (p project) notebooks(names []string) ([]string, error) {
	all, err := filepath.Glob(p.path("notebooks", "*.ipynb"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return slices.DeleteFunc(all, func(path string) bool { return !p.owns(path) }), nil
	}
	var selected []string
	for _, name := range names {
		matches := matchNotebooks(all, name)
		if len(matches) == 0 {
			return nil, fmt.Errorf("no notebook is called %q; there are: %s", name, strings.Join(titles(all), ", "))
		}
		selected = append(selected, matches...)
	}
	slices.Sort(selected)
	return slices.Compact(selected), nil
}

func matchNotebooks(all []string, name string) []string {
	if path, err := filepath.Abs(name); err == nil && filepath.Ext(path) == ".ipynb" {
		if _, err := os.Stat(path); err == nil {
			return []string{path}
		}
	}
	var matches []string
	for _, path := range all {
		title := title(path)
		if title == name {
			return []string{path}
		}
		if strings.HasPrefix(title, name) || strings.HasSuffix(title, "-"+name) || filepath.Base(path) == name {
			matches = append(matches, path)
		}
	}
	return matches
}

// title is the name of a notebook without folder and extension.
func title(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".ipynb")
}

func titles(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = title(path)
	}
	return names
}

// owns tells whether the notebook is one of the project's, which are those that its
// README links to.
func (p project) owns(path string) bool {
	text, err := os.ReadFile(p.path("README.md"))
	return err == nil && filepath.Dir(path) == p.path("notebooks") && strings.Contains(string(text), "(notebooks/"+filepath.Base(path)+")")
}

// goCommand returns the path of the go command that built this program, or the
// one on PATH.
func goCommand() (string, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("there is no go command on PATH: install Go 1.26 or newer from go.dev and open a new terminal")
	}
	return filepath.EvalSymlinks(path)
}
