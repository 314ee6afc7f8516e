package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Progress is how much of a file has arrived.
type Progress struct {
	File        string
	Done, Total int64 // bytes
}

// Downloader fetches collections into a folder. It gives up on a server that is
// silent for a minute.
type Downloader struct {
	Folder Folder
	Client *http.Client   // nil means [http.DefaultClient]
	Report func(Progress) // called as data arrives; nil means no reports
}

// patience is how long a server may stay silent.
const patience = time.Minute

// Fetch downloads the files of c that are missing or damaged. A file grows as
// name.part and takes its name once its SHA-256 is right; an interrupted
// download resumes where it stopped if the server allows it. When a mirror
// fails the next one is tried. The error, if all fail, says what happened at
// each and where to put the file by hand.
func (d Downloader) Fetch(ctx context.Context, c Collection) error {
	folder := filepath.Join(string(d.Folder), c.Folder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("dataset: %s: %w", c.Title, err)
	}
	for _, file := range c.Files {
		if err := d.fetchFile(ctx, folder, c, file); err != nil {
			return fmt.Errorf("dataset: downloading %s of %s failed; without a network, put the file into %s by hand: %w", file.Name, c.Title, folder, err)
		}
	}
	return nil
}

func (d Downloader) fetchFile(ctx context.Context, folder string, c Collection, file File) error {
	path := filepath.Join(folder, file.Name)
	if verifyFile(path, file) == nil {
		d.report(file, file.Size)
		return nil
	}
	part := path + ".part"
	var failures error
	for _, mirror := range c.Mirrors {
		err := d.resume(ctx, mirror+file.Name, part, file)
		if err == nil {
			if err = verifyFile(part, file); err == nil {
				return os.Rename(part, path)
			}
			// Resuming a damaged part would only end here again.
			err = errors.Join(err, os.Remove(part))
		}
		failures = errors.Join(failures, fmt.Errorf("%s: %w", mirror+file.Name, err))
		if ctx.Err() != nil {
			break
		}
	}
	return failures
}

// resume appends to part what the server still has to send.
func (d Downloader) resume(ctx context.Context, url, part string, file File) error {
	have := sizeOf(part)
	if have == file.Size {
		return nil
	}
	if have > file.Size {
		have = 0
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(patience, func() { cancel(fmt.Errorf("the server was silent for %v", patience)) })
	defer silence.Stop()
	response, err := d.get(ctx, url, have)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	defer response.Body.Close()
	mode := os.O_CREATE | os.O_WRONLY
	switch response.StatusCode {
	case http.StatusPartialContent:
		mode |= os.O_APPEND
		if err := continuesAt(response, have); err != nil {
			return err
		}
	case http.StatusOK: // the server sends everything, resumable or not
		mode |= os.O_TRUNC
		have = 0
	default:
		return fmt.Errorf("the server answers %s", response.Status)
	}
	out, err := os.OpenFile(part, mode, 0o666)
	if err != nil {
		return err
	}
	source := arriving{response.Body, func(n int) {
		silence.Reset(patience)
		have += int64(n)
		d.report(file, have)
	}}
	_, err = io.Copy(out, io.LimitReader(source, file.Size-have+1))
	return errors.Join(err, context.Cause(ctx), out.Close())
}

func (d Downloader) get(ctx context.Context, url string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	client := d.Client
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(request)
}

// continuesAt reports whether a partial answer starts where it was asked to.
func continuesAt(response *http.Response, from int64) error {
	var start int64
	header := response.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(header, "bytes %d-", &start); err != nil || start != from {
		return fmt.Errorf("asked to resume at byte %d, the server answers with Content-Range %q", from, header)
	}
	return nil
}

// arriving reports the length of every read.
type arriving struct {
	io.Reader
	report func(n int)
}

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.report(n)
	return n, err
}

func (d Downloader) report(file File, done int64) {
	if d.Report != nil {
		d.Report(Progress{file.Name, done, file.Size})
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// verifyFile compares a file with what is published about it.
func verifyFile(path string, file File) error {
	if size := sizeOf(path); size != file.Size {
		return fmt.Errorf("%d bytes, want %d: %w", size, file.Size, fs.ErrInvalid)
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	return newChecksum(in).verify(file.SHA256)
}
