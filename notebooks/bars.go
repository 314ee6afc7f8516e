package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"time"

	tasks "qhlab/qhnet/progress"
)

// bars are the tasks that the program of a cell has reported. They are shown while they run, and
// one line without times remains: a notebook that is saved after two runs is the same.
type bars struct {
	tasks   []*task // in the order in which they began
	changed bool
	id      string // of the display, once there is one
}

type task struct {
	tasks.Report
	begun, since time.Time
	from         float64 // the fraction that was done at since
}

// barDelay is how long the first task runs before it is worth a bar.
const barDelay = 500 * time.Millisecond

// progressPipe is the file in the folder of gonb to which cells report.
const progressPipe = "progress"

// listenToCells hands on what the programs of cells report. A report of task 0 is the
// proxy's own and comes back through the pipe after all that was written before it.
func (p *proxy) listenToCells() {
	for pipe := bufio.NewReader(p.pipe); ; {
		line, err := pipe.ReadBytes('\n')
		if err != nil {
			return
		}
		var r tasks.Report
		if json.Unmarshal(line, &r) == nil {
			p.reports <- r
		}
	}
}

// hear takes in what a program that has ended had reported until then.
func (p *proxy) hear(e *execution) {
	if len(e.bars.tasks) == 0 || p.pipe == nil {
		return
	}
	if _, err := fmt.Fprintln(p.pipe, "{}"); err != nil {
		return
	}
	for r := range p.reports {
		if r.Task == 0 {
			return
		}
		e.bars.add(r)
	}
}

func (b *bars) add(r tasks.Report) {
	now := time.Now()
	i := slices.IndexFunc(b.tasks, func(t *task) bool { return t.Task == r.Task })
	if i < 0 {
		i, b.tasks = len(b.tasks), append(b.tasks, &task{begun: now})
	}
	t := b.tasks[i]
	if t.Report = r; r.Fraction > 0 && t.since.IsZero() {
		t.since, t.from = now, r.Fraction
	}
	b.changed = true
}

func (t *task) left() string {
	spent, done := time.Since(t.since), t.Fraction-t.from
	if t.since.IsZero() || done <= 0 || spent < time.Second {
		return ""
	}
	return fmt.Sprintf(", %v left", time.Duration(float64(spent)*(1-t.Fraction)/done).Round(time.Second))
}

func (b *bars) page() string {
	const most = 4
	var page strings.Builder
	running := 0
	for _, t := range b.tasks {
		if t.Ended {
			continue
		}
		if running++; running > most {
			continue
		}
		value := ""
		if t.Fraction > 0 {
			value = fmt.Sprintf(` value="%.4f"`, t.Fraction)
		}
		name := html.EscapeString(t.Name)
		fmt.Fprintf(&page, `<div>%s: <progress max="1"%s aria-label="%s"></progress> %s%s</div>`, name, value, name, html.EscapeString(t.State), t.left())
	}
	if running > most {
		fmt.Fprintf(&page, "<div>and %d more</div>", running-most)
	}
	if ended := len(b.tasks) - running; ended > 0 {
		fmt.Fprintf(&page, "<div>%d done</div>", ended)
	}
	return page.String()
}

// line is what remains when the program has ended: how far each task came, and only
// how many there were of those with one name.
func (b *bars) line() string {
	var names, parts []string
	named := map[string][]*task{}
	for _, t := range b.tasks {
		if named[t.Name] == nil {
			names = append(names, t.Name)
		}
		named[t.Name] = append(named[t.Name], t)
	}
	for _, name := range names {
		all := named[name]
		state, interrupted := all[0].State, slices.IndexFunc(all, func(t *task) bool { return !t.Ended })
		if interrupted >= 0 {
			state = strings.TrimSuffix("interrupted at "+all[interrupted].State, " at ")
		}
		switch {
		case len(all) == 1:
			parts = append(parts, name+": "+state)
		case interrupted >= 0:
			parts = append(parts, fmt.Sprintf("%d × %s, one %s", len(all), name, state))
		default:
			parts = append(parts, fmt.Sprintf("%d × %s", len(all), name))
		}
	}
	return strings.Join(parts, " · ")
}

// drawBars shows the tasks of the running cell, or at its end what remains.
func (p *proxy) drawBars(e *execution, ended bool) {
	b := &e.bars
	if b.id == "" && (ended || len(b.tasks) == 0 || time.Since(b.tasks[0].begun) < barDelay) || !b.changed && !ended {
		return
	}
	b.changed = false
	kind := "update_display_data"
	if b.id == "" {
		kind, b.id = "display_data", "bars-"+e.request.Header.ID
	}
	data := map[string]string{"text/plain": "running", "text/html": b.page()}
	if ended {
		data = map[string]string{"text/plain": b.line(), "text/html": `<pre style="margin:0">` + html.EscapeString(b.line()) + `</pre>`}
	}
	p.publish(e.request.answer(kind, map[string]any{
		"data": data, "metadata": struct{}{}, "transient": map[string]string{"display_id": b.id},
	}))
}

// progressVariable tells cells where to report, unless nobody looks.
func progressVariable(pipe string) []string {
	if os.Getenv(headlessVariable) != "" || makePipe(pipe) != nil {
		return nil
	}
	return []string{tasks.Variable + "=" + pipe}
}
