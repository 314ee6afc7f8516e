package cell

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

func TestMailboxKeepsTheNewestMessage(t *testing.T) {
	m := NewMailbox()
	for _, message := range []string{"3 c", "1 a", "5 e", "5 again", "4 d", "not a number", ""} {
		m.put(message)
	}
	if got := <-m.Texts; got != "e" {
		t.Errorf("received %q, want the newest, e", got)
	}
	m.put("2 b")
	select {
	case got := <-m.Texts:
		t.Errorf("received %q, which is older than what was received before", got)
	default:
	}
}

func TestLastMessageIsNeverLost(t *testing.T) {
	const last = 200
	m := NewMailbox()
	var senders sync.WaitGroup
	for _, k := range rand.New(rand.NewPCG(1, 2)).Perm(last) {
		senders.Go(func() { m.put(fmt.Sprint(k+1, " state ", k+1)) })
	}
	want := fmt.Sprint("state ", last)
	for got := range m.Texts {
		if got == want {
			break
		}
	}
	senders.Wait()
	if len(m.Texts) > 0 {
		t.Errorf("%q came after the last message", <-m.Texts)
	}
}

func TestNobodyAnswersOutsideOfNotebooks(t *testing.T) {
	if Live() {
		t.Error("a test is taken for a cell that somebody looks at")
	}
}
