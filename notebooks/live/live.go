// Package live answers the live figures of the site, which run these Go packages in the
// reader's browser, compiled to WebAssembly. It knows no browser: serve_js.go does.
//
// The command generates the program. Cells of the project's notebooks that consist of a
// call of [plotting.Interact] become figures as they stand; [Audit] and [Drag] are here,
// because JupyterLab's kernel has neither text fields nor points to drag.
package live

import (
	"encoding/json"
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"qhlab/plotting"
)

// Control is what a reader changes: one of a slider, a text, or a set of points.
type Control struct {
	Label    string
	Slider   *plotting.Slider `json:",omitempty"`
	Text     string           `json:",omitempty"`
	Points   []Point          `json:",omitempty"`
	Reach    float64          // of the points: coordinates are between -Reach and Reach
	Deferred bool             // answered when a hand lets go, not while it moves
}

// Point is a point of class 0 or 1 that can be dragged. In an answer it is a place on the
// picture, whose lower left corner is (0, 0) and upper right (1, 1).
type Point struct {
	X, Y  float64
	Class int
}

// Input is where the controls stand.
type Input struct {
	Values []float64 // of the sliders
	Text   string
	Points []Point
}

// Answer is what a figure shows for an input.
type Answer struct {
	SVG     string  `json:",omitempty"`
	Alt     string  `json:",omitempty"`
	Text    string  `json:",omitempty"`
	Handles []Point `json:",omitempty"` // the corners of the square in which points may be
	Error   string  `json:",omitempty"`
}

// Figure has controls, and shows an answer. Draw reports how far it is, from 0 to 1, if it takes long.
type Figure struct {
	Caption  string // of a figure without a picture
	Controls []Control
	Draw     func(in Input, progress func(share float64)) (Answer, error)
}

// Figures are all figures by name.
var Figures = map[string]Figure{"audit": Audit, "drag": Drag}

// Interact makes a figure of the arguments of [plotting.Interact].
func Interact(sliders []plotting.Slider, draw func(values []float64) plotting.Figure) Figure {
	var f Figure
	for _, s := range sliders {
		if s.Step == 0 {
			s.Step = (s.Max - s.Min) / 100
		}
		f.Controls = append(f.Controls, Control{Label: s.Label, Slider: &s})
	}
	f.Draw = func(in Input, _ func(float64)) (Answer, error) {
		if len(in.Values) != len(sliders) {
			return Answer{}, fmt.Errorf("%d values for %d sliders", len(in.Values), len(sliders))
		}
		return picture(draw(in.Values), 0)
	}
	return f
}

// Ask answers a question in JSON: the controls of a figure if there is no input, or
// what it shows. A figure that panics, as cells do where something is wrong, says why.
func Ask(name string, input []byte, progress func(share float64)) (reply []byte) {
	defer func() {
		if r := recover(); r != nil {
			reply, _ = json.Marshal(Answer{Error: fmt.Sprint(r)})
		}
	}()
	f, ok := Figures[name]
	if !ok {
		panic(fmt.Sprintf("there is no live figure %q", name))
	}
	if len(input) == 0 {
		reply, _ = json.Marshal(f.Controls)
		return reply
	}
	var in Input
	var a Answer
	err := json.Unmarshal(input, &in)
	if err == nil {
		a, err = f.Draw(in, progress)
	}
	if err != nil {
		a.Error = err.Error() // with what was computed before it
	}
	reply, _ = json.Marshal(a) // which holds strings and numbers that are finite
	return reply
}

// picture draws a figure, and finds where a square around the origin is in its first panel, if any.
func picture(f plotting.Figure, reach float64) (Answer, error) {
	p := &probe{reach: reach}
	if reach > 0 {
		f.Panels[0].Layers = append(f.Panels[0].Layers, p)
	}
	svg, err := plotting.Encode(f, plotting.SVG)
	a := Answer{SVG: string(svg), Alt: f.Caption}
	if _, box, found := strings.Cut(a.SVG, `viewBox="0 0 `); err == nil && reach > 0 && found {
		var width, height float64
		_, err = fmt.Sscanf(box, "%g %g", &width, &height)
		for _, q := range p.corners {
			a.Handles = append(a.Handles, Point{X: q.X / width, Y: q.Y / height})
		}
	}
	return a, err
}

// probe is a layer that draws nothing and notes where the lower left and the upper right
// corner of a square are on the page, in points of print.
type probe struct {
	reach   float64
	corners []Point
}

func (p *probe) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	p.corners = nil
	for _, v := range []float64{-p.reach, p.reach} {
		p.corners = append(p.corners, Point{X: float64(x(v)), Y: float64(y(v))})
	}
}
