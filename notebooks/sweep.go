package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"qhlab/qhnet/experiment"
	"qhlab/qhnet/store"
)

const sweepHelp = `usage: go run ./notebooks sweep [NAME] [-shard I/N] [-workers K] [-merge] [-o FILE]

Without a name, lists the sweeps. With one, computes its points that the store
lacks: all of them, or with -shard I/N the points I, I+N, I+2N, … (I counts from
0). Every point is one file, which appears whole or not at all, so a shard may
be killed, run again, or run twice. -merge computes nothing; it collects the
results, one JSON object a line, and fails while some are missing.

The store is .cache/runs in this project or the folder QHLAB_STORE. Let all
shards see the same one. The tasks of an array job know their number, so with
Slurm (sbatch --array=0-4)

    go run ./notebooks sweep rate-gap -shard $SLURM_ARRAY_TASK_ID/5

and in an indexed job of Kubernetes (completionMode: Indexed, completions: 5)

    go run ./notebooks sweep rate-gap -shard $JOB_COMPLETION_INDEX/5

and when all are done, anywhere,

    go run ./notebooks sweep rate-gap -merge -o rate-gap.jsonl

`

// sweep lists experiments, computes their points, or merges their results.
func sweep(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("sweep", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), sweepHelp)
		flags.PrintDefaults()
	}
	shard := flags.String("shard", "0/1", "compute this part of the points, as `I/N`")
	workers := flags.Int("workers", 0, "points at a time; 0 means one a processor")
	merge := flags.Bool("merge", false, "collect the results instead of computing them")
	out := flags.String("o", "", "write the merged results to this `file`; the default is the standard output")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	runs := store.Store{Dir: p.store()}
	if len(names) == 0 {
		listSweeps(os.Stdout, runs)
		return nil
	}
	if len(names) > 1 {
		return fmt.Errorf("one sweep at a time, not %q", names)
	}
	e, err := experiment.Find(runs, names[0])
	if err != nil {
		return err
	}
	if *merge {
		return mergeSweep(e, *out)
	}
	return computeShard(ctx, e, *shard, *workers)
}

func listSweeps(w io.Writer, runs store.Store) {
	for _, e := range experiment.All(runs) {
		fmt.Fprintf(w, "%-12s %3d points  %s\n", e.Name, e.Points, e.Purpose)
	}
}

func computeShard(ctx context.Context, e experiment.Experiment, shard string, workers int) error {
	part, parts, err := parseShard(shard)
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	defer progress.close()
	step := progress.begin(fmt.Sprintf("%s, shard %d/%d", e.Name, part, parts))
	err = e.Shard(ctx, part, parts, workers, func(done, total int) {
		fmt.Fprintf(step, "%d of %d points\n", done, total)
	})
	if err != nil {
		step.end("stopped")
		return err
	}
	step.end("is in the store")
	return nil
}

// parseShard reads "2/5".
func parseShard(text string) (part, parts int, err error) {
	var rest string
	if n, _ := fmt.Sscanf(text, "%d/%d%s", &part, &parts, &rest); n != 2 || part < 0 || part >= parts {
		return 0, 0, fmt.Errorf("-shard %s: want I/N with 0 ≤ I < N, such as 0/5 for the first of five", text)
	}
	return part, parts, nil
}

func mergeSweep(e experiment.Experiment, out string) error {
	var merged bytes.Buffer
	if err := e.Merge(&merged); err != nil {
		return err
	}
	if out == "" {
		_, err := os.Stdout.Write(merged.Bytes())
		return err
	}
	return replaceFile(out, merged.Bytes())
}
