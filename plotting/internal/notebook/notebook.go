// Package notebook speaks with the kernel that runs this program as a cell, and through it with the page.
// gonb's own client, gonbui, would link each cell with net and database/sql, which takes half as long
// again; and what fails it only logs.
package notebook

import (
	"encoding/gob"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() {
	gob.Register(map[string]any{}) // which metadata may hold; the kernel registers it as well
	if Connected {
		cell.host()
	}
}

// Connected tells whether a kernel runs this program. Where none does, nothing below does anything.
// A program that a cell starts inherits the names of the cell's own pipes, which say nothing there.
var Connected = os.Getenv(protocol.GONB_PIPE_ENV) != "" && !strings.HasPrefix(os.Getenv(protocol.GONB_PIPE_ENV), ownPipes)

const ownPipes = "/dev/fd/"

// Content is what there is to show, in one or several formats.
type Content map[protocol.MIMEType]any

// Show puts content into the output of the cell, in a region that the next content with the same
// name replaces; without a name, below the rest.
func Show(region string, c Content, metadata map[string]any) {
	cell.send(&protocol.DisplayData{Data: c, Metadata: metadata, DisplayID: region})
}

// HTML is Show for a text in HTML.
func HTML(region, text string) { Show(region, Content{protocol.MIMETextHTML: text}, nil) }

// Flush waits until the kernel has all that was sent, and returns what failed since the program began.
func Flush() error { return cell.flush() }

// Connect asks the page to connect to the kernel, if it is not connected.
func Connect() { Say(protocol.GonbuiStartAddress, 1) }

// Say sends a value to the page's listeners at an address.
func Say(address string, value any) { cell.say(address, value) }

// Listen hands on, one after the other, the texts that the page sends to an address.
func Listen(address string, hear func(text string)) { cell.listen(address, hear) }

// Name returns a name that nothing else has.
func Name() string { return fmt.Sprintf("%016x", rand.Uint64()) }

var cell connection

// connection is that of a program to its kernel, made when it is first used.
type connection struct {
	to, from string // the pipes
	opening  sync.Once

	sending sync.Mutex // guards these two
	encoder *gob.Encoder
	failed  error

	listening sync.Mutex
	listeners map[string]func(text string) // by address

	flushing sync.Mutex
	flushed  chan struct{} // receives the kernel's answer, and is closed when it has gone

	guest *gob.Encoder // what is for gonbui, if the cell uses it as well
	said  *relay       // what gonbui says
	held  []*os.File   // the ends of pipes that gonbui would open
}

// flushID tells an answer to flush from those to gonbui, which counts from 0.
const flushID = -1

// host offers gonbui pipes of ours, as two encoders that write to the kernel's pipe would break each
// other's messages. What gonbui sends is sent on, and what is not for us is handed to it.
func (c *connection) host() {
	c.to, c.from = os.Getenv(protocol.GONB_PIPE_ENV), os.Getenv(protocol.GONB_PIPE_BACK_ENV)
	said, say, err := os.Pipe()
	if err != nil {
		return
	}
	hear, heard, err := os.Pipe()
	if err != nil {
		return
	}
	if c.said, err = newRelay(said); err != nil {
		return
	}
	c.guest, c.held = gob.NewEncoder(heard), []*os.File{say, hear}
	os.Setenv(protocol.GONB_PIPE_ENV, fmt.Sprint(ownPipes, say.Fd()))
	os.Setenv(protocol.GONB_PIPE_BACK_ENV, fmt.Sprint(ownPipes, hear.Fd()))
	go func() {
		for from := gob.NewDecoder(c.said); ; {
			var d protocol.DisplayData
			if from.Decode(&d) != nil {
				io.Copy(io.Discard, c.said) // so that nobody waits
				return
			}
			c.write(&d)
		}
	}()
}

func (c *connection) open() {
	to, err := os.OpenFile(c.to, os.O_WRONLY, 0)
	if err != nil {
		c.failed = fmt.Errorf("no way to the kernel: %w", err)
		return
	}
	from, err := os.Open(c.from)
	if err != nil {
		c.failed = fmt.Errorf("no way back from the kernel: %w", err)
		return
	}
	c.encoder, c.flushed = gob.NewEncoder(to), make(chan struct{}, 1)
	go c.receive(gob.NewDecoder(from))
}

func (c *connection) receive(from *gob.Decoder) {
	defer close(c.flushed)
	for {
		var m protocol.CommValue
		if from.Decode(&m) != nil {
			return
		}
		c.listening.Lock()
		hear := c.listeners[m.Address]
		c.listening.Unlock()
		switch text, isText := m.Value.(string); {
		case m.Address == protocol.GonbuiSyncAckAddress && m.Value == flushID:
			c.flushed <- struct{}{}
		case hear != nil && isText:
			hear(text)
		case hear == nil && c.guest != nil:
			c.guest.Encode(m)
		}
	}
}

// send sends after what gonbui was given before.
func (c *connection) send(d *protocol.DisplayData) error {
	if !Connected {
		return nil
	}
	if c.guest != nil {
		c.said.settle()
	}
	return c.write(d)
}

func (c *connection) write(d *protocol.DisplayData) error {
	c.opening.Do(c.open)
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.failed == nil {
		if err := c.encoder.Encode(d); err != nil {
			c.failed = fmt.Errorf("the kernel does not take output: %w", err)
		}
	}
	return c.failed
}

func (c *connection) say(address string, value any) error {
	return c.send(&protocol.DisplayData{Data: Content{
		protocol.MIMECommValue: protocol.CommValue{Address: address, Value: value},
	}})
}

func (c *connection) listen(address string, hear func(string)) {
	c.listening.Lock()
	if c.listeners == nil {
		c.listeners = map[string]func(string){}
	}
	c.listeners[address] = hear
	c.listening.Unlock()
	c.send(&protocol.DisplayData{Data: Content{
		protocol.MIMECommSubscribe: protocol.CommSubscription{Address: address},
	}})
}

func (c *connection) flush() error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	if err := c.say(protocol.GonbuiSyncAddress, flushID); err != nil || !Connected {
		return err
	}
	if _, ok := <-c.flushed; !ok {
		return fmt.Errorf("the kernel has gone")
	}
	return nil
}
