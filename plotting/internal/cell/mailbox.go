package cell

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

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
