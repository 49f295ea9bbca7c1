package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Setting is one value in force and where it came from.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // "flag", "KINORA_X", "FILE:LINE" or "default"
}

// InForce lists the settings of a command, those that every command has first, secrets left out of sight. The error says
// which of them cannot be, and where they stand; the list is whole also then.
func (f *File) InForce(ctx *kong.Context, node *kong.Node) ([]Setting, error) {
	onLine := map[*kong.Flag]bool{}
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved {
			onLine[p.Flag] = true
		}
	}
	var all []Setting
	var errs []error
	for _, flag := range slices.Concat(ctx.Model.Flags, node.Flags) {
		if flag.Name == "help" || flag.Name == "config" || flag.Hidden {
			continue
		}
		s, err := f.inForce(node, flag)
		if onLine[flag] {
			s.Value, s.Source, err = fmt.Sprint(ctx.FlagValue(flag)), "flag", nil
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w (from %s)", flag.Name, err, s.Source))
		}
		s.Value = WithoutSecrets(s.Value)
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

func (f *File) inForce(node *kong.Node, flag *kong.Flag) (Setting, error) {
	s := Setting{Name: flag.Name, Value: flag.Default, Source: "default"}
	if flag.IsBool() {
		s.Value = cmp.Or(s.Value, "false")
	}
	if env, ok := fromEnvironment(flag); ok {
		s.Value, s.Source = os.Getenv(env), env
		return s, parses(flag, s.Value)
	}
	v, ok := f.find(node, flag.Name)
	if !ok {
		return s, nil
	}
	text, ok, err := v.in(flag)
	if err == nil && ok {
		s.Value, err = text, parses(flag, text)
	}
	if err != nil || ok {
		s.Source = f.place(v)
	}
	return s, err
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
	for _, leaf := range app.Leaves(true) {
		name := Name(leaf)
		if !slices.Contains(commands, name) {
			continue
		}
		fmt.Fprintf(w, "\n# %s\n%s:\n", leaf.Help, name)
		for _, flag := range leaf.Flags {
			if flag.Name != "help" && !flag.Hidden {
				example(w, "  ", flag)
			}
		}
	}
}

func example(w io.Writer, indent string, flag *kong.Flag) {
	fmt.Fprintf(w, "\n%s# %s\n", indent, strings.ReplaceAll(flag.Help, "\n", "\n"+indent+"# "))
	value := flag.Default
	switch {
	case value != "":
		if strings.ContainsAny(value, ":{}[]#,&*!|>'\"%@`") {
			value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
		}
	case flag.IsSlice():
		value = "[]"
	case flag.IsMap():
		value = "{}"
	case flag.IsBool():
		value = "false"
	default:
		value = `""`
	}
	fmt.Fprintf(w, "%s# %s: %s\n", indent, flag.Name, value)
}
