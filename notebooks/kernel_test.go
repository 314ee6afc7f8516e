package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// start returns a kernel that ends with the test.
func start(t testing.TB, p project) *kernel {
	t.Helper()
	k, err := startKernel(t.Context(), p, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.shutdown)
	return k
}

// execute runs source as a cell and returns the cell with its outputs.
func execute(t testing.TB, ctx context.Context, k *kernel, source string) (*cell, error) {
	t.Helper()
	c := &cell{Type: "code", Source: text(source)}
	return c, executeCell(ctx, k, c, newCollector())
}

const firstCell = "%noautoget\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"time\"\n)"

func TestCellsSeeTheProjectAndTheEnvironment(t *testing.T) {
	p := withKernel(t)
	t.Setenv("QHLAB_RADIUS", "0.7")
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, firstCell+"\nimport \"qhlab/qhnet\""); err != nil {
		t.Fatal(err)
	}
	c, err := execute(t, t.Context(), k, "%%\nb := qhnet.Block{Shape: []int{2, 3}}\nfmt.Println(b.Len(), os.Getenv(\"QHLAB_RADIUS\"))")
	if got := c.stream("stdout"); err != nil || got != "6 0.7\n" {
		t.Errorf("printed %q, %v\n%s", got, err, c.errorText())
	}
}

func TestInterruptEndsTheProgramAndKeepsItsOutput(t *testing.T) {
	p := withKernel(t)
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, firstCell); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &cell{Type: "code", Source: "%%\nfmt.Println(\"begun\")\ntime.Sleep(time.Minute)\nos.Exit(0)"}
	collector := newCollector()
	begun := time.Now()
	err := k.execute(ctx, string(c.Source), func(m message) {
		collector.collect(c, m)
		if strings.Contains(c.stream("stdout"), "begun") {
			cancel()
		}
	})
	if err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	// A Go program dies of SIGINT at once; 20 s is far below the minute it wanted.
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the interrupt took %v", took)
	}
	if got := c.stream("stdout"); got != "begun\n" {
		t.Errorf("stdout %q", got)
	}
	if c, err := execute(t, t.Context(), k, "%%\nfmt.Println(\"alive\")"); err != nil || c.stream("stdout") != "alive\n" {
		t.Errorf("the kernel did not survive: %v %q", err, c.stream("stdout"))
	}
}

func TestNothingIsLeftOfAKernel(t *testing.T) {
	p := withKernel(t)
	k := start(t, p)
	if _, err := execute(t, t.Context(), k, "%%\nprintln(1)"); err != nil {
		t.Fatal(err)
	}
	k.shutdown()
	if _, err := os.Stat(k.folder); !os.IsNotExist(err) {
		t.Errorf("%s is still there", k.folder)
	}
	if !k.process.ProcessState.Success() {
		t.Errorf("the kernel had to be killed: %v", k.process.ProcessState)
	}
}

func TestDeadKernelIsAnError(t *testing.T) {
	p := withKernel(t)
	k := start(t, p)
	_, err := execute(t, t.Context(), k, "!kill -9 $PPID")
	wantError(t, err, "process ended")
}

func TestMessagesWithAWrongSignatureAreRefused(t *testing.T) {
	packed := newMessage("session", "execute_request", map[string]any{"code": "1"}).pack([]byte("secret"))
	if _, err := unpack(packed, []byte("secret")); err != nil {
		t.Error(err)
	}
	_, err := unpack(packed, []byte("guess"))
	wantError(t, err, "signature")
}
