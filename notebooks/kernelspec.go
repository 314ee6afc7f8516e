package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// kernelspec tells Jupyter how to start a kernel. The project's own is
// relocatable: it finds the project from the folder that it lies in.
type kernelspec struct {
	Argv          []string `json:"argv"`
	DisplayName   string   `json:"display_name"`
	Language      string   `json:"language"`
	InterruptMode string   `json:"interrupt_mode"`
}

func (p project) kernelspecFolder() string { return p.path(".jupyter", "kernels", "gonb") }

func readKernelspec(p project) (kernelspec, error) {
	path := filepath.Join(p.kernelspecFolder(), "kernel.json")
	var spec kernelspec
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	if err != nil {
		return spec, fmt.Errorf("cannot read the kernelspec %s; restore it with git checkout: %w", path, err)
	}
	return spec, nil
}

// fill replaces placeholders in the command, as Jupyter does.
func (s kernelspec) fill(placeholders ...string) []string {
	replacer := strings.NewReplacer(placeholders...)
	argv := make([]string, len(s.Argv))
	for i, arg := range s.Argv {
		argv[i] = replacer.Replace(arg)
	}
	return argv
}

// installKernel makes the kernel known to the user's own Jupyter and VS Code.
func installKernel(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("kernel", flag.ContinueOnError)
	remove := flags.Bool("remove", false, "remove the kernel again")
	force := flags.Bool("force", false, "replace a kernel of the same name that belongs to something else")
	if _, err := parseFlags(flags, args); err != nil {
		return err
	}
	folder, err := userKernels()
	if err != nil {
		return err
	}
	if _, err := os.Stat(folder); err == nil && !p.ownsKernel(folder) && !*force {
		return fmt.Errorf("%s holds a kernel of something else: add -force to replace it", folder)
	}
	if *remove {
		return os.RemoveAll(folder)
	}
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareSteps(ctx, p, progress, kernelTools.install, buildPackages, helpTools.install); err != nil {
		return err
	}
	if err := p.writeUserKernel(folder); err != nil {
		return err
	}
	progress.say("the kernel is in %s: choose \"Go (gonb)\" in VS Code or Jupyter", folder)
	return nil
}

// writeUserKernel writes the project's kernelspec bound to this checkout.
func (p project) writeUserKernel(folder string) error {
	spec, err := readKernelspec(p)
	if err != nil {
		return err
	}
	spec.Argv = spec.fill("{resource_dir}", p.kernelspecFolder())
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(folder, "kernel.json"), append(data, '\n'))
}

func (p project) ownsKernel(folder string) bool {
	data, err := os.ReadFile(filepath.Join(folder, "kernel.json"))
	place, _ := json.Marshal(p.kernelspecFolder())
	return err == nil && bytes.Contains(data, place)
}

// userKernels is the folder in which Jupyter looks for the user's own kernel of
// this name (docs.jupyter.org, "Common directories and file locations").
func userKernels() (string, error) {
	data := os.Getenv("JUPYTER_DATA_DIR")
	if data == "" {
		home, err := os.UserHomeDir()
		switch {
		case err != nil:
			return "", errors.New("HOME is not set, so there is no place for kernels of the user: set JUPYTER_DATA_DIR")
		case runtime.GOOS == "darwin":
			data = filepath.Join(home, "Library", "Jupyter")
		case os.Getenv("XDG_DATA_HOME") != "":
			data = filepath.Join(os.Getenv("XDG_DATA_HOME"), "jupyter")
		default:
			data = filepath.Join(home, ".local", "share", "jupyter")
		}
	}
	return filepath.Join(data, "kernels", "gonb"), nil
}
