package plotting

import (
	"fmt"
	"os"

	"qhlab/plotting/internal/cell"
	"qhlab/plotting/internal/typeset"
)

// exportVariable names a folder: when it is set, Show also saves every figure
// that has a name there, which exports all figures of a notebook by running it.
const exportVariable = "QHLAB_FIGURES"

// Show displays the figure as the output of a notebook's cell; elsewhere it prints
// the caption. A figure that cannot be drawn ends the cell as failed, with the
// error as its last line.
func Show(f Figure) {
	if err := f.show(); err != nil {
		cell.Sync()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (f Figure) show() error {
	if cell.Inside() {
		data, width, err := f.png(screenDPI, f.screenPalette())
		if err != nil {
			return err
		}
		cell.Picture(data, width/2, f.alternative())
	} else {
		if err := f.Check(); err != nil {
			return err
		}
		fmt.Println(f.alternative())
	}
	if dir := os.Getenv(exportVariable); dir != "" && f.Name != "" {
		return save(f, dir, f.Name)
	}
	return nil
}

// alternative is the text that stands for the picture.
func (f Figure) alternative() string {
	for _, s := range []string{f.Caption, f.Title, f.Name} {
		if s != "" {
			return "Figure: " + s
		}
	}
	return "Figure without a caption"
}

// heading is a short name of the figure.
func (f Figure) heading() string {
	if f.Title != "" {
		return typeset.Parse(f.Title).Plain()
	}
	return f.Name
}
