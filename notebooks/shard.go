package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareKernel(ctx, p, progress); err != nil {
		return err
	}
	mode := v.shard
	for _, path := range paths {
		v.env = sweepMode(mode, path)
		nb, err := executeNotebook(ctx, p, path, progress, v)
		if err != nil {
			return err
		}
		for _, c := range nb.Cells {
			if c.hasTag("sweep") {
				fmt.Print(c.stream("stdout"))
			}
		}
	}
	return nil
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

type job struct {
	Title, Notebook string // for people, and for the command
	Tasks, Last     int
	Project, Store  string
}

func writeJob(w io.Writer, file *template.Template, p project, path string, tasks int) error {
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
	return file.Execute(w, j)
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var slurmFile = template.Must(template.New("slurm").Funcs(template.FuncMap{"q": shellQuote}).Parse(`#!/bin/sh
#SBATCH --job-name={{.Title}}
#SBATCH --array=0-{{.Last}}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --output=%x-%a.log
# All nodes must see the two folders below. A task that was killed is submitted again, such as
# sbatch --array=2 FILE. When all are done, this draws the figures and keeps the results:
#   QHLAB_STORE={{q .Store}} go run ./notebooks run {{q .Notebook}}
cd {{q .Project}} || exit
export QHLAB_STORE={{q .Store}} GOMAXPROCS="$SLURM_CPUS_PER_TASK"
exec go run ./notebooks run {{q .Notebook}} -shard "$SLURM_ARRAY_TASK_ID/{{.Tasks}}"
`))

// The fields are those of batch/v1, Job. $JOB_COMPLETION_INDEX is set in indexed jobs.
var kubernetesFile = template.Must(template.New("kubernetes").Parse(`# The image is that of the Dockerfile, where the cluster can pull it; the claim qhlab-store is a volume
# that all nodes can write. When the job is complete, run the notebook with QHLAB_STORE set to that volume.
apiVersion: batch/v1
kind: Job
metadata:
  name: qhlab-{{.Title}}
spec:
  completionMode: Indexed
  completions: {{.Tasks}}
  parallelism: {{.Tasks}}
  backoffLimit: {{.Tasks}}
  template:
    spec:
      restartPolicy: Never
      securityContext:
        fsGroup: 1000
      containers:
      - name: shard
        image: qhlab
        command: [sh, -c]
        args: ['exec /home/qhlab/notebooks run {{.Title}} -shard "$JOB_COMPLETION_INDEX/{{.Tasks}}"']
        env:
        - name: QHLAB_STORE
          value: /store
        resources:
          requests: {cpu: "1", memory: 1Gi}
          limits: {cpu: "1", memory: 2Gi}
        volumeMounts:
        - name: store
          mountPath: /store
      volumes:
      - name: store
        persistentVolumeClaim:
          claimName: qhlab-store
`))
