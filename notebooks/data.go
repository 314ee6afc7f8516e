package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"qhlab/qhnet/dataset"
)

// downloadData fetches the named data sets, or says which there are.
func downloadData(ctx context.Context, _ project, args []string) error {
	flags := flag.NewFlagSet("data", flag.ContinueOnError)
	folder := flags.String("o", string(dataset.DefaultFolder()), "the `folder` that holds the data sets; "+dataset.FolderVariable+" names another default")
	names, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		for _, c := range dataset.Collections() {
			fmt.Printf("%-8s %-9s %4d MB, kept in %s/%s\n", c.Folder, c.Title, sizeInMB(c), *folder, c.Folder)
		}
		return nil
	}
	d := dataset.Downloader{Folder: dataset.Folder(*folder), Report: arrivals(os.Stderr)}
	for _, name := range names {
		c, err := collection(name)
		if err != nil {
			return err
		}
		if err := d.Fetch(ctx, c); err != nil {
			return err
		}
		fmt.Printf("%s is in %s/%s\n", c.Title, *folder, c.Folder)
	}
	return nil
}

// collection finds a data set by the name of its folder.
func collection(name string) (dataset.Collection, error) {
	var names []string
	for _, c := range dataset.Collections() {
		if c.Folder == name {
			return c, nil
		}
		names = append(names, c.Folder)
	}
	return dataset.Collection{}, fmt.Errorf("there is no data set %q; use %s", name, strings.Join(names, " or "))
}

func sizeInMB(c dataset.Collection) (total int64) {
	for _, f := range c.Files {
		total += f.Size
	}
	return (total + 5e5) / 1e6
}

// arrivals writes how much of a file is there, at most five times a second, and a
// line when it is complete.
func arrivals(out io.Writer) func(dataset.Progress) {
	var written time.Time
	return func(p dataset.Progress) {
		switch {
		case p.Done >= p.Total:
			fmt.Fprintf(out, "\r%-32s %5.1f MB complete\n", p.File, float64(p.Total)/1e6)
		case time.Since(written) > 200*time.Millisecond:
			written = time.Now()
			fmt.Fprintf(out, "\r%-32s %5.1f of %.1f MB", p.File, float64(p.Done)/1e6, float64(p.Total)/1e6)
		}
	}
}
