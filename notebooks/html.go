package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

//go:embed site
var site embed.FS

// page is one notebook, made to be read.
type page struct {
	Title, Summary, File string
	Blocks               []block
	Cover                *shown // the picture that stands for the notebook
	Previous, Next       *page
}

// block is a cell: prose, or code with what it shows.
type block struct {
	Prose   template.HTML
	Code    template.HTML
	Outputs []shown
}

// shown is one output: a picture, HTML or text.
type shown struct {
	Picture, Caption string
	Width, Height    int
	HTML             template.HTML // a document of its own, which is shown in a sandbox
	Text             string
}

// writeSite makes a static site of the saved notebooks. It needs no network and
// no server to be read, and runs no code of the notebooks.
func writeSite(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("html", flag.ContinueOnError)
	out := flags.String("o", p.path("site"), "folder for the pages")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	paths, err := p.notebooks(names)
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	defer progress.close()
	if err := prepareLab(ctx, p, progress); err != nil {
		return err
	}
	begun := time.Now()
	pages, files, err := p.makePages(paths)
	if err == nil {
		err = fillTemplates(pages, files)
	}
	if err == nil {
		err = replaceFiles(*out, files)
	}
	if err != nil {
		return err
	}
	progress.say("%d pages: open %s", len(pages)+1, filepath.Join(*out, "index.html"))
	if len(names) == 0 { // otherwise pages of other notebooks may stay
		_, old := countFiles(*out, begun)
		sayLeft(progress, *out, old)
	}
	return nil
}

// makePages reads the notebooks and returns their pages and, by name, the files of
// their pictures.
func (p project) makePages(paths []string) (pages []*page, files map[string][]byte, err error) {
	files = map[string][]byte{}
	for _, path := range paths {
		nb, err := readNotebook(path)
		if err != nil {
			return nil, nil, err
		}
		page, err := p.makePage(nb, title(path), files)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", title(path), err)
		}
		if n := len(pages); n > 0 {
			page.Previous, pages[n-1].Next = pages[n-1], page
		}
		pages = append(pages, page)
	}
	return pages, files, nil
}

func (p project) makePage(nb *notebook, name string, files map[string][]byte) (*page, error) {
	prose, err := p.renderProse(nb)
	if err != nil {
		return nil, err
	}
	page := &page{File: name + ".html"}
	page.Title, page.Summary = nb.introduction()
	page.Title = cmp.Or(page.Title, name)
	pictures, cover := 0, nb.cover()
	for i, c := range nb.Cells {
		if c.Type != "code" {
			page.Blocks = append(page.Blocks, block{Prose: prose[i]})
			continue
		}
		b := block{Code: highlight(string(c.Source))}
		for _, o := range c.Outputs {
			s, picture, err := o.show()
			if err != nil {
				return nil, fmt.Errorf("cell %s: %w", position(nb, i), err)
			}
			if picture != nil {
				pictures++
				s.Picture = fmt.Sprintf("%s-%d.png", name, pictures)
				files[s.Picture] = picture
			}
			b.Outputs = append(b.Outputs, s)
			if o == cover {
				page.Cover = &s
			}
		}
		page.Blocks = append(page.Blocks, b)
	}
	return page, nil
}

var notebookLink = regexp.MustCompile(`(href="[^":]*)\.ipynb`)

// renderProse returns the HTML of the text cells, by the number of the cell.
// Links to notebooks become links to their pages.
func (p project) renderProse(nb *notebook) (map[int]template.HTML, error) {
	texts, places := []string{}, []int{}
	for i, c := range nb.Cells {
		if c.Type == "markdown" {
			texts, places = append(texts, string(c.Source)), append(places, i)
		}
	}
	program, err := site.ReadFile("site/render.py")
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	cmd := p.pythonCommand("-c", string(program))
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &complaint
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s", tail(complaint.String(), 5))
	}
	var rendered []string
	if err := json.Unmarshal(output, &rendered); err != nil {
		return nil, err
	}
	prose := make(map[int]template.HTML, len(rendered))
	for i, html := range rendered {
		prose[places[i]] = template.HTML(notebookLink.ReplaceAllString(html, "$1.html"))
	}
	return prose, nil
}

var markup = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)|[*` + "`" + `]`)

// sentenceEnd is a full stop, unless a small letter or a parenthesis follows, as
// after "et al.".
var sentenceEnd = regexp.MustCompile(`\. [^\p{Ll}(]`)

// introduction returns the first heading and the first sentence below it,
// without markup.
func (nb *notebook) introduction() (heading, sentence string) {
	for _, c := range nb.Cells {
		if c.Type != "markdown" {
			continue
		}
		for _, paragraph := range strings.Split(string(c.Source), "\n\n") {
			text := strings.Join(strings.Fields(markup.ReplaceAllString(paragraph, "$1")), " ")
			switch {
			case text == "":
			case strings.HasPrefix(text, "#") && heading == "":
				heading = strings.TrimSpace(strings.TrimLeft(text, "#"))
			case !strings.HasPrefix(text, "#"):
				if end := sentenceEnd.FindStringIndex(text); end != nil {
					text = text[:end[0]+1]
				}
				return heading, text
			}
		}
	}
	return heading, sentence
}

// show converts an output, and returns the file of its picture.
func (o *output) show() (s shown, picture []byte, err error) {
	if o.Data["image/png"] == nil {
		document, _ := o.Data["text/html"].(string)
		s.HTML = template.HTML(document)
		s.Text, _ = o.Data["text/plain"].(string)
		s.Text = strings.TrimRight(s.Text+string(o.Text)+o.ErrorValue, "\n")
		return s, nil, nil
	}
	if picture, err = o.picture(); err != nil {
		return s, nil, err
	}
	size, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return s, nil, err
	}
	s.Width, s.Height = size.Width/2, size.Height/2 // drawn for screens with two pixels a point
	if s.Caption = o.caption(); s.Caption == "" {
		return s, nil, errors.New("its picture has no caption, which readers who cannot see it need")
	}
	return s, picture, nil
}

// picture returns the PNG of an output.
func (o *output) picture() ([]byte, error) {
	encoded, _ := o.Data["image/png"].(string)
	return base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
}

// caption is the text that stands for a picture.
func (o *output) caption() string {
	caption, _ := o.Data["text/plain"].(string)
	return strings.TrimPrefix(strings.TrimSpace(caption), "Figure: ")
}

// fillTemplates adds the pages and their index to the files.
func fillTemplates(pages []*page, files map[string][]byte) error {
	style, err := site.ReadFile("site/style.css")
	if err != nil {
		return err
	}
	script, err := site.ReadFile("site/copy.js")
	if err != nil {
		return err
	}
	templates, err := template.New("").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(style) },
		"script": func() template.JS { return template.JS(script) },
		"policy": func() string { return policy(style, script) },
	}).ParseFS(site, "site/*.html")
	if err != nil {
		return err
	}
	fill := func(name, file string, data any) error {
		var b bytes.Buffer
		err := templates.ExecuteTemplate(&b, name, data)
		files[file] = b.Bytes()
		return err
	}
	for _, page := range pages {
		if err := fill("page.html", page.File, page); err != nil {
			return err
		}
	}
	return fill("index.html", "index.html", pages)
}

// policy is the Content-Security-Policy of the pages: of all scripts and styles, a
// browser accepts those two. A notebook may come from anybody.
func policy(style, script []byte) string {
	hash := func(data []byte) string {
		sum := sha256.Sum256(data)
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; img-src 'self' file: data:; style-src " + hash(style) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'"
}

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
