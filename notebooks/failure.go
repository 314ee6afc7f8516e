package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// describeFailure says where a notebook stopped: the cell, its line, its source
// and the error.
func describeFailure(title string, nb *notebook, c *cell, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: interrupted in cell [%d]", title, *c.ExecutionCount)
	}
	report := err.Error()
	if errors.Is(err, errCell) {
		report = c.errorText()
	}
	culprit, line := locate(nb, c, report)
	place := fmt.Sprintf("cell [%d] failed", *c.ExecutionCount)
	if line > 0 {
		place += fmt.Sprintf(" at line %d", line)
	}
	if culprit != c {
		place += fmt.Sprintf(" of cell [%d]", *culprit.ExecutionCount)
	}
	return fmt.Errorf("%s: %s:\n\n%s\n%s", title, place, numbered(string(culprit.Source), line), strings.TrimSpace(report))
}

// outcome is the word for how a cell ended that did not end well.
func outcome(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return "failed"
}

// gonb names a line of a cell in two ways: the first in a stack trace, the
// second in the errors of the compiler.
var cellLine = regexp.MustCompile(`\[\[ Cell \[(\d+)\] Line (\d+) \]\]|Cell\[(\d+)\]: Line (\d+)`)

// locate finds the cell and the line, counted from 1, that an error report
// names first. That may be a function of an earlier cell.
func locate(nb *notebook, failed *cell, report string) (*cell, int) {
	match := cellLine.FindStringSubmatch(report)
	if match == nil {
		return failed, 0
	}
	count, _ := strconv.Atoi(match[1] + match[3])
	line, _ := strconv.Atoi(match[2] + match[4])
	for _, c := range nb.Cells {
		if c.ExecutionCount != nil && *c.ExecutionCount == count {
			return c, line
		}
	}
	return failed, 0
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// errorText joins what the failed cell wrote to stderr, where a stack trace is,
// and the kernel's report, without colours.
func (c *cell) errorText() string {
	text := c.stream("stderr")
	if o := c.failure(); o != nil {
		text += "\n" + strings.Join(o.Traceback, "\n")
	}
	return escapes.ReplaceAllString(text, "")
}

// numbered returns the source with line numbers and an arrow at one line.
func numbered(source string, marked int) string {
	var b strings.Builder
	for i, line := range strings.Split(source, "\n") {
		arrow := "  "
		if i+1 == marked {
			arrow = "> "
		}
		fmt.Fprintf(&b, "%s%3d  %s\n", arrow, i+1, line)
	}
	return b.String()
}
