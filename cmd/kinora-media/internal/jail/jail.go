// Package jail locks its process in, before the Go runtime starts: no files, no system calls that media does not need, no
// privileges, no other programs, no life beyond its parent's. Importing it is all it takes; namespaces and a control group
// are its parent's to give.
package jail

// #cgo jailtest CFLAGS: -DKINORA_JAIL_WITHOUT=nothing
// #cgo jailopen CFLAGS: -DKINORA_JAIL_WITHOUT=rlimits
// #include "jail.h"
import "C"

import "syscall"

// The names of the layers, in the order of enum kinora_layer.
var names = [C.KINORA_LAYERS]string{"descriptors", "own-root", "landlock", "rlimits", "no-capabilities", "no-new-privs", "seccomp"}

// Layers says which layers hold, and why others do not; one that was not asked for is in neither.
func Layers() (hold []string, lack map[string]string) {
	lack = make(map[string]string)
	for i, name := range names {
		switch err := C.kinora_layer[i]; {
		case err == 0:
			hold = append(hold, name)
		case err > 0:
			lack[name] = syscall.Errno(err).Error()
		}
	}
	return hold, lack
}
