package mongod

import (
	"os/exec"
	"syscall"
)

// KillWithParent makes the kernel send sig to the child when this process dies. The child gets its own process group, so
// that a terminal's interrupt reaches only this process, which then stops the child in order.
func KillWithParent(cmd *exec.Cmd, sig syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = sig
	cmd.SysProcAttr.Setpgid = true
}
