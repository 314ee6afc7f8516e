package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figuresVariable names the folder in which plotting.Show leaves every named
// figure in all formats.
const figuresVariable = "QHLAB_FIGURES"

// begunVariable says since when a figure in it is of this run, so that plotting can refuse
// a second one of its name.
const begunVariable = "QHLAB_BEGUN"

// figures executes notebooks and exports what they draw, one folder each.
func figures(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("figures", flag.ContinueOnError)
	out := flags.String("o", p.path("figures"), "folder for the figures")
	jobs := flags.Int("jobs", max(1, runtime.NumCPU()/2), "number of notebooks to execute at the same time")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	paths, only, err := p.selectFigures(names)
	if err != nil {
		return err
	}
	root, err := filepath.Abs(*out)
	if err == nil {
		err = os.MkdirAll(root, 0o777)
	}
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareKernel(ctx, p, progress); err != nil {
		return err
	}
	return inParallel(*jobs, paths, func(path string) error {
		folder, begun := filepath.Join(root, title(path)), time.Now()
		drawn, err := guardFolder(root, 0)
		if err != nil {
			return err
		}
		defer drawn.stop()
		v := variant{figures: only, env: into(drawn.folder)}
		nb, err := executeNotebook(ctx, p, path, progress, v)
		if err != nil && only != nil && ctx.Err() == nil {
			progress.say("%s: the figure needs other cells, so all of them are executed", title(path))
			v.figures, v.env = nil, into(drawn.folder)
			nb, err = executeNotebook(ctx, p, path, progress, v)
		}
		if err = errors.Join(err, moveFiles(drawn.folder, folder)); err != nil {
			return errors.Join(err, keepUnfinished(p, path, nb))
		}
		fresh, old := countFiles(folder, begun)
		progress.say("%s: %d files in %s", title(path), fresh, folder)
		if only == nil {
			sayLeft(progress, folder, old)
		}
		return nil
	})
}

// moveFiles moves what is in one folder to another, so that nobody sees a figure
// that is not complete, not even after the command was killed.
func moveFiles(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil || len(entries) == 0 {
		return err
	}
	err = os.MkdirAll(to, 0o777)
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") {
			err = errors.Join(err, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
		}
	}
	return err
}

// selectFigures returns the notebooks that the names select, all of them without a
// name. Where the first name selects one, the others may be figures in it.
func (p project) selectFigures(names []string) (paths, only []string, err error) {
	paths, err = p.notebooks(names)
	if len(names) < 2 {
		return paths, nil, err
	}
	first, failed := p.notebooks(names[:1])
	if failed != nil || len(first) != 1 {
		return paths, nil, err
	}
	nb, failed := readNotebook(first[0])
	if failed != nil {
		return nil, nil, failed
	}
	var known []string
	for _, c := range nb.Cells {
		known = append(known, c.figures()...)
	}
	if !slices.ContainsFunc(names[1:], func(name string) bool { return !slices.Contains(known, name) }) {
		return first, names[1:], nil
	}
	if err != nil {
		err = fmt.Errorf("%w; the figures of %s are: %s", err, title(first[0]), strings.Join(known, ", "))
	}
	return paths, nil, err
}

// into is the environment that lets a run draw into a folder.
func into(folder string) []string {
	return []string{figuresVariable + "=" + folder, begunVariable + "=" + time.Now().Format(time.RFC3339Nano)}
}

// countFiles counts the files of a folder that were written since a moment and
// names the older ones.
func countFiles(folder string, begun time.Time) (fresh int, old []string) {
	entries, _ := os.ReadDir(folder) // a notebook without figures has no folder
	for _, entry := range entries {
		info, err := entry.Info()
		switch {
		case err != nil || !info.Mode().IsRegular():
		case info.ModTime().Before(begun):
			old = append(old, entry.Name())
		default:
			fresh++
		}
	}
	return fresh, old
}

// sayLeft names files that nothing refers to any more, since what they were made
// of was renamed or removed.
func sayLeft(progress *progress, folder string, old []string) {
	if len(old) > 0 {
		progress.say("not of this run, but still in %s: %s", folder, strings.Join(old, " "))
	}
}
