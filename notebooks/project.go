package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const modulePath = "qhlab"

// cellImports are the packages of the project for cells.
var cellImports = []string{modulePath + "/qhnet/...", modulePath + "/plotting/..."}

// storeVariable names another store.
const storeVariable = "QHLAB_STORE"

// moduleLine is in the go.mod of the project, not in that of a module which requires it.
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
			if strings.ContainsRune(dir, os.PathListSeparator) {
				return project{}, fmt.Errorf("the name of the folder %s contains %q, which separates the folders of PATH: give it another name", dir, os.PathListSeparator)
			}
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

// kernelEnvironment is the environment for Jupyter and its kernels. The settings
// of Go that cells need are in the kernelspec, where VS Code finds them too. Where
// the store is read-only, cells get a copy in the temporary folder.
func (p project) kernelEnvironment(temporary string) []string {
	environment := append(os.Environ(),
		"PATH="+p.bin()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"JUPYTER_PATH="+p.path(".jupyter"),
		"JUPYTER_CONFIG_PATH="+p.path(".jupyter"))
	if store := p.store(); !writable(store) {
		substitute := filepath.Join(temporary, "runs")
		os.CopyFS(substitute, os.DirFS(store)) // what is missing is computed again
		environment = append(environment, storeVariable+"="+substitute)
	}
	return environment
}

// store is the folder that cells keep the results of long computations in.
func (p project) store() string {
	return cmp.Or(os.Getenv(storeVariable), p.path(".cache", "runs"))
}

// jupyterFolders keeps what Jupyter writes in one folder, so a read-only home is no
// obstacle and the user's own Jupyter settings have no influence.
func jupyterFolders(state string) []string {
	return []string{
		"JUPYTER_CONFIG_DIR=" + filepath.Join(state, "config"),
		"JUPYTER_DATA_DIR=" + filepath.Join(state, "data"),
		"JUPYTER_RUNTIME_DIR=" + filepath.Join(state, "runtime"),
		"JUPYTERLAB_SETTINGS_DIR=" + filepath.Join(state, "settings"),
		"JUPYTERLAB_WORKSPACES_DIR=" + filepath.Join(state, "workspaces"),
		"IPYTHONDIR=" + filepath.Join(state, "ipython"),
	}
}

// fixFolders makes the folders that the environment names absolute, because cells
// run in another folder than this command, and names those that are not named
// where the user has no home, since the temporary folder is shared with others.
func (p project) fixFolders() error {
	_, homeless := os.UserHomeDir()
	for variable, folder := range map[string]string{
		storeVariable: p.path(".cache", "runs"),
		"GOCACHE":     p.path(".cache", "go-build"),
		"GOPATH":      p.path(".cache", "go"),
	} {
		value := os.Getenv(variable)
		if value == "" && homeless != nil {
			value = folder
		}
		if value == "" || value == "off" {
			continue
		}
		absolute, err := filepath.Abs(value)
		if err != nil {
			return err
		}
		os.Setenv(variable, absolute)
	}
	return nil
}

// notebooks returns the paths of the notebooks that the names select, without a name those
// of the project: a copy that somebody made is theirs. "05", "robustness" and
// "notebooks/05-robustness.ipynb" agree.
func (p project) notebooks(names []string) ([]string, error) {
	folder := p.path("notebooks")
	all, err := fs.Glob(os.DirFS(folder), "[^.]*.ipynb") // not of the folder's name, which may hold any letter
	for i, name := range all {
		all[i] = filepath.Join(folder, name)
	}
	if len(names) == 0 {
		all = slices.DeleteFunc(all, func(path string) bool { return !p.owns(path) })
	}
	switch {
	case err != nil || len(all) == 0:
		return nil, fmt.Errorf("there is no notebook of the project in %s: restore them with git", folder)
	case len(names) == 0:
		return all, nil
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
		if name != "" && strings.HasPrefix(title, name) || strings.HasSuffix(title, "-"+name) || filepath.Base(path) == name {
			matches = append(matches, path)
		}
	}
	return matches
}

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

// owns tells whether the notebook is one of the project's: its README links to those.
func (p project) owns(path string) bool {
	text, err := os.ReadFile(p.path("README.md"))
	return err == nil && filepath.Dir(path) == p.path("notebooks") && strings.Contains(string(text), "(notebooks/"+filepath.Base(path)+")")
}

// goCommand returns a go command that runs at the project's root, without settings of the user, made
// by export or go env -w, under which builds fail. Only values that are not empty override go env -w.
func (p project) goCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = p.root, append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	return cmd
}

func findGo() (string, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("there is no go command on PATH: install Go 1.26 or newer from go.dev and open a new terminal")
	}
	return filepath.EvalSymlinks(path)
}
