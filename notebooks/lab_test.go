package main

import (
	"context"
	"html"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOccupiedPortIsLeftAlone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	free, err := freePort("127.0.0.1", taken)
	if err != nil || free <= taken {
		t.Errorf("port %d for an occupied %d, %v", free, taken, err)
	}
}

func TestAddressOfAnotherMachineIsExplained(t *testing.T) {
	_, err := freePort("192.0.2.1", 8888) // TEST-NET-1, never local (RFC 5737)
	wantError(t, err, "cannot listen on 192.0.2.1")
}

func TestLabAsksForItsToken(t *testing.T) {
	p := withLab(t)
	t.Setenv("JUPYTER_TOKEN", "one & two+three")
	server, err := startLab(t.Context(), p, p.root, "127.0.0.1", 8888)
	if err != nil {
		t.Fatal(err)
	}
	defer server.stop()
	for url, want := range map[string]int{
		server.url("/api/contents"):       http.StatusOK,
		server.url("/api/contents") + "x": http.StatusForbidden,
	} {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("status %d, want %d", answer.StatusCode, want)
		}
	}
}

// Two that start at the same time take the same port for free, and ask with the same token.
func TestLabsThatStartTogetherGetPortsOfTheirOwn(t *testing.T) {
	p := withLab(t)
	t.Setenv("JUPYTER_TOKEN", "of both")
	port := 9000 + 40*(os.Getpid()%500) + 20
	type started struct {
		server *labServer
		err    error
	}
	both := make(chan started)
	for range 2 {
		go func() {
			server, err := startLab(t.Context(), p, t.TempDir(), "127.0.0.1", port)
			both <- started{server, err}
		}()
	}
	first, second := <-both, <-both
	for _, s := range []started{first, second} {
		if s.err != nil {
			t.Fatal(s.err)
		}
		defer s.server.stop()
	}
	if first.server.port == second.server.port {
		t.Errorf("both have the port %d", first.server.port)
	}
	for _, s := range []started{first, second} {
		select {
		case <-s.server.exited:
			t.Errorf("the server on port %d has ended", s.server.port)
		default:
		}
	}
}

func TestLabIsAskedWhereItListens(t *testing.T) {
	for address, want := range map[string]string{
		"localhost":     "http://localhost:8888/lab?token=",
		"127.0.0.1":     "http://127.0.0.1:8888/lab?token=",
		"::1":           "http://[::1]:8888/lab?token=",
		"":              "http://127.0.0.1:8888/lab?token=",
		"0.0.0.0":       "http://127.0.0.1:8888/lab?token=",
		"::":            "http://[::1]:8888/lab?token=",
		"192.168.1.5":   "http://192.168.1.5:8888/lab?token=",
		"node7.example": "http://node7.example:8888/lab?token=",
	} {
		server := labServer{host: reachable(address), port: 8888}
		if got := server.url("/lab"); got != want {
			t.Errorf("a server on %q is asked at %s, want %s", address, got, want)
		}
		if got, want := isPublic(address), !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, address); got != want {
			t.Errorf("%q is open to other machines: %v, want %v", address, got, want)
		}
	}
}

func TestInterruptedStartIsNotBlamedOnJupyterLab(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a choice between two reasons would be random
		wantError(t, (&labServer{child: &child{}, host: "127.0.0.1"}).ready(ctx), "interrupted")
	}
}

func TestLabPageIsThatOfTheNotebook(t *testing.T) {
	p := project{t.TempDir()}
	inside, outside := p.path("mine", "100% #1?.ipynb"), filepath.Join(t.TempDir(), "yours.ipynb")
	for _, path := range []string{p.path("notebooks", "05-robustness.ipynb"), inside, outside} {
		writeFile(t, path, "{}")
	}
	for name, want := range map[string]string{
		"05":   "/lab/tree/notebooks/05-robustness.ipynb",
		inside: "/lab/tree/mine/100%25%20%231%3F.ipynb",
	} {
		if got, err := p.labPage([]string{name}); got != want {
			t.Errorf("the page of %s is %s, want %s (%v)", name, got, want, err)
		}
	}
	_, err := p.labPage([]string{"05", inside})
	wantError(t, err, "opens one notebook")
	_, err = p.labPage([]string{outside})
	wantError(t, err, outside, "outside")
}

// The opener stands for the desktop's and keeps what it was asked to open.
func TestBrowserIsOpenedWithoutTheTokenOnTheCommandLine(t *testing.T) {
	const link = "http://127.0.0.1:8888/lab?token=secret&x"
	folder, page := t.TempDir(), filepath.Join(t.TempDir(), "open.html")
	for _, name := range []string{"open", "xdg-open"} {
		path := filepath.Join(folder, name)
		writeFile(t, path, "#!/bin/sh\necho \"$*\" > '"+folder+"/new' && mv '"+folder+"/new' '"+folder+"/arguments'\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	writeFile(t, page, "of somebody else, readable by all")
	openBrowser(page, link)
	var arguments []byte
	for deadline := time.Now().Add(patience); arguments == nil && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		arguments, _ = os.ReadFile(filepath.Join(folder, "arguments"))
	}
	if got := strings.TrimSpace(string(arguments)); got != page {
		t.Errorf("opened %q, want %q", got, page)
	}
	if content, err := os.ReadFile(page); err != nil || !strings.Contains(string(content), html.EscapeString(link)) {
		t.Errorf("the page is %q, %v", content, err)
	}
	if info, err := os.Stat(page); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the page has the permissions %v, %v", info.Mode(), err)
	}
}

func TestPortThatCannotBeIsRefusedFirst(t *testing.T) {
	for _, port := range []string{"0", "-1", "99999"} {
		wantError(t, lab(t.Context(), project{t.TempDir()}, []string{"-port", port}), "there is no port "+port)
	}
}
