//go:build unix

package main

import (
	"os"
	"syscall"
)

// ownSession starts a process in a session and a process group of its own.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// flock locks a file until it is closed.
func flock(file *os.File, onWait func()) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		onWait()
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	return err
}
