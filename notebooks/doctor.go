package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// examinations are of the things that the notebooks need, or that are extras. Each
// says what was found and, unless all is well, the command that mends it.
var examinations = []struct {
	name    string
	needed  bool
	examine func(ctx context.Context, p project) (found, mend string)
}{
	{"Go", true, examineGo},
	{"environment", false, examineEnvironment},
	{"project's packages", true, examinePackages},
	{"gonb", true, kernelTools.examine("gonb")},
	{"goimports", true, kernelTools.examine("goimports")},
	{"gopls", true, helpTools.examine("gopls")},
	{"a cell", true, examineKernel},
	{"Python", true, examinePython},
	{"JupyterLab", true, examineLab},
	{"port", true, examinePort},
	{"Chromium (only tests)", false, examineChromium},
	{"VS Code, own Jupyter", false, examineUserKernel},
}

const (
	prepareAgain = "go run ./notebooks prepare" // installs what is missing, damaged or of another version
	installGo    = "install Go from go.dev/dl"
)

// doctor reports what is found and what is missing. It installs nothing.
func doctor(ctx context.Context, p project, args []string) error {
	broken := 0
	for _, e := range examinations {
		found, mend := e.examine(ctx, p)
		mark := "ok     "
		switch {
		case mend != "" && e.needed:
			mark, broken = "MISSING", broken+1
		case mend != "":
			mark = "-      "
		}
		fmt.Printf("%s  %-22s %s\n", mark, e.name, found)
		if mend != "" {
			fmt.Printf("         %-22s to mend it: %s\n", "", mend)
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of the things above are missing", broken)
	}
	return nil
}

func examineGo(_ context.Context, p project) (found, mend string) {
	path, err := goCommand()
	if err != nil {
		return err.Error(), installGo
	}
	version, err := firstLine(p.goCommand("env", "GOVERSION"))
	if err != nil {
		return err.Error(), installGo
	}
	return version + " at " + path, ""
}

// examineEnvironment names the user's settings that the command overrides.
func examineEnvironment(_ context.Context, p project) (found, mend string) {
	if store := p.store(); !writable(store) {
		return store + " is read-only, so what cells compute is not kept for later runs", ""
	}
	var overridden []string
	for _, name := range []string{"GOFLAGS", "GOWORK", "JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "PYTHONPATH", "PYTHONHOME"} {
		if value := os.Getenv(name); value != "" {
			overridden = append(overridden, name+"="+value)
		}
	}
	if overridden == nil {
		return "nothing in the way", ""
	}
	return "set, but without influence here: " + strings.Join(overridden, " "), ""
}

func examinePackages(_ context.Context, p project) (found, mend string) {
	if out, err := p.goCommand("build", modulePath+"/qhnet/...", modulePath+"/plotting/...").CombinedOutput(); err != nil {
		return tail(string(out), 3), "go mod download && go build ./..."
	}
	return "they build", ""
}

// examine returns the examination of one of the programs.
func (t toolset) examine(name string) func(context.Context, project) (found, mend string) {
	return func(_ context.Context, p project) (found, mend string) {
		program := filepath.Join(p.bin(), name)
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return "not in .tools/bin", prepareAgain
		}
		found = info.Main.Version + " at " + program
		if command, _ := goCommand(); !t.stamp(p, command).valid() {
			return found + ", but incomplete, damaged or of another version", prepareAgain
		}
		return found, ""
	}
}

// examineKernel starts a kernel and runs a cell in it.
func examineKernel(ctx context.Context, p project) (found, mend string) {
	if _, err := os.Stat(filepath.Join(p.bin(), "gonb")); err != nil {
		return "no kernel to run it in", prepareAgain
	}
	start := time.Now()
	k, err := startKernel(ctx, p, p.path("notebooks"))
	if err != nil {
		return err.Error(), prepareAgain
	}
	defer k.shutdown()
	probe := &cell{Type: "code", Source: "%noautoget\nimport \"qhlab/qhnet\"\n%%\nvar m qhnet.Model\nprintln(m == nil)"}
	switch err := executeCell(ctx, k, probe, newCollector()); {
	case errors.Is(err, errCell):
		return probe.errorText(), prepareAgain
	case err != nil:
		return err.Error(), prepareAgain
	}
	return fmt.Sprintf("runs, %.1f s with the start of a kernel", time.Since(start).Seconds()), ""
}

func examinePython(ctx context.Context, _ project) (found, mend string) {
	path, err := findPython(ctx)
	if err != nil {
		return err.Error(), "apt-get install python3 python3-venv, or python.org/downloads"
	}
	version, _ := pythonVersion(ctx, path)
	if err := exec.CommandContext(ctx, path, "-I", "-c", "import venv, ensurepip").Run(); err != nil {
		return version + " at " + path + " without the module venv", "apt-get install python3-venv"
	}
	return version + " at " + path, ""
}

func examineLab(_ context.Context, p project) (found, mend string) {
	version, err := firstLine(p.pythonCommand("-m", "jupyterlab", "--version"))
	switch {
	case err != nil:
		return "not in .tools/venv", prepareAgain
	case !p.lab().valid():
		return version + " in .tools/venv, but packages are missing, damaged or of another version", prepareAgain
	}
	return version + " in .tools/venv", ""
}

func examinePort(context.Context, project) (found, mend string) {
	port, err := freePort("127.0.0.1", 8888)
	if err != nil {
		return err.Error(), "go run ./notebooks -port N"
	}
	return fmt.Sprintf("%d is free on 127.0.0.1", port), ""
}

func examineChromium(ctx context.Context, _ project) (found, mend string) {
	path := findChromium()
	if path == "" {
		return "not found, so the browser tests are skipped", "apt-get install chromium"
	}
	version, _ := firstLine(exec.CommandContext(ctx, path, "--version"))
	return version + " at " + path, ""
}

// findChromium returns the browser that the tests drive, or "".
func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func examineUserKernel(_ context.Context, p project) (found, mend string) {
	folder, err := userKernels()
	switch {
	case err != nil:
		return err.Error(), "go run ./notebooks kernel"
	case !p.ownsKernel(folder):
		return "they do not know the kernel of this project", "go run ./notebooks kernel"
	}
	return "they find the kernel in " + folder, ""
}

// firstLine returns the first line that a program prints.
func firstLine(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}
