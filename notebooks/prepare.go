package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// prepareOnly prepares all that the other subcommands would.
func prepareOnly(ctx context.Context, p project, _ []string) error {
	progress := newProgress(os.Stderr)
	defer progress.close()
	return prepareLab(ctx, p, progress)
}

// prepareKernel makes sure that cells can run: the kernel's programs are in
// .tools/bin and the project's packages are built, which also fills the build
// cache that cells use.
func prepareKernel(ctx context.Context, p project, progress *progress) error {
	return prepareSteps(ctx, p, progress, installPrograms, buildPackages)
}

// prepareFrontEnd additionally makes sure that names are completed and explained.
func prepareFrontEnd(ctx context.Context, p project, progress *progress) error {
	return prepareSteps(ctx, p, progress, installPrograms, buildPackages, installHelp)
}

// prepareLab additionally makes sure that JupyterLab is installed.
func prepareLab(ctx context.Context, p project, progress *progress) error {
	return prepareSteps(ctx, p, progress, installPrograms, buildPackages, installHelp, installLab)
}

// prepareSteps takes the steps in order, while no other process prepares.
func prepareSteps(ctx context.Context, p project, progress *progress, steps ...func(context.Context, project, *progress) error) error {
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
	build := p.goCommand(ctx, "build", modulePath+"/qhnet/...", modulePath+"/plotting/...")
	if err := perform(build, progress.begin("building the project's packages")); err != nil {
		return err
	}
	build = p.goCommand(ctx, "build", "-o", filepath.Join(p.bin(), "notebooks"), modulePath+"/notebooks")
	return perform(build, progress.begin("building the kernel's proxy"))
}

// installPrograms builds gonb and goimports at the versions of go.mod.
func installPrograms(ctx context.Context, p project, progress *progress) error {
	return p.install(ctx, progress, "the Go kernel", ".", "github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports")
}

// installHelp builds gopls, by which the kernel completes and explains names.
func installHelp(ctx context.Context, p project, progress *progress) error {
	return p.install(ctx, progress, "completion", goplsFolder, goplsPackage)
}

const (
	goplsFolder  = ".jupyter/gopls"
	goplsPackage = "golang.org/x/tools/gopls"
)

// install builds programs, called like the last words of their packages, at the
// versions of the go.mod in a folder.
func (p project) install(ctx context.Context, progress *progress, what, folder string, packages ...string) error {
	command, err := goCommand()
	if err != nil {
		return err
	}
	first := path.Base(packages[0])
	stamp := stamp{p.path(".tools", "bin", ".stamp-"+first), runtime.Version() + command + p.hash(path.Join(folder, "go.mod"), path.Join(folder, "go.sum"))}
	if stamp.valid() && p.hasPrograms(packages) {
		return nil
	}
	build := p.goCommand(ctx, append([]string{"install"}, packages...)...)
	build.Dir = p.path(folder)
	build.Env = append(build.Env, "GOBIN="+p.bin())
	if err := perform(build, progress.begin("installing "+what)); err != nil {
		return err
	}
	// A front end started from a desktop may lack go on its PATH.
	link := filepath.Join(p.bin(), "go")
	os.Remove(link)
	if err := os.Symlink(command, link); err != nil {
		return err
	}
	return stamp.write()
}

// hasPrograms tells whether all that install makes is there.
func (p project) hasPrograms(packages []string) bool {
	for _, name := range append([]string{"go"}, packages...) {
		if _, err := os.Stat(filepath.Join(p.bin(), path.Base(name))); err != nil {
			return false
		}
	}
	return true
}

// goCommand returns a go command that runs at the project's root.
func (p project) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = p.root, p.buildEnvironment()
	return cmd
}

// perform runs a command as a step.
func perform(cmd *exec.Cmd, s *step) error {
	var log bytes.Buffer
	both := io.MultiWriter(&log, s)
	cmd.Stdout, cmd.Stderr = both, both
	if err := cmd.Run(); err != nil {
		s.end("failed")
		return fmt.Errorf("%s failed (%w):\n%s", strings.Join(cmd.Args, " "), err, tail(log.String(), 20))
	}
	s.drop()
	return nil
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	all := lines(strings.TrimSpace(s))
	return strings.Join(all[max(0, len(all)-n):], "")
}

// stamp marks a finished preparation. It is written last, so an interrupted one
// starts again, and its key changes with everything that the result depends on.
type stamp struct{ path, key string }

func (s stamp) valid() bool {
	data, err := os.ReadFile(s.path)
	return err == nil && string(data) == s.key
}

func (s stamp) write() error { return replaceFile(s.path, []byte(s.key)) }

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
