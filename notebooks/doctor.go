package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
	"time"
)

// finding is what doctor says about one thing that the notebooks need.
type finding struct {
	name   string
	detail string // what was found, with its version
	mend   string // the command that mends it, empty when all is well
	needed bool   // false when only an extra is missing
}

// prepareAgain installs again what is missing, damaged or of another version.
const prepareAgain = "go run ./notebooks prepare"

// doctor reports what is found and what is missing. It installs nothing.
func doctor(ctx context.Context, p project, args []string) error {
	broken := 0
	for _, examine := range []func(context.Context, project) finding{
		examineGo, examineEnvironment, examinePackages, examineGonb, examineImports, examineHelp, examineKernel,
		examinePython, examineLab, examinePort, examineChromium, examineUserKernel,
	} {
		f := examine(ctx, p)
		mark := "ok     "
		switch {
		case f.mend != "" && f.needed:
			mark, broken = "MISSING", broken+1
		case f.mend != "":
			mark = "-      "
		}
		fmt.Printf("%s  %-22s %s\n", mark, f.name, f.detail)
		if f.mend != "" {
			fmt.Printf("         %-22s to mend it: %s\n", "", f.mend)
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d of the things above are missing", broken)
	}
	return nil
}

func examineGo(ctx context.Context, p project) finding {
	f := finding{name: "Go", needed: true}
	path, err := goCommand()
	if err != nil {
		f.detail, f.mend = err.Error(), "install Go from go.dev/dl"
		return f
	}
	version, err := firstLine(p.goCommand("env", "GOVERSION"))
	f.detail = version + " at " + path
	if err != nil {
		f.detail, f.mend = err.Error(), "install Go from go.dev/dl"
	}
	return f
}

// examineEnvironment names the user's settings that the command overrides.
func examineEnvironment(_ context.Context, p project) finding {
	if store := p.store(); !writable(store) {
		return finding{name: "environment", detail: store + " is read-only, so what cells compute is not kept for later runs"}
	}
	var overridden []string
	for _, name := range []string{"GOFLAGS", "GOWORK", "JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "PYTHONPATH", "PYTHONHOME"} {
		if value := os.Getenv(name); value != "" {
			overridden = append(overridden, name+"="+value)
		}
	}
	if overridden == nil {
		return finding{name: "environment", detail: "nothing in the way"}
	}
	return finding{name: "environment", detail: "set, but without influence here: " + strings.Join(overridden, " ")}
}

func examinePackages(ctx context.Context, p project) finding {
	f := finding{name: "project's packages", detail: "they build", needed: true}
	if out, err := p.goCommand("build", modulePath+"/qhnet/...", modulePath+"/plotting/...").CombinedOutput(); err != nil {
		f.detail, f.mend = tail(string(out), 3), "go mod download && go build ./..."
	}
	return f
}

func examineGonb(_ context.Context, p project) finding {
	return examineProgram(p, kernelTools, "gonb", "github.com/janpfeifer/gonb")
}

func examineImports(_ context.Context, p project) finding {
	return examineProgram(p, kernelTools, "goimports", "golang.org/x/tools")
}

func examineHelp(_ context.Context, p project) finding {
	return examineProgram(p, helpTools, "gopls", helpTools.packages[0])
}

// examineProgram reads the version from the program itself and compares it with
// the one that a file of requirements asks for.
func examineProgram(p project, tools toolset, name, module string) finding {
	f := finding{name: name, needed: true}
	program := p.path(".tools", "bin", name)
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		f.detail, f.mend = "not in .tools/bin", prepareAgain
		return f
	}
	f.detail = info.Main.Version + " at " + program
	file := path.Join(tools.folder, "go.mod")
	if required := p.required(file, module); info.Main.Version != required {
		f.detail += ", but " + file + " asks for " + required
		f.mend = prepareAgain
	}
	if command, _ := goCommand(); !tools.stamp(p, command).valid() {
		f.detail, f.mend = f.detail+", but .tools/bin is incomplete, damaged or of another Go", prepareAgain
	}
	return f
}

// required is the version of a module in a go.mod.
func (p project) required(file, module string) string {
	text, _ := os.ReadFile(p.path(file))
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == module {
			return fields[1]
		}
	}
	return "none"
}

// examineKernel starts a kernel and runs a cell in it.
func examineKernel(ctx context.Context, p project) finding {
	f := finding{name: "a cell", needed: true, mend: prepareAgain}
	if _, err := os.Stat(p.path(".tools", "bin", "gonb")); err != nil {
		f.detail = "no kernel to run it in"
		return f
	}
	start := time.Now()
	k, err := startKernel(ctx, p, p.path("notebooks"))
	if err != nil {
		f.detail = err.Error()
		return f
	}
	defer k.shutdown()
	probe := &cell{Type: "code", Source: "%noautoget\nimport \"qhlab/qhnet\"\n%%\nvar m qhnet.Model\nprintln(m == nil)"}
	switch err := executeCell(ctx, k, probe, newCollector()); {
	case errors.Is(err, errCell):
		f.detail = probe.errorText()
	case err != nil:
		f.detail = err.Error()
	default:
		f.detail, f.mend = fmt.Sprintf("runs, %.1f s with the start of a kernel", time.Since(start).Seconds()), ""
	}
	return f
}

func examinePython(ctx context.Context, p project) finding {
	f := finding{name: "Python", needed: true}
	path, err := findPython(ctx)
	if err != nil {
		f.detail, f.mend = err.Error(), "apt-get install python3 python3-venv, or python.org/downloads"
		return f
	}
	version, _ := pythonVersion(ctx, path)
	f.detail = version + " at " + path
	if err := exec.CommandContext(ctx, path, "-I", "-c", "import venv, ensurepip").Run(); err != nil {
		f.detail += " without the module venv"
		f.mend = "apt-get install python3-venv"
	}
	return f
}

func examineLab(ctx context.Context, p project) finding {
	f := finding{name: "JupyterLab", needed: true}
	version, err := firstLine(p.pythonCommand("-m", "jupyterlab", "--version"))
	f.detail = version + " in .tools/venv"
	switch {
	case err != nil:
		f.detail, f.mend = "not in .tools/venv", prepareAgain
	case !p.lab().valid():
		f.detail, f.mend = f.detail+", but packages are missing, damaged or of another version", prepareAgain
	}
	return f
}

func examinePort(context.Context, project) finding {
	port, err := freePort("127.0.0.1", 8888)
	if err != nil {
		return finding{name: "port", detail: err.Error(), mend: "go run ./notebooks -port N", needed: true}
	}
	return finding{name: "port", detail: fmt.Sprintf("%d is free on 127.0.0.1", port)}
}

func examineChromium(ctx context.Context, _ project) finding {
	f := finding{name: "Chromium (only tests)", mend: "apt-get install chromium"}
	path := findChromium()
	if path == "" {
		f.detail = "not found, so the browser tests are skipped"
		return f
	}
	version, _ := firstLine(exec.CommandContext(ctx, path, "--version"))
	f.detail, f.mend = version+" at "+path, ""
	return f
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

func examineUserKernel(_ context.Context, p project) finding {
	f := finding{name: "VS Code, own Jupyter", mend: "go run ./notebooks kernel"}
	folder, err := userKernels()
	switch {
	case err != nil:
		f.detail = err.Error()
	case !p.ownsKernel(folder):
		f.detail = "they do not know the kernel of this project"
	default:
		f.detail, f.mend = "they find the kernel in "+folder, ""
	}
	return f
}

// firstLine returns the first line that a program prints.
func firstLine(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}
