package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"html"
	"html/template"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/legible.js
var legible string

func TestHighlightingKeepsTheText(t *testing.T) {
	tags := regexp.MustCompile(`<[^>]*>`)
	for source, marked := range map[string]string{
		"%%\nx := 1 % 2":          `<span class="m">%%` + "\n</span>",
		"a := 7%3":                `<span class="n">7</span>%`,
		"func f() {} // a < b":    `<span class="c">// a &lt; b</span>`,
		"s := `raw\n%not a line`": `<span class="s">`,
		"!ls -l\nvar λ = \"x\"":   `<span class="m">!ls -l`,
		"if broken {":             `<span class="k">if</span>`,
		"\"open":                  `<span class="s">`,
		"":                        "",
	} {
		got := string(highlight(source))
		if text := html.UnescapeString(tags.ReplaceAllString(got, "")); text != source {
			t.Errorf("the text of %q became %q", source, text)
		}
		if !strings.Contains(got, marked) {
			t.Errorf("%q is highlighted as %q, want %q in it", source, got, marked)
		}
	}
}

func TestIntroductionIsTheFirstHeadingAndSentence(t *testing.T) {
	nb := &notebook{Cells: []*cell{
		{Type: "code", Source: "# no"},
		{Type: "markdown", Source: "# A *title*\n\nIt says [this](x.md), in `code`. And more."},
	}}
	if heading, sentence := nb.introduction(); heading != "A title" || sentence != "It says this, in code." {
		t.Errorf("%q, %q", heading, sentence)
	}
	nb.Cells[1].Source = "# A title\n\nThe theorem of Kunin et al. (arXiv) is about flow, e.g. to the limit. Is it?"
	if _, sentence := nb.introduction(); sentence != "The theorem of Kunin et al. (arXiv) is about flow, e.g. to the limit." {
		t.Errorf("%q", sentence)
	}
}

// render returns the HTML of texts that follow each other in a notebook.
func render(t *testing.T, p project, texts ...string) (rendered, complaints []string) {
	t.Helper()
	one := &page{folder: p.path(".figures")}
	into := make([]template.HTML, len(texts))
	for i, text := range texts {
		attached := map[string]any{"a.png": map[string]any{"image/png": onePixel}}
		one.texts = append(one.texts, markdown{text, attached, &into[i], new([]heading), text})
	}
	if err := renderProse(p, []*page{one}); err != nil {
		t.Fatal(err)
	}
	for _, h := range into {
		rendered = append(rendered, string(h))
	}
	return rendered, one.complaints
}

func TestMarkdownAndFormulas(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	sources := map[string]string{
		`$\mathcal L$ and $5`:                       `<mi>ℒ</mi></mrow></math> and $5`,
		"for $r$, $s$":                              `<mi>r</mi></mrow></math>,</span> <math`,
		"`$x$`":                                     "<code>$x$</code>",
		"```sh\necho $PATH $$x$$ $y$\n```":          "echo $PATH $$x$$ $y$\n</code>",
		"text\n\n    indented $a$ and $b$":          "<code>indented $a$ and $b$</code>",
		"- item\n\n      code $d$ e $f$":            "<code>code $d$ e $f$</code>",
		"- item\n\n  ```\n  fenced $d$\n  ```":      "fenced $d$\n</code>",
		"- item $d$ and `$e$`":                      `<mi>d</mi></mrow></math> and <code>$e$</code>`,
		`$\def\half{\frac12}\half$`:                 `<mfrac><mn>1</mn><mn>2</mn></mfrac>`,
		`$\hat\beta$`:                               `<mover accent="true"><mi>β</mi><mo stretchy="false">ˆ</mo></mover>`,
		`$$\min_\theta x$$`:                         `<munder><mo>min</mo><mi>θ</mi></munder>`,
		"$$a\n- b$$":                                `<mi>a</mi><mo>−</mo><mi>b</mi>`,
		`$$\begin{aligned}a&=b\end{aligned}$$`:      `<mtd class="right"><mi>a</mi></mtd>`,
		"\\begin{align}a&=b\\\\c&=d\\end{align}":    `<mtr><mtd class="right"><mi>c</mi></mtd>`,
		"\\begin{gather}a\\\\c\\end{gather}":        `<mtr><mtd><mi>c</mi></mtd></mtr>`,
		`$a_1$ *b* $c_2$`:                           `<em>b</em>`,
		`$\log t$`:                                  `<mi>log</mi><mspace width="0.17em" /><mi>t</mi>`,
		`$\operatorname{diag}(x)$`:                  `<mtext>diag</mtext>`,
		`$\newcommand{\R}[1]{\mathbb R^{#1}}\R{2}$`: `<msup><mi>ℝ</mi><mrow><mn>2</mn></mrow></msup>`,
		"## 1.2 A *b*":                              `<h2 id="1.2-A-b">`,
		"![one](attachment:a.png)":                  `src="data:image/png;base64,` + onePixel,
		"![two](00-start.png)":                      `src="data:image/png;base64,`,
		"[n](05-robustness.ipynb#5.1-A)":            `href="05-robustness.html#5.1-A"`,
	}
	texts := slices.Collect(maps.Keys(sources))
	got, complaints := render(t, p, texts...)
	for i, text := range texts {
		if want := sources[text]; !strings.Contains(got[i], want) {
			t.Errorf("%s becomes %s, want %s in it", text, got[i], want)
		}
	}
	if len(complaints) > 0 {
		t.Errorf("complaints: %q", complaints)
	}
	if got, _ := render(t, p, `$\newcommand{\E}{\mathbb E}$`, `$\E x$`); !strings.Contains(got[1], "𝔼") {
		t.Errorf("a definition of the cell before is forgotten: %s", got[1])
	}
}

func TestWhatCannotBeShownIsSaid(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	sources := map[string]string{
		`a $\nonsense x$ b`:              `\nonsense`,
		`$\text{a{<meta>x</meta>}}$`:     "element meta",
		"![x](http://example.com/x.png)": "elsewhere",
		"![x](../README.md)":             "no picture in the notebook's folder",
		"![x](attachment:b.png)":         "nothing of this name",
	}
	texts := slices.Sorted(maps.Keys(sources))
	got, complaints := render(t, p, texts...)
	if len(complaints) != len(texts) {
		t.Fatalf("complaints: %q", complaints)
	}
	for i, text := range texts {
		if want := sources[text]; !strings.Contains(got[i], `class="bad"`) || !strings.Contains(complaints[i], want) {
			t.Errorf("%s becomes %s with the complaint %q, want %s", text, got[i], complaints[i], want)
		}
	}
}

func TestEveryKindOfOutputIsShown(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	nb := &notebook{Format: 4, Cells: []*cell{{Type: "markdown", Source: "# Outputs"}, {Type: "raw", Source: "raw <text>"}, {Type: "code", Outputs: []*output{
		{Type: "error", ErrorName: "Panic", ErrorValue: "it broke", Traceback: []string{"\x1b[31mline 1\x1b[0m"}},
		{Type: "display_data", Data: map[string]any{"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain": "Figure: drawn"}},
		{Type: "display_data", Data: map[string]any{"image/jpeg": onePixel, "text/plain": "Figure: photographed"}},
		{Type: "display_data", Data: map[string]any{"text/markdown": "some *emphasis* and $x_1$", "text/plain": "plain"}},
		{Type: "display_data", Data: map[string]any{"text/latex": `$\frac12$`, "text/plain": "half"}},
		{Type: "display_data", Data: map[string]any{"text/html": "<b>bold</b>"}},
		{Type: "stream", Name: "stdout", Text: "printed"},
		{Type: "display_data", Data: map[string]any{"application/x-cube": "?"}},
		{Type: "display_data", Data: map[string]any{"image/png": onePixel}},
	}}}}
	folder, broken := t.TempDir(), filepath.Join(t.TempDir(), "broken.ipynb")
	path := filepath.Join(folder, "outputs.ipynb")
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	writeFile(t, broken, "{")
	err := writeSite(t.Context(), p, []string{"-o", folder, broken, path})
	wantError(t, err, "broken has no page", "outputs.ipynb: cell 3 of 3", "application/x-cube", "no caption")
	file, err := os.ReadFile(filepath.Join(folder, "outputs.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"raw &lt;text&gt;", "Panic: it broke\nline 1</pre>", `src="outputs-1.svg" alt="drawn"`, `src="outputs-2.jpg"`, "<em>emphasis</em>", "<mfrac>",
		`sandbox srcdoc="&lt;b&gt;bold&lt;/b&gt;"`, ">printed</pre>", "which these pages cannot show", "A picture without a caption", `href="outputs.ipynb"`,
	} {
		if !strings.Contains(string(file), want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

var everyView = flag.Bool("every-view", false, "TestSite looks at every page in all six views, not each in one")

func TestSite(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	folder := t.TempDir()
	if err := writeSite(t.Context(), p, []string{"-o", folder}); err != nil {
		t.Fatal(err)
	}
	axe := axeCore(t)
	t.Run("legible", func(t *testing.T) { needTime(t); testLegible(t, folder, axe) })
	t.Run("live", func(t *testing.T) { needTime(t); testLive(t, p, folder, axe) })
}

// testLegible looks at every page in a real browser: at its layout on a telephone, a tablet
// and a desk, and with axe-core, in light or in dark.
func testLegible(t *testing.T, folder, axe string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal("no pages", err)
	}
	ctx := browser(t, 1280, 900)
	complaints := listen(t, ctx)
	for i, file := range files {
		name, begun := filepath.Base(file), time.Now()
		do(t, ctx, chromedp.Navigate("file://"+file))
		for view := range 6 { // the page's own view is another one than that of the page before
			width, scheme := []int64{375, 768, 1280}[view%3], []string{"light", "dark"}[view/3]
			chosen := *everyView || view == i%6
			if !chosen && view > 2 {
				continue
			}
			preferScheme(t, ctx, scheme)
			do(t, ctx, chromedp.EmulateViewport(width, 900))
			wrong := evaluate[[]string](t, ctx, legible)
			if chosen {
				wrong = append(wrong, violations(t, ctx, axe)...)
			}
			for _, w := range wrong {
				t.Errorf("%s at %d px, %s: %s", name, width, scheme, w)
			}
		}
		t.Logf("%s: %.1f s", name, time.Since(begun).Seconds())
	}
	for _, complaint := range complaints() {
		t.Errorf("the console says: %s", complaint)
	}
}

// axeCore returns the script of axe-core, from the npm registry, or "" where that cannot be had.
func axeCore(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	cmd := exec.Command("npm", "pack", "--silent", "axe-core@4.14.1")
	cmd.Dir = folder
	if name, err := cmd.Output(); err == nil {
		cmd = exec.Command("tar", "xzf", strings.TrimSpace(string(name)), "package/axe.min.js")
		cmd.Dir = folder
		if cmd.Run() == nil {
			if script, err := os.ReadFile(filepath.Join(folder, "package", "axe.min.js")); err == nil {
				return string(script)
			}
		}
	}
	t.Log("axe-core is not asked: npm does not bring it")
	return ""
}

// violations returns what axe-core finds wrong with the page, such as contrasts and names.
func violations(t *testing.T, ctx context.Context, axe string) []string {
	t.Helper()
	if axe == "" {
		return nil
	}
	evaluate[any](t, ctx, axe+`; window.found = null; axe.run(document, {iframes: false, resultTypes: ["violations"]}).then(r =>
		{ window.found = r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html.slice(0, 80)).slice(0, 3).join(" ")) }); null`)
	wait(t, ctx, patience, `window.found !== null`)
	return evaluate[[]string](t, ctx, `window.found`)
}

func TestCopyButtonCopiesTheSource(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	const source = "%%\nx := 1 < 2"
	folder := t.TempDir()
	maker := newSiteMaker(p)
	maker.pages = []*page{{Title: "T", File: "t.html", Blocks: []*block{{Code: highlight(source)}}}}
	if err := errors.Join(maker.finish(t.Context(), nil), maker.failed, replaceFiles(folder, maker.files)); err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("starts a browser, which -short leaves out")
	}
	ctx := browser(t, 375, 600)
	do(t, ctx, chromedp.Navigate("file://"+filepath.Join(folder, "t.html")),
		chromedp.Click(chromedp.CSS(".code button")),
		chromedp.WaitVisible(`//button[text()="Copied"]`))
	if got := evaluate[string](t, ctx, `document.querySelector(".code code").textContent`); got != source {
		t.Errorf("the code on the page is %q, want %q", got, source)
	}
}

// preferScheme makes the browser ask pages for light or dark colours.
func preferScheme(t *testing.T, ctx context.Context, scheme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listen collects the errors that pages write to the console from now on.
func listen(t *testing.T, ctx context.Context) (complaints func() []string) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == "error" {
				mu.Lock()
				list = append(list, m.String())
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

// The notebook tries all ways to run code or to lead the reader away.
func TestSiteRunsNoCodeOfNotebooks(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	const evil = `<script>window.evil = 1; parent.evil = 1</script><img src=x onerror="window.evil = 1; parent.evil = 1">` +
		`<iframe src="javascript:parent.evil = 1; top.evil = 1"></iframe><base href="https://example.com/">` +
		`<meta http-equiv="refresh" content="0; url=about:blank"><form action="https://example.com/"><button>x</button></form>` +
		`<svg onload="window.evil = 1"></svg><b>kept</b>`
	const style = "<style>body { display: none }</style>"
	nb := &notebook{Format: 4, Cells: []*cell{
		{Type: "markdown", Source: "# Evil\n\n" + evil + style + "\n\n[click](javascript:window.evil=1) $\\text{</math>" + evil + "}$ $\\textbf{" + evil + "}$\n\n| a |\n| --: |\n| b |"},
		{Type: "code", Source: evil, Outputs: []*output{
			{Type: "display_data", Data: map[string]any{"text/html": evil + style}},
			{Type: "stream", Text: evil + style},
			{Type: "error", ErrorValue: evil},
			{Type: "display_data", Data: map[string]any{"image/png": onePixel, "text/plain": "Figure: \"> " + evil}},
		}},
	}}
	folder := t.TempDir()
	path := filepath.Join(folder, "evil.ipynb")
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	if err := writeSite(t.Context(), p, []string{"-o", folder, path}); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 800, 1200)
	do(t, ctx, chromedp.Navigate("file://"+filepath.Join(folder, "evil.html")),
		chromedp.WaitVisible(chromedp.CSS(".code button")), // the page's own script and style work
		chromedp.Click(`//a[text()="click"]`))
	wait(t, ctx, patience, `document.querySelector("figure img").naturalWidth === 1`)
	for expression, want := range map[string]string{
		`String(window.evil)`:                                                                    "undefined",
		`location.pathname.split("/").pop()`:                                                     "evil.html",
		`document.baseURI.split("#")[0]`:                                                         "file://" + filepath.Join(folder, "evil.html"),
		`getComputedStyle(document.body).display`:                                                "block",
		`getComputedStyle(document.querySelector("td")).textAlign`:                               "right",
		`document.querySelector("iframe.output").sandbox.value`:                                  "",
		`String(document.querySelectorAll("form, base, svg, main meta, section iframe").length)`: "0",
	} {
		if got := evaluate[string](t, ctx, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	screenshot(t, ctx, "site-evil")
}

// onePixel is a PNG.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
