package main

import (
	"net"
	"net/http"
	"testing"
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
