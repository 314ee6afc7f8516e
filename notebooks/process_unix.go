//go:build unix

package main

import (
	"os"
	"syscall"
)

// ownSession starts a process in a session and a process group of its own.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func makePipe(name string) error { return syscall.Mkfifo(name, 0o600) }

// flock locks a file until it is closed.
func flock(file *os.File, onWait func()) error {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EWOULDBLOCK {
		return err
	}
	onWait()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
}
