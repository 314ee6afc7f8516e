package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"html"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// labGrace is what JupyterLab may take to end its kernels and itself.
const labGrace = 8 * time.Second

// lab opens JupyterLab, reachable from this machine only and with a token.
func lab(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("lab", flag.ContinueOnError)
	port := flags.Int("port", 8888, "port to listen on; the next free one when it is occupied")
	address := flags.String("address", "127.0.0.1", "address to listen on; inside a container 0.0.0.0")
	quiet := flags.Bool("no-browser", false, "only print the address")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	page, err := p.labPage(names)
	if err != nil {
		return err
	}
	if _, err := freePort(*address, *port); err != nil { // before it takes minutes to prepare
		return err
	}
	if err := prepare(ctx, p, nil); err != nil {
		return err
	}
	server, err := startLab(ctx, p, p.root, *address, *port)
	if err != nil {
		return err
	}
	if isPublic(*address) {
		fmt.Fprintf(os.Stderr, "warning: -address %s lets other machines reach JupyterLab, unencrypted; whoever reads its token can run programs as you\n", *address)
	}
	link := server.url(page)
	fmt.Printf("JupyterLab runs at\n\n    %s\n\nWhat you change or run there is saved into the notebook itself; to keep the original,\n"+
		"duplicate it first (right click, Duplicate). Ctrl-C here ends JupyterLab.\n", link)
	desktop := runtime.GOOS == "darwin" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
	if !*quiet && desktop {
		page := filepath.Join(filepath.Dir(server.log), "open.html")
		defer os.Remove(page)
		openBrowser(page, link)
	}
	return server.wait(ctx)
}

func (p project) labPage(names []string) (string, error) {
	switch len(names) {
	case 0:
		return "/lab/tree/notebooks", nil
	case 1:
	default:
		return "", fmt.Errorf("lab opens one notebook, and there are tabs for more; name one of %q", names)
	}
	paths, err := p.notebooks(names)
	if err != nil {
		return "", err
	}
	path, err := filepath.Rel(p.root, paths[0])
	if err != nil || !filepath.IsLocal(path) {
		return "", fmt.Errorf("%s is outside of %s, which is all that JupyterLab shows here: copy it to the folder notebooks", paths[0], p.root)
	}
	page := url.URL{Path: "/lab/tree/" + filepath.ToSlash(path)}
	return page.EscapedPath(), nil
}

const nameHeader = "Qhlab-Server"

type labServer struct {
	*child
	host  string // the address under which this machine reaches it
	port  int
	name  string // that its answers bear, since another server may have got the port
	token string
	log   string
}

// startLab starts the server for the files in a folder, on the first free port
// from the given one on, and returns when it answers.
func startLab(ctx context.Context, p project, folder, address string, port int) (*labServer, error) {
	for {
		free, err := freePort(address, port)
		if err != nil {
			return nil, err
		}
		if free != port {
			fmt.Fprintf(os.Stderr, "port %d is in use, so JupyterLab gets %d\n", port, free)
		}
		s, err := startLabAt(ctx, p, folder, address, free)
		if next, _ := freePort(address, free); err == nil || ctx.Err() != nil || next == free {
			return s, err
		}
		port = free // somebody else has it now
	}
}

func startLabAt(ctx context.Context, p project, folder, address string, port int) (*labServer, error) {
	child, err := newChild(labGrace)
	if err != nil {
		return nil, err
	}
	s := &labServer{child: child, host: reachable(address), port: port, name: rand.Text(), token: cmp.Or(os.Getenv("JUPYTER_TOKEN"), rand.Text())}
	if err = s.launch(p, folder, address); err == nil {
		err = s.ready(ctx)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *labServer) launch(p project, folder, address string) error {
	state := p.path(".tools", "jupyter")
	if !writable(state) { // prepared and then made read-only: Jupyter's settings go with the server
		state = s.folder
	}
	s.log = filepath.Join(state, "lab.log")
	log, err := os.Create(s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	arguments := []string{"-I", "-m", "jupyterlab", "--no-browser", "--port-retries=0",
		"--ip=" + address, "--port=" + strconv.Itoa(s.port), "--ServerApp.root_dir=" + folder,
		fmt.Sprintf("--ServerApp.tornado_settings={'headers': {'%s': '%s'}}", nameHeader, s.name)}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "--allow-root")
	}
	cmd := exec.Command(p.python(), arguments...)
	cmd.Dir = folder
	// The token goes through the environment, where other users cannot see it.
	cmd.Env = append(p.kernelEnvironment(s.folder), append(jupyterFolders(state), "JUPYTER_TOKEN="+s.token)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := s.start(cmd); err != nil {
		return fmt.Errorf("cannot start JupyterLab: %w", err)
	}
	return nil
}

// reachable is where this machine finds a server that listens on the address,
// which may stand for all addresses of the machine.
func reachable(address string) string {
	switch ip := net.ParseIP(address); {
	case address == "" || ip.Equal(net.IPv4zero):
		return "127.0.0.1"
	case ip.Equal(net.IPv6unspecified):
		return "::1"
	}
	return address
}

func isPublic(address string) bool {
	return address != "localhost" && !net.ParseIP(address).IsLoopback()
}

func (s *labServer) ready(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	direct := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second} // whatever proxy the user has
	for {
		if answer, err := direct.Get(s.url("/api/status")); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK && answer.Header.Get(nameHeader) == s.name {
				return nil
			}
		}
		select {
		case <-s.exited:
			return s.explain("ended")
		case <-limited.Done():
			if ctx.Err() != nil {
				return errors.New("interrupted while JupyterLab was starting")
			}
			return s.explain(fmt.Sprintf("does not answer on %s, port %d", s.host, s.port))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// url is the address of a page, whose path is escaped already.
func (s *labServer) url(page string) string {
	return fmt.Sprintf("http://%s%s?token=%s", net.JoinHostPort(s.host, strconv.Itoa(s.port)), page, url.QueryEscape(s.token))
}

// explain reports what happened to a server that should run, and its last words.
func (s *labServer) explain(what string) error {
	log, _ := os.ReadFile(s.log)
	return fmt.Errorf("JupyterLab %s; the end of its log %s:\n%s", what, s.log, tail(string(log), 10))
}

// wait returns when the user ends JupyterLab here or from its menu.
func (s *labServer) wait(ctx context.Context) error {
	defer s.stop()
	select {
	case <-ctx.Done():
	case <-s.exited:
		if s.failure != nil {
			return s.explain("ended")
		}
	}
	return nil
}

func freePort(address string, first int) (int, error) {
	if first < 1 || first > math.MaxUint16 {
		return 0, fmt.Errorf("there is no port %d: choose one from 1 to %d with -port", first, math.MaxUint16)
	}
	for port := first; port < first+50; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err == nil {
			return port, listener.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return 0, fmt.Errorf("cannot listen on %s: %w", address, err)
		}
	}
	return 0, fmt.Errorf("ports %d to %d are all in use: choose another with -port", first, first+49)
}

// openBrowser writes a page that leads to the link and opens it. The link has the
// token, and other users can see the arguments of a command but not read the page.
// The link has been printed, so a failure needs no mention. A browser that JupyterLab
// opens itself would be its child, and end with it.
func openBrowser(page, link string) {
	os.Remove(page) // an old one could have other permissions
	refresh := `<!doctype html><meta http-equiv="refresh" content="0; url=` + html.EscapeString(link) + `">`
	if os.WriteFile(page, []byte(refresh), 0o600) != nil {
		return
	}
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	exec.Command(opener, page).Start()
}
