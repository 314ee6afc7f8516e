package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// kernelspec tells Jupyter how to start a kernel. The project's own is
// relocatable: it finds the project from its own folder.
type kernelspec struct {
	Argv          []string `json:"argv"`
	DisplayName   string   `json:"display_name"`
	Language      string   `json:"language"`
	InterruptMode string   `json:"interrupt_mode"`
}

func (p project) kernelspecFolder() string { return p.path(".jupyter", "kernels", "gonb") }

func readKernelspec(p project) (kernelspec, error) {
	path := p.path(".jupyter", "kernels", "gonb", "kernel.json")
	var spec kernelspec
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	if err != nil {
		return spec, fmt.Errorf("cannot read the kernelspec %s; restore it with git checkout: %w", path, err)
	}
	return spec, nil
}

// command fills in what Jupyter would.
func (s kernelspec) command(p project, connection string) []string {
	fill := strings.NewReplacer("{resource_dir}", p.kernelspecFolder(), "{connection_file}", connection)
	argv := make([]string, len(s.Argv))
	for i, arg := range s.Argv {
		argv[i] = fill.Replace(arg)
	}
	return argv
}
