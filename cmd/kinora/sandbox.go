package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/kinora/kinora/transcoder"
)

type transcoderSandboxTest struct {
	MediaChild string `name:"media-child" help:"The kinora-media program; by default the one beside this program." placeholder:"FILE"`
	Keystore   string `help:"Folder of keys that must not be seen; without it one is made." placeholder:"DIR"`
	JSON       bool   `help:"Print JSON."`
}

// Run prints what became of each attempt; it fails when one passed.
func (c *transcoderSandboxTest) Run(a *app) error {
	s, err := transcoder.SandboxTest(a.ctx, transcoder.Config{MediaChild: c.MediaChild, Keystore: c.Keystore})
	if err != nil {
		return err
	}
	passed := s.Passed()
	if c.JSON {
		if err := printJSON(a.stdout, s); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(a.stdout, 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ATTEMPT\tRESULT\tBLOCKED BY\tTRIES TO")
		for _, e := range s.Escapes {
			result, by := "blocked", e.Layer
			if e.Passed {
				result, by = "PASSED", "nothing: "+e.Detail
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Name, result, by, e.What)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "\n%d of %d attempts blocked by %s.\n", len(s.Escapes)-len(passed), len(s.Escapes), strings.Join(s.Layers, ", "))
		for _, l := range s.Lacks() {
			fmt.Fprintf(a.stdout, "%s does not hold: %s. To mend that: %s.\n", l.Layer, l.Because, l.Mend)
		}
	}
	if len(passed) > 0 {
		return fmt.Errorf("%d of %d attempts got out of the jail, the first: %s", len(passed), len(s.Escapes), passed[0].Name)
	}
	return nil
}
