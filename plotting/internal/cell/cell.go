// Package cell displays results in the output of a notebook's cell. It is the
// only package of the project that talks to the kernel.
package cell

import (
	"strconv"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Inside reports whether the program runs as a cell of a notebook.
func Inside() bool { return gonbui.IsNotebook }

// Picture displays a PNG at a width in CSS pixels, with a text that says what it
// shows, and waits until the notebook has it.
func Picture(png []byte, width int, alternative string) {
	gonbui.SendData(&protocol.DisplayData{
		Data: map[protocol.MIMEType]any{
			protocol.MIMEImagePNG:  png,
			protocol.MIMETextPlain: alternative,
		},
		// JupyterLab and nbconvert take these as the attributes of the image.
		Metadata: map[string]any{
			string(protocol.MIMEImagePNG): map[string]string{
				"width": strconv.Itoa(width),
				"alt":   alternative,
			},
		},
	})
	gonbui.Sync()
}

// Region is a part of the output that can be replaced.
type Region struct{ id string }

// NewRegion returns a region that appears with the first Update.
func NewRegion() Region { return Region{gonbui.UniqueId()} }

// Update replaces the region's HTML.
func (r Region) Update(html string) { gonbui.UpdateHTML(r.id, html) }

// Sync waits until the notebook has everything sent so far.
func Sync() { gonbui.Sync() }
