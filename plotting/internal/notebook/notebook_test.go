//go:build unix

package notebook

import (
	"encoding/gob"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// kernel is the other side of the connection, as gonb is.
type kernel struct {
	from *gob.Decoder
	to   *gob.Encoder
	ends []*os.File
}

// connected returns a new connection, and a kernel that it will reach.
func connected(t *testing.T) (*connection, <-chan *kernel) {
	dir := t.TempDir()
	out, back := filepath.Join(dir, "out"), filepath.Join(dir, "back")
	for _, pipe := range []string{out, back} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(protocol.GONB_PIPE_ENV, out)
	t.Setenv(protocol.GONB_PIPE_BACK_ENV, back)
	Connected = true
	t.Cleanup(func() { Connected = false })
	opened := make(chan *kernel, 1)
	go func() {
		from, _ := os.Open(out)
		to, _ := os.OpenFile(back, os.O_WRONLY, 0)
		opened <- &kernel{gob.NewDecoder(from), gob.NewEncoder(to), []*os.File{from, to}}
	}()
	c := new(connection)
	c.host()
	return c, opened
}

func (k *kernel) next(t *testing.T) (d protocol.DisplayData) {
	t.Helper()
	if err := k.from.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (k *kernel) leave() {
	for _, f := range k.ends {
		f.Close()
	}
}

func TestWhatIsShownReachesTheKernelBeforeFlushReturns(t *testing.T) {
	c, opened := connected(t)
	flushed := make(chan error)
	go func() {
		c.send(&protocol.DisplayData{DisplayID: "here", Data: Content{protocol.MIMEImagePNG: []byte("picture")},
			Metadata: map[string]any{"image/png": map[string]any{"width": 7}}})
		flushed <- c.flush()
	}()
	k := <-opened
	d := k.next(t)
	if picture, _ := d.Data[protocol.MIMEImagePNG].([]byte); string(picture) != "picture" || d.DisplayID != "here" {
		t.Errorf("the kernel was sent %v", d)
	}
	if size, _ := d.Metadata["image/png"].(map[string]any); size["width"] != 7 {
		t.Errorf("the kernel was sent the metadata %v", d.Metadata)
	}
	asked := k.next(t).Data[protocol.MIMECommValue].(protocol.CommValue)
	if asked.Address != protocol.GonbuiSyncAddress {
		t.Errorf("the kernel was asked for %q", asked.Address)
	}
	select {
	case err := <-flushed:
		t.Fatalf("Flush did not wait: %v", err)
	default:
	}
	k.to.Encode(protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: asked.Value})
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

func TestListenersHearTheTextsOfTheirAddressInOrder(t *testing.T) {
	c, opened := connected(t)
	heard := make(chan string, 3)
	go c.listen("a", func(text string) { heard <- text })
	k := <-opened
	if s := k.next(t).Data[protocol.MIMECommSubscribe].(protocol.CommSubscription); s.Address != "a" || s.Unsubscribe {
		t.Errorf("the kernel was asked for %+v", s)
	}
	for _, m := range []protocol.CommValue{{Address: "b", Value: "no"}, {Address: "a", Value: 1.5}, {Address: "a", Value: "x"}, {Address: "a", Value: "y"}} {
		k.to.Encode(m)
	}
	if x, y := <-heard, <-heard; x != "x" || y != "y" {
		t.Errorf("heard %q and %q", x, y)
	}
}

var met bool // gonbui connects once in a program

func TestGonbuiSpeaksThroughTheSameConnection(t *testing.T) {
	if met {
		t.Skip("gonbui is connected to an earlier kernel")
	}
	met = true
	c, opened := connected(t)
	gonbui.IsNotebook = true
	const pairs = 100
	ended := make(chan error)
	go func() {
		for range pairs {
			gonbui.DisplayHTML("theirs")
			c.send(&protocol.DisplayData{Data: Content{protocol.MIMETextHTML: "ours"}})
		}
		gonbui.Sync()
		ended <- c.flush()
	}()
	k := <-opened
	var said []string
	for range 2*pairs + 2 {
		d := k.next(t)
		if text, ok := d.Data[protocol.MIMETextHTML].(string); ok {
			said = append(said, text)
			continue
		}
		asked := d.Data[protocol.MIMECommValue].(protocol.CommValue)
		said = append(said, asked.Address)
		k.to.Encode(protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: asked.Value})
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	want := slices.Repeat([]string{"theirs", "ours"}, pairs)
	if want = append(want, protocol.GonbuiSyncAddress, protocol.GonbuiSyncAddress); !slices.Equal(said, want) {
		t.Errorf("the kernel was sent %q, want %q", said, want)
	}
}

func TestProgramsThatACellStartsHaveNoKernel(t *testing.T) {
	const started = "QHLAB_TEST_STARTED"
	if os.Getenv(started) != "" {
		if Connected {
			t.Error("it writes to a pipe of its own")
		}
		return
	}
	connected(t)
	program := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	program.Env = append(os.Environ(), started+"=1")
	if said, err := program.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestAKernelThatHasGoneIsAnError(t *testing.T) {
	c, opened := connected(t)
	flushed := make(chan error)
	go func() { flushed <- c.flush() }()
	k := <-opened
	k.next(t)
	k.leave()
	if err := <-flushed; err == nil || !strings.Contains(err.Error(), "has gone") {
		t.Errorf("of a kernel that goes while it is awaited: %v", err)
	}
	if err := c.flush(); err == nil || !strings.Contains(err.Error(), "does not take output") {
		t.Errorf("of a kernel that has gone: %v", err)
	}
}

func TestPipesThatAreNotThereAreAnError(t *testing.T) {
	t.Setenv(protocol.GONB_PIPE_ENV, filepath.Join(t.TempDir(), "none"))
	Connected = true
	defer func() { Connected = false }()
	c := new(connection)
	c.host()
	for range 2 {
		if err := c.flush(); err == nil || !strings.Contains(err.Error(), "no way to the kernel") {
			t.Errorf("of no pipe: %v", err)
		}
	}
}

func TestNothingIsSentWithoutAKernel(t *testing.T) {
	if Connected {
		t.Skip("a kernel runs this test")
	}
	if err := new(connection).flush(); err != nil {
		t.Error(err)
	}
}
