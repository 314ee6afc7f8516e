package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// describeFailure says where a notebook stopped: the cell and the kernel's report,
// which names the line.
func describeFailure(title string, c *cell, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: interrupted in cell [%d]", title, *c.ExecutionCount)
	}
	report := err.Error()
	if errors.Is(err, errCell) {
		report = c.errorText()
	}
	return fmt.Errorf("%s: cell [%d] failed: %s", title, *c.ExecutionCount, strings.TrimSpace(report))
}

// outcome is the word for how a cell ended that did not end well.
func outcome(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return "failed"
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// errorText joins what the failed cell wrote to stderr and the kernel's report,
// without colours.
func (c *cell) errorText() string {
	text := c.stream("stderr")
	if o := c.failure(); o != nil {
		text += "\n" + strings.Join(o.Traceback, "\n")
	}
	return escapes.ReplaceAllString(text, "")
}
