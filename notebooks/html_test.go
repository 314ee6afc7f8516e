package main

import (
	"context"
	_ "embed"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

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

func TestFormulasBecomeMathML(t *testing.T) {
	p := withLab(t)
	for source, want := range map[string]string{
		`$\mathcal L$ and $5`:                  `<mi>ℒ</mi></mrow></math> and $5`,
		"`$x$`":                                "<code>$x$</code>",
		`$\hat\beta$`:                          `<mover accent="true"><mi>β</mi><mo stretchy="false">ˆ</mo></mover>`,
		`$$\min_\theta x$$`:                    `<munder><mo>min</mo><mi>θ</mi></munder>`,
		`$$\begin{aligned}a&=b\end{aligned}$$`: `<mtd class="right"><mi>a</mi></mtd>`,
		`$a_1$ *b* $c_2$`:                      `<em>b</em>`,
		`$\operatorname{diag}(x)$`:             `<mtext>diag</mtext>`,
	} {
		rendered, err := p.renderProse(&notebook{Cells: []*cell{{Type: "markdown", Source: text(source)}}})
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if got := string(rendered[0]); !strings.Contains(got, want) {
			t.Errorf("%s becomes %s, want %s in it", source, got, want)
		}
	}
	_, err := p.renderProse(&notebook{Cells: []*cell{{Type: "markdown", Source: `$\nonsense x$`}}})
	wantError(t, err, `\nonsense`)
	_, err = p.renderProse(&notebook{Cells: []*cell{{Type: "markdown", Source: `$\text{a{<meta>x</meta>}}$`}}})
	wantError(t, err, "element meta")
}

func TestPictureWithoutCaptionIsRefused(t *testing.T) {
	p := withLab(t)
	_, _, err := p.makePages([]string{"testdata/square.ipynb"})
	wantError(t, err, "square: cell [4]", "no caption")
}

// TestSiteIsLegible looks at every page in a real browser, on a telephone and on
// a desk, in light and in dark.
func TestSiteIsLegible(t *testing.T) {
	p := withLab(t)
	folder := t.TempDir()
	if err := writeSite(t.Context(), p, []string{"-o", folder}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal("no pages", err)
	}
	for _, width := range []int{375, 1280} {
		ctx := browser(t, width, 900)
		complaints := listen(t, ctx)
		for _, scheme := range []string{"light", "dark"} {
			preferScheme(t, ctx, scheme)
			for _, file := range files {
				do(t, ctx, chromedp.Navigate("file://"+file))
				for _, wrong := range evaluate[[]string](t, ctx, legible) {
					t.Errorf("%s at %d px, %s: %s", filepath.Base(file), width, scheme, wrong)
				}
				if scheme == "light" || filepath.Base(file) == "index.html" { // a picture of a long page takes seconds
					screenshot(t, ctx, fmt.Sprintf("site-%s-%d-%s", strings.TrimSuffix(filepath.Base(file), ".html"), width, scheme))
				}
			}
		}
		for _, complaint := range complaints() {
			t.Errorf("the console at %d px says: %s", width, complaint)
		}
	}
}

func TestCopyButtonCopiesTheSource(t *testing.T) {
	const source = "%%\nx := 1 < 2"
	folder := t.TempDir()
	files := map[string][]byte{}
	if err := fillTemplates([]*page{{Title: "T", File: "t.html", Blocks: []block{{Code: highlight(source)}}}}, files); err != nil {
		t.Fatal(err)
	}
	if err := replaceFiles(folder, files); err != nil {
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
