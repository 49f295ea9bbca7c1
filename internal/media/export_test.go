package media

// Without are options for a child built with the tag jailtest that leaves those layers off; "namespaces" works with every child.
func Without(path string, layers ...string) Options { return Options{Path: path, without: layers} }
