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
// says what it found, or why that will not do; the command mends it.
var examinations = []struct {
	name    string
	needed  bool
	mend    string
	examine func(ctx context.Context, p project) (found string, err error)
}{
	{"Go", true, "install Go from go.dev/dl", examineGo},
	{"project's packages", true, "go mod download && go build ./...", examinePackages},
	{"gonb", true, prepareAgain, kernelTools.examine("gonb")},
	{"goimports", true, prepareAgain, kernelTools.examine("goimports")},
	{"gopls", true, prepareAgain, helpTools.examine("gopls")},
	{"a cell", true, prepareAgain, examineKernel},
	{"Python", true, "apt-get install python3 python3-venv, or python.org/downloads", examinePython},
	{"JupyterLab", true, prepareAgain, examineLab},
	{"port", true, "go run ./notebooks -port N", examinePort},
	{"VS Code, own Jupyter", false, "go run ./notebooks kernel", examineUserKernel},
}

// prepareAgain installs what is missing, damaged or of another version.
const prepareAgain = "go run ./notebooks prepare"

// doctor reports what is found and what is missing. It installs nothing.
func doctor(ctx context.Context, p project, args []string) error {
	broken := 0
	for _, e := range examinations {
		found, err := e.examine(ctx, p)
		switch {
		case err == nil:
			fmt.Printf("ok       %-22s %s\n", e.name, found)
			continue
		case e.needed:
			broken++
			fmt.Printf("MISSING  %-22s %v\n", e.name, err)
		default:
			fmt.Printf("-        %-22s %v\n", e.name, err)
		}
		fmt.Printf("         %-22s to mend it: %s\n", "", e.mend)
	}
	if broken > 0 {
		return fmt.Errorf("%d of the things above are missing", broken)
	}
	return nil
}

func examineGo(_ context.Context, p project) (string, error) {
	path, err := findGo()
	if err != nil {
		return "", err
	}
	version, err := firstLine(p.goCommand("env", "GOVERSION"))
	return version + " at " + path, err
}

func examinePackages(_ context.Context, p project) (string, error) {
	if out, err := p.goCommand(append([]string{"build"}, cellImports...)...).CombinedOutput(); err != nil {
		return "", errors.New(tail(string(out), 3))
	}
	return "they build", nil
}

func (t toolset) examine(name string) func(context.Context, project) (string, error) {
	return func(_ context.Context, p project) (string, error) {
		program := filepath.Join(p.bin(), name)
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return "", errors.New("not in .tools/bin")
		}
		if command, _ := findGo(); !t.stamp(p, command).valid() {
			return "", fmt.Errorf("%s at %s, but incomplete, damaged or of another version", info.Main.Version, program)
		}
		return info.Main.Version + " at " + program, nil
	}
}

func examineKernel(ctx context.Context, p project) (string, error) {
	if _, err := os.Stat(filepath.Join(p.bin(), "gonb")); err != nil {
		return "", errors.New("no kernel to run it in")
	}
	start := time.Now()
	k, err := startKernel(ctx, p, p.path("notebooks"))
	if err != nil {
		return "", err
	}
	defer k.shutdown()
	probe := &cell{Type: "code", Source: "%noautoget\nimport \"qhlab/qhnet\"\n%%\nvar m qhnet.Model\nprintln(m == nil)"}
	err = executeCell(ctx, k, probe, string(probe.Source), newCollector())
	return fmt.Sprintf("runs, %.1f s with the start of a kernel", time.Since(start).Seconds()), err
}

func examinePython(ctx context.Context, _ project) (string, error) {
	path, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	version, _ := pythonVersion(ctx, path)
	if err := exec.CommandContext(ctx, path, "-I", "-c", "import venv, ensurepip").Run(); err != nil {
		return "", fmt.Errorf("%s at %s without the module venv", version, path)
	}
	return version + " at " + path, nil
}

func examineLab(_ context.Context, p project) (string, error) {
	version, err := firstLine(p.pythonCommand("-m", "jupyterlab", "--version"))
	switch {
	case err != nil:
		return "", errors.New("not in .tools/venv")
	case !p.lab().valid():
		return "", fmt.Errorf("%s in .tools/venv, but packages are missing, damaged or of another version", version)
	}
	return version + " in .tools/venv", nil
}

func examinePort(context.Context, project) (string, error) {
	port, err := freePort("127.0.0.1", 8888)
	return fmt.Sprintf("%d is free on 127.0.0.1", port), err
}

func examineUserKernel(_ context.Context, p project) (string, error) {
	folder, err := userKernels()
	if err == nil && !p.ownsKernel(folder) {
		err = errors.New("they do not know the kernel of this project")
	}
	return "they find the kernel in " + folder, err
}

func firstLine(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}
