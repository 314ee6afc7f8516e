package plotting

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"qhlab/plotting/internal/notebook"
)

// Interact shows sliders above a figure, and draws the figure anew when one is
// moved. The cell runs until its button Stop is pressed or it is interrupted;
// the figure then stays, with a line that says where the sliders stood. Of moves that
// come while a figure is being drawn only the last counts.
//
//	plotting.Interact([]plotting.Slider{
//		{Label: "r", Min: 0.1, Max: 1, Value: 0.5},
//	}, func(v []float64) plotting.Figure { return picture(v[0]) })
//
// Where nobody can move a slider the figure is drawn once, with the initial
// values: in a terminal, in a notebook that is executed as a whole (the
// environment variable QHLAB_HEADLESS says since when), or when no page answers.
//
// A slider without a range panics. A figure that cannot be drawn leaves the one before it,
// with the error below.
func Interact(sliders []Slider, draw func(values []float64) Figure) {
	if draw == nil {
		panic("plotting: Interact without a function that draws; give one that makes a Figure of the values")
	}
	values := make([]float64, len(sliders))
	for i, s := range sliders {
		s.check()
		values[i] = s.Value
	}
	if !live() {
		Show(draw(values))
		fmt.Printf("%s (in JupyterLab, sliders change this)\n", describe(sliders, values))
		return
	}
	d := &dialog{sliders: sliders, draw: draw, controls: notebook.Name(), picture: notebook.Name(), below: notebook.Name()}
	d.run(values)
}

// live reports whether somebody may be there who can answer.
func live() bool { return notebook.Connected && os.Getenv(headlessVariable) == "" }

// headlessVariable is not empty where a notebook is executed as a whole, and then says when that began.
const headlessVariable = "QHLAB_HEADLESS"

// dialog is an interactive figure and the names of the parts of the output that it uses.
// What is saved while it runs has no sliders: the page draws them, into the first part.
type dialog struct {
	sliders                  []Slider
	draw                     func([]float64) Figure
	controls, picture, below string
}

// The page says twice a second where the sliders stand, once a minute if it is hidden. Connecting
// may take several attempts, each of which leaves a script of gonb in the cell's output.
const (
	connectInterval = 5 * time.Second
	connectAttempts = 4
	silentIntervals = 18
)

func (d *dialog) run(values []float64) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	box, address := newMailbox(), "qhlab-"+notebook.Name()
	notebook.HTML(d.controls, `<div id="`+address+`"></div>`)
	d.redraw(values)
	notebook.HTML(d.below, d.page(address))
	notebook.Listen(address, func(message string) { // this connects, which takes up to three seconds
		box.put(message)
		notebook.Say(address+"/heard", message)
	})
	answered := d.follow(ctx, values, box.texts, time.Tick(connectInterval), notebook.Connect)
	end := describe(d.sliders, values)
	if !answered {
		end += " (no page answers, so the sliders cannot be moved)"
	}
	notebook.HTML(d.controls, `<pre style="margin:0">`+html.EscapeString(end)+`</pre>`)
	notebook.HTML(d.below, "")
	notebook.Flush()
}

// A mailbox holds the newest message from the page. Messages are "number text", with numbers that
// grow, as they may arrive in any order.
type mailbox struct {
	texts  chan string // one that was not received before the next arrived is dropped
	mu     sync.Mutex
	newest int
}

func newMailbox() *mailbox { return &mailbox{texts: make(chan string, 1)} }

func (m *mailbox) put(message string) {
	first, text, _ := strings.Cut(message, " ")
	number, err := strconv.Atoi(first)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || number <= m.newest {
		return
	}
	select {
	case <-m.texts:
	default:
	}
	m.newest = number
	m.texts <- text
}

// follow keeps values where the sliders are, and redraws, until the page says stop, ctx ends, or
// the page does not answer. It reports whether the page ever answered.
func (d *dialog) follow(ctx context.Context, values []float64, texts <-chan string, tick <-chan time.Time, reconnect func()) (answered bool) {
	most := connectAttempts
	for silent := 1; ; {
		select {
		case <-ctx.Done():
			return true
		case <-tick:
			if silent++; silent > most {
				return answered
			}
			if silent > 1 {
				reconnect() // which does nothing to a page that is there
			}
		case text := <-texts:
			if text == "stop" {
				return true
			}
			if !answered {
				notebook.HTML(d.below, d.saved(values, nil)) // the script has done its work
			}
			answered, silent, most = true, 0, silentIntervals
			if moved := d.parse(text); moved != nil && !slices.Equal(moved, values) {
				copy(values, moved)
				d.redraw(values)
			}
		}
	}
}

// parse reads where the sliders are; nil if the text does not say so.
func (d *dialog) parse(text string) []float64 {
	fields := strings.Fields(text)
	if len(fields) != len(d.sliders) {
		return nil
	}
	values := make([]float64, len(fields))
	for i, s := range d.sliders {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || math.IsNaN(v) {
			return nil
		}
		values[i] = min(max(v, s.Min), s.Max)
	}
	return values
}

// redraw shows the figure, or says below the last one why it cannot.
func (d *dialog) redraw(values []float64) {
	err := d.draw(slices.Clone(values)).show(d.picture)
	notebook.HTML(d.below, d.saved(values, err))
}

// saved stands below the figure in a notebook that was saved while the cell ran.
func (d *dialog) saved(values []float64, err error) string {
	text := `<pre class="qhlab-saved" style="margin:0">` + html.EscapeString(describe(d.sliders, values)) + ` · not connected: run this cell again</pre>`
	if err != nil {
		text += `<pre role="alert">` + html.EscapeString(err.Error()) + `</pre>`
	}
	return text
}

//go:embed interact.js
var interactScript string

// page is the script that draws the sliders and sends their state to an address.
func (d *dialog) page(address string) string {
	type control struct {
		Slider
		Decimals int
	}
	var controls []control
	for _, s := range d.sliders {
		s.Label, s.Step = markupHTML(s.Label), s.step()
		controls = append(controls, control{s, s.decimals()})
	}
	data, _ := json.Marshal(controls) // which has no < that could end the script
	return fmt.Sprintf("<script>(\n%s)(%q, %q, %s)</script>", interactScript, address, os.Getenv(protocol.GONB_JUPYTER_KERNEL_ID_ENV), data)
}

// Slider is a quantity that the reader sets.
type Slider struct {
	Label    string // markup, as in a figure
	Min, Max float64
	Value    float64 // at the beginning
	Step     float64 // zero: a hundredth of the range
}

// check panics if the slider has no range, or begins outside of it.
func (s Slider) check() {
	if !(s.Min < s.Max) || !(s.Min <= s.Value && s.Value <= s.Max) || !(s.Step >= 0) || math.IsInf(s.Max-s.Min, 0) {
		panic(fmt.Sprintf("plotting: slider %q: want finite Min < Max, a Value between them and a Step of at least 0, got %v, %v, %v and %v",
			s.Label, s.Min, s.Max, s.Value, s.Step))
	}
}

func (s Slider) step() float64 { return cmp.Or(s.Step, (s.Max-s.Min)/100) }

// decimals is the number of decimals that tell the slider's positions apart.
func (s Slider) decimals() int {
	const most = 12 // beyond that a step is noise of the arithmetic
	_, decimals, _ := strings.Cut(strconv.FormatFloat(s.step(), 'f', most, 64), ".")
	return len(strings.TrimRight(decimals, "0"))
}

func (s Slider) format(v float64) string {
	return strconv.FormatFloat(v, 'f', s.decimals(), 64)
}

// markupHTML sets a label in HTML, with its sub- and superscripts.
func markupHTML(s string) string {
	out := ""
	for _, r := range lonely(paper).lineOf(s).Runs(true) {
		text := html.EscapeString(r.Text())
		switch y := r.Glyphs[0].Y; {
		case y > 0:
			text = "<sup>" + text + "</sup>"
		case y < 0:
			text = "<sub>" + text + "</sub>"
		}
		out += text
	}
	return out
}

// describe writes the sliders' values in a line.
func describe(sliders []Slider, values []float64) string {
	var parts []string
	for i, s := range sliders {
		parts = append(parts, s.Label+" = "+s.format(values[i]))
	}
	return strings.Join(parts, " · ")
}
