package plotting

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

func sliders() []Slider {
	return []Slider{
		{Label: "r", Min: 0.1, Max: 1.1, Step: 0.02, Value: 0.8},
		{Label: "D_H", Min: 1, Max: 4, Step: 1, Value: 2},
	}
}

// counted returns a dialog that keeps what it was asked to draw. Outside of a
// notebook nothing is displayed.
func counted(drawn *[]string) *dialog {
	return &dialog{sliders: sliders(), draw: func(v []float64) Figure {
		*drawn = append(*drawn, fmt.Sprint(v))
		return Figure{} // which cannot be drawn: the dialog must survive it
	}}
}

// feed hands the texts on one by one, as a mailbox does.
func feed(texts ...string) <-chan string {
	c := make(chan string)
	go func() {
		for _, text := range texts {
			c <- text
		}
	}()
	return c
}

func TestDialogDrawsWhatChangedUntilStop(t *testing.T) {
	var drawn []string
	values := []float64{0.8, 2}
	texts := feed("0.8 2", "0.5 2", "0.5 2", "nonsense", "0.5", "NaN 2", "0.5 2 1", "7 3", "stop")
	answered := counted(&drawn).follow(t.Context(), values, texts, nil, nil)
	if want := "[[0.5 2] [1.1 3]]"; !answered || fmt.Sprint(drawn) != want {
		t.Errorf("answered %v, drawn %v, want %v", answered, drawn, want)
	}
	if got := describe(sliders(), values); got != "r = 1.10 · D_H = 3" {
		t.Errorf("the sliders stand at %q", got)
	}
}

func TestDialogEndsWithoutAPage(t *testing.T) {
	var drawn []string
	reconnected := 0
	tick := make(chan time.Time, 2*connectAttempts)
	for range cap(tick) {
		tick <- time.Time{}
	}
	answered := counted(&drawn).follow(t.Context(), []float64{0.8, 2}, nil, tick, func() { reconnected++ })
	if answered || len(drawn) > 0 || reconnected != connectAttempts-1 {
		t.Errorf("answered %v, drawn %v, %d attempts to reconnect", answered, drawn, reconnected)
	}
}

// The page that answered may be hidden and speak seldom, may have lost its
// connection, or may have been closed.
func TestDialogWaitsForAPageThatAnsweredOnceButNotForEver(t *testing.T) {
	var drawn []string
	reconnected := 0
	texts, tick := make(chan string), make(chan time.Time)
	ended := make(chan bool)
	go func() {
		ended <- counted(&drawn).follow(t.Context(), []float64{0.8, 2}, texts, tick, func() { reconnected++ })
	}()
	for range 2 {
		texts <- "0.8 2"
		for range silentIntervals {
			tick <- time.Time{}
		}
	}
	tick <- time.Time{}
	if !<-ended {
		t.Error("the page that answered is forgotten")
	}
	if want := 2 * (silentIntervals - 1); reconnected != want {
		t.Errorf("%d attempts to reconnect, want %d", reconnected, want)
	}
}

func TestSliderWritesAsManyDecimalsAsItNeeds(t *testing.T) {
	for _, c := range []struct {
		slider Slider
		want   string
	}{
		{Slider{Max: 1, Step: 0.02, Value: 0.3}, "0.30"},
		{Slider{Max: 1, Value: 0.3}, "0.30"},
		{Slider{Max: 4, Step: 1, Value: 3}, "3"},
		{Slider{Max: 90, Step: 0.5, Value: 30}, "30.0"},
		{Slider{Max: 1e-3, Step: 1e-5, Value: 2e-5}, "0.00002"},
	} {
		if got := c.slider.format(c.slider.Value); got != c.want {
			t.Errorf("step %g writes %q, want %q", c.slider.Step, got, c.want)
		}
	}
}

func TestSliderLabelsAreHTML(t *testing.T) {
	if got, want := markupHTML("‖μ_H‖ < x^2"), "‖μ<sub>H</sub>‖ &lt; x<sup>2</sup>"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSlidersWithoutARangeAreRefused(t *testing.T) {
	for _, s := range []Slider{{}, {Min: 1, Max: 0}, {Max: 1, Value: 2}, {Max: 1, Step: -1}} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "plotting: slider") {
					t.Errorf("%+v: %v", s, r)
				}
			}()
			Interact([]Slider{s}, func([]float64) Figure { return Figure{} })
		}()
	}
}

func TestMailboxKeepsTheNewestMessage(t *testing.T) {
	m := newMailbox()
	for _, message := range []string{"3 c", "1 a", "5 e", "5 again", "4 d", "not a number", ""} {
		m.put(message)
	}
	if got := <-m.texts; got != "e" {
		t.Errorf("received %q, want the newest, e", got)
	}
	m.put("2 b")
	select {
	case got := <-m.texts:
		t.Errorf("received %q, which is older than what was received before", got)
	default:
	}
}

func TestLastMessageIsNeverLost(t *testing.T) {
	const last = 200
	m := newMailbox()
	var senders sync.WaitGroup
	for _, k := range rand.New(rand.NewPCG(1, 2)).Perm(last) {
		senders.Go(func() { m.put(fmt.Sprint(k+1, " state ", k+1)) })
	}
	want := fmt.Sprint("state ", last)
	for got := range m.texts {
		if got == want {
			break
		}
	}
	senders.Wait()
	if len(m.texts) > 0 {
		t.Errorf("%q came after the last message", <-m.texts)
	}
}

func TestNobodyAnswersOutsideOfNotebooks(t *testing.T) {
	if live() {
		t.Error("a test is taken for a cell that somebody looks at")
	}
}
