package main

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// collector turns the messages of a running notebook into saved outputs, the
// way JupyterLab does: pieces of one stream are joined, and an update replaces
// the display it names in whichever cell that is.
type collector struct {
	displays map[string][]*output // by display identity, which is not saved
}

func newCollector() *collector { return &collector{map[string][]*output{}} }

// collect adds a message to the cell's outputs.
func (c *collector) collect(cell *cell, m message) error {
	switch m.Header.Type {
	case "stream", "display_data", "execute_result", "error", "update_display_data", "clear_output":
	default:
		return nil
	}
	fresh := &output{Type: m.Header.Type}
	var identity struct {
		Transient struct {
			DisplayID string `json:"display_id"`
		} `json:"transient"`
	}
	if err := errors.Join(json.Unmarshal(m.Content, fresh), json.Unmarshal(m.Content, &identity)); err != nil {
		return err
	}
	switch fresh.Type {
	case "clear_output":
		cell.Outputs = []*output{}
	case "stream":
		cell.appendStream(fresh)
	case "error":
		cell.Outputs = append(cell.Outputs, fresh)
	default:
		c.display(cell, fresh, identity.Transient.DisplayID)
	}
	return nil
}

// display shows a new output or replaces all that carry the same identity.
func (c *collector) display(cell *cell, fresh *output, id string) {
	if fresh.Metadata == nil {
		fresh.Metadata = map[string]any{}
	}
	if fresh.Type == "update_display_data" {
		for _, shown := range c.displays[id] {
			shown.Data, shown.Metadata = fresh.Data, fresh.Metadata
		}
		return
	}
	if id != "" {
		c.displays[id] = append(c.displays[id], fresh)
	}
	cell.Outputs = append(cell.Outputs, fresh)
}

func (c *cell) appendStream(fresh *output) {
	if n := len(c.Outputs); n > 0 && c.Outputs[n-1].Type == "stream" && c.Outputs[n-1].Name == fresh.Name {
		c.Outputs[n-1].Text += fresh.Text
		return
	}
	c.Outputs = append(c.Outputs, fresh)
}

// failure returns the cell's error output, or nil.
func (c *cell) failure() *output {
	for _, o := range c.Outputs {
		if o.Type == "error" {
			return o
		}
	}
	return nil
}

// stream returns what the cell wrote to "stdout" or "stderr".
func (c *cell) stream(name string) string {
	var s strings.Builder
	for _, o := range c.Outputs {
		if o.Type == "stream" && o.Name == name {
			s.WriteString(string(o.Text))
		}
	}
	return s.String()
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// errorText joins what the failed cell wrote to stderr and the kernel's report,
// without colours.
func (c *cell) errorText() string {
	text := c.stream("stderr")
	if o := c.failure(); o != nil {
		text += "\n" + strings.Join(o.Traceback, "\n")
	}
	return escapes.ReplaceAllString(text, "")
}
