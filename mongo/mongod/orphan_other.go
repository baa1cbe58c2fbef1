//go:build !linux

package mongod

import (
	"os/exec"
	"syscall"
)

// KillWithParent does nothing here: only Linux can tie a child's life to its parent's.
func KillWithParent(*exec.Cmd, syscall.Signal) {}
