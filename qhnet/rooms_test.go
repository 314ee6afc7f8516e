package qhnet_test

import (
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// rooms says whom the packages of this module may import, themselves apart. One that
// is not listed belongs to the nearest above it: qhnet/internal/file to qhnet/internal.
var rooms = map[string][]string{
	"qhnet/internal": {},
	"qhnet/ode":      {"qhnet/internal"},
	"qhnet/dataset":  {"qhnet/internal"},
	"qhnet/progress": {},
	"qhnet":          {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet/progress"},
	"qhnet/nn":       {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet"},
	"qhnet/oracle":   {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet", "qhnet/nn"},
	"qhnet/collapse": {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet", "qhnet/nn"},
	"qhnet/robust":   {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet", "qhnet/nn"},
	"qhnet/store":    {"qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet", "qhnet/progress"},
	"plotting":       {},
	"notebooks":      {"plotting", "qhnet", "qhnet/dataset", "qhnet/nn", "qhnet/oracle", "qhnet/progress", "qhnet/store"},

	"qhnet/internal/bench":    {"qhnet", "qhnet/internal", "qhnet/ode", "qhnet/dataset", "qhnet/nn"}, // a command
	"qhnet/internal/badinput": {"qhnet/dataset"},                                                     // for tests
}

const module = "qhlab/"

// roomOf returns the room that a package belongs to, "." if none.
func roomOf(pkg string) string {
	room := strings.TrimPrefix(pkg, module)
	for rooms[room] == nil && room != "." {
		room = path.Dir(room)
	}
	return room
}

func TestRooms(t *testing.T) {
	for _, p := range listPackages(t) {
		room := roomOf(p.path)
		if room == "." {
			t.Errorf("no rule says whom %s may import", p.path)
		}
		for _, other := range p.imports {
			if to := roomOf(other); strings.HasPrefix(other, module) && to != room && !slices.Contains(rooms[room], to) {
				t.Errorf("%s may not import %s", p.path, other)
			}
		}
	}
}

// The theory is for any program, not only for notebooks and figures.
func TestTheoryNeedsNoNotebook(t *testing.T) {
	refuse(t, "qhnet", "github.com/janpfeifer/gonb", "gonum.org/v1/plot")
}

func TestNothingButTheCommandDownloads(t *testing.T) {
	refuse(t, "qhnet", "net/http", "crypto/tls")
	refuse(t, "plotting", "net/http", "crypto/tls")
}

// refuse fails for packages at or below one that depend on others with some prefix.
func refuse(t *testing.T, from string, prefixes ...string) {
	t.Helper()
	for _, p := range listPackages(t) {
		if !strings.HasPrefix(p.path+"/", module+from+"/") {
			continue
		}
		for _, other := range p.deps {
			if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(other, prefix) }) {
				t.Errorf("%s depends on %s", p.path, other)
			}
		}
	}
}

// listed is a package with those that it imports, and all that it depends on.
type listed struct {
	path          string
	imports, deps []string
}

// listPackages returns the packages of this module.
func listPackages(t *testing.T) []listed {
	t.Helper()
	const format = `{{.ImportPath}}|{{join .Imports " "}}|{{join .Deps " "}}|{{.Dir}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, module+"...").Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for line := range strings.Lines(string(out)) {
		field := strings.Split(strings.TrimSpace(line), "|")
		all = append(all, listed{field[0], strings.Fields(field[1]), strings.Fields(field[2])})
		// A look at the folder tells the cache of go test on what the answer depends.
		if _, err := os.ReadDir(field[3]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// All types fit on other systems too, as far as each is served: reading is quicker than
// compiling for them.
func TestOtherSystems(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the standard library three times, which -short leaves out")
	}
	for system, patterns := range map[[2]string][]string{
		{"linux", "386"}:     {"./..."},
		{"darwin", "arm64"}:  {"./..."},
		{"windows", "amd64"}: {"./qhnet", "./plotting", "./notebooks"},
	} {
		list, err := packages.Load(&packages.Config{
			Mode: packages.LoadAllSyntax,
			Dir:  "..",
			Env:  append(os.Environ(), "GOOS="+system[0], "GOARCH="+system[1], "CGO_ENABLED=0"),
		}, patterns...)
		if err != nil || len(list) < len(patterns) {
			t.Fatalf("%s: %d packages, %v", system, len(list), err)
		}
		packages.Visit(list, nil, func(p *packages.Package) {
			for _, e := range p.Errors {
				t.Errorf("%s: %v", system, e)
			}
		})
	}
}
