package main

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"qhlab/plotting"
	"qhlab/qhnet"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

// The README's tables stand between these lines. They and the pictures follow the saved notebooks.
const (
	tableBegins  = "<!-- notebooks: written by go run ./notebooks run -->\n"
	tableEnds    = "<!-- end of notebooks -->\n"
	claimsBegins = "<!-- claims: written by go run ./notebooks run -->\n"
	claimsEnds   = "<!-- end of claims -->\n"
)

func readme(ctx context.Context, p project, _ []string) error {
	moving, err := movingPicture(ctx)
	if err == nil {
		err = replaceFile(p.path(".figures", "moving.gif"), moving)
	}
	return cmp.Or(err, updateReadme(p))
}

func updateReadme(p project) error {
	rows, claims, pictures, err := readmeTables(p)
	if err != nil {
		return err
	}
	if err := replaceFiles(p.path(".figures"), pictures); err != nil {
		return err
	}
	path := p.path("README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	whole := string(text)
	for _, part := range [][3]string{{tableBegins, rows, tableEnds}, {claimsBegins, claims, claimsEnds}} {
		before, rest, found := strings.Cut(whole, part[0])
		_, after, complete := strings.Cut(rest, part[2])
		if !found || !complete {
			return fmt.Errorf("README.md has lost the lines around a table, %q and %q: restore them with git", part[0], part[2])
		}
		whole = before + part[0] + part[1] + part[2] + after
	}
	return replaceFile(path, []byte(whole))
}

// readmeTables returns the tables of notebooks and of what they check and, by their names, the
// pictures: for each notebook the figure of the cell tagged "cover", or its first.
func readmeTables(p project) (rows, claims string, pictures map[string][]byte, err error) {
	paths, err := p.notebooks(nil)
	if err != nil {
		return "", "", nil, err
	}
	pictures = map[string][]byte{}
	rows = "| Notebook | | What it says first |\n| --- | --- | --- |\n"
	claims = "| Status | Claim | Found | Must be | Where |\n| --- | --- | --- | --- | --- |\n"
	for _, path := range paths {
		nb, err := readNotebook(path)
		if err != nil {
			return "", "", nil, err
		}
		heading, sentence := nb.introduction()
		image, number, file := "", chapter(path), filepath.Base(path)
		if cover := nb.cover(); cover != nil {
			picture, err := cover.picture()
			if err != nil {
				return "", "", nil, fmt.Errorf("%s: %w", title(path), err)
			}
			pictures[title(path)+".png"] = picture
			image = fmt.Sprintf(`<img src=".figures/%s.png" width="280" alt="%s">`, title(path), html.EscapeString(cover.caption()))
		}
		rows += fmt.Sprintf("| [%s %s](notebooks/%s), %d minutes | %s | %s |\n", number, cmp.Or(heading, title(path)), file, nb.minutes(), image, inTable(sentence))
		for _, c := range nb.claims() {
			where := fmt.Sprintf("[%s](notebooks/%s)%s", number, file, c.prompt)
			claims += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", c.status, inTable(c.text), cmp.Or(c.number, "holds"), c.bound, where)
		}
	}
	return rows, claims, pictures, nil
}

func inTable(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func (nb *notebook) cover() (first *output) {
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Data["image/png"] == nil {
				continue
			}
			if c.hasTag("cover") {
				return o
			}
			if first == nil {
				first = o
			}
		}
	}
	return first
}

func chapter(path string) string {
	number, _, _ := strings.Cut(title(path), "-")
	return number
}

// A claim is a line that a cell tagged "check" prints, such as
//
//	measured · blocks grow with their rates, largest error of an exponent: 5.8e-06 ≤ 1e-04
//
// its status, what is claimed, the number that was found, and the bound it had to
// keep; number and bound may be absent. The cell fails if the claim does not hold.
type claim struct {
	status string // theorem (after the paper), conjecture (the paper's), derived (here, with its proof) or measured
	text   string
	number string
	bound  string
	prompt string // of its cell: " In [7]"
}

var claimLine = regexp.MustCompile(`^(?:(theorem|conjecture|derived|measured) · )?(.+?)(?:: (\S+)(?: ([≤≥] \S+))?)?$`)

// claims lists what the notebook's check cells printed when they last ran.
func (nb *notebook) claims() (all []claim) {
	for _, c := range nb.Cells {
		if !c.hasTag("check") {
			continue
		}
		prompt := ""
		if c.ExecutionCount != nil {
			prompt = fmt.Sprintf(" In [%d]", *c.ExecutionCount)
		}
		for _, o := range c.Outputs {
			for line := range strings.Lines(string(o.Text)) {
				if m := claimLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
					all = append(all, claim{m[1], m[2], m[3], m[4], prompt})
				}
			}
		}
	}
	return all
}

// movingPicture is the README's: how the boundary of notebook 00 turns while the flow
// goes on, one frame for each sixth of a decade of log(1/L).
func movingPicture(ctx context.Context) ([]byte, error) {
	balls := oracle.TwoBalls{Center: []float64{1, 0.6}, High: []int{0}, Radius: 0.6}
	model := nn.Diagonal(1, 2)
	margins, err := qhnet.NewBallMargins(model, balls.Centers(), balls.Radius)
	if err != nil {
		return nil, err
	}
	path, err := qhnet.Flow{Margins: margins, Start: balls.Start(model, 0.7), Until: 1e4, PerDecade: 6}.Run(ctx)
	if err != nil {
		return nil, err
	}
	path = path.Since(1)
	room := path.Series(func(p qhnet.Point) float64 { return balls.RobustnessOf(model.Coefficients(nil, p.Theta)) })
	var frames []plotting.Figure
	for i, p := range path.Points {
		frames = append(frames, movingFrame(balls, model.Coefficients(nil, p.Theta), path.LogInverses(), room, i))
	}
	last := frames[len(frames)-1]
	for range 8 { // to look at the end
		frames = append(frames, last)
	}
	return plotting.EncodeAnimation(frames, 16)
}

func movingFrame(balls oracle.TwoBalls, beta, u, room []float64, now int) plotting.Figure {
	line := func(b []float64, role plotting.Role) plotting.Line {
		scale := 1.9 / math.Hypot(b[0], b[1])
		return plotting.Line{X: []float64{-b[1] * scale, b[1] * scale}, Y: []float64{b[0] * scale, -b[0] * scale}, Role: role}
	}
	disc := func(sign float64, class int) plotting.Circle {
		return plotting.Circle{X: sign * balls.Center[0], Y: sign * balls.Center[1], R: balls.Radius, Role: plotting.Class(class), Filled: true}
	}
	return plotting.Figure{
		Width:   plotting.Width{Length: 280},
		Caption: "The boundary turns until it touches the balls, and the room between them goes to zero.",
		Panels: []plotting.Panel{
			{Equal: true, X: plotting.Axis{Label: "x_1", Min: -2, Max: 2}, Y: plotting.Axis{Label: "x_2", Min: -1.5, Max: 1.5},
				Layers: []plotting.Layer{disc(1, 1), disc(-1, 0), line(balls.Center, plotting.Second), line(beta, plotting.Highest)}},
			{X: plotting.Axis{Label: "log(1/L)", Scale: plotting.Log, Min: 1, Max: u[len(u)-1]},
				Y: plotting.Axis{Label: "distance from the balls", Min: 0, Max: 0.6},
				Layers: []plotting.Layer{plotting.Line{X: u[:now+1], Y: room[:now+1], Role: plotting.Highest},
					plotting.Scatter{X: u[now : now+1], Y: room[now : now+1], Role: plotting.Highest}}}},
	}
}
