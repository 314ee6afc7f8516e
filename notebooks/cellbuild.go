package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cellsVariable names a folder of the kernel's in which gonb finds a go command that is this program.
const cellsVariable = "QHLAB_CELLS"

// packages are those that cells of a kernel import, as the go command has compiled them. For each
// cell it looks all of them up again, 250 for a figure, which takes half as long as linking.
type packages struct {
	folder string // where they are kept, and what a cell is compiled to

	Environment map[string]string // that the go command gives to compiler and linker
	Imports     []string          // of the cells so far
	Compiled    map[string]string // files by import path, of these packages and all they import
	Sources     map[string]string // folders of what can change, and how the names begin that count
	Hash        string            // of the sources and of what the environment tells the go command
}

// coarse is how far apart the times of two versions of a file may have to be to differ.
const coarse = 2 * time.Second

// errUnknown leaves a cell to the go command.
var errUnknown = errors.New("the packages of the cell are not known")

// goForCells does what gonb asks of the go command, and returns its status. A cell of known packages is
// compiled and linked at once. What fails that way, and all else, is left to the real command.
func goForCells(args []string) (status int) {
	p := knownPackages(os.Getenv(cellsVariable))
	search := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool { return dir == p.folder })
	os.Setenv("PATH", strings.Join(search, string(os.PathListSeparator)))
	cell := p.isCell(args)
	if cell {
		os.Remove(args[2]) // of the last cell: it may still run, or be a script, which the go command would not replace
		if p.read() == nil && p.build(args[2]) == nil {
			return 0
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	switch err := cmd.Run(); {
	case cmd.ProcessState == nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	case err == nil && cell:
		p.learn()
	}
	return cmd.ProcessState.ExitCode()
}

// cellsFolder is where packages are kept, in the folder of a kernel.
const cellsFolder = "cells"

// cellsEnvironment puts this program before the go command, or nothing where it cannot.
func cellsEnvironment(kernel string) []string {
	folder := filepath.Join(kernel, cellsFolder)
	program, err := os.Executable()
	if err != nil || os.Mkdir(folder, 0o700) != nil || os.Symlink(program, filepath.Join(folder, "go")) != nil {
		return nil
	}
	return []string{cellsVariable + "=" + folder, "PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH")}
}

func knownPackages(folder string) *packages {
	return &packages{folder: folder, Imports: slices.Clone(cellImports)}
}

// findPackages prepares for the first cell of a kernel.
func findPackages(kernel string) {
	if dirs, _ := filepath.Glob(filepath.Join(kernel, "gonb_*")); len(dirs) == 1 {
		knownPackages(filepath.Join(kernel, cellsFolder)).find(dirs[0]) // otherwise the first cell does
	}
}

// learn finds what a cell imports that the real command has built.
func (p *packages) learn() {
	dir, failed := os.Getwd()
	_, imports, err := parsedCell()
	if failed == nil && err == nil && p.find(dir, imports...) != nil {
		os.Remove(p.file("packages.json"))
	}
}

func (p *packages) file(name string) string { return filepath.Join(p.folder, name) }

// isCell tells whether the go command is to build a cell of this kernel, one file.
func (p *packages) isCell(args []string) bool {
	dir, err := os.Getwd()
	sources, _ := filepath.Glob("*.go")
	return err == nil && filepath.Dir(dir) == filepath.Dir(p.folder) && slices.Equal(sources, []string{"main.go"}) &&
		len(args) == 3 && args[0] == "build" && args[1] == "-o"
}

func (p *packages) read() error {
	text, err := os.ReadFile(p.file("packages.json"))
	return errors.Join(err, json.Unmarshal(text, p))
}

// build compiles and links a cell that imports nothing new, unless a source has changed. Where there
// is nothing to run, as in most cells of a notebook, it does not link: an empty script will do.
func (p *packages) build(program string) error {
	cell, imports, err := parsedCell()
	unknown := func(path string) bool { return p.Compiled[path] == "" }
	if hash, _ := p.hash(); err != nil || hash != p.Hash || slices.ContainsFunc(imports, unknown) {
		return errUnknown
	}
	object, config := p.file("main.a"), p.file("importcfg")
	err = p.tool("compile", "-o", object, "-p", "main", "-complete", "-pack", "-dwarf=false", "-importcfg", config, "./main.go")
	if err != nil {
		return err
	}
	if onlyDeclares(cell) {
		return os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700)
	}
	return p.tool("link", "-o", program, "-importcfg", config, "-s", "-w", object)
}

func (p *packages) tool(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(p.Environment["GOTOOLDIR"], name), args...)
	cmd.Env = os.Environ()
	for k, v := range p.Environment {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd.Run()
}

// parsedCell returns main.go, and what it imports. A cell that embeds files is not known.
func parsedCell() (cell *ast.File, imports []string, err error) {
	if cell, err = parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.SkipObjectResolution); err != nil {
		return nil, nil, err
	}
	for _, spec := range cell.Imports {
		switch path, err := strconv.Unquote(spec.Path.Value); {
		case err != nil || path == "embed":
			return nil, nil, errUnknown
		case path != "unsafe": // is in no file
			imports = append(imports, path)
		}
	}
	return cell, imports, nil
}

// find asks the go command, in gonb's folder, for the packages of the project, since most cells need no
// others, and for more, and keeps them with those that were found before.
func (p *packages) find(dir string, more ...string) error {
	begun := time.Now()
	p.Imports = slices.Compact(slices.Sorted(slices.Values(append(p.Imports, more...))))
	environment, err := p.ask(dir, "env", "-json")
	if err := errors.Join(err, json.Unmarshal(environment, &p.Environment)); err != nil {
		return err
	}
	list, err := p.ask(dir, append([]string{"list", "-e", "-export", "-deps", "-json=" + listedFields}, p.Imports...)...)
	if err != nil {
		return err
	}
	p.Compiled, p.Sources = map[string]string{}, map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(list)); decoder.More(); {
		var l listed
		if err := errors.Join(decoder.Decode(&l), p.add(l)); err != nil {
			return err
		}
	}
	p.Sources[dir] = "go." // such as go.mod, but not the cell
	p.Sources[filepath.Dir(p.Environment["GOENV"])] = "env"
	hash, changed := p.hash()
	if p.Hash = hash; p.Environment["GOOS"] != "linux" || begun.Sub(changed) < coarse { // elsewhere, tools are given more flags
		return errUnknown
	}
	return p.write()
}

func (p *packages) ask(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	return cmd.Output()
}

const listedFields = "ImportPath,Dir,Export,Standard,CgoFiles,EmbedFiles,Module"

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	Standard                bool
	CgoFiles, EmbedFiles    []string
	Module                  *struct {
		Version, GoMod string
		Replace        *struct{ Version string }
	}
}

func (p *packages) add(l listed) error {
	p.Compiled[l.ImportPath] = l.Export
	switch m := l.Module; {
	case l.Standard:
	case len(l.CgoFiles) > 0: // is linked by another program
		return errUnknown
	case m == nil || m.Version == "" || m.Replace != nil && m.Replace.Version == "":
		p.Sources[l.Dir] = ""
		for _, name := range l.EmbedFiles {
			p.Sources[filepath.Dir(filepath.Join(l.Dir, name))] = ""
		}
		if m != nil {
			p.Sources[filepath.Dir(m.GoMod)] = ""
		}
	}
	return nil
}

// hash identifies the sources by name, size and time, and the environment, and tells when the last
// source changed.
func (p *packages) hash() (hash string, changed time.Time) {
	h := sha256.New()
	for _, variable := range slices.Sorted(slices.Values(os.Environ())) {
		if strings.HasPrefix(variable, "GO") && !strings.HasPrefix(variable, "GONB_") || strings.HasPrefix(variable, "CGO_") {
			fmt.Fprintln(h, variable)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(p.Sources)) {
		entries, err := os.ReadDir(folder)
		fmt.Fprintln(h, folder, err)
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || info.IsDir() || !strings.HasPrefix(info.Name(), p.Sources[folder]) {
				continue
			}
			fmt.Fprintln(h, info.Name(), info.Size(), info.ModTime().UnixNano())
			if p.Sources[folder] == "" && info.ModTime().After(changed) { // gonb's own files are always new
				changed = info.ModTime()
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), changed
}

func (p *packages) write() error {
	var config bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(p.Compiled)) {
		if file := p.Compiled[path]; file != "" {
			fmt.Fprintf(&config, "packagefile %s=%s\n", path, file)
		}
	}
	return errors.Join(os.WriteFile(p.file("importcfg"), config.Bytes(), 0o600), os.WriteFile(p.file("packages.json"), encoded(p), 0o600))
}
