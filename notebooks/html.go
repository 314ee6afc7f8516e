package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
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
	HTML             template.HTML
	Text             string
}

// writeSite makes a static site of the saved notebooks. It needs no network and
// no server to be read.
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
	pages, err := p.makePages(ctx, paths, *out)
	if err != nil {
		return err
	}
	if err := writePages(pages, *out); err != nil {
		return err
	}
	progress.say("%d pages: open %s", len(pages)+1, filepath.Join(*out, "index.html"))
	if len(names) == 0 { // otherwise pages of other notebooks may stay
		_, old := countFiles(*out, begun)
		sayLeft(progress, *out, old)
	}
	return nil
}

// makePages reads the notebooks and writes their pictures.
func (p project) makePages(ctx context.Context, paths []string, folder string) ([]*page, error) {
	var pages []*page
	for _, path := range paths {
		nb, err := readNotebook(path)
		if err != nil {
			return nil, err
		}
		page, err := p.makePage(ctx, nb, title(path), folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", title(path), err)
		}
		if n := len(pages); n > 0 {
			page.Previous, pages[n-1].Next = pages[n-1], page
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func (p project) makePage(ctx context.Context, nb *notebook, name, folder string) (*page, error) {
	prose, err := p.renderProse(ctx, nb)
	if err != nil {
		return nil, err
	}
	page := &page{File: name + ".html"}
	page.Title, page.Summary = nb.introduction()
	for i, c := range nb.Cells {
		if c.Type != "code" {
			page.Blocks = append(page.Blocks, block{Prose: prose[i]})
			continue
		}
		b := block{Code: highlight(string(c.Source))}
		for _, o := range c.Outputs {
			s, err := o.show(folder, name, page.countPictures()+b.countPictures()+1)
			if err != nil {
				return nil, fmt.Errorf("cell %s: %w", position(nb, i), err)
			}
			b.Outputs = append(b.Outputs, s)
			if o == nb.cover() {
				page.Cover = &s
			}
		}
		page.Blocks = append(page.Blocks, b)
	}
	return page, nil
}

func (p *page) countPictures() (n int) {
	for _, b := range p.Blocks {
		n += b.countPictures()
	}
	return n
}

func (b block) countPictures() (n int) {
	for _, s := range b.Outputs {
		if s.Picture != "" {
			n++
		}
	}
	return n
}

var notebookLink = regexp.MustCompile(`(href="[^":]*)\.ipynb`)

// renderProse returns the HTML of the text cells, by the number of the cell.
// Links to notebooks become links to their pages.
func (p project) renderProse(ctx context.Context, nb *notebook) (map[int]template.HTML, error) {
	var texts []string
	var places []int
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

// show converts an output. A picture becomes the file name-number.png.
func (o *output) show(folder, name string, number int) (shown, error) {
	encoded, ok := o.Data["image/png"].(string)
	if !ok {
		markup, _ := o.Data["text/html"].(string)
		text, _ := o.Data["text/plain"].(string)
		if o.Type == "stream" {
			text = string(o.Text)
		}
		return shown{HTML: template.HTML(markup), Text: strings.TrimRight(text, "\n")}, nil
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return shown{}, err
	}
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return shown{}, err
	}
	s := shown{
		Picture: fmt.Sprintf("%s-%d.png", name, number),
		Caption: o.caption(),
		Width:   size.Width / 2, Height: size.Height / 2, // drawn for screens with two pixels a point
	}
	if s.Caption == "" {
		return s, fmt.Errorf("its picture has no caption, which readers who cannot see it need")
	}
	return s, replaceFile(filepath.Join(folder, s.Picture), data)
}

// writePages fills in the templates.
func writePages(pages []*page, folder string) error {
	templates, err := template.ParseFS(site, "site/*.html", "site/*.css", "site/*.js")
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := writePage(templates, "page.html", filepath.Join(folder, page.File), page); err != nil {
			return err
		}
	}
	return writePage(templates, "index.html", filepath.Join(folder, "index.html"), pages)
}

func writePage(templates *template.Template, name, path string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	return replaceFile(path, b.Bytes())
}
