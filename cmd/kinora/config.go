package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
)

type configCommand struct {
	Show    configShow    `cmd:"" help:"Print every setting of a command, its value and where that comes from."`
	Example configExample `cmd:"" help:"Print a commented YAML file of all settings of the three roles."`
}

type configShow struct {
	Command []string `arg:"" optional:"" help:"broadcaster, orchestrator, transcoder, up, wallet deposit, …; empty for the three roles."`
	JSON    bool     `help:"Print JSON."`
}

var roles = []string{"broadcaster", "orchestrator", "transcoder"}

func (c configShow) names() []string {
	if len(c.Command) == 0 {
		return roles
	}
	return []string{strings.Join(c.Command, " ")}
}

// Validate refuses a command that there is not.
func (c configShow) Validate(ctx *kong.Context) error {
	for _, name := range c.names() {
		if _, err := settings.Command(ctx.Model, name); err != nil {
			return err
		}
	}
	return nil
}

// Run prints the settings in force, then says which of them cannot be.
func (c configShow) Run(a *app, ctx *kong.Context) error {
	shown := map[string][]settings.Setting{}
	var faults []string
	for _, name := range c.names() {
		node, err := settings.Command(ctx.Model, name)
		if err != nil {
			return err
		}
		all, err := a.file.InForce(ctx, node)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", "\n"+name+": ")))
		}
		shown[name] = all
	}
	if err := c.print(a.stdout, shown); err != nil {
		return err
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	return nil
}

func (c configShow) print(to io.Writer, shown map[string][]settings.Setting) error {
	if c.JSON {
		return printJSON(to, shown)
	}
	w := tabwriter.NewWriter(to, 2, 0, 2, ' ', 0)
	for _, name := range c.names() {
		fmt.Fprintf(w, "%s\n", name)
		for _, s := range shown[name] {
			fmt.Fprintf(w, "  %s\t%s\t(%s)\n", s.Name, s.Value, s.Source)
		}
	}
	return w.Flush()
}

type configExample struct{}

// Run prints the example file.
func (configExample) Run(a *app, ctx *kong.Context) error {
	settings.Example(a.stdout, ctx.Model, roles...)
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
