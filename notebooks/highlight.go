package main

import (
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"strings"
)

// highlight returns the source of a cell as HTML in which keywords (k), strings
// (s), numbers (n), comments (c) and commands of the kernel (m) are marked. Its
// text content is the source.
func highlight(source string) template.HTML {
	var b strings.Builder
	goLines := blankCommands(source)
	var s scanner.Scanner
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(goLines))
	s.Init(file, []byte(goLines), func(token.Position, string) {}, scanner.ScanComments)
	end := 0
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			break
		}
		if class := tokenClass(kind); class != "" {
			start := file.Offset(pos)
			writePlain(&b, source, end, start)
			end = start + len(literal)
			writeMarked(&b, source[start:end], class)
		}
	}
	writePlain(&b, source, end, len(source))
	return template.HTML(b.String())
}

// blankCommands replaces the lines that are commands of the kernel by blanks of
// the same length, because they are not Go.
func blankCommands(source string) string {
	all := strings.SplitAfter(source, "\n")
	for i, line := range all {
		if isCommand(line) {
			text := strings.TrimSuffix(line, "\n")
			all[i] = strings.Repeat(" ", len(text)) + line[len(text):]
		}
	}
	return strings.Join(all, "")
}

func isCommand(line string) bool {
	return strings.HasPrefix(line, "%") || strings.HasPrefix(line, "!")
}

func tokenClass(kind token.Token) string {
	switch {
	case kind.IsKeyword():
		return "k"
	case kind == token.STRING || kind == token.CHAR:
		return "s"
	case kind == token.INT || kind == token.FLOAT || kind == token.IMAG:
		return "n"
	case kind == token.COMMENT:
		return "c"
	}
	return ""
}

func writeMarked(b *strings.Builder, text, class string) {
	b.WriteString(`<span class="` + class + `">` + html.EscapeString(text) + "</span>")
}

// writePlain writes source[from:to], in which only commands of the kernel are
// marked.
func writePlain(b *strings.Builder, source string, from, to int) {
	for _, line := range strings.SplitAfter(source[from:to], "\n") {
		if isCommand(line) && (from == 0 || source[from-1] == '\n') {
			writeMarked(b, line, "m")
		} else {
			b.WriteString(html.EscapeString(line))
		}
		from += len(line)
	}
}
