package plotting

// Preview draws the figure at a resolution of the test's choice.
func Preview(f Figure, dpi float64) ([]byte, error) {
	data, _, err := f.png(dpi, f.screenPalette())
	return data, err
}
