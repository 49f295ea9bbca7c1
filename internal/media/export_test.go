package media

// Without are options for a child built with the tag jailtest that leaves those layers off; "namespaces" works with every child.
func Without(path string, layers ...string) Options { return Options{Path: path, without: layers} }

// Hierarchy finds the delegated control group as proc and mount show it, and makes a group in it for a child of limits.
func Hierarchy(proc, mount string, limits Limits) (group string, err error) {
	h, err := findHierarchy(proc, mount)
	if err != nil {
		return "", err
	}
	return h.group(limits.withDefaults())
}

// Effort is how long the child's threads have run, and how long they waited for a processor.
var Effort = effort
