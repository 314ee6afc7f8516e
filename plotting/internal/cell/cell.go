// Package cell displays results in the output of a notebook's cell. It is the
// only package of the project that talks to the kernel.
package cell

import (
	"bytes"
	"encoding/gob"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // the kernel registers it as well

// Inside reports whether the program runs as a cell of a notebook.
func Inside() bool { return gonbui.IsNotebook }

// Region is a part of the output that can be replaced. What the zero Region
// displays stays.
type Region struct{ id string }

// NewRegion returns a region that appears with the first Update or Picture.
func NewRegion() Region { return Region{gonbui.UniqueId()} }

// Update replaces the region by HTML.
func (r Region) Update(html string) { gonbui.UpdateHTML(r.id, html) }

// Picture replaces the region by a PNG or GIF, at a width in CSS pixels, with a text that
// says what it shows, and waits until the notebook has it.
func (r Region) Picture(data []byte, width int, alternative string) {
	kind := protocol.MIMEImagePNG
	if bytes.HasPrefix(data, []byte("GIF8")) {
		kind = "image/gif"
	}
	gonbui.SendData(&protocol.DisplayData{
		DisplayID: r.id,
		Data: map[protocol.MIMEType]any{
			kind:                   data,
			protocol.MIMETextPlain: alternative,
		},
		// nbconvert takes both as attributes of the image; JupyterLab takes the
		// width, and only if it is a number.
		Metadata: map[string]any{
			string(kind): map[string]any{"width": width, "alt": alternative},
		},
	})
	gonbui.Sync()
}

// Sync waits until the notebook has everything sent so far.
func Sync() { gonbui.Sync() }

// headlessVariable is set where notebooks are executed with nobody watching.
const headlessVariable = "QHLAB_HEADLESS"

// Live reports whether somebody may be there who can answer: the program is a
// cell, and not of a notebook that is executed as a whole.
func Live() bool { return Inside() && os.Getenv(headlessVariable) == "" }

// Kernel is the name under which the server knows the kernel.
func Kernel() string { return os.Getenv(protocol.GONB_JUPYTER_KERNEL_ID_ENV) }

// Mailbox holds the newest message from the page that shows the cell. Messages
// are "number text", with numbers that grow: gonb delivers each of them in a
// goroutine of its own, so they arrive in any order.
type Mailbox struct {
	// Address is where a script of the page sends to, with gonb_comm.send.
	Address string

	// Texts receives a text when it is the newest. One that was not received
	// before the next arrived is dropped.
	Texts chan string

	mu     sync.Mutex
	newest int
}

// NewMailbox returns a mailbox of a new address.
func NewMailbox() *Mailbox {
	return &Mailbox{Address: "qhlab-" + gonbui.UniqueId(), Texts: make(chan string, 1)}
}

// Open begins to receive, answers each message so that the page knows that the cell
// is there, and connects the kernel with the page, which takes up
// to three seconds. On a busy machine that may fail; Reconnect tries it again.
func (m *Mailbox) Open() {
	comms.Subscribe(m.Address, func(_ string, message string) {
		m.put(message)
		comms.Send(m.Address+"/heard", message)
	})
}

// Reconnect connects the kernel with the page unless the page answers.
func (m *Mailbox) Reconnect() { comms.Start() }

func (m *Mailbox) put(message string) {
	first, text, _ := strings.Cut(message, " ")
	number, err := strconv.Atoi(first)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || number <= m.newest {
		return
	}
	m.newest = number
	select {
	case <-m.Texts:
	default:
	}
	m.Texts <- text
}
