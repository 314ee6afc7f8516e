// Package plotting draws figures from numbers and functions, for notebooks and
// for print. It knows neither networks nor solvers.
//
// A [Figure] is a value: panels, each with two axes and layers. [Show] displays it
// in a notebook's cell, [Save] writes files for a paper, [Encode] returns bytes.
//
//	plotting.Show(plotting.Figure{
//		Name:    "robustness",
//		Caption: "Robustness touches zero where the radius reaches m2.",
//		Panels: []plotting.Panel{{
//			X: plotting.Axis{Label: "radius r"},
//			Y: plotting.Axis{Label: "robustness"},
//			Layers: []plotting.Layer{
//				plotting.ReferenceCurve{F: closedForm, Label: "closed form"},
//				plotting.Line{X: radii, Y: measured, Label: "flow", Role: plotting.Highest},
//				plotting.ReferenceX{At: 0.6, Label: "r = m_2"},
//			},
//		}},
//	})
//
// # Style
//
// A layer has a [Role], such as Highest for the highest rate, and the role chooses
// colour, line style and marker, so that a rate looks the same in every figure.
// [Class] is for classes and [Series] for whatever else there are several of.
// Labels stand on the data. The theory's value is dotted: [ReferenceY],
// [ReferenceX], [ReferenceCurve]. The zero value of every field is a good default.
//
// # Layouts
//
// Panels stand in rows of Figure.Columns. Curves stacked on one x axis are
// Columns: 1, ShareX: true; small multiples set ShareX and ShareY. A panel with
// Equal draws both axes to one scale.
//
// # Layers
//
//	curves      Line, Curve, Band; ReferenceX, ReferenceY, ReferenceCurve
//	points      Scatter, Simplex with SimplexPoint
//	the plane   Regions, Contours, VectorField, Circle, Arrow, Text
//	matrices    HeatMap
//	space       Scene of Ball, Plane, Points, Vector
//	tables      Table, printed
//
// The examples below are drawn in testdata; they are the tests as well.
//
// # Sliders
//
// [Interact] shows sliders above a figure and draws it anew when one is moved. Where
// nobody is there to move them it draws the figure once.
//
// # Files
//
// Save writes PNG at 300 pixels per inch, SVG with text as text, PDF with the used
// part of the font, and PGF for LaTeX, at the widths of a paper's columns with
// type of 7.5 to 9 points, scripts of 5 at least: see [Width]. If the environment
// variable QHLAB_FIGURES names a folder, every named figure that is shown is saved
// there too. The same figure is the same bytes on every run.
//
// # Text
//
// Labels are Unicode with sub- and superscripts: "‖θ̂‖_Λ", "10^{-3}",
// "e^{-2λ_i τ}". A backslash before _ or ^ takes it as it is. A character that
// the font does not have is an error, not a box; so is one that LaTeX cannot set,
// when the figure is written as PGF.
//
// # Mistakes in data
//
// A NaN, an infinity, an empty layer, or a number an axis cannot show is an error
// that names figure, panel, layer and index. Save and Encode return it; Show prints
// it and ends the cell as failed.
package plotting
