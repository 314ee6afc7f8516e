// Command bench compares the solvers of package ode with CVODE's BDF, in C, and
// with SciPy's RK45 and Radau, on gradient flow of a small model whose Jacobian
// becomes very stiff.
//
//	go run ./qhnet/ode/bench
//
// It needs a C compiler, Debian's libsundials-dev, and python3 with venv, and
// installs the pinned SciPy of peers/requirements.txt into a throwaway
// environment. It prints the tables of the README beside it. Runs of different
// programs alternate; times are processor times, which are wall times on an idle
// machine, and the best of all rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	rounds := flag.Int("rounds", 3, "rounds of measurements")
	dir := flag.String("dir", "", "directory to build in and keep (default a temporary one, removed at the end)")
	flag.Parse()
	if err := run(*rounds, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, dir string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "ode-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	peers, err := build(dir)
	if err != nil {
		return err
	}
	flow := newProductFlow()
	if err := flow.write(filepath.Join(dir, "problem.txt")); err != nil {
		return err
	}
	b := &bench{context.Background(), flow, peers, rounds}
	explicit, err := b.explicit()
	if err != nil {
		return err
	}
	stiff, err := b.stiff()
	if err != nil {
		return err
	}
	fmt.Printf("%s, CVODE of SUNDIALS %s, SciPy %s.\n\n", runtime.Version(), stiff.cvode[0].version, explicit.scipy.version)
	explicit.print(os.Stdout)
	stiff.print(os.Stdout)
	return nil
}
