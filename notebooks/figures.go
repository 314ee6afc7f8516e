package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figuresVariable names the folder in which plotting.Show leaves named figures in all formats.
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
	return executeAll(ctx, p, *jobs, paths, func(path string, progress *progress) error {
		folder := filepath.Join(root, title(path))
		drawn, err := guardFolder(root, 0)
		if err != nil {
			return err
		}
		defer drawn.stop()
		v := variant{figures: only, env: []string{figuresVariable + "=" + drawn.folder}}
		nb, err := executeNotebook(ctx, p, path, progress, v)
		if err != nil && only != nil && ctx.Err() == nil {
			progress.say("%s: the figure needs other cells, so all of them are executed", title(path))
			v.figures = nil
			nb, err = executeNotebook(ctx, p, path, progress, v)
		}
		files, unmoved := moveFiles(drawn.folder, folder)
		if err = errors.Join(err, unmoved); err != nil {
			return errors.Join(err, keepUnfinished(p, path, nb))
		}
		progress.say("%s: %d files in %s", title(path), files, folder)
		return nil
	})
}

// moveFiles moves what is in one folder to another, so that nobody sees a figure
// that is not complete, not even after the command was killed.
func moveFiles(from, to string) (moved int, err error) {
	entries, err := os.ReadDir(from)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	err = os.MkdirAll(to, 0o777)
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") {
			moved++
			err = errors.Join(err, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
		}
	}
	return moved, err
}

// selectFigures returns the notebooks that the names select, all of them without a
// name. Where the first name selects one, the others may be figures in it.
func (p project) selectFigures(names []string) (paths, only []string, err error) {
	paths, err = p.notebooks(names)
	first, failed := p.notebooks(names[:min(1, len(names))])
	if len(names) < 2 || failed != nil || len(first) != 1 {
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

// variant says how a notebook is executed other than as it stands.
type variant struct {
	parameters []string // "name=value", set after the cell tagged parameters
	figures    []string // names of figures: only these are drawn
	shard      string   // of its sweeps: only these are computed
	timeout    time.Duration
	env        []string
}

func (v variant) apply(nb *notebook) error {
	for _, c := range nb.Cells {
		if len(v.figures) > 0 && !slices.ContainsFunc(v.figures, c.draws) {
			c.dropBody()
		}
	}
	switch {
	case v.shard != "":
		return nb.onlySweeps()
	case len(v.parameters) > 0:
		return nb.setParameters(v.parameters)
	}
	return nil
}

func (v variant) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if v.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, v.timeout, fmt.Errorf("%w %v", errOverdue, v.timeout))
}

var errOverdue = errors.New("it took longer than -timeout")

func (c *cell) draws(figure string) bool { return slices.Contains(c.figures(), figure) }

var figureName = regexp.MustCompile(`\bName:\s*"([^"]+)"`)

func (c *cell) figures() (names []string) {
	for _, m := range figureName.FindAllStringSubmatch(string(c.Source), -1) {
		if c.Type == "code" && strings.Contains(string(c.Source), "plotting.") {
			names = append(names, m[1])
		}
	}
	return names
}

// dropBody leaves the declarations of a cell, on which others depend, as they cannot on its values.
func (c *cell) dropBody() {
	all := lines(string(c.Source))
	if at := slices.IndexFunc(all, beginsBody); c.Type == "code" && at >= 0 {
		c.Source = text(strings.Join(all[:at], ""))
	}
}

// injected is the tag that papermill gives to a cell of this kind.
const injected = "injected-parameters"

// setParameters inserts a cell behind the one tagged parameters, which declares some
// of its variables again with other values. The types stay.
func (nb *notebook) setParameters(assignments []string) error {
	at := slices.IndexFunc(nb.Cells, func(c *cell) bool { return c.hasTag("parameters") })
	if at < 0 {
		return errors.New("no cell is tagged parameters, so there is nothing that -p can set")
	}
	known, names := map[string]string{}, []string{}
	for _, d := range parseCell(string(nb.Cells[at].Source)).declarations() {
		if name, isVariable := strings.CutPrefix(d.name, "var "); isVariable {
			known[name], names = d.kind, append(names, name)
		}
	}
	declared := "var (\n"
	for _, assignment := range assignments {
		name, value, _ := strings.Cut(assignment, "=")
		kind, found := known[name]
		if !found {
			return fmt.Errorf("-p %s: there is no parameter %q; there are %s", assignment, name, strings.Join(names, ", "))
		}
		if _, err := parser.ParseExpr(value); err != nil {
			return fmt.Errorf("-p %s: want NAME=VALUE with a value of Go, such as %s=1: %w", assignment, names[0], err)
		}
		declared += fmt.Sprintf("\t%s %s = %s\n", name, kind, value)
	}
	cells := slices.DeleteFunc(nb.Cells, func(c *cell) bool { return c.hasTag(injected) })
	nb.Cells = slices.Insert(cells, at+1, &cell{
		Type: "code", ID: injected, Outputs: []*output{}, Source: text(declared + ")"),
		Metadata: map[string]any{"tags": []any{injected}},
	})
	return nil
}
