package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
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
	paths, err := p.notebooks(names)
	if err != nil {
		return err
	}
	root, err := filepath.Abs(*out)
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
		nb, err := executeNotebook(ctx, p, path, progress, figuresVariable+"="+folder, begunVariable+"="+begun.Format(time.RFC3339Nano))
		if err != nil {
			return errors.Join(err, keepUnfinished(p, path, nb))
		}
		fresh, old := countFiles(folder, begun)
		progress.say("%s: %d files in %s", title(path), fresh, folder)
		sayLeft(progress, folder, old)
		return nil
	})
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
