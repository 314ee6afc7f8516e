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
	"go/token"
	"html"
	"html/template"
	"image/png"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed site
var site embed.FS

func asset(name string) string {
	data, err := site.ReadFile("site/" + name)
	if err != nil {
		panic("notebooks: " + err.Error()) // it is built in
	}
	return string(data)
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"style":  func() template.CSS { return template.CSS(asset("style.css")) },
	"script": func(name string) template.JS { return template.JS(asset(name)) },
	"icon":   func() template.URL { return template.URL("data:image/svg+xml," + url.PathEscape(asset("icon.svg"))) },
}).ParseFS(site, "site/page.html", "site/index.html"))

// page is one notebook, made to be read.
type page struct {
	Number, Title, Summary string
	File, Notebook         string        // the page, and the notebook beside it
	Minutes                int           // to read
	Lead                   template.HTML // the summary
	Contents               []heading
	Blocks                 []*block
	Cover                  *shown // the picture that stands for the notebook
	Live                   bool   // has live figures
	Previous, Next         *page

	folder     string // of the notebook
	texts      []markdown
	complaints []string // about what cannot be shown as it was meant
}

// Policy is the Content-Security-Policy of the page: of all scripts and styles, a
// browser accepts its own. A notebook may come from anybody.
func (p *page) Policy() string {
	if p.Live {
		return policy("page.js", "figures.js") + "; frame-src 'self' file:"
	}
	return policy("page.js")
}

type heading struct {
	Level    int
	Identity string
	Text     template.HTML
}

// block is a cell: prose, or code with what it shows.
type block struct {
	Prose   template.HTML
	Code    template.HTML
	Raw     string
	Outputs []*shown
	Live    string      // the live figure that the first picture becomes
	Below   *liveFigure // one that stands below the outputs

	headings []heading
}

// shown is one output: a picture, prose, HTML or text.
type shown struct {
	Picture, Caption string
	Width, Height    int
	Prose            template.HTML
	Document         template.HTMLAttr // of HTML, as a frame's attribute: it is shown in a sandbox
	Text             string
	Failed           bool
}

// writeSite makes a static site of the saved notebooks. It runs no code of notebooks but
// the project's own, in the reader's browser.
func writeSite(ctx context.Context, p project, args []string) error {
	flags := flag.NewFlagSet("html", flag.ContinueOnError)
	out := flags.String("o", p.path("site"), "folder for the pages")
	serve := flags.Bool("serve", false, "serve the pages on this machine when they are made, for browsers that run no live figures from files")
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
	s := newSiteMaker(p)
	for _, path := range paths {
		s.add(path)
	}
	if err := s.finish(ctx, progress); err != nil {
		return err
	}
	if err := replaceFiles(*out, s.files); err != nil {
		return err
	}
	progress.say("%d pages: open %s", len(s.pages)+1, filepath.Join(*out, "index.html"))
	if *serve {
		return errors.Join(s.failed, servePages(ctx, *out, progress))
	}
	return s.failed
}

func servePages(ctx context.Context, folder string, progress *progress) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	progress.say("the pages are at http://%s/ until Ctrl-C", listener.Addr())
	server := http.Server{Handler: http.FileServer(http.Dir(folder)), ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// siteMaker collects pages and files by name. What goes wrong with one page stops no other.
type siteMaker struct {
	project
	pages  []*page
	files  map[string][]byte
	live   map[string]*notebook // with interactive cells
	failed error
}

func newSiteMaker(p project) *siteMaker {
	return &siteMaker{project: p, files: map[string][]byte{}, live: map[string]*notebook{}}
}

// add makes the page of a notebook, or notes why there is none.
func (s *siteMaker) add(path string) {
	page, err := s.makePage(path)
	if err != nil {
		s.failed = errors.Join(s.failed, fmt.Errorf("%s has no page: %w", title(path), err))
		return
	}
	if n := len(s.pages); n > 0 {
		page.Previous, s.pages[n-1].Next = s.pages[n-1], page
	}
	s.pages = append(s.pages, page)
}

// makePage converts a notebook cell by cell. Prose is rendered at the end, all at once.
func (s *siteMaker) makePage(path string) (*page, error) {
	nb, err := readNotebook(path)
	if err != nil {
		return nil, err
	}
	name := title(path)
	page := &page{File: name + ".html", Notebook: filepath.Base(path), Minutes: nb.minutes(), folder: filepath.Dir(path)}
	page.Title, page.Summary = nb.introduction()
	page.Title = cmp.Or(page.Title, name)
	if number := chapter(path); number != name {
		page.Number = number
	}
	page.texts = []markdown{{page.Summary, nil, &page.Lead, new([]heading), "its summary"}}
	pictures, cover := 0, nb.cover()
	for i, c := range nb.Cells {
		b := &block{}
		page.Blocks = append(page.Blocks, b)
		switch c.Type {
		case "markdown":
			page.texts = append(page.texts, markdown{string(c.Source), c.Attachments, &b.Prose, &b.headings, "cell " + position(nb, i)})
			continue
		case "raw":
			b.Raw = string(c.Source)
			continue
		}
		b.Code = highlight(string(c.Source))
		for _, o := range c.Outputs {
			out, picture, err := o.show()
			if err != nil {
				page.complaints = append(page.complaints, fmt.Sprintf("cell %s: %v", position(nb, i), err))
			}
			if picture != nil {
				pictures++
				out.Picture = fmt.Sprintf("%s-%d.%s", name, pictures, out.Picture)
				s.files[out.Picture] = picture
			}
			if text := o.markdown(); out.Picture == "" && text != "" {
				page.texts = append(page.texts, markdown{text, nil, &out.Prose, new([]heading), "an output of cell " + position(nb, i)})
			}
			b.Outputs = append(b.Outputs, out)
			if o == cover {
				page.Cover = out
			}
		}
		if s.owns(path) {
			if err := s.enliven(page, b, nb, c, i); err != nil {
				return nil, fmt.Errorf("cell %s: %w", position(nb, i), err)
			}
		}
	}
	s.files[page.Notebook], err = os.ReadFile(path)
	return page, err
}

// minutes is how long the notebook takes to read, with its formulas and code.
func (nb *notebook) minutes() int {
	const wordsPerMinute = 150
	words := wordsPerMinute - 1 // to round up
	for _, c := range nb.Cells {
		words += len(strings.Fields(string(c.Source)))
	}
	return words / wordsPerMinute
}

// markdown is text that waits to be rendered, and where its HTML and headings belong.
type markdown struct {
	Text        string         `json:"text"`
	Attachments map[string]any `json:"attachments"`

	into     *template.HTML
	headings *[]heading
	place    string
}

var notebookLink = regexp.MustCompile(`(href="[^":]*)\.ipynb`)

// renderProse fills in the prose of all pages, with one Python program for all of them.
// Links to notebooks become links to their pages.
func renderProse(p project, pages []*page) error {
	texts := []map[string]any{}
	for _, page := range pages {
		texts = append(texts, map[string]any{"folder": page.folder, "cells": page.texts})
	}
	cmd := p.pythonCommand("-c", asset("render.py"))
	var rendered [][]struct {
		HTML       string
		Headings   []heading
		Complaints []string
	}
	var output, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(encoded(texts)), &output, &complaint
	if cmd.Run() != nil {
		return errors.New(tail(complaint.String(), 5))
	}
	if err := json.Unmarshal(output.Bytes(), &rendered); err != nil {
		return err
	}
	for k, page := range pages {
		for i, r := range rendered[k] {
			text := page.texts[i]
			*text.into = template.HTML(notebookLink.ReplaceAllString(r.HTML, "$1.html"))
			*text.headings = r.Headings
			for _, c := range r.Complaints {
				page.complaints = append(page.complaints, text.place+": "+c)
			}
		}
		for _, b := range page.Blocks {
			page.Contents = append(page.Contents, b.headings...)
		}
		page.Contents = slices.DeleteFunc(page.Contents, func(h heading) bool { return h.Level != 2 })
	}
	return nil
}

var markup = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)|[*` + "`" + `]`)

// sentenceEnd is a full stop, unless a small letter or a parenthesis follows, as after "et al.".
var sentenceEnd = regexp.MustCompile(`\. [^\p{Ll}(]`)

// introduction returns the first heading and the first sentence below it, without markup.
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

// pictureKinds are the media types of pictures that browsers show, by the ends of their files' names.
var pictureKinds = []struct{ kind, end string }{
	{"image/png", "png"}, {"image/svg+xml", "svg"}, {"image/jpeg", "jpg"}, {"image/gif", "gif"}, {"image/webp", "webp"},
}

// show converts an output, and returns its picture, whose Picture is the end of a file's name.
func (o *output) show() (s *shown, picture []byte, err error) {
	s = &shown{Failed: o.Type == "error"}
	for _, k := range pictureKinds {
		content, ok := o.Data[k.kind].(string)
		if !ok {
			continue
		}
		picture = []byte(content)
		if k.kind != "image/svg+xml" {
			if picture, err = decodeBase64(content); err != nil {
				return s, nil, fmt.Errorf("its picture is damaged: %w", err)
			}
		}
		s.Picture, s.Caption = k.end, o.caption()
		if size, err := png.DecodeConfig(bytes.NewReader(picture)); err == nil {
			s.Width, s.Height = size.Width/2, size.Height/2 // drawn for screens with two pixels a point
		}
		if s.Caption == "" {
			s.Caption = "A picture without a caption."
			err = errors.New("its picture has no caption, which readers who cannot see it need")
		}
		return s, picture, err
	}
	document, _ := o.Data["text/html"].(string)
	if document != "" { // a template would take out all tags
		s.Document = template.HTMLAttr(`srcdoc="` + html.EscapeString(document) + `"`)
	}
	plain, _ := o.Data["text/plain"].(string)
	s.Text = plain + string(o.Text)
	if s.Failed {
		s.Text = o.ErrorName + ": " + o.ErrorValue + "\n" + strings.Join(o.Traceback, "\n")
	}
	s.Text = strings.TrimRight(escapes.ReplaceAllString(s.Text, ""), "\n")
	if kinds := slices.Sorted(maps.Keys(o.Data)); s.Text == "" && document == "" && o.markdown() == "" && len(kinds) > 0 {
		s.Text = fmt.Sprintf("[an output of the kind %s, which these pages cannot show]", strings.Join(kinds, ", "))
		err = errors.New(s.Text)
	}
	return s, nil, err
}

// markdown is the text of an output that is Markdown or a formula.
func (o *output) markdown() string {
	for _, kind := range []string{"text/markdown", "text/latex"} {
		if text, ok := o.Data[kind].(string); ok && o.Data["text/html"] == nil {
			return text
		}
	}
	return ""
}

func (o *output) picture() ([]byte, error) { return decodeBase64(o.Data["image/png"]) }

func decodeBase64(value any) ([]byte, error) {
	text, _ := value.(string)
	return base64.StdEncoding.DecodeString(strings.TrimSpace(text))
}

// caption is the text that stands for a picture.
func (o *output) caption() string {
	caption, _ := o.Data["text/plain"].(string)
	return strings.TrimPrefix(strings.TrimSpace(caption), "Figure: ")
}

// finish adds the pages, their index, the font and the program of the live figures to the files.
func (s *siteMaker) finish(ctx context.Context, progress *progress) error {
	fill := func(name, file string, data any) {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, data); err != nil {
			s.failed = errors.Join(s.failed, fmt.Errorf("%s: %w", file, err))
			return
		}
		s.files[file] = b.Bytes()
	}
	if err := renderProse(s.project, s.pages); err != nil {
		return err
	}
	live := false
	for _, page := range s.pages {
		for _, complaint := range page.complaints {
			s.failed = errors.Join(s.failed, fmt.Errorf("%s: %s", page.Notebook, complaint))
		}
		live = live || page.Live
		fill("page.html", page.File, page)
	}
	fill("index.html", "index.html", map[string]any{
		"Title": "The asymmetric maximum margin in notebooks", "Policy": policy("page.js"), "Pages": s.pages, "Sections": s.sections(),
		"Summary": "Notebooks on quasi-homogeneous neural networks and the margin they maximize.",
	})
	s.files["math.woff2"], s.files["math.LICENSE.txt"] = []byte(asset("math.woff2")), []byte(asset("math.LICENSE.txt"))
	if !live {
		return nil
	}
	engine, err := s.engine(ctx, s.live, progress)
	s.files["live.html"] = engine
	return err
}

// section is what a search finds.
type section struct{ Title, Address, Text string }

var tags = regexp.MustCompile(`<[^>]*>`)

// sections cuts the prose of all pages at its headings.
func (s *siteMaker) sections() (all []section) {
	for _, page := range s.pages {
		at := section{Title: page.Title, Address: page.File}
		for _, b := range page.Blocks {
			rest := string(b.Prose)
			for _, h := range b.headings {
				before, after, found := strings.Cut(rest, `id="`+html.EscapeString(h.Identity)+`"`)
				_, after, closed := strings.Cut(after, fmt.Sprintf("</h%d>", h.Level))
				if !found || !closed {
					continue
				}
				at.Text += before
				all, rest = append(all, at), after
				at = section{plainText(page.Number + " · " + string(h.Text)), page.File + "#" + url.PathEscape(h.Identity), ""}
			}
			at.Text += rest + " "
		}
		all = append(all, at)
	}
	for i := range all {
		all[i].Text = plainText(all[i].Text)
	}
	return slices.DeleteFunc(all, func(s section) bool { return s.Text == "" })
}

func plainText(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(markup, ""))), " ")
}

// policy is a Content-Security-Policy that allows some scripts of the folder site, by
// their hashes, its style and its font, and nothing else.
func policy(scripts ...string) string {
	hashes := ""
	for _, name := range scripts {
		hashes += " " + hash(asset(name))
	}
	return "default-src 'none'; img-src 'self' file: data:; font-src 'self' file:; style-src " + hash(asset("style.css")) +
		"; script-src" + hashes + "; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// tokens are the parts of a cell that are marked, by the classes of the style sheet: commands of
// the kernel (m), comments (c), strings (s), numbers (n), and words, of which only keywords (k)
// are. A string or comment without an end goes to that of its line or cell.
var tokens = regexp.MustCompile(`(?ms)(^[%!][^\n]*\n?)|(//[^\n]*|/\*.*?(?:\*/|\z))|` +
	`("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|\x60[^\x60]*\x60?)|(\b\d(?:[eEpP][+-]|\w|\.)*)|([\pL_][\pL\pN_]*)`)

// highlight returns the source of a cell as HTML whose text content is the source.
func highlight(source string) template.HTML {
	var b strings.Builder
	end := 0
	for _, at := range tokens.FindAllStringSubmatchIndex(source, -1) {
		group := 1
		for at[2*group] < 0 {
			group++
		}
		word := source[at[0]:at[1]]
		if class := "mcsnk"[group-1]; class != 'k' || token.IsKeyword(word) {
			fmt.Fprintf(&b, `%s<span class="%c">%s</span>`, html.EscapeString(source[end:at[0]]), class, html.EscapeString(word))
			end = at[1]
		}
	}
	b.WriteString(html.EscapeString(source[end:]))
	return template.HTML(b.String())
}
