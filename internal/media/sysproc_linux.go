package media

import "syscall"

// sysProcAttr ends the child when its parent dies and keeps signals of the terminal from it: its parent decides.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
