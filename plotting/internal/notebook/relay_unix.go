//go:build unix

package notebook

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A relay reads from a pipe, for one reader that sends on what it reads.
type relay struct {
	pipe syscall.RawConn
	busy sync.Mutex // not held by the reader while it waits for more, and guards read
	read int        // bytes
}

func newRelay(pipe *os.File) (*relay, error) {
	raw, err := pipe.SyscallConn()
	r := &relay{pipe: raw}
	r.busy.Lock()
	return r, err
}

func (r *relay) Read(p []byte) (n int, err error) {
	r.busy.Unlock()
	r.pipe.Read(func(fd uintptr) bool {
		r.busy.Lock()
		if n, err = syscall.Read(int(fd), p); err != syscall.EAGAIN {
			return true
		}
		r.busy.Unlock()
		return false
	})
	n = max(n, 0)
	r.read += n
	return n, err
}

// settle waits until what was written has been sent on. What comes meanwhile prolongs it by what a
// pipe holds at most.
func (r *relay) settle() {
	const capacity = 1 << 16
	for last := -1; ; time.Sleep(20 * time.Microsecond) {
		r.busy.Lock()
		if last < 0 {
			last = r.read + capacity
		}
		more := []unix.PollFd{{Events: unix.POLLIN}}
		r.pipe.Control(func(fd uintptr) {
			more[0].Fd = int32(fd)
			unix.Poll(more, 0)
		})
		settled := more[0].Revents == 0 || r.read >= last
		r.busy.Unlock()
		if settled {
			return
		}
	}
}
