package plotting

import (
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"time"

	"qhlab/plotting/internal/cell"
)

// Progress shows how far a long cell is: a live bar in JupyterLab, a line that
// rewrites itself in a terminal. When it is done, one line without times remains, so
// that a saved notebook is the same after every run. Its methods may be called
// from several goroutines.
type Progress struct {
	name  string
	total int

	mu     sync.Mutex
	done   int
	start  time.Time
	shown  time.Time
	ended  bool
	region cell.Region
}

// interval is the least time between two updates, slow enough not to cost the
// work anything.
const interval = 100 * time.Millisecond

// NewProgress starts a bar for so many units of work.
func NewProgress(name string, total int) *Progress {
	p := &Progress{name: name, total: max(total, 1), start: time.Now()}
	if cell.Inside() {
		p.region = cell.NewRegion()
	}
	return p
}

// Add says that n more units are done.
func (p *Progress) Add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = min(p.done+n, p.total)
	if !p.ended && time.Since(p.shown) >= interval {
		p.shown = time.Now()
		p.show()
	}
}

// Done ends the bar. What remains is "name: result", or how many units were done
// if the result is empty. Further calls do nothing.
func (p *Progress) Done(result string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	if result == "" {
		result = fmt.Sprintf("%d of %d", p.done, p.total)
	}
	line := p.name + ": " + result
	switch {
	case cell.Inside():
		p.region.Update("<pre style=\"margin:0\">" + html.EscapeString(line) + "</pre>")
		cell.Sync()
	case terminal():
		fmt.Fprintf(os.Stderr, "\r\x1b[K")
		fmt.Println(line)
	default:
		fmt.Println(line)
	}
}

// show draws the unfinished bar. Outside notebooks and terminals, as in a log,
// there is none.
func (p *Progress) show() {
	share := float64(p.done) / float64(p.total)
	state := fmt.Sprintf("%d of %d%s", p.done, p.total, p.remaining(share))
	switch {
	case cell.Inside():
		p.region.Update(fmt.Sprintf(`<div>%s: <progress value="%d" max="%d" aria-label="%s"></progress> %s</div>`,
			html.EscapeString(p.name), p.done, p.total, html.EscapeString(p.name), state))
	case terminal():
		const width = 30
		full := int(share * width)
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s %s%s %s", p.name, strings.Repeat("█", full), strings.Repeat("░", width-full), state)
	}
}

// remaining estimates the time left from the time spent.
func (p *Progress) remaining(share float64) string {
	spent := time.Since(p.start)
	if share == 0 || spent < time.Second {
		return ""
	}
	left := time.Duration(float64(spent) * (1 - share) / share)
	return fmt.Sprintf(", %v left", left.Round(time.Second))
}

func terminal() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
