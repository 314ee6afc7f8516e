//go:build !unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

func init() {
	fmt.Fprintln(os.Stderr, "qhlab's notebooks need Linux or macOS; on Windows they run in WSL: wsl --install, and start again there")
	os.Exit(1)
}

func ownSession() *syscall.SysProcAttr { return nil }
func makePipe(string) error            { return nil }
func flock(*os.File, func()) error     { return nil }
