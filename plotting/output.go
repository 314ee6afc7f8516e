package plotting

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"qhlab/plotting/internal/canvas"
	"qhlab/plotting/internal/notebook"
)

// A Drawing is what Show, Save and Encode take: a Figure, a *plot.Plot, anything that draws. A
// *plot.Plot is styled before (see Style); what does not know its size is as wide as two columns.
type Drawing interface {
	Draw(draw.Canvas)
}

// Format is a file format of a figure.
type Format string

const (
	PNG Format = "png" // 300 pixels per inch
	SVG Format = "svg" // text as text, with fallback fonts
	PDF Format = "pdf" // fonts embedded, as far as used
	PGF Format = "pgf" // for \input in LaTeX, set in the document's font
)

// Resolutions in pixels per inch: of a PNG file for print, and of a picture in a notebook, which is
// shown at half its size; type of 8 points is then as large as the notebook's own small print.
const (
	printDPI  = 300
	screenDPI = 2 * 108
)

// Encode draws a figure. The same figure gives the same bytes.
func Encode(d Drawing, format Format) ([]byte, error) {
	f, err := figureOf(d)
	if err != nil {
		return nil, err
	}
	return f.encode(format, printDPI, paper)
}

// figureOf returns a drawing as a figure with a name, unless it has no title either.
func figureOf(d Drawing) (Figure, error) {
	if isNil(d) {
		return Figure{}, errors.New("plotting: nothing to draw; give a Figure or a plot")
	}
	f := Figure{other: d}
	switch d := d.(type) {
	case Figure:
		f = d
	case *Figure:
		f = *d
	case *plot.Plot:
		f.Title, f.Panels = d.Title.Text, []Panel{{X: Axis{Label: d.X.Label.Text}, Y: Axis{Label: d.Y.Label.Text}}}
	}
	f.Name = cmp.Or(f.Name, strings.ReplaceAll(strings.ToLower(plain(f.Title)), " ", "-"))
	return f, nil
}

// title is that of the document.
func (f Figure) title() string { return cmp.Or(plain(f.Title), f.Name) }

// alt is the text that stands for the picture: the caption, or what the titles and labels say.
func (f Figure) alt() string {
	text := f.Caption
	for _, p := range f.Panels {
		if x, y := plain(p.X.Label), plain(p.Y.Label); text == "" && x != "" && y != "" {
			text = strings.TrimPrefix(f.title()+": "+y+" against "+x, ": ")
		}
	}
	if text = cmp.Or(text, f.title()); text == "" {
		return "Figure without a caption"
	}
	return "Figure: " + text
}

// encode draws at a resolution, for PNG, in a theme.
func (f Figure) encode(format Format, dpi float64, theme ink) ([]byte, error) {
	pl, err := f.plan(theme)
	if err != nil {
		return nil, err
	}
	c, err := canvas.New(string(format), pl.width, pl.height, canvas.Options{DPI: dpi, Alt: f.alt(), Title: f.title(), Background: theme.ground, Colors: theme.colors})
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	if err := pl.draw(draw.NewCanvas(c, pl.width, pl.height), f); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, f.errorf("%w", err)
	}
	return b.Bytes(), nil
}

// drawOther draws what is no figure, a plot of gonum's in this package's style.
func (f Figure) drawOther(c draw.Canvas, theme ink) (err error) {
	defer recovered(&err)
	if p, ok := f.other.(*plot.Plot); ok {
		q := *p
		theme.stylePlot(&q)
		f.other = &q
	}
	const margin = 4
	f.other.Draw(draw.Crop(c, margin, -margin, margin, -margin))
	return nil
}

// exportVariable names a folder in which Show also saves every figure that has a name.
const exportVariable = "QHLAB_FIGURES"

// Show displays a figure as the output of a notebook's cell; elsewhere it prints the caption. A
// figure that cannot be drawn ends the cell as failed, with the error as its last line.
func Show(d Drawing) {
	f, err := figureOf(d)
	if err == nil {
		err = f.show("")
	}
	if dir := os.Getenv(exportVariable); err == nil && dir != "" && f.Name != "" {
		err = f.save(dir, f.Name)
	}
	endCell(err)
}

// endCell ends the cell as failed if there is an error.
func endCell(err error) {
	if err != nil {
		notebook.Flush()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// show displays a figure in a region of the output.
func (f Figure) show(region string) error {
	data, err := f.encode(PNG, screenDPI, f.onScreen())
	if err == nil {
		err = display(region, data, f.alt())
	}
	return err
}

// onScreen returns the theme of a picture in a notebook: that of paper for plotters of others, whose
// colours are for white pages; few colours, to keep notebooks small, unless a layer has shades.
func (f Figure) onScreen() ink {
	theme, own := screen, f.other == nil
	for _, p := range f.prepared().Panels {
		for _, l := range p.Layers {
			if _, shaded := l.(square); shaded {
				theme.colors = 0
			}
			_, ours := l.(layer)
			if q, ok := l.(Labelled); ok {
				_, ours = q.styled(lonely(paper))
			}
			own = own && ours
		}
	}
	if !own {
		return paper
	}
	return theme
}

// display shows a picture at half its pixels, in a region of the output that the next
// picture of the same name replaces, or prints the text that stands for it.
func display(region string, data []byte, alternative string) error {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || !notebook.Connected {
		fmt.Println(alternative)
		return nil
	}
	kind := "image/" + format
	notebook.Show(region,
		notebook.Content{protocol.MIMEType(kind): data, protocol.MIMETextPlain: alternative},
		// nbconvert takes both as attributes of the image; JupyterLab takes the
		// width, and only if it is a number.
		map[string]any{kind: map[string]any{"width": config.Width / 2, "alt": alternative}})
	if err := notebook.Flush(); err != nil {
		return fmt.Errorf("plotting: the figure cannot be shown: %w", err)
	}
	return nil
}

// Save writes a figure as name.png, name.svg, name.pdf and name.pgf into the folder figures, or
// into the folder that the environment variable QHLAB_FIGURES names. An empty name means the
// figure's own. Files appear whole or not at all. A format that fails does not stop the others.
func Save(d Drawing, name string) error {
	f, err := figureOf(d)
	if err != nil {
		return err
	}
	return f.save(cmp.Or(os.Getenv(exportVariable), "figures"), cmp.Or(name, f.Name)) // beside the notebook
}

// ofThisRun reports whether a file was written since a notebook, whose cells are programs of
// their own, began to be executed as a whole.
func ofThisRun(file string) bool {
	begun, err := time.Parse(time.RFC3339Nano, os.Getenv(headlessVariable))
	info, missing := os.Stat(file)
	return err == nil && missing == nil && info.ModTime().After(begun)
}

// saved are the alternative texts of the figures that this program saved, by file.
var saved = struct {
	sync.Mutex
	texts map[string]string
}{texts: map[string]string{}}

func (f Figure) save(dir, name string) error {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("plotting: a figure cannot be saved under the name %q; give it one without slashes", name)
	}
	stem := filepath.Join(dir, name)
	saved.Lock()
	other, ok := saved.texts[stem]
	if !ok {
		saved.texts[stem] = f.alt()
	}
	saved.Unlock()
	if ok && other != f.alt() || !ok && ofThisRun(stem+"."+string(PNG)) {
		return fmt.Errorf("plotting: two figures have the name %q, and this is %q; rename one", name, f.alt())
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("plotting: %w", err)
	}
	var failed error
	for _, format := range []Format{PNG, SVG, PDF, PGF} {
		data, err := f.encode(format, printDPI, paper)
		if err == nil {
			err = maybe.WriteFile(stem+"."+string(format), data, 0o644)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// Animate displays figures as the frames of a GIF that repeats for ever, each shown for so many
// hundredths of a second. Give all the same limits, so that only the data move.
func Animate(frames []Figure, delay int) {
	data, err := EncodeAnimation(frames, delay)
	if err == nil {
		err = display("", data, fmt.Sprintf("%s (%d frames)", frames[0].alt(), len(frames)))
	}
	endCell(err)
}

// EncodeAnimation returns the bytes of what Animate displays.
func EncodeAnimation(frames []Figure, delay int) ([]byte, error) {
	if len(frames) == 0 || delay <= 0 || delay > math.MaxUint16 {
		return nil, fmt.Errorf("plotting: an animation needs frames and a delay up to %d, this has %d and %d", math.MaxUint16, len(frames), delay)
	}
	var g gif.GIF
	var before *image.Paletted
	for k, f := range frames {
		theme := paper
		theme.colors = cmp.Or(f.onScreen().colors, 256) // as a GIF has
		data, err := f.encode(PNG, screenDPI, theme)
		if err != nil {
			return nil, err
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		frame, ok := img.(*image.Paletted)
		if !ok || k > 0 && frame.Rect != before.Rect {
			return nil, f.errorf("frame %d is of another size than frame 1; give all the same limits and labels", k+1)
		}
		g.Image, g.Delay = append(g.Image, changes(frame, before)), append(g.Delay, delay)
		before = frame
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &g)
	return b.Bytes(), err
}

// changes leaves those pixels of a frame transparent that are as before, which takes less space.
func changes(frame, before *image.Paletted) *image.Paletted {
	if before == nil || len(frame.Palette) == 256 {
		return frame
	}
	changed := image.NewPaletted(frame.Rect, append(slices.Clip(frame.Palette), color.Transparent))
	for i, p := range frame.Pix {
		if changed.Pix[i] = p; frame.Palette[p] == before.Palette[before.Pix[i]] {
			changed.Pix[i] = uint8(len(frame.Palette))
		}
	}
	return changed
}

// Style gives a plot of gonum's the looks of this package, and its ticks where they are gonum's
// own. Show, Save and Encode do so themselves.
func Style(p *plot.Plot) {
	if p == nil {
		panic("plotting: Style of a nil plot; make plots by plot.New")
	}
	paper.stylePlot(p)
}

func (t ink) stylePlot(p *plot.Plot) {
	l := lonely(t)
	p.BackgroundColor = t.ground
	p.Title.TextStyle = l.textStyle(l.title, t.text)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = l.padding
	p.TextHandler = l.handler
	p.Legend.TextStyle = l.textStyle(l.label, t.text)
	p.Legend.Padding = l.padding / 2
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		align := a.Tick.Label
		a.Label.TextStyle = l.textStyle(l.label, t.quiet)
		a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
		a.Tick.Label = l.textStyle(l.tick, t.quiet)
		a.Tick.Label.XAlign, a.Tick.Label.YAlign = align.XAlign, align.YAlign
		a.LineStyle = draw.LineStyle{Color: t.faint, Width: l.axis}
		a.Tick.LineStyle, a.Tick.Length = a.LineStyle, l.tickLength
		if _, ok := a.Tick.Marker.(plot.DefaultTicks); ok {
			a.Tick.Marker = mappingOf(a.Scale).scale
		}
	}
}

// lonely is the look of what is drawn outside of a figure.
func lonely(t ink) *look {
	l, _ := Double.look(t) // whose width and font there are
	return &l
}
