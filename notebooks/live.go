package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/imports"

	"qhlab/notebooks/live"
)

// liveTag and the name of a figure of package live tag a cell below which the site shows it.
const liveTag = "live-"

// liveFigure is what the site shows before a figure is live, and to readers without scripts.
type liveFigure struct{ Name, Picture, Text, Caption string }

// enliven makes a live figure of the picture of an interactive cell, or below a tagged cell.
func (s *siteMaker) enliven(page *page, b *block, nb *notebook, c *cell, i int) error {
	name := title(page.Notebook)
	if _, ok := interaction(c); ok {
		page.Live, b.Live, s.live[name] = true, interactiveName(name, i), nb
	}
	for figure := range live.Figures {
		if !c.hasTag(liveTag + figure) {
			continue
		}
		a, err := answer(figure)
		if err != nil {
			return err
		}
		b.Below = &liveFigure{Name: figure, Text: a.Text, Caption: cmp.Or(a.Alt, live.Figures[figure].Caption)}
		if a.SVG != "" {
			b.Below.Picture = "live-" + figure + ".svg"
			s.files[b.Below.Picture] = []byte(a.SVG)
		}
		page.Live = true
	}
	return nil
}

func interactiveName(notebook string, i int) string { return fmt.Sprintf("%s-%d", notebook, i) }

// interaction returns the arguments of plotting.Interact, if its call is all that the cell does.
func interaction(c *cell) (arguments string, ok bool) {
	source, main := strings.CutPrefix(string(c.Source), "%%\n")
	e, err := parser.ParseExpr(source)
	call, _ := e.(*ast.CallExpr)
	if !main || err != nil || call == nil || !strings.HasPrefix(source, "plotting.Interact(") {
		return "", false
	}
	return source[call.Lparen : call.Rparen-1], true // positions count from 1
}

// cellsPackage is a package of a notebook's declarations and of its interactive figures.
func cellsPackage(name string, nb *notebook) (string, error) {
	imported, declarations, figures := "import \"qhlab/notebooks/live\"\n", "", ""
	for i, c := range nb.Cells {
		if arguments, ok := interaction(c); ok && c.Type == "code" {
			figures += fmt.Sprintf("\tlive.Figures[%q] = live.Interact(%s)\n", interactiveName(name, i), arguments)
		}
		s := parseCell(string(c.Source))
		if c.Type != "code" || !s.onlyDeclares() {
			continue
		}
		if s.err != nil {
			return "", fmt.Errorf("cell %s: %w", position(nb, i), s.err)
		}
		for _, d := range s.file.Decls {
			part := s.text[d.Pos()-1:d.End()-1] + "\n"
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
				imported += part
			} else {
				declarations += part
			}
		}
	}
	text := fmt.Sprintf("package cells\n\n%s\n%s\nfunc init() {\n%s}\n", imported, declarations, figures)
	program, err := imports.Process("cells.go", []byte(text), nil) // without those that only other cells need
	return string(program), err
}

// buildLive compiles package live with the interactive cells of the notebooks, for this
// machine or, with an environment, for a browser. What is generated exists in the overlay
// of this build alone, at fixed places, so that the same sources give the same bytes. The
// files that the overlay takes it from stay beside the program.
func (p project) buildLive(ctx context.Context, notebooks map[string]*notebook, progress *progress, out string, environment ...string) error {
	files, err := p.withoutFonts()
	if err != nil {
		return err
	}
	main := "package main\n\nimport (\n\t\"qhlab/notebooks/live\"\n"
	for _, name := range slices.Sorted(maps.Keys(notebooks)) {
		if files["notebooks/live/"+name+"/main.go"], err = cellsPackage(name, notebooks[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		main += fmt.Sprintf("\t_ \"qhlab/notebooks/live/%s\"\n", name)
	}
	files["notebooks/live/program/main.go"] = main + ")\n\nfunc main() { live.Serve() }\n"
	overlay := map[string]string{}
	for path, text := range files {
		file := out + "-" + strconv.Itoa(len(overlay))
		overlay[p.path(filepath.FromSlash(path))] = file
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return err
		}
	}
	description := out + "-overlay.json"
	if err := os.WriteFile(description, encoded(map[string]any{"Replace": overlay}), 0o666); err != nil {
		return err
	}
	cmd := p.goCommand("build", "-overlay", description, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./notebooks/live/program")
	cmd.Env = append(cmd.Env, environment...)
	return perform(ctx, cmd, progress.begin("live figures"))
}

// withoutFonts returns files by which the fonts of gonum/plot, which no live figure uses,
// are DejaVu Sans, which all use: they are a third of the program.
func (p project) withoutFonts() (files map[string]string, err error) {
	const module, font, folder = "codeberg.org/go-fonts/liberation", "codeberg.org/go-fonts/dejavu/dejavusans", "notebooks/live/liberation"
	list, err := p.goCommand("list", "-f", "{{.Name}}", module+"/...").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages of %s: %w", module, err)
	}
	modules, err := os.ReadFile(p.path("go.mod"))
	files = map[string]string{
		"go.mod":           fmt.Sprintf("%s\nreplace %s => ./%s\n", modules, module, folder),
		folder + "/go.mod": "module " + module + "\n\ngo 1.26\n",
	}
	for _, name := range strings.Fields(string(list)) {
		files[folder+"/"+name+"/data.go"] = fmt.Sprintf("package %s\n\nimport %q\n\nvar TTF = dejavusans.TTF\n", name, font)
	}
	return files, err
}

// engine returns the page that runs the live figures for those that embed it. Nothing in
// it comes from a notebook but Go, which has no way out of WebAssembly.
func (p project) engine(ctx context.Context, notebooks map[string]*notebook, progress *progress) ([]byte, error) {
	guarded, err := guardFolder(os.TempDir(), 0) // a killed command leaves nothing
	if err != nil {
		return nil, err
	}
	defer guarded.stop()
	out := filepath.Join(guarded.folder, "live.wasm")
	if err := p.buildLive(ctx, notebooks, progress, out, "GOOS=js", "GOARCH=wasm"); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	root, _ := firstLine(p.goCommand("env", "GOROOT"))
	bridge, err := os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return nil, fmt.Errorf("this Go has no bridge between WebAssembly and browsers: %w", err)
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	w.Write(program) // to memory
	w.Close()
	script := asset("engine.js")
	rules := "default-src 'none'; script-src 'wasm-unsafe-eval' " + hash(script) + "; worker-src blob:; base-uri 'none'; form-action 'none'"
	return []byte(strings.NewReplacer("{{policy}}", rules, "{{script}}", script,
		"{{worker}}", string(bridge)+asset("worker.js"),
		"{{program}}", base64.StdEncoding.EncodeToString(packed.Bytes())).Replace(asset("live.html"))), nil
}

// answer is what a figure of package live shows before anybody moves anything.
func answer(name string) (a live.Answer, err error) {
	var in live.Input
	for _, c := range live.Figures[name].Controls {
		switch {
		case c.Slider != nil:
			in.Values = append(in.Values, c.Slider.Value)
		case c.Points != nil:
			in.Points = c.Points
		default:
			in.Text = c.Text
		}
	}
	return live.Figures[name].Draw(in, func(float64) {})
}
