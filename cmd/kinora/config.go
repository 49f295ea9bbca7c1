package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
)

type configCommand struct {
	Show    configShow    `cmd:"" help:"Print every setting of a command, its value and where that comes from."`
	Example configExample `cmd:"" help:"Print a commented YAML file of all settings of the three roles."`
}

type configShow struct {
	Command string `arg:"" optional:"" help:"broadcaster, orchestrator, transcoder, up, …; empty for all three roles."`
	JSON    bool   `help:"Print JSON."`
}

var roles = []string{"broadcaster", "orchestrator", "transcoder"}

// Run prints the settings in force.
func (c configShow) Run(a *app, ctx *kong.Context) error {
	names := roles
	if c.Command != "" {
		names = []string{c.Command}
	}
	shown := map[string][]settings.Setting{}
	w := tabwriter.NewWriter(a.stdout, 2, 0, 2, ' ', 0)
	for _, name := range names {
		node := find(a.kong, name)
		if node == nil {
			return fmt.Errorf("there is no command %q; kinora --help lists them", name)
		}
		shown[name] = a.file.InForce(ctx, node)
		fmt.Fprintf(w, "%s\n", name)
		for _, s := range shown[name] {
			fmt.Fprintf(w, "  %s\t%s\t(%s)\n", s.Name, s.Value, s.Source)
		}
	}
	if c.JSON {
		return printJSON(a.stdout, shown)
	}
	return w.Flush()
}

func find(k *kong.Kong, name string) *kong.Node {
	for _, leaf := range settings.Commands(k.Model) {
		if settings.Name(leaf) == name {
			return leaf
		}
	}
	return nil
}

type configExample struct{}

// Run prints the example file.
func (configExample) Run(a *app) error {
	settings.Example(a.stdout, a.kong.Model, roles...)
	return nil
}

func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}
