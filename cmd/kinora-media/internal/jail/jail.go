// Package jail locks its process in, before the Go runtime starts: no network, no new privileges, no other programs, no files
// that grow, no life beyond its parent's. Importing it is all it takes.
package jail

// #include "jail.h"
import "C"

// Network says how this process is kept off the network: by a namespace of its own, by a filter of system calls, or both.
func Network() string {
	switch namespace, filter := C.kinora_net_namespace != 0, C.kinora_filter != 0; {
	case namespace && filter:
		return "namespace+filter"
	case namespace:
		return "namespace"
	case filter:
		return "filter"
	}
	return "none"
}
