package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// progress reports steps that run at the same time. On a terminal one line at
// the bottom shows what is running; elsewhere a step that takes longer than
// patience announces itself once.
type progress struct {
	mu       sync.Mutex
	out      io.Writer
	live     bool
	running  []*step
	stop     chan struct{}
	patience time.Duration
	begun    func(name string) // for tests, called when a step begins; may be nil
}

// step is one running piece of work.
type step struct {
	progress  *progress
	name      string
	detail    string
	start     time.Time
	announced bool
}

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	p := &progress{
		out: out, live: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb",
		stop: make(chan struct{}), patience: 5 * time.Second,
	}
	go p.tick()
	return p
}

func (p *progress) tick() {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.refresh()
			p.mu.Unlock()
		}
	}
}

// refresh redraws the line of running steps, or announces slow ones.
func (p *progress) refresh() {
	if p.live {
		var status []string
		for _, s := range p.running {
			status = append(status, strings.TrimSpace(fmt.Sprintf("%s %.0fs %s", s.name, time.Since(s.start).Seconds(), s.detail)))
		}
		line := strings.Join(status, " | ")
		if runes := []rune(line); len(runes) > 78 { // a wrapped line cannot be erased
			line = string(runes[:77]) + "…"
		}
		fmt.Fprintf(p.out, "\r\033[K%s", line)
		return
	}
	for _, s := range p.running {
		if !s.announced && time.Since(s.start) > p.patience {
			s.announced = true
			fmt.Fprintf(p.out, "%s …\n", s.name)
		}
	}
}

// begin starts a step.
func (p *progress) begin(name string) *step {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &step{progress: p, name: name, start: time.Now()}
	p.running = append(p.running, s)
	if p.begun != nil {
		p.begun(name)
	}
	return s
}

// Write shows the last line of a program's output beside the step's name.
func (s *step) Write(data []byte) (int, error) {
	s.progress.mu.Lock()
	defer s.progress.mu.Unlock()
	if all := strings.Fields(string(data)); len(all) > 0 {
		s.detail = strings.Join(all[:min(len(all), 4)], " ")
	}
	return len(data), nil
}

// end removes the step and prints a line about it.
func (s *step) end(outcome string) {
	s.remove()
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(fmt.Sprintf("%-58s %6.1fs  %s", s.name, time.Since(s.start).Seconds(), outcome))
}

func (s *step) remove() {
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(other *step) bool { return other == s })
}

// drop removes the step without a line, unless it took long enough to have been
// noticed.
func (s *step) drop() {
	if time.Since(s.start) > time.Second {
		s.end("done")
		return
	}
	s.remove()
}

// say prints a line above the running steps.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(fmt.Sprintf(format, args...))
}

func (p *progress) print(line string) {
	if p.live {
		fmt.Fprint(p.out, "\r\033[K")
	}
	fmt.Fprintln(p.out, strings.TrimRight(line, " "))
}

func (p *progress) close() {
	close(p.stop)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		fmt.Fprint(p.out, "\r\033[K")
	}
}
