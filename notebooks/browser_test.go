package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser opens Chromium for a test, which is skipped where there is none.
func browser(t *testing.T, width, height int) context.Context {
	t.Helper()
	path := findChromium()
	if path == "" {
		t.Skip("Chromium is not installed: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(width, height))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// patience is how long one step may take on a machine that is busy with other work.
const patience = 5 * time.Minute

// do runs browser actions and keeps a picture of the page where one fails.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := chromedp.Do(limited, actions...); err != nil {
		screenshot(t, ctx, "failed-"+t.Name())
		t.Fatal(err)
	}
}

// wait waits until a JavaScript expression is true.
func wait(t *testing.T, ctx context.Context, limit time.Duration, expression string) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if evaluate[bool](t, ctx, expression) {
			return
		}
	}
	screenshot(t, ctx, "failed-"+t.Name())
	t.Fatalf("after %v not yet: %s", limit, expression)
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// screenshot saves what the browser shows in the git-ignored folder .cache.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Log("no screenshot:", err)
		return
	}
	writeFile(t, here(t).path(".cache", "screenshots", filepath.Base(name)+".png"), string(picture))
}
