package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestReadmeFollowsTheNotebooks(t *testing.T) {
	p := here(t)
	rows, pictures, err := readmeTable(p)
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
	for path, picture := range pictures {
		if saved, err := os.ReadFile(path); err != nil || string(saved) != string(picture) {
			t.Errorf("%s is not the picture in the notebook (%v)", path, err)
		}
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
