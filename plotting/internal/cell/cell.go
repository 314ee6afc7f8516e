// Package cell displays results in the output of a notebook's cell. It is the
// only package of the project that talks to the kernel.
package cell

import (
	"bytes"
	"encoding/gob"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // the kernel registers it as well

// Inside reports whether the program runs as a cell of a notebook.
func Inside() bool { return gonbui.IsNotebook }

// Region is a part of the output that can be replaced. What the zero Region
// displays stays.
type Region struct{ id string }

// NewRegion returns a region that appears with the first Update or Picture.
func NewRegion() Region { return Region{gonbui.UniqueId()} }

// Update replaces the region by HTML.
func (r Region) Update(html string) { gonbui.UpdateHTML(r.id, html) }

// Picture replaces the region by a PNG or GIF, at a width in CSS pixels, with a text that
// says what it shows, and waits until the notebook has it.
func (r Region) Picture(data []byte, width int, alternative string) {
	kind := protocol.MIMEImagePNG
	if bytes.HasPrefix(data, []byte("GIF8")) {
		kind = "image/gif"
	}
	gonbui.SendData(&protocol.DisplayData{
		DisplayID: r.id,
		Data: map[protocol.MIMEType]any{
			kind:                   data,
			protocol.MIMETextPlain: alternative,
		},
		// nbconvert takes both as attributes of the image; JupyterLab takes the
		// width, and only if it is a number.
		Metadata: map[string]any{
			string(kind): map[string]any{"width": width, "alt": alternative},
		},
	})
	gonbui.Sync()
}

// Sync waits until the notebook has everything sent so far.
func Sync() { gonbui.Sync() }
