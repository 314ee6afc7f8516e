package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-zeromq/zmq4"
)

// message is one message of the Jupyter protocol, version 5.3
// (jupyter-client.readthedocs.io, "Messaging in Jupyter").
type message struct {
	Header   header
	Parent   header
	Metadata map[string]any
	Content  json.RawMessage
}

type header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

const delimiter = "<IDS|MSG>"

// newMessage returns a request of the given type.
func newMessage(session, kind string, content any) (message, error) {
	body, err := json.Marshal(content)
	date := time.Now().UTC().Format(time.RFC3339Nano)
	return message{
		Header:   header{ID: rand.Text(), Session: session, Username: "qhlab", Date: date, Type: kind, Version: "5.3"},
		Metadata: map[string]any{},
		Content:  body,
	}, err
}

// pack signs the message and cuts it into the frames of the wire protocol. A
// request has no parent, so its parent header is empty.
func (m message) pack(key []byte) (zmq4.Msg, error) {
	head, err := json.Marshal(m.Header)
	if err != nil {
		return zmq4.Msg{}, err
	}
	body := [][]byte{head, []byte("{}"), []byte("{}"), m.Content}
	frames := append([][]byte{[]byte(delimiter), sign(key, body)}, body...)
	return zmq4.NewMsgFrom(frames...), nil
}

// unpack checks the signature and reads the frames.
func unpack(raw zmq4.Msg, key []byte) (message, error) {
	start := slices.IndexFunc(raw.Frames, func(frame []byte) bool { return string(frame) == delimiter })
	if start < 0 || len(raw.Frames) < start+6 {
		return message{}, errors.New("the kernel sent a message without the Jupyter frames")
	}
	signature, body := raw.Frames[start+1], raw.Frames[start+2:start+6]
	if !hmac.Equal(signature, sign(key, body)) {
		return message{}, errors.New("the kernel sent a message with a wrong signature")
	}
	m := message{Content: body[3]}
	for i, part := range []any{&m.Header, &m.Parent, &m.Metadata} {
		if err := json.Unmarshal(body[i], part); err != nil {
			return message{}, fmt.Errorf("the kernel sent a malformed message: %w", err)
		}
	}
	return m, nil
}

func sign(key []byte, body [][]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, frame := range body {
		mac.Write(frame)
	}
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}
