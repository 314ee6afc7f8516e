package plotting

// Preview draws the figure at a resolution of the test's choice, in ink for the screen
// or for paper.
func Preview(d Drawing, dpi float64, onScreen bool) ([]byte, error) {
	theme := paper
	if onScreen {
		theme = screen
	}
	f, err := figureOf(d)
	if err != nil {
		return nil, err
	}
	return f.encode(PNG, dpi, theme)
}
