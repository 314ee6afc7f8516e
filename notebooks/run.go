package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"qhlab/qhnet/store"
)

// run executes notebooks in fresh kernels and saves their outputs.
func run(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	check := flags.Bool("check", false, "save nothing; fail when the outputs differ from the saved ones")
	out := flags.String("o", "", "save the executed notebook to this `file` instead of its own")
	var v variant
	flags.DurationVar(&v.timeout, "timeout", 0, "the longest that a cell may take, such as 10m; 0 means any time")
	flags.Func("p", "set a parameter of the notebook, as `NAME=VALUE`; may be repeated; needs -o", func(assignment string) error {
		v.parameters = append(v.parameters, assignment)
		return nil
	})
	flags.StringVar(&v.shard, "shard", "", "compute only a part of the notebook's sweeps, as `I/N`, such as 0/5 for the first of five; saves nothing but results in the store")
	var jobFile string
	var tasks int
	job := func(file string) func(text string) error {
		return func(text string) (err error) {
			if jobFile != "" {
				return errors.New("one file is printed at a time")
			}
			if tasks, err = strconv.Atoi(text); err != nil || tasks < 1 {
				return errors.New("want a number of tasks, at least 1")
			}
			jobFile = file
			return nil
		}
	}
	flags.Func("slurm", "print a job file for Slurm that computes the notebook's sweeps in `N` tasks", job(slurmFile))
	flags.Func("kubernetes", "print one for Kubernetes, of `N` tasks", job(kubernetesFile))
	jobs := flags.Int("jobs", max(1, runtime.NumCPU()/2), "number of notebooks to execute at the same time")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	paths, err := p.notebooks(names)
	if err != nil {
		return err
	}
	switch {
	case len(v.parameters) > 0 && *out == "":
		return errors.New("-p needs -o FILE: the notebook's own outputs are those of its own parameters")
	case *out != "" && *check:
		return errors.New("-check saves no outputs, so that -o FILE has no use for it")
	case *out != "" && len(paths) != 1:
		return fmt.Errorf("-o FILE takes the outputs of one notebook; name one of the %d", len(paths))
	case v.shard != "" && (*check || *out != ""):
		return errors.New("-shard saves no outputs, so that -check and -o have no use for it")
	case tasks > 0 && (*check || *out != "" || v.shard != "" || len(paths) != 1):
		return errors.New("-slurm N or -kubernetes N prints the file of one notebook, and takes neither -check, -o nor -shard")
	case tasks > 0:
		return writeJob(os.Stdout, jobFile, p, paths[0], tasks)
	case v.shard != "":
		if _, _, err := store.ParseShard(v.shard); err != nil {
			return fmt.Errorf("-shard: %w", err)
		}
		return shard(ctx, p, paths, v)
	}
	mode := "save"
	switch {
	case *check:
		mode = "check"
	case *out != "":
		mode = ""
	}
	err = executeAll(ctx, p, *jobs, paths, func(path string, progress *progress) error {
		v := v
		v.env = sweepMode(mode, path)
		fresh, err := executeNotebook(ctx, p, path, progress, v)
		if err == nil && *check {
			return checkNotebook(path, fresh, progress)
		}
		if err == nil && *out == "" {
			_, err = readUnchanged(path, fresh)
		}
		if err == nil {
			err = fresh.write(cmp.Or(*out, path))
		}
		if err != nil {
			err = errors.Join(err, keepUnfinished(p, path, fresh))
		}
		return err
	})
	if err != nil || *check || *out != "" {
		return err
	}
	return updateReadme(p)
}

func checkNotebook(path string, fresh *notebook, progress *progress) error {
	saved, err := readUnchanged(path, fresh)
	if err != nil {
		return err
	}
	rounded, err := compare(path, saved, fresh)
	if rounded > 0 {
		progress.say("%-58s %d of its cells differ by rounding", title(path), rounded)
	}
	return err
}

// executeAll prepares the kernel, calls work for every path, at most jobs at a time, and joins the
// errors in order.
func executeAll(ctx context.Context, p project, jobs int, paths []string, work func(path string, progress *progress) error) error {
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareKernel(ctx, p, progress); err != nil {
		return err
	}
	failures := make([]error, len(paths))
	slots := make(chan struct{}, max(1, jobs))
	var group sync.WaitGroup
	for i, path := range paths {
		slots <- struct{}{}
		group.Go(func() {
			failures[i] = work(path, progress)
			<-slots
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

// readUnchanged reads the saved notebook of one that ran, which takes minutes in
// which its author may have gone on: then the outputs are not those of the file.
func readUnchanged(path string, ran *notebook) (*notebook, error) {
	saved, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(saved.Cells, ran.Cells, func(a, b *cell) bool {
		return a.ID == b.ID && a.Type == b.Type && a.Source == b.Source && reflect.DeepEqual(a.Metadata["tags"], b.Metadata["tags"])
	}) {
		return nil, fmt.Errorf("%s changed on disk while it ran: save it in JupyterLab and run it again", title(path))
	}
	return saved, nil
}

// keepUnfinished saves what a notebook computed that failed, was interrupted or
// could not be saved, where it can be looked at without touching the outputs of the
// last complete run: in the project, or else in a temporary folder.
func keepUnfinished(p project, path string, nb *notebook) error {
	if nb == nil {
		return nil
	}
	kept := p.path(".cache", "unfinished", filepath.Base(path))
	if nb.write(kept) != nil {
		folder, err := os.MkdirTemp("", "qhlab-unfinished-")
		if err != nil {
			return err
		}
		kept = filepath.Join(folder, filepath.Base(path))
		if err := nb.write(kept); err != nil {
			return err
		}
	}
	return fmt.Errorf("what was computed is in %s", kept)
}

// headlessVariable tells cells that nobody looks, and package plotting, which refuses a second
// figure of a name, when they began to run.
const headlessVariable = "QHLAB_HEADLESS"

// executeNotebook runs all cells in a fresh kernel. With an error it returns
// the notebook as far as it came.
//
// Every cell is a program that takes a second to build, so those that only declare run
// together with the next one. If that fails, all run again one by one, as the kernel names
// the cell and the line of an error by how it got them.
func executeNotebook(ctx context.Context, p project, path string, progress *progress, v variant) (*notebook, error) {
	nb, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: interrupted before it began", title(path))
	}
	nb.normalize()
	if err := v.apply(nb); err != nil {
		return nil, fmt.Errorf("%s: %w", title(path), err)
	}
	start, together := time.Now(), nb.canJoin() && len(v.parameters) == 0
	for {
		k, err := startKernel(ctx, p, filepath.Dir(path), append(v.env, headlessVariable+"="+time.Now().Format(time.RFC3339Nano))...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", title(path), err)
		}
		if err := k.declare(ctx, noInput); err != nil {
			k.shutdown()
			return nil, fmt.Errorf("%s: %w", title(path), err)
		}
		err = executeCells(ctx, k, nb, title(path), progress, v, together)
		k.shutdown()
		switch {
		case err == nil:
			progress.say("%-58s %6.1fs  complete", title(path), time.Since(start).Seconds())
			return nb, nil
		case !together || ctx.Err() != nil || errors.Is(err, errOverdue):
			return nb, fmt.Errorf("%s: %w", title(path), err)
		}
		progress.say("%s: once more, to see which cell fails", title(path))
		together = false
		nb.normalize()
	}
}

// canJoin tells whether cells may run as parts of one program: imports stand before all
// else, no cell uses what only a later one declares, which together would work, and no
// saved output names a cell and a line, as an expected error does.
func (nb *notebook) canJoin() bool {
	for i, c := range nb.runnable() {
		if i > 0 && importLine.MatchString(string(c.Source)) || c.hasTag("raises-exception") {
			return false
		}
	}
	return nb.inOrder()
}

// importLine begins an import; commandLine is what the kernel takes for itself.
var importLine, commandLine = regexp.MustCompile(`(?m)^import\b`), regexp.MustCompile(`(?m)^[%!]`)

// inOrder tells whether every cell that only declares finds what it uses above itself.
func (nb *notebook) inOrder() bool {
	declared, missing := map[string]bool{}, map[string]bool{}
	for _, c := range nb.runnable() {
		s := parseCell(string(c.Source))
		if s.err != nil || !s.onlyDeclares() {
			continue
		}
		config := types.Config{Error: func(err error) {
			name, undefined := strings.CutPrefix(err.(types.Error).Msg, "undefined: ")
			missing[name] = undefined && !declared[name]
		}}
		cell, _ := config.Check("main", s.files, []*ast.File{s.file}, nil)
		for _, name := range cell.Scope().Names() {
			if missing[name] {
				return false
			}
			declared[name] = true
		}
	}
	return true
}

// noInput is a declaration by which every cell finds the end of its input at once.
// The kernel connects the input to a pipe that nobody writes to.
const noInput = `import "syscall"

func init_noInput() {
	syscall.Close(0)
	syscall.Open("/dev/null", syscall.O_RDONLY, 0)
}`

func executeCells(ctx context.Context, k *kernel, nb *notebook, title string, progress *progress, v variant, together bool) error {
	total, count, section := len(nb.runnable()), 0, ""
	collector, waiting := newCollector(), ""
	for _, c := range nb.Cells {
		section = c.heading(section)
		if !c.runnable() {
			continue
		}
		count++
		number := count
		c.ExecutionCount = &number
		code := waiting + string(c.Source)
		if together && count < total && !commandLine.MatchString(string(c.Source)) { // only declares
			waiting = code + "\n"
			continue
		}
		waiting = ""
		s := progress.begin(fmt.Sprintf("%s [%d/%d] %s", title, count, total, section))
		limited, stop := v.limit(ctx)
		err := executeCell(limited, k, c, code, collector)
		stop()
		switch {
		case err == nil:
			s.end("")
		case errors.Is(err, context.Canceled):
			s.end("interrupted")
			return fmt.Errorf("interrupted in cell [%d]", count)
		default:
			s.end("failed")
			return fmt.Errorf("cell [%d] failed: %w", count, err)
		}
	}
	return nil
}

// executeCell runs the code of a cell and of those that wait for it. A cell tagged raises-exception
// may fail; the error of another is what it printed and the kernel's report, which names the line.
func executeCell(ctx context.Context, k *kernel, c *cell, code string, collector collector) error {
	var broken error
	err := k.execute(ctx, code, func(m message) {
		broken = errors.Join(broken, collector.collect(c, m))
	})
	if err := errors.Join(err, broken); err != nil {
		return err
	}
	if c.failure() != nil && !c.hasTag("raises-exception") {
		return errors.New(strings.TrimSpace(c.errorText()))
	}
	return nil
}

func (nb *notebook) runnable() []*cell {
	return slices.DeleteFunc(slices.Clone(nb.Cells), func(c *cell) bool { return !c.runnable() })
}

// heading returns the last heading in a text cell, or the one before it.
func (c *cell) heading(previous string) string {
	if c.Type != "markdown" {
		return previous
	}
	for line := range strings.Lines(string(c.Source)) {
		if strings.HasPrefix(line, "#") {
			previous = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return previous
}
