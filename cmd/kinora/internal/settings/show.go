package settings

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Setting is one value in force and where it came from.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // "flag", "KINORA_X", "FILE:LINE" or "default"
}

// InForce lists the settings of the command selected in ctx, secrets left out of sight.
func (f *File) InForce(ctx *kong.Context, node *kong.Node) []Setting {
	onLine := map[string]bool{}
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved {
			onLine[p.Flag.Name] = true
		}
	}
	var all []Setting
	for _, flag := range node.Flags {
		if flag.Name == "help" || flag.Hidden {
			continue
		}
		s := Setting{Name: flag.Name, Value: flag.Default, Source: "default"}
		if v, ok := f.find(node, flag.Name); ok {
			s.Value, s.Source = v.text, fmt.Sprintf("%s:%d", f.path, v.line)
		}
		if env := fromEnvironment(flag); env != "" {
			s.Value, s.Source = os.Getenv(env), env
		}
		if onLine[flag.Name] {
			s.Value, s.Source = fmt.Sprint(flag.Target.Interface()), "flag"
		}
		s.Value = withoutPassword(s.Value)
		all = append(all, s)
	}
	return all
}

// withoutPassword hides the password of a URL such as postgres://user:secret@host/db.
func withoutPassword(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	userinfo, host, ok := strings.Cut(rest, "@")
	if !ok || strings.Contains(userinfo, "/") {
		return s
	}
	user, _, ok := strings.Cut(userinfo, ":")
	if !ok {
		return s
	}
	return scheme + "://" + user + ":***@" + host
}

// Example writes a commented file with every setting of the given commands at its default.
func Example(w io.Writer, app *kong.Application, commands ...string) {
	fmt.Fprint(w, `# Kinora's settings. Every line is a flag of the same name; a flag on the command line beats KINORA_<NAME> in the
# environment, which beats this file. Lines that are commented out show the default.
`)
	for _, flag := range app.Flags {
		if flag.Name != "help" && flag.Name != "config" && !flag.Hidden {
			example(w, "", flag)
		}
	}
	for _, leaf := range Commands(app) {
		name := Name(leaf)
		for _, want := range commands {
			if name != want {
				continue
			}
			fmt.Fprintf(w, "\n# %s\n%s:\n", leaf.Help, name)
			for _, flag := range leaf.Flags {
				if !flag.Hidden {
					example(w, "  ", flag)
				}
			}
		}
	}
}

func example(w io.Writer, indent string, flag *kong.Flag) {
	fmt.Fprintf(w, "\n%s# %s\n", indent, strings.ReplaceAll(flag.Help, "\n", "\n"+indent+"# "))
	value := flag.Default
	switch {
	case value == "" && flag.IsSlice():
		value = "[]"
	case value == "":
		value = `""`
	case strings.ContainsAny(value, ":{}[]#,&*!|>'\"%@`") && !strings.HasPrefix(value, "["):
		value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	fmt.Fprintf(w, "%s# %s: %s\n", indent, flag.Name, value)
}
