package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode/utf16"

	"github.com/go-zeromq/zmq4"

	tasks "qhlab/qhnet/progress"
)

// proxy is the kernel that Jupyter sees. It hands everything on between Jupyter
// and gonb, and mends on the way what a reader of the notebooks stumbles over:
//
//   - After an error or an interrupt the cells that wait are not run; gonb runs them.
//   - A panic becomes one sentence with the cell and the line. Go writes a panic in
//     pieces and gonb looks for lines in each piece, so now and then it finds none.
//   - A cell is linked with packages that are known already; gonb has all looked up again.
//   - An interrupt reaches a cell that is still being compiled; gonb forgets it.
//   - What a cell declared before it was edited is forgotten; gonb keeps it.
//   - A page that is loaded while a cell runs is told at once about the kernel.
//   - Notebooks are saved with the same description of the language by everybody.
//   - A cell that takes long shows how far it is, and tells what it has when interrupted.
//   - Completion and help have no links to pages that do not exist.
//
// A patched copy of gonb would have to be kept up to date, and other front ends than
// JupyterLab would not have an extension of it.
type proxy struct {
	key     []byte
	sockets map[string]zmq4.Socket // on which front ends ask: shell, control, stdin
	iopub   zmq4.Socket
	asked   chan request
	gonb    *kernel
	pipe    *os.File // by which the programs of cells report how far they are; nil if nobody looks
	reports chan tasks.Report

	running *execution
	waiting []message // execute_requests
	helping []message // requests for completion and help, for which gonb reuses the files of a running cell
	ran     []executed
}

// request is a message of Jupyter and the name of the socket it came from, which
// travels with it as the first step of its route back.
type request struct {
	socket string
	message
}

// runProxy is the program of the kernelspec: proxy ROOT CONNECTION-FILE.
func runProxy(ctx context.Context, root, file string) error {
	c, err := readConnection(file)
	if err != nil {
		return err
	}
	p := &proxy{key: []byte(c.Key), asked: make(chan request, 64), reports: make(chan tasks.Report, 64)}
	life, end := context.WithCancel(context.Background())
	defer end()
	if err := p.listen(life, c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, orphaned := context.WithCancel(ctx)
	go afterParent(orphaned)
	// gonb passes the identity of Jupyter's kernel, which is in this name, to cells.
	if p.gonb, err = openGonb(ctx, root, filepath.Base(file)); err != nil {
		return err
	}
	defer p.gonb.shutdown()
	go findPackages(p.gonb.folder)
	if p.pipe, err = os.OpenFile(filepath.Join(p.gonb.folder, progressPipe), os.O_RDWR, 0); err == nil {
		defer p.pipe.Close()
		go p.listenToCells()
	}
	return p.serve(ctx)
}

func openGonb(ctx context.Context, root, name string) (*kernel, error) {
	return openKernel(ctx, name, func(folder, connection string) *exec.Cmd {
		arguments := []string{"--kernel", connection, "-go_work=" + root, "-raw_error"}
		cmd := exec.Command("gonb", append(arguments, strings.Fields(os.Getenv("GONB_FLAGS"))...)...)
		cmd.Stderr = os.Stderr
		cmd.Env = append(os.Environ(), progressVariable(filepath.Join(folder, progressPipe))...)
		cmd.Env = append(cmd.Env, cellsEnvironment(folder)...)
		return cmd
	})
}

func (p *proxy) listen(life context.Context, c connection) error {
	shell, control, stdin := zmq4.NewRouter(life), zmq4.NewRouter(life), zmq4.NewRouter(life)
	p.sockets = map[string]zmq4.Socket{"shell": shell, "control": control, "stdin": stdin}
	p.iopub = zmq4.NewPub(life)
	heartbeat := zmq4.NewRep(life)
	for port, socket := range map[int]zmq4.Socket{c.Shell: shell, c.Control: control, c.Stdin: stdin, c.IOPub: p.iopub, c.Heartbeat: heartbeat} {
		if err := socket.Listen(c.address(port)); err != nil {
			return fmt.Errorf("cannot listen for Jupyter: %w", err)
		}
	}
	for name, socket := range p.sockets {
		go receive(socket, p.key, func(m message, err error) {
			if err != nil {
				fmt.Fprintln(os.Stderr, err) // whoever has no key is no front end of this kernel
				return
			}
			p.asked <- request{name, m}
		})
	}
	go func() {
		for {
			beat, err := heartbeat.Recv()
			if err != nil || heartbeat.Send(beat) != nil {
				return
			}
		}
	}()
	return nil
}

// serve hands messages on until the kernel is to end.
func (p *proxy) serve(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var err error
		select {
		case r := <-p.asked:
			if err = p.request(r); r.Header.Type == "shutdown_request" {
				return nil
			}
		case m := <-p.gonb.received:
			err = p.answer(m)
		case r := <-p.reports:
			if p.running != nil {
				p.running.bars.add(r)
				p.running.heeded = p.running.heeded || p.running.interrupted && r.Ended // with what it has
			}
		case <-tick.C:
			err = p.elapse()
		case err = <-p.gonb.failed:
		case <-p.gonb.exited:
			err = errors.New("gonb ended")
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *proxy) request(r request) error {
	switch r.Header.Type {
	case "execute_request":
		p.waiting = append(p.waiting, r.message)
		return p.next()
	case "complete_request", "inspect_request":
		r.Content = closeBrackets(r.Content)
		p.helping = append(p.helping, r.message)
		return p.next()
	case "kernel_info_request": // also while a cell runs
		p.around(r.message, func() { p.send(r.socket, r.answer("kernel_info_reply", kernelInfo)) })
		if p.running != nil {
			p.state(p.running.request, "busy") // as it is
		}
		return nil
	case "interrupt_request":
		p.send(r.socket, r.answer("interrupt_reply", map[string]string{"status": "ok"}))
		if p.running != nil {
			p.running.interrupted = true
		}
		return p.interrupt()
	case "shutdown_request":
		var wanted map[string]any
		json.Unmarshal(r.Content, &wanted)
		p.send(r.socket, r.answer("shutdown_reply", map[string]any{"status": "ok", "restart": wanted["restart"] == true}))
		return nil
	}
	socket := map[string]zmq4.Socket{"shell": p.gonb.shell, "control": p.gonb.control, "stdin": p.gonb.stdin}[r.socket]
	return p.forward(socket, r.socket, r.message)
}

// forward hands a request to gonb, with the way back in front of its route.
func (p *proxy) forward(to zmq4.Socket, from string, m message) error {
	if from != "stdin" { // on which Jupyter only answers
		m.Routing = append([][]byte{[]byte(from)}, m.Routing...)
	}
	return to.SendMulti(m.pack(p.gonb.key))
}

// next gives gonb something to do if it has nothing.
func (p *proxy) next() error {
	if p.running != nil {
		return nil
	}
	for _, m := range p.helping {
		if err := p.forward(p.gonb.shell, "shell", m); err != nil {
			return err
		}
	}
	p.helping = nil
	if len(p.waiting) == 0 {
		return nil
	}
	p.running = newExecution(p.waiting[0])
	p.waiting = p.waiting[1:]
	if names := forgotten(p.ran, p.running.id, p.running.code.Code); len(names) > 0 {
		p.running.replaces = lastDeclarations(p.ran, p.running.id)
		if _, err := p.gonb.sendCode("%rm "+strings.Join(names, " "), true); err != nil {
			return err
		}
	}
	return p.forward(p.gonb.shell, "shell", p.running.request)
}

func (p *proxy) interrupt() error {
	_, err := p.gonb.send(p.gonb.control, "interrupt_request", struct{}{})
	return err
}

// elapse does what has to be done now and then: an interrupt that came while the
// cell was compiled has to be repeated, and a line without an end is shown.
func (p *proxy) elapse() error {
	e := p.running
	if e == nil {
		return nil
	}
	p.print(e.stderr.unfinished())
	p.drawBars(e, false)
	if e.interrupted && !e.heeded {
		return p.interrupt()
	}
	return nil
}

func (p *proxy) answer(m message) error {
	e := p.running
	switch {
	case m.Parent.Session == p.gonb.session: // the proxy itself has asked
	case e != nil && m.Parent.ID == e.request.Header.ID:
		e.take(p, m)
		if e.reply != nil && e.idle != nil {
			p.finish(e)
			return p.next()
		}
	case strings.HasSuffix(m.Header.Type, "_reply"):
		p.handBack(m)
	default:
		p.publish(m)
	}
	return nil
}

// handBack sends a reply to where the request came from.
func (p *proxy) handBack(m message) {
	if len(m.Routing) == 0 {
		return
	}
	from := string(m.Routing[0])
	m.Routing = m.Routing[1:]
	switch m.Header.Type {
	case "inspect_reply":
		m.Content = withoutDeadLinks(m.Content)
	case "input_request":
		from = "stdin"
	}
	p.send(from, m)
}

// finish ends the running cell for Jupyter, and after a failure or interrupt those that wait.
func (p *proxy) finish(e *execution) {
	p.running = nil
	p.hear(e)
	p.drawBars(e, true)
	p.ran = append(p.ran, executed{e.count, e.id, e.code.Code})
	explained := e.explain(p.ran)
	if !e.compiled() {
		p.ran = p.ran[:len(p.ran)-1] // gonb has not taken its declarations
		if e.replaces != "" {        // but lacks the old ones, without which no other cell compiles
			p.gonb.sendCode(e.replaces, true)
		}
	}
	if rest := e.stderr.rest(); rest != "" {
		p.publish(e.printed(rest))
	}
	if e.failure != nil {
		e.failure.Content = encoded(explained)
		p.publish(*e.failure)
		e.reply.Content = encoded(map[string]any{"status": "error", "execution_count": e.count,
			"ename": explained.Name, "evalue": explained.Value, "traceback": explained.Traceback})
	}
	p.handBack(*e.reply)
	p.publish(*e.idle)
	if !e.interrupted && (e.failure == nil || !e.code.StopOnError) {
		return
	}
	for _, m := range p.waiting {
		p.around(m, func() { p.send("shell", m.answer("execute_reply", map[string]string{"status": "aborted"})) })
	}
	p.waiting = nil
}

// kernelInfo describes the kernel. The description of the language has no version:
// front ends save it into notebooks, which would differ between machines.
var kernelInfo = map[string]any{
	"status": "ok", "protocol_version": "5.4", "implementation": "gonb", "implementation_version": "0.11.4",
	"banner": "Go by gonb", "language_info": languageInfo, "help_links": []any{},
}

// around does something between the states busy and idle.
func (p *proxy) around(m message, do func()) {
	p.state(m, "busy")
	do()
	p.state(m, "idle")
}

func (p *proxy) state(m message, state string) {
	p.publish(m.answer("status", map[string]string{"execution_state": state}))
}

func (p *proxy) print(text string) {
	if text != "" {
		p.publish(p.running.printed(text))
	}
}

func (p *proxy) publish(m message) {
	m.Routing = [][]byte{[]byte(m.Header.Type)}
	p.iopub.SendMulti(m.pack(p.key))
}

// send sends a message to one front end, which may be gone, as after a reload of its page.
func (p *proxy) send(socket string, m message) {
	if to := p.sockets[socket]; to != nil {
		to.SendMulti(m.pack(p.key))
	}
}

// closeBrackets closes the brackets of code in a request for completion or help that
// are open where the cursor is. gonb gives gopls the imports and declarations of
// other cells only with a cell that Go can parse.
func closeBrackets(content json.RawMessage) json.RawMessage {
	var asked map[string]any
	if json.Unmarshal(content, &asked) != nil {
		return content
	}
	code, _ := asked["code"].(string)
	cursor, _ := asked["cursor_pos"].(float64)
	units := utf16.Encode([]rune(code))
	at := max(0, min(int(cursor), len(units)))
	before, after := string(utf16.Decode(units[:at])), string(utf16.Decode(units[at:]))
	open, _ := unmatched(before)
	_, closed := unmatched(after)
	for i := len(open) - 1; i >= closed; i-- {
		before += string(closing[open[i]])
	}
	asked["code"] = before + after
	return encoded(asked)
}

var closing = map[token.Token]byte{token.LPAREN: ')', token.LBRACK: ']', token.LBRACE: '}'}

// unmatched returns the brackets that a text leaves open, and how many it closes without an open one.
func unmatched(text string) (open []token.Token, closed int) {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), []byte(text), nil, 0)
	for {
		switch _, symbol, _ := s.Scan(); symbol {
		case token.EOF:
			return open, closed
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, symbol)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) > 0 {
				open = open[:len(open)-1]
			} else {
				closed++
			}
		}
	}
}

// deadLink is a link of gopls to the documentation of a package that is on this
// machine only: the project's or the cell's own.
var deadLink = regexp.MustCompile(`\[([^\]]* on pkg\.go\.dev|([^\]]*))\]\(https://pkg\.go\.dev/(qhlab|gonb_|command-line-arguments)[^)]*\)`)

// withoutDeadLinks leaves of such links in the help about a name the words, if they say anything.
func withoutDeadLinks(content json.RawMessage) json.RawMessage {
	var help map[string]any
	if json.Unmarshal(content, &help) != nil {
		return content
	}
	data, _ := help["data"].(map[string]any)
	for mime, value := range data {
		if markdown, ok := value.(string); ok {
			data[mime] = strings.TrimRight(deadLink.ReplaceAllString(markdown, "$2"), "-\n ")
		}
	}
	return encoded(help)
}
