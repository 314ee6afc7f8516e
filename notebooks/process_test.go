package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var kills = flag.Int("kills", 0, "how many commands to kill at random moments")

// victim is a command that is killed, with what can tell whether anything is left.
type victim struct {
	cmd       *exec.Cmd
	mark      string // in the environment of all that it starts
	temporary string // its TMPDIR
	stdout    string // the name of a file
	stderr    *strings.Builder
}

// startVictim starts the command of a binary, or any other.
func startVictim(t *testing.T, folder string, argv ...string) *victim {
	t.Helper()
	v := &victim{
		cmd: exec.Command(argv[0], argv[1:]...), mark: fmt.Sprintf("QHLAB_VICTIM=%x", rand.Uint64()), temporary: t.TempDir(),
		stdout: filepath.Join(t.TempDir(), "stdout"), stderr: &strings.Builder{},
	}
	stdout, err := os.Create(v.stdout)
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	v.cmd.Dir, v.cmd.Env = folder, append(os.Environ(), v.mark, "TMPDIR="+v.temporary)
	v.cmd.Stdout, v.cmd.Stderr = stdout, v.stderr
	v.cmd.WaitDelay = time.Second
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return v
}

// left lists the processes and temporary files that are left of the command. That
// needs the file system /proc of Linux.
func (v *victim) left() (left []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range processes {
		if environment, err := os.ReadFile(path); err == nil && bytes.Contains(environment, []byte(v.mark)) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			left = append(left, "process "+string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
	}
	entries, _ := os.ReadDir(v.temporary)
	for _, entry := range entries {
		path := filepath.Join(v.temporary, entry.Name())
		// A killed "go run" leaves its own work folder, which holds no file when the
		// program came from the build cache; nobody else can know whose it is.
		if temporaryBuild.MatchString(entry.Name()) && !holdsFiles(path) {
			continue
		}
		left = append(left, path)
	}
	return left
}

// holdsFiles tells whether there is any file in a folder or below it.
func holdsFiles(folder string) (yes bool) {
	filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		yes = yes || err == nil && !entry.IsDir()
		return nil
	})
	return yes
}

// wantNothingLeft waits until everything has gone, as it must by itself.
func (v *victim) wantNothingLeft(t *testing.T, folders ...string) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		left = v.left()
		for _, folder := range folders {
			left = append(left, halfWritten(folder)...)
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("%v leaves\n%s\nand has said %s", v.cmd.Args[1:], strings.Join(left, "\n"), v.stderr)
}

// halfWritten lists the files of a folder that have not got their names yet.
func halfWritten(folder string) (files []string) {
	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && (strings.HasPrefix(entry.Name(), ".qhlab-") || strings.HasPrefix(entry.Name(), ".figure-")) {
			files = append(files, path)
		}
		return nil
	})
	return files
}

// buildCommand returns the path of the command.
func buildCommand(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notebooks")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// Commands are killed at random moments. Whatever they were doing, their children
// end, their temporary files go, and the next run makes the bytes of an undisturbed
// one.
func TestNothingIsLeftOfAKilledCommand(t *testing.T) {
	if *kills == 0 {
		t.Skip("takes minutes; -kills 20 asks for it, as .ci/run does")
	}
	p := withLab(t)
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	command, nb := buildCommand(t), drawing(t)
	store := t.TempDir()
	t.Setenv("QHLAB_STORE", store)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port that nobody else asks for
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for number, c := range []struct {
		name string
		args []string // what the command writes to is the last
	}{
		{"run", []string{nb, "-jobs", "1"}},
		{"figures", []string{nb, "-o", t.TempDir()}},
		{"html", []string{"-o", t.TempDir()}},
		{"shard", []string{copyNotebook(t, "testdata/sweep.ipynb"), "-shard", "0/1"}},
		{"lab", []string{"-no-browser", "-port", port}},
		{"prepare", nil},
	} {
		times := *kills / 6
		if number < *kills%6 {
			times++
		}
		if times == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			needTime(t)
			folder, args, place := p.root, append([]string{c.name}, c.args...), filepath.Dir(nb)
			if c.name == "figures" || c.name == "html" {
				place = c.args[len(c.args)-1]
			}
			if c.name == "shard" {
				args[0], place = "run", store
			}
			if c.name == "prepare" {
				folder = copyProject(t, p)
				place = folder
			}
			took, want := 15*time.Second, ""
			if c.name != "lab" && c.name != "prepare" {
				begun := time.Now()
				finish(t, startVictim(t, folder, append([]string{command}, args...)...))
				took, want = time.Since(begun), contents(t, place)
				if c.name == "shard" {
					os.RemoveAll(store)
				}
			}
			for range times {
				v := startVictim(t, folder, append([]string{command}, args...)...)
				moment := rand.N(took)
				time.Sleep(moment)
				v.cmd.Process.Signal(syscall.SIGKILL)
				v.cmd.Wait()
				dead := time.Now()
				v.wantNothingLeft(t, place)
				t.Logf("killed after %.1f s, nothing left %.1f s later", moment.Seconds(), time.Since(dead).Seconds())
			}
			switch {
			case want != "":
				finish(t, startVictim(t, folder, append([]string{command}, args...)...))
				if got := contents(t, place); got != want {
					t.Errorf("the next run writes\n%s\nan undisturbed one\n%s", without(got, want), without(want, got))
				}
			case c.name == "lab":
				if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
					c.Close()
					t.Error("the port is still open")
				}
			case *kills >= 100: // takes minutes
				finish(t, startVictim(t, folder, append([]string{command}, args...)...))
			}
		})
	}
}

// finish waits for a command that must succeed and leave nothing.
func finish(t *testing.T, v *victim) {
	t.Helper()
	if err := v.cmd.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", v.cmd.Args[1:], err, v.stderr)
	}
	v.wantNothingLeft(t)
}

// without lists the lines of a text that another does not have.
func without(text, other string) string {
	return strings.Join(slices.DeleteFunc(lines(text), func(line string) bool { return slices.Contains(lines(other), line) }), "")
}

// contents describes all files of a folder.
func contents(t *testing.T, folder string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		// A store may be shared with other machines, so nobody can tell whether
		// a half-written file in it belongs to a killed process.
		if err != nil || entry.IsDir() || strings.Contains(entry.Name(), ".part") {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		fmt.Fprintf(&b, "%s: %d bytes, %x\n", name, len(data), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// copyProject returns a copy of the project's files without what is prepared.
func copyProject(t *testing.T, p project) string {
	t.Helper()
	copied := t.TempDir()
	list, err := commandOutput(p.root, "git", "ls-files")
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	for _, name := range strings.Split(list, "\n") {
		if data, err := os.ReadFile(p.path(name)); err == nil {
			writeFile(t, filepath.Join(copied, name), string(data))
		}
	}
	return copied
}

// waitReady waits until lab has printed its address.
func waitReady(t *testing.T, v *victim) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if printed, _ := os.ReadFile(v.stdout); bytes.Contains(printed, []byte("token=")) {
			return
		}
		if time.Now().After(deadline) {
			v.cmd.Process.Kill()
			v.cmd.Wait()
			t.Fatalf("JupyterLab did not start: %s", v.stderr)
		}
	}
}

// go run passes no signals on, so the command notices its end by itself.
func TestCommandEndsWithGoRun(t *testing.T) {
	p := withLab(t)
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		v := startVictim(t, p.root, "go", "run", "./notebooks", "lab", "-no-browser", "-port", "8910")
		waitReady(t, v)
		v.cmd.Process.Signal(signal)
		v.cmd.Wait()
		v.wantNothingLeft(t)
	}
}

func TestChildEndsWithAllThatItStarted(t *testing.T) {
	for name, script := range map[string]string{
		"at once":          "exit 3",
		"with a child":     "sleep 300 & sleep 300",
		"in a new session": "setsid sleep 300 & sleep 300",
		"deaf":             "trap '' TERM HUP INT; sleep 300 & sleep 300",
		"after its child":  "sleep 300 & exit 0",
		"after a group":    "bash -mc 'sleep 300 &'", // as gonb, when it dies, leaves gopls
	} {
		for _, grace := range []time.Duration{0, 300 * time.Millisecond} {
			t.Run(fmt.Sprintf("%s, %v", name, grace), func(t *testing.T) {
				t.Parallel()
				c, err := newChild(grace)
				if err != nil {
					t.Fatal(err)
				}
				v := &victim{mark: fmt.Sprintf("QHLAB_VICTIM=%x", rand.Uint64()), temporary: t.TempDir(), cmd: exec.Command("sh", "-c", `: > "$TMPDIR/file"; `+script), stderr: &strings.Builder{}}
				v.cmd.Env = append(os.Environ(), v.mark)
				if err := c.start(v.cmd); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
				c.stop()
				c.stop()
				if left := v.left(); runtime.GOOS == "linux" && len(left) > 0 {
					time.Sleep(time.Second) // a killed process may need a moment
					v.wantNothingLeft(t)
				}
				if _, err := os.Stat(c.folder); !os.IsNotExist(err) {
					t.Errorf("%s is still there: %v", c.folder, err)
				}
			})
		}
	}
}

func TestChildThatCannotStartIsAnError(t *testing.T) {
	c, err := newChild(0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	if err := c.start(exec.Command("qhlab-no-such-program")); err == nil {
		t.Error("no error")
	}
}

// Sockets have names of about a hundred bytes at most.
func TestLongTemporaryFolder(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 87))
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	k := start(t, withKernel(t))
	if c, err := execute(t, t.Context(), k, "%%\nprintln(1)"); err != nil {
		t.Errorf("%v\n%s", err, c.errorText())
	}
}

func TestOnlyOneAtATimeHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "lock")
	var group sync.WaitGroup
	holders, waits := make(chan bool, 1), make(chan bool, 8)
	for range 8 {
		group.Go(func() {
			unlock, err := lockFile(path, func() { waits <- true })
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case holders <- true:
			default:
				t.Error("two hold the lock")
			}
			time.Sleep(5 * time.Millisecond)
			<-holders
			unlock()
		})
	}
	group.Wait()
	if len(waits) == 0 {
		t.Error("nobody was told to wait")
	}
}

func TestReplacedFileIsWholeAndKeepsItsPermissions(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(folder, "file")
	if err := replaceFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, letter := range []string{"a", "b", "c"} {
		group.Go(func() {
			if err := replaceFile(path, []byte(strings.Repeat(letter, 1<<20))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	data, err := os.ReadFile(path)
	if err != nil || len(data) != 1<<20 || strings.Count(string(data), string(data[:1])) != 1<<20 {
		t.Errorf("%d bytes of several writers, %v", len(data), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the permissions became %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("files are left beside it: %v, %v", entries, err)
	}
}

// readOnly is a shell script that runs a command where the folder $1 is read-only.
const readOnly = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && ! touch x && shift && exec "$@"`

func TestPreparedProjectMayBeReadOnly(t *testing.T) {
	p := withLab(t)
	in := []string{"unshare", "--mount", "sh", "-c", readOnly, "sh", p.root}
	if err := exec.Command(in[0], append(in[1:], "true")...).Run(); err != nil {
		t.Skip("only root may make a folder read-only for itself: ", err)
	}
	in = append(in, buildCommand(t))
	failing := drawing(t)
	t.Setenv("QHLAB_STORE", "")
	if nb, err := readNotebook(failing); err != nil {
		t.Fatal(err)
	} else {
		nb.Cells[1].Source = "%%\npanic(1)"
		failing = filepath.Join(t.TempDir(), "failing.ipynb")
		if err := nb.write(failing); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"run", "-check", p.path("notebooks", "testdata", "square.ipynb")},
		{"figures", "-o", t.TempDir(), drawing(t)},
		{"html", "-o", t.TempDir()},
	} {
		finish(t, startVictim(t, p.root, append(in, args...)...))
	}
	for _, path := range []string{failing, p.path("notebooks", "testdata", "square.ipynb")} { // the second cannot be saved
		v := startVictim(t, p.root, append(in, "run", path)...)
		if err := v.cmd.Wait(); err == nil || !strings.Contains(v.stderr.String(), filepath.Join(v.temporary, "qhlab-unfinished-")) {
			t.Errorf("what was computed is not named: %s", v.stderr)
		}
		if kept, _ := filepath.Glob(filepath.Join(v.temporary, "qhlab-unfinished-*", filepath.Base(path))); len(kept) != 1 {
			t.Errorf("what was computed is lost: %q", v.left())
		}
	}
	v := startVictim(t, p.root, append(in, "lab", "-no-browser", "-port", "8920")...)
	waitReady(t, v)
	v.cmd.Process.Signal(syscall.SIGTERM)
	if err := v.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, v.stderr)
	}
	v.wantNothingLeft(t)
}

// The names of folders are no patterns, and an empty match is no success.
func TestFoldersMayHaveAnyName(t *testing.T) {
	for _, name := range []string{"qhlab [copy]", "a*b?", `it's "$HOME" \ ü`, "-o"} {
		p := project{filepath.Join(t.TempDir(), name)}
		writeFile(t, p.path("notebooks", "01-a.ipynb"), "{}")
		writeFile(t, p.path("notebooks", "02-b.ipynb"), "{}")
		writeFile(t, p.path("README.md"), "[1](notebooks/01-a.ipynb) [2](notebooks/02-b.ipynb)")
		if paths, err := p.notebooks(nil); err != nil || len(paths) != 2 {
			t.Errorf("%s: found %q, %v", name, paths, err)
		}
		if paths, err := p.notebooks([]string{p.path("notebooks", "02-b.ipynb")}); err != nil || len(paths) != 1 {
			t.Errorf("%s: found %q, %v", name, paths, err)
		}
	}
	empty := project{t.TempDir()}
	writeFile(t, empty.path("notebooks", "readme.txt"), "")
	before := "text\n" + tableBegins + "rows\n" + tableEnds + claimsBegins + "rows\n" + claimsEnds
	writeFile(t, empty.path("README.md"), before)
	wantError(t, run(t.Context(), empty, nil), "no notebook", empty.root)
	wantError(t, updateReadme(empty), "no notebook")
	if after, _ := os.ReadFile(empty.path("README.md")); string(after) != before {
		t.Error("the README has lost its rows")
	}
	colon := filepath.Join(t.TempDir(), "a:b")
	writeFile(t, filepath.Join(colon, "go.mod"), "module qhlab\n")
	t.Chdir(colon)
	_, err := findProject()
	wantError(t, err, "a:b", "PATH")
}

// Cells run in the folder of their notebook, so they would take a relative folder
// for another one than the command does.
func TestFoldersInTheEnvironment(t *testing.T) {
	p := project{t.TempDir()}
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("QHLAB_STORE", "runs")
	t.Setenv("GOCACHE", "")
	t.Setenv("GOPATH", "")
	if err := p.fixFolders(); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv("QHLAB_STORE"); got != filepath.Join(here, "runs") {
		t.Errorf("a relative folder became %s", got)
	}
	t.Setenv("HOME", "")
	if err := p.fixFolders(); err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{"GOCACHE", "GOPATH"} {
		if got := os.Getenv(variable); !strings.HasPrefix(got, p.root) {
			t.Errorf("without a home, %s is %q", variable, got)
		}
	}
}

// Go's build cache is called go-build as well, and must never be taken for a folder
// that "go run" leaves.
func TestOnlyTemporaryBuildsAreRemoved(t *testing.T) {
	for program, want := range map[string]struct {
		folder string
		yes    bool
	}{
		"/tmp/go-build1234/b001/exe/notebooks":                   {"/tmp/go-build1234", true},
		"/home/user/.cache/go-build/3f/3f0c-d/notebooks":         {"", true},
		"/home/user/qhlab/.tools/bin/notebooks":                  {"", false},
		"/home/user/go-build/b001/exe/notebooks":                 {"", false},
		"/home/user/go-build-of-mine/b001/exe/notebooks":         {"", false},
		"/home/user/Library/Caches/go-build/3f/3f0c-d/notebooks": {"", true},
	} {
		if folder, yes := startedByGoRun(program); folder != want.folder || yes != want.yes {
			t.Errorf("%s: %q, %v, want %q, %v", program, folder, yes, want.folder, want.yes)
		}
	}
}
