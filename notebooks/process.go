package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// child is a program that ends when this one does, even when this one is killed.
// The kernel of Linux can send a signal then, but only to the program itself, not
// to what that has started, and the one of macOS cannot. So a guard stands by: a
// shell that reads from a pipe whose other end closes with this process.
type child struct {
	process  *exec.Cmd
	exited   chan struct{} // closed when the process has ended
	failure  error         // how it ended; read it only after exited
	folder   string        // for its temporary files; the guard removes it
	guard    *exec.Cmd
	lifeline *os.File
	stopping sync.Once
}

//go:embed guard.sh
var guardScript string

// longestSocket is the longest name of a Unix socket on macOS; Linux has four more bytes.
const longestSocket = 103

// newChild makes the temporary folder of a child and starts its guard.
func newChild(grace time.Duration) (*child, error) {
	parent := os.TempDir()
	if len(parent)+len("/.qhlab-0123456789/k-5") > longestSocket {
		parent = "/tmp"
	}
	c, err := guardFolder(parent, grace)
	if err != nil {
		return nil, fmt.Errorf("cannot make a temporary folder; set TMPDIR to one that is writable: %w", err)
	}
	return c, nil
}

// guardFolder makes a folder that is removed when stop is called or this process is gone.
func guardFolder(parent string, grace time.Duration) (*child, error) {
	life, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer life.Close()
	c := &child{exited: make(chan struct{}), lifeline: lifeline, folder: filepath.Join(parent, ".qhlab-"+rand.Text()[:10])}
	c.guard = exec.Command("/bin/sh", "-c", guardScript, "guard", c.folder, strconv.Itoa(int(grace/(100*time.Millisecond))))
	c.guard.Stdin, c.guard.Dir, c.guard.SysProcAttr = life, "/", ownSession()
	if err := c.guard.Start(); err != nil {
		return nil, errors.Join(err, lifeline.Close())
	}
	if err := os.Mkdir(c.folder, 0o700); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// start starts the child. It writes its number to the guard before it becomes the
// program, so that there is no moment at which the guard does not know it.
func (c *child) start(process *exec.Cmd) error {
	if process.Err != nil {
		return process.Err
	}
	process.Args = append([]string{"/bin/sh", "-c", `echo $$ >&3; exec "$@" 3>&-`, "sh", process.Path}, process.Args[1:]...)
	process.Path = "/bin/sh"
	process.Env = append(process.Environ(), "TMPDIR="+c.folder)
	process.ExtraFiles = []*os.File{c.lifeline}
	process.SysProcAttr = ownSession() // Ctrl-C in the terminal is for this program alone
	process.WaitDelay = time.Second
	if err := process.Start(); err != nil {
		return err
	}
	c.process = process
	go func() {
		c.failure = process.Wait()
		close(c.exited)
	}()
	return nil
}

// stop ends the child and all that it has started and removes its folder. A child
// that has ended already may have left some of that.
func (c *child) stop() {
	c.stopping.Do(func() {
		c.lifeline.Close()
		c.guard.Wait()
		if c.process != nil {
			<-c.exited
		}
	})
}

// await returns when the child has ended, or ends it when ctx does.
func (c *child) await(ctx context.Context) error {
	select {
	case <-c.exited:
	case <-ctx.Done():
	}
	c.stop()
	return errors.Join(context.Cause(ctx), c.failure)
}

// signals ends the context when the user or the system ends the command; a second Ctrl-C kills it.
func signals() context.Context {
	wanted := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		wanted = append(wanted, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), wanted...)
	context.AfterFunc(ctx, stop)
	return ctx
}

// temporaryBuild is the folder in which "go run" links a program that its cache does not hold yet.
var temporaryBuild = regexp.MustCompile(`^go-build[0-9]+$`)

// startedByGoRun tells whether "go run" started the program at this path, and the
// temporary folder that it leaves when it is killed. A program that comes from Go's
// build cache, as most do, is in a folder <hash>-d, and leaves none.
func startedByGoRun(program string) (folder string, yes bool) {
	folder = filepath.Dir(filepath.Dir(filepath.Dir(program)))
	if temporaryBuild.MatchString(filepath.Base(folder)) {
		return folder, true
	}
	return "", strings.HasSuffix(filepath.Dir(program), "-d")
}

// followGoRun ends a command that "go run" started when that is killed, since it
// does not pass signals on, and returns what removes the folder that it leaves.
func followGoRun(ctx context.Context) (_ context.Context, clean func()) {
	self, err := os.Executable()
	folder, yes := startedByGoRun(self)
	if err != nil || !yes {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var orphaned atomic.Bool
	go afterParent(func() {
		signal.Ignore(syscall.SIGPIPE) // who read the output may be gone, too
		orphaned.Store(true)
		cancel()
	})
	return ctx, func() {
		if orphaned.Load() && folder != "" {
			os.RemoveAll(folder)
		}
	}
}

// afterParent calls a function when the program that started this one has ended, however it did.
func afterParent(do func()) {
	for parent := os.Getppid(); os.Getppid() == parent; time.Sleep(100 * time.Millisecond) {
	}
	do()
}

// replaceFiles writes the files into a folder that are not there as they are, each in one step: a
// reader never sees half of one, and a killed command leaves none, which is what google/renameio
// lacks. A file that was there keeps its permissions; a new one gets what the user's umask leaves.
func replaceFiles(folder string, files map[string][]byte) error {
	folder, err := filepath.Abs(folder)
	if err == nil {
		err = os.MkdirAll(folder, 0o777)
	}
	if err != nil {
		return err
	}
	fresh, err := guardFolder(folder, 0)
	if err != nil {
		return err
	}
	defer fresh.stop()
	for name, data := range files {
		temporary, path := filepath.Join(fresh.folder, name), filepath.Join(folder, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			continue
		}
		err := os.WriteFile(temporary, data, 0o666)
		if old, missing := os.Stat(path); missing == nil {
			err = errors.Join(err, os.Chmod(temporary, old.Mode().Perm()))
		}
		if err == nil {
			err = os.Rename(temporary, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	return replaceFiles(filepath.Dir(path), map[string][]byte{filepath.Base(path): data})
}

// lockFile takes an exclusive lock that other processes respect, waiting for
// whoever holds it. The lock ends with the process, even when it is killed. Where
// nothing can be written, nothing needs a lock.
func lockFile(path string, onWait func()) (unlock func(), err error) {
	if !writable(filepath.Dir(path)) {
		return func() {}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err == nil {
		err = flock(file, onWait)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

// writable makes a folder and tries whether files can be made in it.
func writable(folder string) bool {
	if os.MkdirAll(folder, 0o777) != nil {
		return false
	}
	trial, err := guardFolder(folder, 0)
	if err == nil {
		trial.stop()
	}
	return err == nil
}
