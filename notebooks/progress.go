package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// progress reports steps that run at the same time. On a terminal one line at the bottom shows what
// is running; elsewhere a step that takes longer than five seconds announces itself once.
type progress struct {
	mu      sync.Mutex
	out     *os.File
	live    bool
	running []*step
	stop    chan struct{}
	begun   func(name string) // for tests, called when a step begins; may be nil
}

type step struct {
	progress     *progress
	name, detail string
	start        time.Time
	announced    bool
}

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	p := &progress{
		out: out, live: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb",
		stop: make(chan struct{}),
	}
	go func() {
		for ticker := time.Tick(200 * time.Millisecond); ; {
			select {
			case <-p.stop:
				return
			case <-ticker:
				p.refresh()
			}
		}
	}()
	return p
}

func (p *progress) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var status []string
	for _, s := range p.running {
		if !p.live && !s.announced && time.Since(s.start) > 5*time.Second {
			s.announced = true
			fmt.Fprintf(p.out, "%s …\n", s.name)
		}
		status = append(status, strings.TrimSpace(fmt.Sprintf("%s %.0fs %s", s.name, time.Since(s.start).Seconds(), s.detail)))
	}
	line := []rune(strings.Join(status, " | "))
	if len(line) > 78 { // a wrapped line cannot be erased
		line = append(line[:77], '…')
	}
	p.erase()
	if p.live {
		fmt.Fprint(p.out, string(line))
	}
}

func (p *progress) erase() {
	if p.live {
		fmt.Fprint(p.out, "\r\033[K")
	}
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (p *progress) close() {
	close(p.stop)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

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

// Write shows the beginning of a program's last output beside the step's name.
func (s *step) Write(data []byte) (int, error) {
	s.progress.mu.Lock()
	defer s.progress.mu.Unlock()
	if words := strings.Fields(string(data)); len(words) > 0 {
		s.detail = strings.Join(words[:min(len(words), 4)], " ")
	}
	return len(data), nil
}

func (s *step) end(outcome string) {
	s.progress.mu.Lock()
	s.progress.running = slices.DeleteFunc(s.progress.running, func(other *step) bool { return other == s })
	s.progress.mu.Unlock()
	if took := time.Since(s.start); outcome != "done" || took > time.Second { // else nobody has noticed it
		s.progress.say("%-58s %6.1fs  %s", s.name, took.Seconds(), outcome)
	}
}
