package main

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotebooks executes every notebook from beginning to end. Its outputs must be
// the saved ones, as "run -check" demands.
func TestNotebooks(t *testing.T) {
	p := withKernel(t)
	paths, err := p.notebooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		t.Run(title(path), func(t *testing.T) {
			t.Parallel()
			needTime(t)
			fresh, err := executeNotebook(t.Context(), p, path, silent(t), variant{env: sweepMode("check", path)})
			if err != nil {
				t.Fatal(err)
			}
			if err := checkNotebook(path, fresh, silent(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCellsRunTogetherOnlyInOrder(t *testing.T) {
	const imports, last = "%noautoget\nimport (\n\t\"fmt\"\n\t\"math\"\n)", "%%\nfmt.Println(two())"
	for _, c := range []struct {
		declare []string
		want    bool
	}{
		{[]string{"type number float64\n\nvar base number = 1", "func one() number { return base * number(math.Sqrt(1)) }", "func two() number { return 2 * one() }"}, true},
		{[]string{"func two() int { return 2 * one() }", "func one() int { return 1 }"}, false},
		{[]string{"func two() number { return 2 }", "type number int"}, false},
		{[]string{"func two() int { one := 2; return one }", "func one() int { return 1 }"}, true},
		{[]string{"func two() int { return 2 }", "import \"os\""}, false},
	} {
		path := filepath.Join(t.TempDir(), "order.ipynb")
		writeNotebook(t, path, append(append([]string{imports}, c.declare...), last)...)
		nb, err := readNotebook(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := nb.canJoin(); got != c.want {
			t.Errorf("%q run together: %v, want %v", c.declare, got, c.want)
		}
	}
}

func TestNotebooksDeclareBeforeTheyUse(t *testing.T) {
	paths, err := here(t).notebooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if nb, err := readNotebook(path); err != nil || !nb.inOrder() {
			t.Errorf("%s: a cell uses what a later one declares, %v", title(path), err)
		}
	}
}

func TestRunSavesTheSameBytesEveryTime(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	var files [2][]byte
	for i := range files {
		if err := run(t.Context(), p, []string{path}); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(path)
	}
	if string(files[0]) != string(files[1]) {
		t.Error("two runs saved different files")
	}
	for range 2 {
		if err := run(t.Context(), p, []string{path, "-check"}); err != nil {
			t.Errorf("run -check after run: %v", err)
		}
	}
}

func TestEditedNotebookIsNotTheOneThatRan(t *testing.T) {
	for name, edit := range map[string]func(*notebook){
		"source":  func(nb *notebook) { nb.Cells[1].Source += "// more" },
		"tag":     func(nb *notebook) { nb.Cells[1].Metadata["tags"] = []any{"cover"} },
		"removed": func(nb *notebook) { nb.Cells = nb.Cells[:len(nb.Cells)-1] },
		"moved":   func(nb *notebook) { nb.Cells[0], nb.Cells[1] = nb.Cells[1], nb.Cells[0] },
	} {
		t.Run(name, func(t *testing.T) {
			path := copyNotebook(t, "testdata/square.ipynb")
			ran, err := readNotebook(path)
			if err != nil {
				t.Fatal(err)
			}
			ran.normalize()
			edited, err := readUnchanged(path, ran)
			if err != nil {
				t.Fatalf("before the edit: %v", err)
			}
			edit(edited)
			if err := edited.write(path); err != nil {
				t.Fatal(err)
			}
			_, err = readUnchanged(path, ran)
			wantError(t, err, "square changed on disk")
		})
	}
}

// The cell stands for the author, who saves another version of the notebook
// while it runs.
func TestRunKeepsAnEditThatIsSavedMeanwhile(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	edited, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(filepath.Dir(path), "edited"), string(edited))
	nb := &notebook{Format: 4, FormatMinor: 5, Metadata: map[string]any{}, Cells: []*cell{
		{Type: "code", ID: "c0", Metadata: map[string]any{}, Source: "!cp edited square.ipynb"},
	}}
	if err := nb.write(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(t.Context(), p, []string{path}), "square changed on disk", ".cache/unfinished/square")
	if now, err := os.ReadFile(path); err != nil || string(now) != string(edited) {
		t.Errorf("the edit is lost, %v", err)
	}
}

func TestCheckNamesTheNotebookAndTheCellThatDiffer(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	path := copyNotebook(t, "testdata/square.ipynb")
	data, _ := os.ReadFile(path)
	changed := strings.Replace(string(data), `area 1600\n`, `area 1601\n`, 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, run(t.Context(), p, []string{"-check", path}), "square: cell [5]", "- area 1601", "+ area 1600")
	if after, _ := os.ReadFile(path); string(after) != changed {
		t.Error("run -check changed the notebook")
	}
}

func TestFailingCellStopsTheRunWithItsLine(t *testing.T) {
	t.Parallel()
	p := withKernel(t)
	for name, want := range map[string][]string{
		"panics":        {"cell [3] failed: index out of range [3] with length 0", "in cell [3], line 4\n>   4  fmt.Println(list[3])"},
		"uncompilable":  {"cell [2] failed: undefined: y", "cell [2], line 3\n>   3  fmt.Println(x, y)"},
		"panics-inside": {"cell [3] failed: negative", "in cell [2], line 3\n>   3", `panic("negative")`, "called from cell [3], line 2"},
	} {
		path := copyNotebook(t, "testdata/"+name+".ipynb")
		before, _ := os.ReadFile(path)
		wantError(t, run(t.Context(), p, []string{path}), append(want, name, ".cache/unfinished/"+name)...)
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("the failed run changed %s", name)
		}
	}
}

func TestPicturesAreComparedByTheirPixels(t *testing.T) {
	encode := func(width int, dots int, shade uint8) string {
		picture := image.NewNRGBA(image.Rect(0, 0, width, 50))
		for i := range dots {
			picture.Set(i%20, i/20, color.NRGBA{R: shade, A: 255})
		}
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}
	moving := func(frames ...uint8) string {
		var g gif.GIF
		for _, shade := range frames {
			frame := image.NewPaletted(image.Rect(0, 0, 4, 5), palette.Plan9)
			frame.Pix[3], frame.Pix[4] = shade, shade
			g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 1)
		}
		var b bytes.Buffer
		if err := gif.EncodeAll(&b, &g); err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b.Bytes())
	}
	first := encode(40, 60, 200)
	for _, c := range []struct{ saved, fresh, want string }{
		{first, encode(40, 60, 190), ""}, // three hundredths
		{first, encode(40, 61, 190), "its picture differs in 61 pixels of 2000, by at most 255 of 255"},
		{first, encode(60, 60, 200), "its picture is (60,50), saved is (40,50)"},
		{first, "nonsense", "its picture differs and cannot be decoded"},
		{moving(1, 2), moving(1, 9), "its picture differs in 2 pixels of 40, by at most"},
		{moving(1, 2), moving(1), "its picture is (4,5), saved is (4,10)"},
	} {
		if got := diffPictures(c.saved, c.fresh); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestOnlyRoundingIsForgiven(t *testing.T) {
	for _, c := range []struct {
		saved, fresh string
		want         bool
	}{
		{"margin 0.1234 of 1.5", "margin 0.1235 of 1.5", true},
		{"margin 0.1234", "margin 0.1236", false},
		{"a 9.99e-05", "a 1.00e-04", true}, // one in the last digit
		{"a  9.5\n", "a 10.4\n", false},
		{"residual 2.1e-16", "residual 4.4e-16", true},
		{"drift 9.2e-13", "drift 6.3e-13", true},
		{"residual 2.1e-16", "residual 4.4e-10", false},
		{"-0.0 end", " 0.0 end", true},
		{"12 steps", "13 steps", false}, // what is counted is exact
		{"1.5 yes", "1.5 no", false},
		{"1.5", "NaN", false},
		{"1.5 2.5", "1.5", false},
		{"1e400", "2e400", false},
	} {
		if got := sameText(c.saved, c.fresh); got != c.want {
			t.Errorf("%q and %q: the same %v, want %v", c.saved, c.fresh, got, c.want)
		}
	}
}
