package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

func prepare(ctx context.Context, p project, _ []string) error {
	progress := newProgress(os.Stderr)
	defer progress.close()
	return prepareLab(ctx, p, progress)
}

type prepareStep func(context.Context, project, *progress) error

// prepareKernel makes sure that cells can run, and fills the build cache that they use.
func prepareKernel(ctx context.Context, p project, progress *progress) error {
	return prepareSteps(ctx, p, progress, kernelTools.install, buildPackages)
}

// prepareLab also makes sure that names are completed and explained, and of JupyterLab.
func prepareLab(ctx context.Context, p project, progress *progress) error {
	return prepareSteps(ctx, p, progress, kernelTools.install, buildPackages, helpTools.install, installLab)
}

// prepareSteps takes the steps in order, while no other process prepares.
func prepareSteps(ctx context.Context, p project, progress *progress, steps ...prepareStep) error {
	unlock, err := lockFile(p.path(".tools", "lock"), func() { progress.say("waiting for another process to finish preparing") })
	if err != nil {
		return err
	}
	defer unlock()
	for _, step := range steps {
		if err := step(ctx, p, progress); err != nil {
			return err
		}
	}
	return nil
}

// buildPackages builds what cells import, and the kernel's proxy.
func buildPackages(ctx context.Context, p project, progress *progress) error {
	build := p.goCommand(append([]string{"build"}, cellImports...)...)
	if err := perform(ctx, build, progress.begin("building the project's packages")); err != nil {
		return err
	}
	build = p.goCommand("build", "-o", filepath.Join(p.bin(), "notebooks"), modulePath+"/notebooks")
	return perform(ctx, build, progress.begin("building the kernel's proxy"))
}

// toolset is programs, called like the last words of their packages, that are
// installed at the versions of the go.mod in a folder.
type toolset struct {
	what, folder string
	packages     []string
}

var (
	kernelTools = toolset{"the Go kernel", ".", []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports"}}
	// By gopls the kernel completes and explains names.
	helpTools = toolset{"completion", ".jupyter/gopls", []string{"golang.org/x/tools/gopls"}}
)

func (t toolset) install(ctx context.Context, p project, progress *progress) error {
	command, err := findGo()
	if err != nil {
		return err
	}
	stamp := t.stamp(p, command)
	if stamp.valid() {
		return nil
	}
	for _, old := range stamp.installed { // a damaged program would be taken for a good one
		os.Remove(old)
	}
	build := p.goCommand(append([]string{"install"}, t.packages...)...)
	build.Dir = p.path(t.folder)
	build.Env = append(build.Env, "GOBIN="+p.bin())
	if err := perform(ctx, build, progress.begin("installing "+t.what)); err != nil {
		return err
	}
	// A front end started from a desktop may lack go on its PATH.
	if err := os.Symlink(command, filepath.Join(p.bin(), "go")); err != nil {
		return err
	}
	return stamp.write()
}

// stamp is that of the programs and of the link to go.
func (t toolset) stamp(p project, goCommand string) stamp {
	installed := []string{filepath.Join(p.bin(), "go")}
	for _, program := range t.packages {
		installed = append(installed, filepath.Join(p.bin(), path.Base(program)))
	}
	return stamp{
		filepath.Join(p.bin(), ".stamp-"+path.Base(t.packages[0])),
		runtime.Version() + goCommand + p.hash(path.Join(t.folder, "go.mod"), path.Join(t.folder, "go.sum")), installed,
	}
}

func perform(ctx context.Context, cmd *exec.Cmd, s *step) error {
	var log bytes.Buffer
	both := io.MultiWriter(&log, s)
	cmd.Stdout, cmd.Stderr = both, both
	words := strings.Join(cmd.Args, " ")
	c, err := newChild(0)
	if err == nil {
		if err = c.start(cmd); err == nil {
			err = c.await(ctx)
		}
		c.stop()
	}
	if err == nil {
		s.end("done")
		return nil
	}
	s.end("failed")
	if ctx.Err() == nil && noNetwork.MatchString(log.String()) {
		return fmt.Errorf("%s needs the network, which does not answer: connect this machine once, later starts need none", s.name)
	}
	return fmt.Errorf("%s failed (%w):\n%s", words, err, tail(log.String(), 20))
}

// noNetwork is what go and pip say of a machine that is offline.
var noNetwork = regexp.MustCompile(`(?i)no such host|name resolution|network is unreachable|connection refused|i/o timeout|timed out|NewConnectionError|unable to connect to proxy`)

func tail(s string, n int) string {
	all := lines(strings.TrimSpace(s))
	return strings.Join(all[max(0, len(all)-n):], "")
}

// stamp marks a finished installation. It is written last and holds all that the result
// depends on and the size of every file that was installed, so that an interrupted or
// damaged one starts again.
type stamp struct {
	path, key string
	installed []string // files and folders
}

func (s stamp) valid() bool {
	data, err := os.ReadFile(s.path)
	return err == nil && string(data) == s.key+s.sizes()
}

func (s stamp) write() error { return replaceFile(s.path, []byte(s.key+s.sizes())) }

// sizes identifies the names and sizes of what was installed, but for what Python makes later.
func (s stamp) sizes() string {
	h := sha256.New()
	for _, root := range s.installed {
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() == "__pycache__" {
				return fs.SkipDir
			}
			if info, err := entry.Info(); err == nil && !entry.IsDir() {
				fmt.Fprintln(h, path, info.Size())
			}
			return nil
		})
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// hash identifies the contents of files of the project, and its place.
func (p project) hash(names ...string) string {
	h := sha256.New()
	io.WriteString(h, p.root)
	for _, name := range names {
		data, _ := os.ReadFile(p.path(name))
		h.Write(data)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

const requirements = ".jupyter/requirements.txt"

// pythons are those for which all packages of the requirements file have wheels.
const pythons = "Python 3.10 to 3.14"

var supported = regexp.MustCompile(`^3\.1[0-4]$`)

// pythonCommand runs the Python of .tools/venv. Isolated (-I), it takes nothing
// from the working directory, PYTHONPATH and its like, or the user's packages.
func (p project) pythonCommand(args ...string) *exec.Cmd {
	return exec.Command(p.python(), append([]string{"-I"}, args...)...)
}

// hasLab is a program that fails where an environment lacks JupyterLab, as one
// does after its Python was replaced by a newer one.
const hasLab = "import importlib.util as u; raise SystemExit(not u.find_spec('jupyterlab'))"

// lab is the stamp of what installLab makes.
func (p project) lab() stamp {
	venv := p.path(".tools", "venv")
	return stamp{filepath.Join(venv, ".stamp"), p.hash(requirements), []string{filepath.Join(venv, "bin"), filepath.Join(venv, "lib")}}
}

// installLab makes .tools/venv, a Python environment with exactly the packages
// of the requirements file, each checked against its hash.
func installLab(ctx context.Context, p project, progress *progress) error {
	stamp := p.lab()
	if stamp.valid() && p.pythonCommand("-c", hasLab).Run() == nil {
		return nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	venv := filepath.Dir(stamp.path)
	if err := os.RemoveAll(venv); err != nil {
		return err
	}
	create := exec.Command(python, "-I", "-m", "venv", venv)
	if err := perform(ctx, create, progress.begin("making a Python environment")); err != nil {
		if noVenv.MatchString(err.Error()) {
			err = fmt.Errorf("%w\non Debian and Ubuntu, apt-get install python3-venv mends that", err)
		}
		return err
	}
	// By default, pip tries each of a hundred packages six times.
	install := p.pythonCommand("-m", "pip", "install", "--disable-pip-version-check",
		"--retries=2", "--require-hashes", "--only-binary=:all:", "-r", p.path(requirements))
	install.Env = append(os.Environ(), "PIP_USER=0", "PIP_TARGET=")
	if err := perform(ctx, install, progress.begin("installing JupyterLab")); err != nil {
		return err
	}
	return stamp.write()
}

// noVenv is what Python says when Debian's package of the module is missing.
var noVenv = regexp.MustCompile(`ensurepip is not|No module named '?(venv|ensurepip)`)

// findPython returns a Python for which the requirements file has packages.
func findPython(ctx context.Context) (string, error) {
	var seen []string
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := pythonVersion(ctx, path)
		if err == nil && supported.MatchString(version) {
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
