package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"qhlab/qhnet/store"
)

// A notebook whose cells declare sweeps is an array job: its cells tagged sweep compute a
// part of the points each, and no other cell has to run.

// sweepMode is the environment that tells a notebook's sweeps what they are for.
func sweepMode(mode, path string) []string {
	return []string{store.Mode + "=" + mode + ":" + title(path)}
}

// shard computes a part of the sweeps of notebooks, and prints how many points it has.
func shard(ctx context.Context, p project, paths []string, v variant) error {
	return executeAll(ctx, p, 1, paths, func(path string, progress *progress) error {
		v := v
		v.env = sweepMode(v.shard, path)
		nb, err := executeNotebook(ctx, p, path, progress, v)
		if err != nil {
			return err
		}
		for _, c := range nb.Cells {
			if c.hasTag("sweep") {
				fmt.Print(c.stream("stdout"))
			}
		}
		return nil
	})
}

// onlySweeps leaves the bodies of the cells tagged sweep, and the declarations of all.
func (nb *notebook) onlySweeps() error {
	if !slices.ContainsFunc(nb.Cells, func(c *cell) bool { return c.hasTag("sweep") }) {
		return errors.New("no cell is tagged sweep, so there is nothing to compute in parts")
	}
	for _, c := range nb.Cells {
		if !c.hasTag("sweep") {
			c.dropBody()
		}
	}
	return nil
}

const slurmFile, kubernetesFile = "slurm.sh", "kubernetes.yaml" // in the folder jobs

type job struct {
	Title, Notebook string // for people, and for the command
	Tasks, Last     int
	Project, Store  string
}

func writeJob(w io.Writer, file string, p project, path string, tasks int) error {
	nb, err := readNotebook(path)
	if err == nil {
		err = nb.onlySweeps()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", title(path), err)
	}
	j := job{Title: title(path), Notebook: path, Tasks: tasks, Last: tasks - 1, Project: p.root, Store: p.store()}
	switch {
	case p.owns(path):
		j.Notebook = title(path)
	case file == kubernetesFile:
		return fmt.Errorf("%s: the image holds only the project's own notebooks", path)
	}
	return jobFiles.ExecuteTemplate(w, file, j)
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// In kubernetes.yaml, the fields are those of batch/v1, Job, and $JOB_COMPLETION_INDEX is
// set in indexed jobs.
//
//go:embed jobs
var jobs embed.FS

var jobFiles = template.Must(template.New("").Funcs(template.FuncMap{"q": shellQuote}).ParseFS(jobs, "jobs/*"))
