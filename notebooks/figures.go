package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// figuresVariable names the folder in which plotting.Show leaves every named
// figure in all formats.
const figuresVariable = "QHLAB_FIGURES"

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
		folder := filepath.Join(root, title(path))
		nb, err := executeNotebook(ctx, p, path, progress, figuresVariable+"="+folder)
		if err != nil {
			return errors.Join(err, keepUnfinished(p, path, nb))
		}
		progress.say("%s: %d files in %s", title(path), countFiles(folder), folder)
		return nil
	})
}

func countFiles(folder string) (n int) {
	filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			n++
		}
		return nil
	})
	return n
}
