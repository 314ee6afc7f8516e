package main

import (
	"context"
	"math"

	"qhlab/plotting"
	"qhlab/qhnet"
	"qhlab/qhnet/nn"
	"qhlab/qhnet/oracle"
)

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
