package main

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestReadmeFollowsTheNotebooks(t *testing.T) {
	p := here(t)
	rows, claims, pictures, err := readmeTables(p)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.path("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), tableBegins+rows+tableEnds) {
		t.Errorf("the table of notebooks is not this one, which go run ./notebooks run writes:\n%s", rows)
	}
	if !strings.Contains(string(text), claimsBegins+claims+claimsEnds) {
		t.Errorf("the table of claims is not this one, which go run ./notebooks run writes:\n%s", claims)
	}
	for line := range strings.Lines(claims) {
		if strings.HasPrefix(line, "|  |") {
			t.Errorf("a check cell prints a claim without its status: %s", line)
		}
	}
	for name, picture := range pictures {
		if saved, err := os.ReadFile(p.path(".figures", name)); err != nil || string(saved) != string(picture) {
			t.Errorf("%s is not the picture in the notebook (%v)", name, err)
		}
	}
}

func TestClaims(t *testing.T) {
	seven := 7
	check := &cell{ExecutionCount: &seven, Metadata: map[string]any{"tags": []any{"check"}}, Outputs: []*output{{Text: "derived · the margin is √(Cd)/(C−1), error: 3.1e-07 ≤ 1e-05\nstops away: 0.2 ≥ 0.1\nshares: 3\nall flows: end well\nno number\n\n"}}}
	nb := &notebook{Cells: []*cell{check, {Outputs: []*output{{Text: "not a claim: 1\n"}}}}}
	want := []claim{
		{"derived", "the margin is √(Cd)/(C−1), error", "3.1e-07", "≤ 1e-05", " In [7]"}, {"", "stops away", "0.2", "≥ 0.1", " In [7]"}, {"", "shares", "3", "", " In [7]"},
		{"", "all flows: end well", "", "", " In [7]"}, {"", "no number", "", "", " In [7]"},
	}
	if got := nb.claims(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	p := here(t)
	text, err := os.ReadFile(p.path("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^):#]+)\)|src="([^":]+)"`)
	for _, match := range link.FindAllStringSubmatch(string(text), -1) {
		target := match[1] + match[2]
		if _, err := os.Stat(p.path(filepath.FromSlash(target))); err != nil {
			t.Errorf("README.md links to %s: %v", target, err)
		}
	}
}

// The picture at the top has the words of the table's for those who cannot see it.
func TestReadmeBeginsWithTheCoverOfANotebook(t *testing.T) {
	text, err := os.ReadFile(here(t).path("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lead := regexp.MustCompile(`(?m)^!\[(.*)\]\((.*)\)$`).FindStringSubmatch(string(text))
	if lead == nil {
		t.Fatal("README.md shows no picture")
	}
	if cover := `<img src="` + lead[2] + `" width="280" alt="` + html.EscapeString(lead[1]) + `">`; !strings.Contains(string(text), cover) {
		t.Errorf("the text for the first picture is %q, and the table of notebooks has none like it", lead[1])
	}
}
