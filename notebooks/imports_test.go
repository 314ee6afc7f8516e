package main

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// forbidden says who may not know whom. The rules of a package hold for all
// packages below it that have none of their own; a pattern that ends in /...
// means a package and all below it.
var forbidden = map[string][]string{
	"qhlab/qhnet":         {"qhlab/plotting/...", "qhlab/notebooks", "github.com/janpfeifer/gonb/...", "gonum.org/v1/plot/..."},
	"qhlab/qhnet/ode":     {"qhlab/qhnet", "qhlab/qhnet/dataset", "qhlab/plotting/...", "qhlab/notebooks", "github.com/janpfeifer/gonb/..."},
	"qhlab/qhnet/dataset": {"qhlab/qhnet", "qhlab/qhnet/ode", "qhlab/plotting/...", "qhlab/notebooks", "github.com/janpfeifer/gonb/..."},
	"qhlab/plotting":      {"qhlab/qhnet/...", "qhlab/notebooks"},
}

func TestPackagesKnowOnlyWhomTheyMay(t *testing.T) {
	for _, pkg := range list(t, "./qhnet/...", "./plotting/...") {
		rules := rulesFor(pkg)
		if rules == nil {
			t.Errorf("no rule says whom %s may know", pkg)
		}
		for _, other := range list(t, "-deps", pkg) {
			if slices.ContainsFunc(rules, func(rule string) bool { return matches(rule, other) }) {
				t.Errorf("%s depends on %s", pkg, other)
			}
		}
	}
}

// rulesFor returns the rules of the package or of the nearest one above it.
func rulesFor(pkg string) []string {
	for pkg != "." {
		if rules, ok := forbidden[pkg]; ok {
			return rules
		}
		pkg = path.Dir(pkg)
	}
	return nil
}

func matches(rule, pkg string) bool {
	base, all := strings.CutSuffix(rule, "/...")
	return pkg == base || all && strings.HasPrefix(pkg, base+"/")
}

func TestRulesDistinguishAPackageFromThoseBelowIt(t *testing.T) {
	for _, c := range []struct {
		rule, pkg string
		want      bool
	}{
		{"qhlab/qhnet", "qhlab/qhnet", true},
		{"qhlab/qhnet", "qhlab/qhnet/ode", false},
		{"qhlab/qhnet/...", "qhlab/qhnet", true},
		{"qhlab/qhnet/...", "qhlab/qhnet/ode", true},
		{"qhlab/qhnet/...", "qhlab/qhnets", false},
	} {
		if got := matches(c.rule, c.pkg); got != c.want {
			t.Errorf("%s matches %s: %v, want %v", c.rule, c.pkg, got, c.want)
		}
	}
}

// list runs go list at the project's root.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := here(t).goCommand(append([]string{"list"}, args...)...)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestToolsAreDirectives(t *testing.T) {
	tools := list(t, "tool")
	for _, want := range []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", "honnef.co/go/tools/cmd/staticcheck"} {
		if !slices.Contains(tools, want) {
			t.Errorf("go.mod has no tool directive for %s", want)
		}
	}
}
