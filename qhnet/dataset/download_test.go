package dataset_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qhlab/qhnet/dataset"
)

// mirror serves one file named letters and remembers the ranges it was asked for.
type mirror struct {
	*httptest.Server
	ranges []string
}

var letters = bytes.Repeat([]byte("abcdefghij"), 1000)

func newMirror(t *testing.T, handle func(w http.ResponseWriter, r *http.Request)) *mirror {
	m := &mirror{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.ranges = append(m.ranges, r.Header.Get("Range"))
		handle(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

func resumable(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "letters", time.Time{}, bytes.NewReader(letters))
}

func lettersFrom(mirrors ...*mirror) dataset.Collection {
	sum := sha256.Sum256(letters)
	c := dataset.Collection{
		Title: "Letters", Folder: "letters",
		Files: []dataset.File{{Name: "letters", Size: int64(len(letters)), SHA256: hex.EncodeToString(sum[:])}},
	}
	for _, m := range mirrors {
		c.Mirrors = append(c.Mirrors, m.URL+"/")
	}
	return c
}

func TestDownload(t *testing.T) {
	whole := func(w http.ResponseWriter, r *http.Request) { w.Write(letters) }
	damaged := func(w http.ResponseWriter, r *http.Request) { w.Write(bytes.ToUpper(letters)) }
	liar := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Range", "bytes 0-9999/10000")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(letters)
	}
	for _, test := range []struct {
		name     string
		part     []byte // what an earlier download left
		handlers []http.HandlerFunc
		ranges   string // what the mirrors were asked for
		fails    string
	}{
		{"fresh", nil, []http.HandlerFunc{resumable}, `[""]`, ""},
		{"resumed", letters[:4000], []http.HandlerFunc{resumable}, `["bytes=4000-"]`, ""},
		{"complete but not renamed", letters, []http.HandlerFunc{resumable}, `[]`, ""},
		{"server that cannot resume", letters[:4000], []http.HandlerFunc{whole}, `["bytes=4000-"]`, ""},
		{"part longer than the file", append(letters, 'x'), []http.HandlerFunc{resumable}, `[""]`, ""},
		{"first mirror down", nil, []http.HandlerFunc{http.NotFound, resumable}, `["" ""]`, ""},
		{"first mirror damaged", nil, []http.HandlerFunc{damaged, resumable}, `["" ""]`, ""},
		{"first mirror resumes elsewhere", letters[:4000], []http.HandlerFunc{liar, resumable}, `["bytes=4000-" "bytes=4000-"]`, ""},
		{"damaged part", bytes.ToUpper(letters[:4000]), []http.HandlerFunc{resumable, resumable}, `["bytes=4000-" ""]`, ""},
		{"all mirrors down", nil, []http.HandlerFunc{http.NotFound}, `[""]`, "404 Not Found"},
		{"all mirrors damaged", nil, []http.HandlerFunc{damaged}, `[""]`, "SHA-256"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := dataset.Folder(t.TempDir())
			if test.part != nil {
				put(t, folder, "letters/letters.part", test.part)
			}
			var mirrors []*mirror
			for _, h := range test.handlers {
				mirrors = append(mirrors, newMirror(t, h))
			}
			var last dataset.Progress
			d := dataset.Downloader{Folder: folder, Report: func(p dataset.Progress) { last = p }}
			err := d.Fetch(context.Background(), lettersFrom(mirrors...))
			ranges := []string{}
			for _, m := range mirrors {
				ranges = append(ranges, m.ranges...)
			}
			if got := fmt.Sprintf("%q", ranges); got != test.ranges {
				t.Errorf("ranges asked for: %s, want %s", got, test.ranges)
			}
			if test.fails != "" {
				wantError(t, test.fails, err)
				wantError(t, "by hand", err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(string(folder), "letters", "letters"))
			if err != nil || !bytes.Equal(got, letters) {
				t.Errorf("%d bytes, error %v", len(got), err)
			}
			if test.part == nil && last.Done != last.Total {
				t.Errorf("last report %+v", last)
			}
			// A second call finds everything in place.
			if err := d.Fetch(context.Background(), lettersFrom()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDownloadKeepsWhatArrivedBeforeAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stalls := newMirror(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(letters)))
		w.Write(letters[:3000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	never := newMirror(t, resumable)
	folder := dataset.Folder(t.TempDir())
	interrupt := dataset.Downloader{Folder: folder, Report: func(p dataset.Progress) {
		if p.Done == 3000 {
			cancel()
		}
	}}
	wantError(t, context.Canceled.Error(), interrupt.Fetch(ctx, lettersFrom(stalls, never)))
	if len(never.ranges) != 0 {
		t.Error("an interrupt must not move on to the next mirror")
	}
	again := newMirror(t, resumable)
	if err := (dataset.Downloader{Folder: folder}).Fetch(context.Background(), lettersFrom(again)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(again.ranges, " "); got != "bytes=3000-" {
		t.Errorf("the second download asked for %q", got)
	}
}

func TestDownloadWithoutNetwork(t *testing.T) {
	gone := newMirror(t, resumable)
	gone.Close()
	folder := dataset.Folder(t.TempDir())
	err := dataset.Downloader{Folder: folder}.Fetch(context.Background(), lettersFrom(gone))
	wantError(t, filepath.Join(string(folder), "letters"), err)
	wantError(t, "connection refused", err)
}
