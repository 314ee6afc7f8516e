package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
)

const (
	startTimeout    = 60 * time.Second // a loaded machine; normal is half a second
	shutdownTimeout = 5 * time.Second
	// gonb kills an interrupted program after 5 s; the reply must come after that.
	interruptTimeout = 10 * time.Second
)

// kernel is a running Jupyter kernel and the sockets to speak with it.
type kernel struct {
	*child                // its folder holds the sockets
	log      bytes.Buffer // what the process wrote; read it only after exited
	key      []byte
	session  string
	control  zmq4.Socket
	shell    zmq4.Socket
	stdin    zmq4.Socket
	received chan message // from shell, stdin and iopub, each in order
	failed   chan error   // the first message that could not be read
	close    context.CancelFunc
}

// startKernel starts the kernel of the project's kernelspec in the given folder
// and returns when it answers and its outputs arrive.
func startKernel(ctx context.Context, p project, dir string, extraEnv ...string) (*kernel, error) {
	spec, err := readKernelspec(p)
	if err != nil {
		return nil, err
	}
	return openKernel(ctx, "kernel-"+rand.Text()+".json", func(folder, connection string) *exec.Cmd {
		argv := spec.fill("{resource_dir}", p.kernelspecFolder(), "{connection_file}", connection)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		cmd.Env = append(p.kernelEnvironment(folder), append(extraEnv,
			"GONB_FLAGS=-logtostderr=false -log_file=/dev/null -stderrthreshold=3")...)
		return cmd
	})
}

// openKernel starts the kernel of a command, which is told the kernel's own folder
// and the connection file of the given name in it, and returns when it answers.
func openKernel(ctx context.Context, name string, command func(folder, connection string) *exec.Cmd) (*kernel, error) {
	child, err := newChild(0)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.Background())
	k := &kernel{
		child: child, session: rand.Text(), key: []byte(rand.Text()), close: cancel,
		received: make(chan message, 1024), failed: make(chan error, 1),
	}
	listening := inFolder(k.folder, string(k.key))
	file := filepath.Join(k.folder, name)
	if err := errors.Join(listening.write(file), k.launch(command(k.folder, file))); err != nil {
		k.kill()
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	if err := k.connect(ctx, life, listening); err != nil {
		k.kill()
		return nil, fmt.Errorf("the kernel does not answer: %w\n%s", err, &k.log)
	}
	return k, nil
}

func (k *kernel) launch(cmd *exec.Cmd) error {
	if cmd.Stderr == nil {
		cmd.Stdout, cmd.Stderr = &k.log, &k.log
	}
	if err := k.start(cmd); err != nil {
		return fmt.Errorf("cannot start the kernel: %w", err)
	}
	return nil
}

// connect opens the sockets and waits until the kernel's state arrives on
// iopub: outputs sent before the kernel knows of the subscription are lost.
func (k *kernel) connect(ctx, life context.Context, c connection) error {
	// A kernel answers on any of the sockets, to the identity that has asked.
	id := zmq4.WithID(zmq4.SocketIdentity(k.session))
	k.shell, k.control, k.stdin = zmq4.NewDealer(life, id), zmq4.NewDealer(life, id), zmq4.NewDealer(life, id)
	iopub := zmq4.NewSub(life)
	for port, socket := range map[int]zmq4.Socket{c.Shell: k.shell, c.IOPub: iopub, c.Control: k.control, c.Stdin: k.stdin} {
		if err := k.dial(ctx, socket, c, port); err != nil {
			return err
		}
	}
	if err := iopub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		return err
	}
	for _, socket := range []zmq4.Socket{k.shell, k.control, k.stdin, iopub} {
		go k.receive(socket)
	}
	for {
		request, err := k.send(k.shell, "kernel_info_request", struct{}{})
		if err != nil {
			return err
		}
		attempt, stop := context.WithTimeout(ctx, time.Second)
		err = k.await(attempt, request, nil)
		stop()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// dial connects as soon as the kernel listens.
func (k *kernel) dial(ctx context.Context, socket zmq4.Socket, c connection, port int) error {
	for {
		if _, err := os.Stat(c.file(port)); err == nil {
			return socket.Dial(c.address(port))
		}
		select {
		case <-k.exited:
			return errors.New("its process ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (k *kernel) receive(socket zmq4.Socket) {
	for {
		raw, err := socket.Recv()
		if err != nil {
			return // closed: the process's end is noticed elsewhere
		}
		m, err := unpack(raw, k.key)
		if err != nil {
			select {
			case k.failed <- err:
			default:
			}
			return
		}
		k.received <- m
	}
}

// send sends a request and returns its identity.
func (k *kernel) send(socket zmq4.Socket, kind string, content any) (id string, err error) {
	m := newMessage(k.session, kind, content)
	return m.Header.ID, socket.SendMulti(m.pack(k.key))
}

// await hands on every message that the request caused until both its reply
// and the state "idle", which follows its last output, have arrived.
func (k *kernel) await(ctx context.Context, request string, handle func(message)) error {
	replied, idle := false, false
	for !replied || !idle {
		select {
		case m := <-k.received:
			if m.Parent.ID != request {
				continue
			}
			replied = replied || strings.HasSuffix(m.Header.Type, "_reply")
			idle = idle || isIdle(m)
			if handle != nil {
				handle(m)
			}
		case err := <-k.failed:
			return err
		case <-k.exited:
			return errors.New("the kernel's process ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func isIdle(m message) bool {
	var status struct {
		State string `json:"execution_state"`
	}
	return m.Header.Type == "status" && json.Unmarshal(m.Content, &status) == nil && status.State == "idle"
}

// declare runs code that is not a cell of the notebook and does not count as one.
func (k *kernel) declare(ctx context.Context, code string) error {
	request, err := k.sendCode(code, true)
	if err != nil {
		return err
	}
	return k.await(ctx, request, nil)
}

func (k *kernel) sendCode(code string, silent bool) (request string, err error) {
	return k.send(k.shell, "execute_request", map[string]any{
		"code": code, "silent": silent, "store_history": !silent,
		"user_expressions": struct{}{}, "allow_stdin": false, "stop_on_error": true,
	})
}

// execute runs code and hands on the messages that it causes. When ctx ends
// first, it interrupts the program and waits for its last outputs.
func (k *kernel) execute(ctx context.Context, code string, handle func(message)) error {
	request, err := k.sendCode(code, false)
	if err != nil {
		return err
	}
	err = k.await(ctx, request, handle)
	if err == nil || ctx.Err() == nil {
		return err
	}
	if _, err := k.send(k.control, "interrupt_request", struct{}{}); err != nil {
		return err
	}
	rest, stop := context.WithTimeout(context.WithoutCancel(ctx), interruptTimeout)
	defer stop()
	k.await(rest, request, handle)
	return context.Cause(ctx)
}

// shutdown asks the kernel to end, and ends it if it does not.
func (k *kernel) shutdown() {
	if _, err := k.send(k.control, "shutdown_request", map[string]any{"restart": false}); err == nil {
		select {
		case <-k.exited:
		case <-time.After(shutdownTimeout):
		}
	}
	k.kill()
}

// kill ends the kernel's process and its connections.
func (k *kernel) kill() {
	k.stop()
	k.close()
}
