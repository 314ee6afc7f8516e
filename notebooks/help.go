package main

import (
	"encoding/json"
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
	"unicode/utf16"
)

// closeBrackets closes the brackets of code in a request for completion or help that
// are open where the cursor is. gonb gives gopls the imports and declarations of
// other cells only with a cell that Go can parse.
func closeBrackets(content json.RawMessage) json.RawMessage {
	var asked map[string]any
	if json.Unmarshal(content, &asked) != nil {
		return content
	}
	code, _ := asked["code"].(string)
	cursor, _ := asked["cursor_pos"].(float64)
	units := utf16.Encode([]rune(code))
	at := max(0, min(int(cursor), len(units)))
	before, after := string(utf16.Decode(units[:at])), string(utf16.Decode(units[at:]))
	open, _ := unmatched(before)
	_, closed := unmatched(after)
	for i := len(open) - 1; i >= closed; i-- {
		before += string(closing[open[i]])
	}
	asked["code"] = before + after
	return encoded(asked)
}

var closing = map[token.Token]byte{token.LPAREN: ')', token.LBRACK: ']', token.LBRACE: '}'}

// unmatched returns the brackets that are open at the end of a text, and how many it
// closes that it has not opened.
func unmatched(text string) (open []token.Token, closed int) {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(text)), []byte(text), nil, 0)
	for {
		switch _, symbol, _ := s.Scan(); symbol {
		case token.EOF:
			return open, closed
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, symbol)
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if len(open) > 0 {
				open = open[:len(open)-1]
			} else {
				closed++
			}
		}
	}
}

// deadLink is a link of gopls to the documentation of a package that is on this
// machine only: the project's or the cell's own.
var (
	deadLink   = regexp.MustCompile(`\[([^\]]*)\]\(https://pkg\.go\.dev/(qhlab|gonb_|command-line-arguments)[^)]*\)`)
	linkToPage = regexp.MustCompile(`\[[^\]]* on pkg\.go\.dev\]`)
)

// withoutDeadLinks leaves the words of such links in the help about a name, and
// nothing of one that stands for itself.
func withoutDeadLinks(content json.RawMessage) json.RawMessage {
	var help map[string]any
	if json.Unmarshal(content, &help) != nil {
		return content
	}
	data, _ := help["data"].(map[string]any)
	for mime, value := range data {
		if markdown, ok := value.(string); ok {
			markdown = deadLink.ReplaceAllStringFunc(markdown, func(link string) string {
				if linkToPage.MatchString(link) {
					return ""
				}
				return deadLink.ReplaceAllString(link, "$1")
			})
			data[mime] = strings.TrimRight(markdown, "-\n ")
		}
	}
	return encoded(help)
}
