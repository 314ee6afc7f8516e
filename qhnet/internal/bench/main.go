//go:build linux

// Command bench times parts of qhnet on request, so that a script can let them
// take turns with other libraries. It reads one request a line,
//
//	gemm NT 64 32 16 1000
//
// (what, with which transposes, m, n, k, how often) and answers with the seconds
// that one repetition took, and for flows with what came out. Seconds are processor
// time of the calling thread, or, if the request begins with "process", of all threads,
// or, if it begins with "wall", time on the clock.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		numbers, err := answer(in.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		fmt.Println(strings.Trim(fmt.Sprint(numbers), "[]"))
	}
}

// perRun returns the seconds that one of count runs takes.
func perRun(count int, run func()) float64 {
	start := now()
	for range count {
		run()
	}
	return (now() - start) / float64(count)
}

// clock is what now reads. Processor time does not run on while another
// program has the processor, and misses the work of other threads.
var clock int32

func now() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		panic(err)
	}
	return float64(t.Sec) + float64(t.Nsec)/1e9
}

var clocks = map[string]int32{"process": unix.CLOCK_PROCESS_CPUTIME_ID, "wall": unix.CLOCK_MONOTONIC}

var answers = map[string]func(request string) ([]float64, error){"gemm": gemm, "step": step, "product": solve, "rings": follow}

func answer(request string) ([]float64, error) {
	clock = unix.CLOCK_THREAD_CPUTIME_ID
	word, rest, _ := strings.Cut(request, " ")
	if c, ok := clocks[word]; ok {
		clock, request = c, rest
		word, _, _ = strings.Cut(request, " ")
	}
	if answers[word] == nil {
		return nil, fmt.Errorf("unknown request %q", request)
	}
	return answers[word](request)
}
