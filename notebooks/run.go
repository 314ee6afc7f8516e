package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// run executes notebooks in fresh kernels and saves their outputs.
func run(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	check := flags.Bool("check", false, "save nothing; fail when the outputs differ from the saved ones")
	jobs := flags.Int("jobs", max(1, runtime.NumCPU()/2), "number of notebooks to execute at the same time")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	paths, err := p.notebooks(names)
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareKernel(ctx, p, progress); err != nil {
		return err
	}
	finish := save
	if *check {
		finish = compare
	}
	err = inParallel(*jobs, paths, func(path string) error {
		fresh, err := executeNotebook(ctx, p, path, progress)
		if err != nil {
			return errors.Join(err, keepUnfinished(p, path, fresh))
		}
		saved, err := readUnchanged(path, fresh)
		if err != nil {
			return errors.Join(err, keepUnfinished(p, path, fresh))
		}
		return finish(path, saved, fresh)
	})
	if !*check && slices.ContainsFunc(paths, p.owns) {
		err = errors.Join(err, updateReadme(p))
	}
	return err
}

// inParallel calls work for every path, at most jobs at a time, and returns all
// errors in the order of the paths.
func inParallel(jobs int, paths []string, work func(path string) error) error {
	failures := make([]error, len(paths))
	slots := make(chan struct{}, max(1, jobs))
	var group sync.WaitGroup
	for i, path := range paths {
		slots <- struct{}{}
		group.Go(func() {
			failures[i] = work(path)
			<-slots
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func save(path string, _, fresh *notebook) error { return fresh.write(path) }

// readUnchanged reads the saved notebook of one that ran, which takes minutes in
// which its author may have gone on: then the outputs are not those of the file.
func readUnchanged(path string, ran *notebook) (*notebook, error) {
	saved, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(saved.Cells, ran.Cells, sameInput) {
		return nil, fmt.Errorf("%s changed on disk while it ran: save it in JupyterLab and run it again", title(path))
	}
	return saved, nil
}

// sameInput tells whether two cells are the same but for their outputs.
func sameInput(a, b *cell) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Source == b.Source && reflect.DeepEqual(a.Metadata["tags"], b.Metadata["tags"])
}

// keepUnfinished saves what a failed or interrupted notebook computed where it
// can be looked at without touching the outputs of the last complete run.
func keepUnfinished(p project, path string, nb *notebook) error {
	if nb == nil {
		return nil
	}
	kept := p.path(".cache", "unfinished", filepath.Base(path))
	if err := nb.write(kept); err != nil {
		return err
	}
	relative, _ := filepath.Rel(p.root, kept)
	return fmt.Errorf("what was computed is in %s", relative)
}

// executeNotebook runs all cells in a fresh kernel. With an error it returns
// the notebook as far as it came.
func executeNotebook(ctx context.Context, p project, path string, progress *progress, extraEnv ...string) (*notebook, error) {
	nb, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: interrupted before it began", title(path))
	}
	nb.normalize()
	start := time.Now()
	k, err := startKernel(ctx, p, filepath.Dir(path), append(extraEnv, "QHLAB_HEADLESS=1")...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", title(path), err)
	}
	defer k.shutdown()
	if err := executeCells(ctx, k, nb, title(path), progress); err != nil {
		return nb, err
	}
	progress.say("%-58s %6.1fs  complete", title(path), time.Since(start).Seconds())
	return nb, nil
}

// executeCells runs the cells from top to bottom until one fails.
func executeCells(ctx context.Context, k *kernel, nb *notebook, title string, progress *progress) error {
	total, count, section := nb.countRunnable(), 0, ""
	collector := newCollector()
	for _, c := range nb.Cells {
		section = c.heading(section)
		if !c.runnable() {
			continue
		}
		count++
		number := count
		c.ExecutionCount = &number
		s := progress.begin(fmt.Sprintf("%s [%d/%d] %s", title, count, total, section))
		err := executeCell(ctx, k, c, collector)
		if err != nil {
			s.end(outcome(err))
			return describeFailure(title, c, err)
		}
		s.end("")
	}
	return nil
}

// executeCell runs one cell. A cell tagged raises-exception may fail.
func executeCell(ctx context.Context, k *kernel, c *cell, collector *collector) error {
	var broken error
	err := k.execute(ctx, string(c.Source), func(m message) {
		broken = errors.Join(broken, collector.collect(c, m))
	})
	if err := errors.Join(err, broken); err != nil {
		return err
	}
	if c.failure() != nil && !c.hasTag("raises-exception") {
		return errCell
	}
	return nil
}

// errCell says that the cell's own outputs hold the error.
var errCell = errors.New("the cell failed")

func (nb *notebook) countRunnable() (n int) {
	for _, c := range nb.Cells {
		if c.runnable() {
			n++
		}
	}
	return n
}

// heading returns the last heading in a text cell, or the one before it.
func (c *cell) heading(previous string) string {
	if c.Type != "markdown" {
		return previous
	}
	for _, line := range strings.Split(string(c.Source), "\n") {
		if strings.HasPrefix(line, "#") {
			previous = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return previous
}
