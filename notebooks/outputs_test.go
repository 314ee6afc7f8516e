package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// collectAll returns a cell that received the messages, each a type and content.
func collectAll(t *testing.T, messages ...string) *cell {
	t.Helper()
	c, collector := &cell{Type: "code"}, newCollector()
	for _, m := range messages {
		kind, body, _ := strings.Cut(m, " ")
		if err := collector.collect(c, message{Header: header{Type: kind}, Content: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func display(kind, id, value string) string {
	return fmt.Sprintf(`%s {"data":{"text/html":%q},"metadata":{},"transient":{"display_id":%q}}`, kind, value, id)
}

func TestPiecesOfAStreamAreJoined(t *testing.T) {
	c := collectAll(t,
		`stream {"name":"stdout","text":"a"}`, `stream {"name":"stdout","text":"b\n"}`,
		`stream {"name":"stderr","text":"c"}`, `stream {"name":"stdout","text":"d"}`, `status {"execution_state":"idle"}`)
	if len(c.Outputs) != 3 || c.stream("stdout") != "ab\nd" || c.stream("stderr") != "c" {
		t.Errorf("%d outputs, stdout %q, stderr %q", len(c.Outputs), c.stream("stdout"), c.stream("stderr"))
	}
}

func TestUpdatesReplaceTheDisplayTheyName(t *testing.T) {
	c := collectAll(t,
		display("display_data", "bar", "0%"), display("display_data", "other", "kept"),
		display("update_display_data", "bar", "50%"), display("update_display_data", "bar", "100%"))
	if len(c.Outputs) != 2 || c.Outputs[0].Data["text/html"] != "100%" || c.Outputs[1].Data["text/html"] != "kept" {
		t.Errorf("outputs %v", c.Outputs)
	}
	data, err := json.Marshal(c)
	if err != nil || strings.Contains(string(data), "display_id") || strings.Contains(string(data), "transient") {
		t.Errorf("saved as %s, %v", data, err)
	}
}

func TestClearedOutputsAreGone(t *testing.T) {
	c := collectAll(t, `stream {"name":"stdout","text":"a"}`, `clear_output {"wait":true}`, `stream {"name":"stdout","text":"b"}`)
	if len(c.Outputs) != 1 || c.stream("stdout") != "b" {
		t.Errorf("%d outputs, stdout %q", len(c.Outputs), c.stream("stdout"))
	}
}
