package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// notebook is a Jupyter notebook in nbformat 4.
type notebook struct {
	Cells       []*cell        `json:"cells"`
	Metadata    map[string]any `json:"metadata"`
	Format      int            `json:"nbformat"`
	FormatMinor int            `json:"nbformat_minor"`
}

// cell is one cell. ExecutionCount and Outputs belong to code cells only.
type cell struct {
	Attachments    map[string]any `json:"attachments,omitempty"`
	Type           string         `json:"cell_type"`
	ExecutionCount *int           `json:"execution_count"`
	ID             string         `json:"id,omitempty"`
	Metadata       map[string]any `json:"metadata"`
	Outputs        []*output      `json:"outputs"`
	Source         text           `json:"source"`
}

// output is what a cell printed (stream), displayed (display_data, execute_result) or failed with.
type output struct {
	Data           map[string]any `json:"data"`
	ErrorName      string         `json:"ename"`
	ErrorValue     string         `json:"evalue"`
	ExecutionCount *int           `json:"execution_count"`
	Metadata       map[string]any `json:"metadata"`
	Name           string         `json:"name"`
	Type           string         `json:"output_type"`
	Text           text           `json:"text"`
	Traceback      []string       `json:"traceback"`
}

// text is a string that a notebook file holds as a list of lines.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var list []string
	if json.Unmarshal(data, &list) == nil {
		*t = text(strings.Join(list, ""))
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// lines splits a string after each newline; an empty string has no lines.
func lines(s string) []string { return slices.AppendSeq([]string{}, strings.Lines(s)) }

// fields are what nbformat writes of the cell.
func (c *cell) fields() map[string]any {
	fields := map[string]any{"cell_type": c.Type, "metadata": object(c.Metadata), "source": lines(string(c.Source))}
	if c.ID != "" {
		fields["id"] = c.ID
	}
	if len(c.Attachments) > 0 {
		fields["attachments"] = c.Attachments
	}
	if c.Type == "code" {
		outputs := []map[string]any{}
		for _, o := range c.Outputs {
			outputs = append(outputs, o.fields())
		}
		fields["execution_count"], fields["outputs"] = c.ExecutionCount, outputs
	}
	return fields
}

func (o *output) fields() map[string]any {
	fields := map[string]any{"output_type": o.Type}
	switch o.Type {
	case "stream":
		fields["name"], fields["text"] = o.Name, lines(string(o.Text))
	case "error":
		fields["ename"], fields["evalue"], fields["traceback"] = o.ErrorName, o.ErrorValue, append([]string{}, o.Traceback...)
	case "execute_result":
		fields["execution_count"] = o.ExecutionCount
		fallthrough
	default:
		data := map[string]any{}
		for mime, value := range o.Data {
			data[mime] = value
			if s, ok := value.(string); ok && isText(mime) {
				data[mime] = lines(s)
			}
		}
		fields["data"], fields["metadata"] = data, object(o.Metadata)
	}
	return fields
}

// UnmarshalJSON joins the lines of displayed text, as a kernel sends it.
func (o *output) UnmarshalJSON(data []byte) error {
	type plain output
	if err := json.Unmarshal(data, (*plain)(o)); err != nil {
		return err
	}
	for mime, value := range o.Data {
		if list, ok := value.([]any); ok && isText(mime) {
			o.Data[mime] = fmt.Sprint(list...) // which puts nothing between strings
		}
	}
	return nil
}

// isText tells whether nbformat stores values of the media type line by line.
func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}

func readNotebook(path string) (*notebook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	nb, err := parseNotebook(data)
	if err != nil {
		return nil, fmt.Errorf("%s is not a notebook: %w", path, err)
	}
	return nb, nil
}

// parseNotebook reads a notebook, also of a program that leaves out what is empty.
func parseNotebook(data []byte) (*notebook, error) {
	nb := notebook{Cells: []*cell{}, Metadata: map[string]any{}}
	if err := json.Unmarshal(data, &nb); err != nil {
		return nil, err
	}
	if nb.Format != 4 {
		return nil, fmt.Errorf("it has nbformat %d, not 4: open it in JupyterLab and save it", nb.Format)
	}
	nb.Cells, nb.Metadata = append([]*cell{}, nb.Cells...), object(nb.Metadata)
	for i, c := range nb.Cells {
		if c == nil || slices.Contains(c.Outputs, nil) {
			return nil, fmt.Errorf("its cell %d of %d is null, or has an output that is: remove it", i+1, len(nb.Cells))
		}
	}
	return &nb, nil
}

// object is a map that nbformat writes as {}, not as null.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// encode writes the notebook as nbformat does: keys sorted, indented by one space, text as it is.
func (nb *notebook) encode() ([]byte, error) {
	cells := []map[string]any{}
	for _, c := range nb.Cells {
		cells = append(cells, c.fields())
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(map[string]any{"cells": cells, "metadata": nb.Metadata, "nbformat": nb.Format, "nbformat_minor": nb.FormatMinor})
	return b.Bytes(), err
}

func (nb *notebook) write(path string) error {
	data, err := nb.encode()
	if err != nil {
		return err
	}
	return replaceFile(path, data)
}

// languageInfo is what the kernel says of its language, and who saves a notebook writes into it.
var languageInfo = map[string]any{"file_extension": ".go", "mimetype": "text/x-go", "name": "go"}

// normalize removes what differs between machines and clean runs without being
// an output: timing, versions, results of earlier runs.
func (nb *notebook) normalize() {
	nb.Metadata["kernelspec"] = map[string]any{"display_name": "Go (gonb)", "language": "go", "name": "gonb"}
	nb.Metadata["language_info"] = languageInfo
	for _, c := range nb.Cells {
		delete(c.Metadata, "execution")
		if c.Type == "code" {
			c.ExecutionCount, c.Outputs = nil, []*output{}
		}
	}
}

func (c *cell) runnable() bool {
	return c.Type == "code" && strings.TrimSpace(string(c.Source)) != "" && !c.hasTag("skip-execution")
}

func (c *cell) hasTag(tag string) bool {
	tags, _ := c.Metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// collector turns the messages of a running notebook into saved outputs, the
// way JupyterLab does: pieces of one stream are joined, and an update replaces
// the display it names in whichever cell that is.
type collector map[string][]*output // by display identity, which is not saved

func newCollector() collector { return collector{} }

func (c collector) collect(cell *cell, m message) error {
	fresh := &output{Type: m.Header.Type}
	var about struct {
		Transient struct {
			DisplayID string `json:"display_id"`
		} `json:"transient"`
	}
	if err := errors.Join(json.Unmarshal(m.Content, fresh), json.Unmarshal(m.Content, &about)); err != nil {
		return err
	}
	id, last := about.Transient.DisplayID, len(cell.Outputs)-1
	switch {
	case fresh.Type == "clear_output":
		cell.Outputs = []*output{}
	case fresh.Type == "update_display_data":
		for _, shown := range c[id] {
			shown.Data, shown.Metadata = fresh.Data, fresh.Metadata
		}
	case fresh.Type == "stream" && last >= 0 && cell.Outputs[last].Type == "stream" && cell.Outputs[last].Name == fresh.Name:
		cell.Outputs[last].Text += fresh.Text
	case slices.Contains([]string{"stream", "error", "display_data", "execute_result"}, fresh.Type):
		cell.Outputs = append(cell.Outputs, fresh)
		if id != "" {
			c[id] = append(c[id], fresh)
		}
	}
	return nil
}

func (c *cell) failure() *output {
	if i := slices.IndexFunc(c.Outputs, func(o *output) bool { return o.Type == "error" }); i >= 0 {
		return c.Outputs[i]
	}
	return nil
}

func (c *cell) stream(name string) string {
	all := ""
	for _, o := range c.Outputs {
		if o.Type == "stream" && o.Name == name {
			all += string(o.Text)
		}
	}
	return all
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// errorText joins what the failed cell wrote to stderr and the kernel's report, without colours.
func (c *cell) errorText() string {
	text := c.stream("stderr")
	if o := c.failure(); o != nil {
		text += "\n" + strings.Join(o.Traceback, "\n")
	}
	return escapes.ReplaceAllString(text, "")
}
