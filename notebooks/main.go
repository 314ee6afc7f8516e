// The notebooks command prepares, opens, executes and exports the notebooks of this folder:
//
//	go run ./notebooks            prepare what is missing and open JupyterLab
//	go run ./notebooks run        execute every notebook and save its outputs
//	go run ./notebooks help       list all subcommands
//
// It works from any folder of the project. What it installs goes to the folder
// .tools of the project, which is safe to delete.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// subcommand is one verb of the command line: its flags and, if it takes any, its names as they are
// told to users.
type subcommand struct {
	name, flags, names, purpose string
	run                         func(ctx context.Context, p project, args []string) error
}

func subcommands() []subcommand {
	return []subcommand{
		{"lab", "[-port N] [-address A] [-no-browser]", "[NAME]", "open JupyterLab (what happens without a subcommand)", lab},
		{"run", "[-check] [-p NAME=VALUE]... [-o FILE] [-timeout T] [-jobs N] [-shard I/N] [-slurm N] [-kubernetes N]", "[NAME...]", "execute notebooks and save their outputs, or compare them; with -p and -o, one with other parameters to another file; with -shard, compute a part of its sweeps, and with -slurm or -kubernetes print the file of a job that computes all parts", run},
		{"figures", "[-o FOLDER] [-jobs N]", "[NAME...] or NAME FIGURE...", "execute notebooks and export every figure, or some of one notebook, as PDF, SVG, PNG and PGF", figures},
		{"html", "[-o FOLDER] [-serve]", "[NAME...]", "make a site of the notebooks to read, with figures that run in the browser, without server and network", writeSite},
		{"kernel", "[-remove] [-force]", "", "make the kernel known to VS Code and to your own Jupyter", installKernel},
		{"doctor", "", "", "say what was found, what is missing and how to mend it", doctor},
		{"readme", "", "", "bring the README's table of notebooks up to date, as run does at its end", readme},
		{"prepare", "", "", "install what is missing and do nothing else", prepare},
		{"help", "", "", "print this list", help},
	}
}

func main() {
	if filepath.Base(os.Args[0]) == "go" {
		os.Exit(goForCells(os.Args[1:]))
	}
	ctx, clean := followGoRun(signals())
	err := dispatch(ctx, os.Args[1:])
	clean()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// dispatch runs the subcommand that the arguments begin with; without one, or when they begin with
// a flag, it opens JupyterLab. The kernelspec's own subcommand is not for users.
func dispatch(ctx context.Context, args []string) error {
	name := "lab"
	switch {
	case len(args) == 3 && args[0] == "proxy":
		return runProxy(ctx, args[1], args[2])
	case len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]):
		name, args = "help", nil
	case len(args) > 0 && !strings.HasPrefix(args[0], "-"):
		name, args = args[0], args[1:]
	}
	p, err := findProject()
	if err == nil {
		err = p.fixFolders()
	}
	if err != nil {
		return err
	}
	for _, c := range subcommands() {
		if c.name == name {
			if i := slices.IndexFunc(args, c.strange); i >= 0 {
				return fmt.Errorf("%s takes no %q, only: %s", name, args[i], cmp.Or(c.flags, "nothing"))
			}
			return c.run(ctx, p, args)
		}
	}
	printHelp(os.Stderr)
	return fmt.Errorf("there is no subcommand %q", name)
}

// strange tells whether an argument is none of the subcommand's, as kernel remove without a dash.
func (c subcommand) strange(argument string) bool {
	return c.names == "" && (c.flags == "" || !strings.HasPrefix(argument, "-"))
}

func help(context.Context, project, []string) error {
	printHelp(os.Stdout)
	return nil
}

func printHelp(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./notebooks [subcommand]; -h after one lists its flags")
	for _, c := range subcommands() {
		fmt.Fprintf(w, "\n  %s\n      %s\n", strings.Join(strings.Fields(c.name+" "+c.flags+" "+c.names), " "), c.purpose)
	}
}

// parseFlags parses flags and names in any order and returns the names.
func parseFlags(flags *flag.FlagSet, args []string) (names []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return names, nil
		}
		names = append(names, flags.Arg(0))
		args = flags.Args()[1:]
	}
}
