package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-zeromq/zmq4"
)

// message is one message of the Jupyter protocol, version 5.3
// (jupyter-client.readthedocs.io, "Messaging in Jupyter").
type message struct {
	Routing [][]byte // who sent a request and gets the reply; the topic on iopub
	Header  header
	Parent  header
	Content json.RawMessage

	// The headers and the metadata as they came, which other programs may have
	// filled with more than is read here; nil in a message of our own.
	head, parent, metadata json.RawMessage
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
func newMessage(session, kind string, content any) message {
	date := time.Now().UTC().Format(time.RFC3339Nano)
	m := message{
		Header:   header{ID: rand.Text(), Session: session, Username: "qhlab", Date: date, Type: kind, Version: "5.3"},
		Content:  encoded(content),
		parent:   json.RawMessage("{}"), // a request has none
		metadata: json.RawMessage("{}"),
	}
	m.head = encoded(m.Header)
	return m
}

// answer returns a message that the request m causes.
func (m message) answer(kind string, content any) message {
	reply := newMessage(m.Header.Session, kind, content)
	reply.Routing, reply.Parent, reply.parent = m.Routing, m.Header, m.head
	return reply
}

// encoded is what the program itself puts together, which JSON can always say.
func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("notebooks: " + err.Error())
	}
	return data
}

// pack signs the message and cuts it into the frames of the wire protocol.
func (m message) pack(key []byte) zmq4.Msg {
	body := [][]byte{m.head, m.parent, m.metadata, m.Content}
	frames := append(slices.Clone(m.Routing), []byte(delimiter), sign(key, body))
	return zmq4.NewMsgFrom(append(frames, body...)...)
}

// unpack checks the signature and reads the frames.
func unpack(raw zmq4.Msg, key []byte) (message, error) {
	start := slices.IndexFunc(raw.Frames, func(frame []byte) bool { return string(frame) == delimiter })
	if start < 0 || len(raw.Frames) < start+6 {
		return message{}, errors.New("a message came without the Jupyter frames")
	}
	signature, body := raw.Frames[start+1], raw.Frames[start+2:start+6]
	if !hmac.Equal(signature, sign(key, body)) {
		return message{}, errors.New("a message came with a wrong signature")
	}
	m := message{Routing: raw.Frames[:start], head: body[0], parent: body[1], metadata: body[2], Content: body[3]}
	if err := errors.Join(json.Unmarshal(m.head, &m.Header), json.Unmarshal(m.parent, &m.Parent)); err != nil {
		return message{}, fmt.Errorf("a malformed message came: %w", err)
	}
	return m, nil
}

// sign returns the signature of a message, which is empty without a key.
func sign(key []byte, body [][]byte) []byte {
	if len(key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, key)
	for _, frame := range body {
		mac.Write(frame)
	}
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}

// connection is the file that tells a kernel where to listen.
type connection struct {
	Transport string `json:"transport"`
	IP        string `json:"ip"`
	Key       string `json:"key"`
	Scheme    string `json:"signature_scheme"`
	Name      string `json:"kernel_name"`
	Shell     int    `json:"shell_port"`
	IOPub     int    `json:"iopub_port"`
	Stdin     int    `json:"stdin_port"`
	Control   int    `json:"control_port"`
	Heartbeat int    `json:"hb_port"`
}

// inFolder is a connection by sockets in the file system, which need no ports and
// are private to the user.
func inFolder(folder, key string) connection {
	return connection{Transport: "ipc", IP: filepath.Join(folder, "k"), Key: key, Scheme: "hmac-sha256", Name: "gonb",
		Shell: 1, IOPub: 2, Stdin: 3, Control: 4, Heartbeat: 5}
}

func readConnection(path string) (connection, error) {
	var c connection
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s is not a connection file: %w", path, err)
	}
	if c.Scheme != "" && c.Scheme != "hmac-sha256" {
		return c, fmt.Errorf("%s asks for signatures by %s; this kernel signs with hmac-sha256 only", path, c.Scheme)
	}
	return c, nil
}

func (c connection) write(path string) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// address is where one of the kernel's sockets listens.
func (c connection) address(port int) string {
	if c.Transport == "ipc" {
		return "ipc://" + c.file(port)
	}
	return fmt.Sprintf("%s://%s:%d", c.Transport, c.IP, port)
}

// file is the socket in the file system of an ipc connection.
func (c connection) file(port int) string { return fmt.Sprintf("%s-%d", c.IP, port) }
