package main

// #include "jail.h"
import "C"

// network says how this process is kept off the network.
func network() string {
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
