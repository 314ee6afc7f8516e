package main

import (
	"context"
	"strings"
	"testing"

	"qhlab/qhnet/dataset"
)

func TestDataNamesWhatThereIs(t *testing.T) {
	err := downloadData(context.Background(), project{}, []string{"-o", t.TempDir(), "imagenet"})
	if err == nil || !strings.Contains(err.Error(), "mnist or cifar10") {
		t.Errorf("an unknown data set: %v", err)
	}
	c, err := collection("mnist")
	if err != nil || c.Title != "MNIST" || sizeInMB(c) != 12 {
		t.Errorf("mnist is %q of %d MB, error %v", c.Title, sizeInMB(c), err)
	}
}

func TestArrivalsEndWithALine(t *testing.T) {
	var out strings.Builder
	report := arrivals(&out)
	report(dataset.Progress{File: "letters", Done: 1e6, Total: 2e6})
	report(dataset.Progress{File: "letters", Done: 2e6, Total: 2e6})
	if got := out.String(); !strings.Contains(got, "1.0 of 2.0 MB") || !strings.HasSuffix(got, "2.0 MB complete\n") {
		t.Errorf("progress %q", got)
	}
}
