package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	cmd := command(k.folder, file)
	if cmd.Stderr == nil {
		cmd.Stdout, cmd.Stderr = &k.log, &k.log
	}
	if err := errors.Join(os.WriteFile(file, encoded(listening), 0o600), k.start(cmd)); err != nil {
		k.kill()
		return nil, fmt.Errorf("cannot start the kernel: %w", err)
	}
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	if err := k.connect(ctx, life, listening); err != nil {
		k.kill()
		return nil, fmt.Errorf("the kernel does not answer: %w\n%s", err, &k.log)
	}
	return k, nil
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
		go receive(socket, k.key, k.take)
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

// receive hands on the messages of a socket until it is closed.
func receive(socket zmq4.Socket, key []byte, handle func(message, error)) {
	for raw, err := socket.Recv(); err == nil; raw, err = socket.Recv() {
		handle(unpack(raw, key))
	}
}

func (k *kernel) take(m message, err error) {
	if err == nil {
		k.received <- m
		return
	}
	select {
	case k.failed <- err:
	default:
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

func (k *kernel) kill() {
	k.stop()
	k.close()
}

// message is one of the Jupyter protocol 5.3 (jupyter-client.readthedocs.io, "Messaging in Jupyter").
type message struct {
	Routing [][]byte // who sent a request and gets the reply; the topic on iopub
	Header  header
	Parent  header
	Content json.RawMessage

	// The headers and the metadata as they came, which other programs may have
	// filled with more than is read here; nil in a message of our own.
	head, parent, metadata json.RawMessage
}

type header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

const delimiter = "<IDS|MSG>"

func newMessage(session, kind string, content any) message {
	date := time.Now().UTC().Format(time.RFC3339Nano)
	m := message{
		Header:   header{ID: rand.Text(), Session: session, Username: "qhlab", Date: date, Type: kind, Version: "5.3"},
		Content:  encoded(content),
		parent:   json.RawMessage("{}"), // a request has none
		metadata: json.RawMessage("{}"),
	}
	m.head = encoded(m.Header)
	return m
}

// answer returns a message that the request m causes.
func (m message) answer(kind string, content any) message {
	reply := newMessage(m.Header.Session, kind, content)
	reply.Routing, reply.Parent, reply.parent = m.Routing, m.Header, m.head
	return reply
}

// encoded is what the program itself puts together, which JSON can always say.
func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("notebooks: " + err.Error())
	}
	return data
}

// pack signs the message and cuts it into the frames of the wire protocol.
func (m message) pack(key []byte) zmq4.Msg {
	body := [][]byte{m.head, m.parent, m.metadata, m.Content}
	frames := append(slices.Clone(m.Routing), []byte(delimiter), sign(key, body))
	return zmq4.NewMsgFrom(append(frames, body...)...)
}

func unpack(raw zmq4.Msg, key []byte) (message, error) {
	start := slices.IndexFunc(raw.Frames, func(frame []byte) bool { return string(frame) == delimiter })
	if start < 0 || len(raw.Frames) < start+6 {
		return message{}, errors.New("a message came without the Jupyter frames")
	}
	signature, body := raw.Frames[start+1], raw.Frames[start+2:start+6]
	if !hmac.Equal(signature, sign(key, body)) {
		return message{}, errors.New("a message came with a wrong signature")
	}
	m := message{Routing: raw.Frames[:start], head: body[0], parent: body[1], metadata: body[2], Content: body[3]}
	if err := errors.Join(json.Unmarshal(m.head, &m.Header), json.Unmarshal(m.parent, &m.Parent)); err != nil {
		return message{}, fmt.Errorf("a malformed message came: %w", err)
	}
	return m, nil
}

// sign returns the signature of a message, which is empty without a key.
func sign(key []byte, body [][]byte) []byte {
	if len(key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, key)
	for _, frame := range body {
		mac.Write(frame)
	}
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}

// connection is the file that tells a kernel where to listen.
type connection struct {
	Transport string `json:"transport"`
	IP        string `json:"ip"`
	Key       string `json:"key"`
	Scheme    string `json:"signature_scheme"`
	Name      string `json:"kernel_name"`
	Shell     int    `json:"shell_port"`
	IOPub     int    `json:"iopub_port"`
	Stdin     int    `json:"stdin_port"`
	Control   int    `json:"control_port"`
	Heartbeat int    `json:"hb_port"`
}

// inFolder is a connection by sockets in the file system, which are private to the user.
func inFolder(folder, key string) connection {
	return connection{Transport: "ipc", IP: filepath.Join(folder, "k"), Key: key, Scheme: "hmac-sha256", Name: "gonb",
		Shell: 1, IOPub: 2, Stdin: 3, Control: 4, Heartbeat: 5}
}

func readConnection(path string) (connection, error) {
	var c connection
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s is not a connection file: %w", path, err)
	}
	if c.Scheme != "" && c.Scheme != "hmac-sha256" {
		return c, fmt.Errorf("%s asks for signatures by %s; this kernel signs with hmac-sha256 only", path, c.Scheme)
	}
	return c, nil
}

func (c connection) address(port int) string {
	if c.Transport == "ipc" {
		return "ipc://" + c.file(port)
	}
	return fmt.Sprintf("%s://%s:%d", c.Transport, c.IP, port)
}

// file is the socket in the file system of an ipc connection.
func (c connection) file(port int) string { return fmt.Sprintf("%s-%d", c.IP, port) }
