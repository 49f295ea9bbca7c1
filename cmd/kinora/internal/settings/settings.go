// Package settings reads the one YAML file of Kinora and says where each value in force came from.
//
// The file has a section per command, keyed by the command's words joined with a space ("broadcaster", "wallet deposit"),
// and at its top the flags every command has. Keys are flag names. A flag on the command line beats its KINORA_*
// environment variable, which beats the file, which beats the default. A key that is no flag is refused, with the
// nearest that is.
package settings

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// File is a kong.Resolver over one YAML file. The zero File holds nothing.
type File struct {
	path     string
	top      map[string]value
	sections map[string]map[string]value
}

type value struct {
	text string
	line int
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
	f := &File{path: path, top: map[string]value{}, sections: map[string]map[string]value{}}
	if path == "" {
		return f, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return f, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want a mapping of settings", path, root.Line)
	}
	for i := 0; i < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		if node.Kind == yaml.MappingNode {
			section := map[string]value{}
			if err := f.fill(section, node); err != nil {
				return nil, err
			}
			f.sections[key.Value] = section
			continue
		}
		if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
			f.sections[key.Value] = nil // a section whose every line is commented out
			continue
		}
		v, err := f.scalar(key, node)
		if err != nil {
			return nil, err
		}
		f.top[key.Value] = v
	}
	return f, nil
}

func (f *File) fill(section map[string]value, node *yaml.Node) error {
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		v, err := f.scalar(key, node.Content[i+1])
		if err != nil {
			return err
		}
		if _, twice := section[key.Value]; twice {
			return fmt.Errorf("%s:%d: %q is set twice", f.path, key.Line, key.Value)
		}
		section[key.Value] = v
	}
	return nil
}

func (f *File) scalar(key, node *yaml.Node) (value, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		return value{node.Value, key.Line}, nil
	case yaml.SequenceNode:
		items := make([]string, 0, len(node.Content))
		for _, n := range node.Content {
			if n.Kind != yaml.ScalarNode {
				return value{}, fmt.Errorf("%s:%d: %q: want a list of plain values", f.path, n.Line, key.Value)
			}
			items = append(items, strings.ReplaceAll(n.Value, ",", `\,`))
		}
		return value{strings.Join(items, ","), key.Line}, nil
	}
	return value{}, fmt.Errorf("%s:%d: %q: want a plain value or a list of them", f.path, node.Line, key.Value)
}

// Validate refuses sections and keys that no command and no flag has.
func (f *File) Validate(app *kong.Application) error {
	commands := map[string]*kong.Node{}
	for _, leaf := range Commands(app) {
		commands[Name(leaf)] = leaf
	}
	top := flagNames(app.Node)
	for key, v := range f.top {
		if !slices.Contains(top, key) {
			return f.unknown(v.line, "setting", key, append(top, keys(commands)...))
		}
	}
	for section, values := range f.sections {
		leaf, ok := commands[section]
		if !ok && !(values == nil && slices.Contains(top, section)) {
			return fmt.Errorf("%s: unknown section %q%s", f.path, section, hint(section, keys(commands)))
		}
		for key, v := range values {
			names := flagNames(leaf)
			if !slices.Contains(names, key) {
				return f.unknown(v.line, "setting of "+section, key, names)
			}
		}
	}
	return nil
}

func (f *File) unknown(line int, what, key string, valid []string) error {
	return fmt.Errorf("%s:%d: unknown %s %q%s", f.path, line, what, key, hint(key, valid))
}

// Resolve gives the file's value of a flag that neither the command line nor the environment sets.
func (f *File) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if fromEnvironment(flag) != "" {
		return nil, nil
	}
	if v, ok := f.find(ctx.Selected(), flag.Name); ok {
		return v.text, nil
	}
	return nil, nil
}

func (f *File) find(selected *kong.Node, name string) (value, bool) {
	if selected != nil {
		if v, ok := f.sections[Name(selected)][name]; ok {
			return v, true
		}
	}
	v, ok := f.top[name]
	return v, ok
}

// Name is the words of a command below the program: "wallet deposit". A default command bears its parent's name.
func Name(node *kong.Node) string {
	var words []string
	for n := node; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		if n.Parent != nil && n.Parent.DefaultCmd == n {
			continue
		}
		words = append([]string{n.Name}, words...)
	}
	return strings.Join(words, " ")
}

// Commands lists every command that runs.
func Commands(app *kong.Application) []*kong.Node { return app.Leaves(true) }

func flagNames(node *kong.Node) []string {
	var names []string
	for _, f := range node.Flags {
		if f.Name != "help" && f.Name != "config" {
			names = append(names, f.Name)
		}
	}
	return names
}

func keys[V any](m map[string]V) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// CheckEnvironment refuses KINORA_* variables that no flag reads and own does not name.
func CheckEnvironment(app *kong.Application, environ []string, own ...string) error {
	known := slices.Clone(own)
	for _, node := range append(Commands(app), app.Node) {
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

func fromEnvironment(flag *kong.Flag) string {
	for _, env := range flag.Envs {
		if os.Getenv(env) != "" {
			return env
		}
	}
	return ""
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
