// Package settings reads the one YAML file of Kinora and says where each value in force came from.
//
// The file has a section per command, keyed by the command's words joined with a space ("broadcaster", "wallet deposit"),
// and at its top the flags every command has. Keys are flag names. A flag on the command line beats its KINORA_*
// environment variable, which beats the file, which beats the default. A key that is no flag is refused, with the
// nearest that is; one without a value is as if it were not there.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// File is a kong.Resolver over one YAML file. The zero File holds nothing.
type File struct {
	path     string
	top      map[string]value
	sections map[string]section
}

type section struct {
	values map[string]value
	line   int
}

// value is what stands behind a key: a plain value, a list of them, a mapping of them (items are then NAME=VALUE), or nothing.
type value struct {
	kind  yaml.Kind // Scalar, Sequence or Mapping; 0 for nothing
	text  string
	items []string
	line  int
}

// Path finds --config FILE in args, or KINORA_CONFIG; empty when there is neither.
func Path(args []string) string {
	for i, a := range args {
		if a == "--" {
			break
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
	}
	return os.Getenv("KINORA_CONFIG")
}

// Load reads path; an empty path gives the zero File.
func Load(path string) (*File, error) {
	f := &File{path: path, top: map[string]value{}, sections: map[string]section{}}
	if path == "" {
		return f, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w (--config, or KINORA_CONFIG, names it)", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 || empty(doc.Content[0]) {
		return f, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want a mapping of settings", path, root.Line)
	}
	seen := map[string]bool{}
	for i := 0; i < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		if seen[key.Value] {
			return nil, f.twice(key)
		}
		seen[key.Value] = true
		switch {
		case node.Kind == yaml.MappingNode:
			s := section{map[string]value{}, key.Line}
			if err := f.fill(s.values, node); err != nil {
				return nil, err
			}
			f.sections[key.Value] = s
		case empty(node): // a section whose every line is commented out
			f.sections[key.Value] = section{nil, key.Line}
		default:
			if f.top[key.Value], err = f.value(key, node); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

func (f *File) fill(values map[string]value, node *yaml.Node) error {
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		if _, twice := values[key.Value]; twice {
			return f.twice(key)
		}
		v, err := f.value(key, node.Content[i+1])
		if err != nil {
			return err
		}
		values[key.Value] = v
	}
	return nil
}

func (f *File) twice(key *yaml.Node) error {
	return fmt.Errorf("%s:%d: %q is set twice", f.path, key.Line, key.Value)
}

func empty(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func (f *File) value(key, node *yaml.Node) (value, error) {
	v := value{kind: node.Kind, line: key.Line}
	switch {
	case empty(node):
		v.kind = 0
		return v, nil
	case node.Kind == yaml.ScalarNode:
		v.text = node.Value
		return v, nil
	case node.Kind == yaml.SequenceNode || node.Kind == yaml.MappingNode:
		for i, n := range node.Content {
			switch {
			case n.Kind != yaml.ScalarNode:
				return value{}, fmt.Errorf("%s:%d: %q: want plain values", f.path, n.Line, key.Value)
			case node.Kind == yaml.MappingNode && i%2 == 1:
				v.items[i/2] += "=" + n.Value
			default:
				v.items = append(v.items, n.Value)
			}
		}
		return v, nil
	}
	return value{}, fmt.Errorf("%s:%d: %q: want a plain value, a list or a mapping of them", f.path, node.Line, key.Value)
}

// in writes v as flag reads it on the command line; false when there is nothing to set.
func (v value) in(flag *kong.Flag) (string, bool, error) {
	separator := flag.Tag.Sep
	if flag.IsMap() {
		separator = flag.Tag.MapSep
	}
	switch v.kind {
	case yaml.ScalarNode:
		return v.text, true, nil
	case yaml.SequenceNode, yaml.MappingNode:
		switch {
		case !flag.IsMap() && !flag.IsSlice():
			return "", false, errors.New("want a plain value")
		case !flag.IsMap() && v.kind == yaml.MappingNode:
			return "", false, errors.New("want a list")
		}
		return kong.JoinEscaped(v.items, separator), len(v.items) > 0, nil
	}
	return "", false, nil
}

// Validate refuses sections and keys that no command and no flag has: of several, the first in the file.
func (f *File) Validate(app *kong.Application) error {
	commands := map[string]*kong.Node{}
	for _, leaf := range app.Leaves(true) {
		commands[Name(leaf)] = leaf
	}
	names := slices.Sorted(maps.Keys(commands))
	type fault struct {
		line int
		text string
	}
	var faults []fault
	check := func(values map[string]value, what string, valid, near []string) {
		for key, v := range values {
			if !slices.Contains(valid, key) {
				faults = append(faults, fault{v.line, fmt.Sprintf("unknown %s %q%s", what, key, hint(key, near))})
			}
		}
	}
	top := flagNames(app.Node)
	check(f.top, "setting", top, slices.Concat(top, names))
	for name, s := range f.sections {
		switch leaf, ok := commands[name]; {
		case ok:
			valid := flagNames(leaf)
			check(s.values, "setting of "+name, valid, valid)
		case s.values != nil || !slices.Contains(top, name):
			faults = append(faults, fault{s.line, fmt.Sprintf("unknown section %q%s", name, hint(name, names))})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	first := slices.MinFunc(faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	return fmt.Errorf("%s:%d: %s", f.path, first.line, first.text)
}

// Resolve gives the file's value of a flag that neither the command line nor the environment sets.
func (f *File) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if _, ok := fromEnvironment(flag); ok {
		return nil, nil
	}
	v, ok := f.find(ctx.Selected(), flag.Name)
	if !ok {
		return nil, nil
	}
	text, ok, err := v.in(flag)
	if err == nil && ok {
		err = parses(flag, text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (from %s)", err, f.place(v))
	}
	if !ok {
		return nil, nil
	}
	return text, nil
}

func (f *File) place(v value) string { return fmt.Sprintf("%s:%d", f.path, v.line) }

func (f *File) find(selected *kong.Node, name string) (value, bool) {
	if selected != nil {
		if v, ok := f.sections[Name(selected)].values[name]; ok {
			return v, true
		}
	}
	v, ok := f.top[name]
	return v, ok
}

// parses says whether flag can be set to text, without setting it.
func parses(flag *kong.Flag, text string) error {
	scratch := *flag.Value
	target := reflect.New(flag.Target.Type()).Elem()
	if err := scratch.Parse(kong.Scan().PushTyped(text, kong.FlagValueToken), target); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), flag.ShortSummary()+": "))
	}
	if flag.Enum != "" && !flag.IsSlice() && !slices.Contains(flag.EnumSlice(), text) {
		return fmt.Errorf("must be one of %s but got %q", strings.Join(flag.EnumSlice(), ", "), text)
	}
	return nil
}

// Name is the words of a command below the program: "wallet deposit". What a command does by default has the command's name:
// "transcoder".
func Name(node *kong.Node) string {
	var words []string
	for n := node; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		if n.Parent == nil || n.Parent.DefaultCmd != n {
			words = append([]string{n.Name}, words...)
		}
	}
	return strings.Join(words, " ")
}

// Command finds the command of that name; an error names the nearest.
func Command(app *kong.Application, name string) (*kong.Node, error) {
	var names []string
	for _, leaf := range app.Leaves(true) {
		if Name(leaf) == name {
			return leaf, nil
		}
		names = append(names, Name(leaf))
	}
	return nil, fmt.Errorf("there is no command %q%s", name, hint(name, names))
}

func flagNames(node *kong.Node) []string {
	var names []string
	for _, f := range node.Flags {
		if f.Name != "help" && f.Name != "config" {
			names = append(names, f.Name)
		}
	}
	return names
}

// CheckEnvironment refuses KINORA_* variables that no flag reads and own does not name.
func CheckEnvironment(app *kong.Application, environ []string, own ...string) error {
	known := slices.Clone(own)
	for _, node := range append(app.Leaves(true), app.Node) {
		for _, f := range node.Flags {
			known = append(known, f.Envs...)
		}
	}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "KINORA_") && !slices.Contains(known, name) {
			return fmt.Errorf("environment: unknown variable %s%s", name, hint(name, known))
		}
	}
	return nil
}

// fromEnvironment is the variable that sets flag. One that is set to nothing sets the flag to nothing.
func fromEnvironment(flag *kong.Flag) (string, bool) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return env, true
		}
	}
	return "", false
}

// hint names the valid word nearest to got, when one is near enough to be meant.
func hint(got string, valid []string) string {
	best, distance := "", len(got)/2+1
	for _, v := range valid {
		if d := editDistance(got, v); d < distance {
			best, distance = v, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
