package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What a new user tries first, in the notebook that is made for it. Interrupting and
// resuming, completion and help have tests of their own; TestWhatAReaderIsTold tries
// many more changes without a browser.
func TestFirstThingsThatANewUserDoes(t *testing.T) {
	t.Parallel()
	p := withLab(t)
	nb, err := readNotebook(p.path("notebooks", "11-your-own-network.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	path := nb.emptied(t, "11-your-own-network.ipynb")
	server, ctx := serve(t, p, path), browser(t, 1280, 14000)
	folder := server.process.Dir
	var table strings.Builder
	for k := range 40 {
		fmt.Fprintf(&table, "%d,%d,%d,%s\n", k%5, k%7, k*k%11, []string{"cat", "dog"}[k%2])
	}
	writeFile(t, filepath.Join(folder, "mine.csv"), "length,width,height,class\n"+table.String())
	openNotebook(t, ctx, server, path)

	source := func(containing string) string {
		for _, c := range nb.Cells {
			if c.Type == "code" && strings.Contains(string(c.Source), containing) {
				return string(c.Source)
			}
		}
		t.Fatalf("no cell contains %q", containing)
		return ""
	}
	for _, task := range []struct{ name, cell, before, after, says string }{
		{"make a typo", "until    = 1e5", "perClass", "perClas", `undefined: perClass.cell \[\d+\], line \d+`},
		{"mend it, and change a number", "until    = 1e5", "perClass = 12", "perClass = 10", `20 points, 2 inputs, 2 classes.*certified: .*saved my-decision.*largest fall: \S+ ≤ 1e-06`},
		{"own data", "until    = 1e5", `""        //`, `"mine.csv" //`, `mine.csv: 40 points, 3 inputs, 2 classes.*largest fall: \S+ ≤ 1e-06`},
	} {
		needTime(t)
		begun := time.Now()
		last := evaluate[int](t, ctx, `Math.max(0, ...`+prompts+`.map(p => Number((/\d+/.exec(p) || [0])[0])))`)
		text := source(task.cell)
		changed := strings.Replace(text, task.before, task.after, 1)
		if changed == text {
			t.Fatalf("%s: %q is not in the cell", task.name, task.before)
		}
		replaceCell(t, ctx, task.cell, changed)
		clickMenu(t, ctx, "Run", "runmenu:run-all")
		wait(t, ctx, patience, fmt.Sprintf(`Math.max(0, ...%s.map(p => Number((/\d+/.exec(p) || [0])[0]))) > %d`, prompts, last))
		wait(t, ctx, patience, `!`+prompts+`.includes('[*]:')`)
		screenshot(t, ctx, "new-user-"+strings.ReplaceAll(task.name, " ", "-"))
		t.Logf("%s: %.1f s", task.name, time.Since(begun).Seconds())
		if said := evaluate[string](t, ctx, outputTexts); !regexp.MustCompile("(?s)" + task.says).MatchString(said) {
			t.Errorf("%s says\n%s\nwant %s", task.name, said, task.says)
		}
	}
	if saved, err := filepath.Glob(filepath.Join(folder, "figures", "my-decision.*")); len(saved) != 4 {
		t.Errorf("saved %q, %v", saved, err)
	}
	os.RemoveAll(filepath.Join(folder, "figures"))
}
