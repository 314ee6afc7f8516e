package plotting

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folder is where Save writes, beside the notebook.
const folder = "figures"

// Save writes the figure as name.png, name.svg, name.pdf and name.pgf into the
// folder figures, or into the folder that the environment variable QHLAB_FIGURES
// names. An empty name means the figure's own. Files appear whole or not at all.
func Save(f Figure, name string) error {
	dir := os.Getenv(exportVariable)
	if dir == "" {
		dir = folder
	}
	if name == "" {
		name = f.Name
	}
	return save(f, dir, name)
}

// formats are all formats, in the order they are written.
var formats = []Format{PNG, SVG, PDF, PGF}

func save(f Figure, dir, name string) error {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return f.errorf("cannot be saved under the name %q; give it one without slashes", name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return f.errorf("%w", err)
	}
	for _, format := range formats {
		data, err := Encode(f, format)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, name+"."+string(format)), data); err != nil {
			return f.errorf("%w", err)
		}
	}
	return nil
}

// write replaces a file in one step.
func write(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".figure-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	return nil
}
