// Package plotting is gonum/plot with the looks of this book, for notebooks and for
// print. It knows neither networks nor solvers.
//
// Every layer is a [plot.Plotter]: it draws in a plot of gonum's, and any plotter of
// gonum's, or yours, draws in a [Panel]. A [Figure] is a value: panels, each with two
// axes and layers. [Show] displays it in a notebook's cell, [Save] writes files for a
// paper, [Encode] returns bytes; all three take a *plot.Plot too.
//
//	plotting.Show(plotting.Figure{Name: "margin", Panels: []plotting.Panel{{
//		X:      plotting.Axis{Label: "log(1/L)", Scale: plotting.Log},
//		Layers: []plotting.Layer{plotting.Line{X: u, Y: margins, Label: "flow", Role: plotting.Highest}},
//	}}})
//
// # Layers
//
//	curves      Line, Curve, Band, Median; ReferenceX, ReferenceY, ReferenceCurve
//	points      Scatter, Simplex with SimplexPoint
//	the plane   Regions, Contours, Circle, Note; gonum's plotter.Field
//	matrices    HeatMap
//	space       Scene of Ball, Plane, Points, Path, Vector
//	others      any plot.Plotter; Labelled gives it a key, and some of gonum's a role
//	tables      Table, printed
//
// The examples below are drawn in testdata; they are the tests as well.
//
// # Style
//
// The [Role] of a layer, such as Highest for the highest rate, chooses colour, line style
// and marker, so that a rate looks the same in every figure. Labels stand on the data. The
// theory's value is dotted, or wide and pale below data that lie on it. The zero value of
// every field is a good default.
//
// # Screen and print
//
// Show draws without a ground, in colours between black and white that have a contrast of
// 3 to 1 on a white page and on a dark one. Save writes dark ink on white: PNG at 300
// pixels per inch, SVG with text as text, PDF with the used part of the font, PGF for
// LaTeX, at the widths of journals (see [Width]) and with type of 7.5 to 9 points. If the
// environment variable QHLAB_FIGURES names a folder, every named figure that is shown is
// saved there too. The same figure is the same bytes on every run.
//
// # Text
//
// Labels are Unicode with sub- and superscripts, "‖θ̂‖_Λ", "10^{-3}", and formulas of TeX,
// "$\hat\theta \le 1$". A command or a character that cannot be set is an error.
//
// # Mistakes
//
// A NaN, an empty layer, a number an axis cannot show, a label that runs off the page, is
// an error that names figure, panel, layer and index. Save and Encode return it; Show
// prints it and ends the cell as failed.
//
// # What gonum lacks
//
// Layout, labels at the ends of lines, and labels in level lines have no counterpart in
// gonum/plot. Its ticks end at numbers that float64 holds, and its axes put the name of y
// on its side. Contours, HeatMap and markers are drawn here for the reasons given there.
package plotting
