package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/kinora/kinora/transcoder"
)

// running finds the transcoder that a command speaks to.
type running struct {
	Data string `help:"Folder of the transcoder that runs here." default:"kinora-transcoder" placeholder:"DIR"`
	At   string `help:"Address of its --http instead." placeholder:"HOST:PORT"`
	JSON bool   `help:"Print JSON."`
}

func (r running) url(path string) (string, error) {
	at := r.At
	if at == "" {
		var err error
		if at, err = transcoder.Whereabouts(r.Data); err != nil {
			return "", err
		}
	}
	return rooted(at) + path, nil
}

// duty is what a transcoder says of its duty.
type duty struct {
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	Since     time.Time  `json:"since"`
	Leases    int        `json:"leases"`
	HandOver  *time.Time `json:"hand_over_at,omitempty"`
	Deadline  *time.Time `json:"deadline,omitempty"`
	ETAMillis int64      `json:"eta_ms,omitempty"`
	Returns   *time.Time `json:"returns,omitempty"`
	History   []struct {
		State  string    `json:"state"`
		Reason string    `json:"reason,omitempty"`
		At     time.Time `json:"at"`
	} `json:"history"`
	Windows []planned `json:"windows"`
}

// planned is maintenance that was announced.
type planned struct {
	ID     string    `json:"id"`
	Begins time.Time `json:"begins"`
	Ends   time.Time `json:"ends"`
	Reason string    `json:"reason"`
}

func (d duty) line(now time.Time) string {
	s := d.State
	if d.Reason != "" {
		s += " for " + d.Reason
	}
	if d.State == "ready" {
		return s + fmt.Sprintf(", %d leases", d.Leases)
	}
	if d.Leases > 0 {
		s += fmt.Sprintf(", %d leases, about %s to go", d.Leases, (time.Duration(d.ETAMillis) * time.Millisecond).Round(time.Second))
	}
	if d.Deadline != nil && d.Leases > 0 {
		s += fmt.Sprintf(", cut off in %s", d.Deadline.Sub(now).Round(time.Second))
	}
	if d.Returns != nil {
		s += ", back at " + d.Returns.Format(time.RFC3339)
	}
	return s
}

func (d duty) print(w io.Writer) error {
	fmt.Fprintln(w, d.line(time.Now()))
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	for _, p := range d.Windows {
		fmt.Fprintf(t, "maintenance\t%s to %s\tfor %s\t%s\n", p.Begins.Format(time.RFC3339), p.Ends.Format(time.RFC3339), p.Reason, p.ID)
	}
	return t.Flush()
}

// ask asks for a duty or a change of it, and prints it.
func (r running) ask(a *app, method, path string, body any) error {
	url, err := r.url(path)
	if err != nil {
		return err
	}
	d, err := askRole[duty](a.ctx, method, url, body)
	if err != nil {
		return err
	}
	return r.show(a, d)
}

func (r running) show(a *app, d duty) error {
	if r.JSON {
		return printJSON(a.stdout, d)
	}
	return d.print(a.stdout)
}

type transcoderDuty struct{ running }

// Run shows it.
func (c transcoderDuty) Run(a *app) error { return c.ask(a, http.MethodGet, "/api/v1/duty", nil) }

type transcoderDrain struct {
	running
	Reason   string        `help:"Why: ${enum}." enum:"upgrade,maintenance,heat,user,price,fault" default:"user"`
	Patience time.Duration `help:"How long its streams may end by themselves before they are moved to others." default:"0s"`
	Deadline time.Duration `help:"When leases that nobody else has taken are cut off; it must be longer than --patience." default:"5m"`
	Wait     bool          `help:"Wait until it holds no lease any more, and show how far it is." default:"true" negatable:""`
}

// Validate names the flag that cannot be.
func (c transcoderDrain) Validate() error {
	if c.Patience < 0 || c.Deadline <= c.Patience {
		return fmt.Errorf("--deadline: %s, want more than the --patience of %s", c.Deadline, c.Patience)
	}
	return nil
}

// errCameBack ends a wait for a drain that somebody else ended.
var errCameBack = errors.New("it was resumed before it was drained")

// lookEvery is how often a drain that is waited for is looked at.
const lookEvery = 250 * time.Millisecond

// Run drains, and shows each change until it is through.
func (c transcoderDrain) Run(a *app) error {
	url, err := c.url("/api/v1/duty")
	if err != nil {
		return err
	}
	d, err := askRole[duty](a.ctx, http.MethodPost, url+"/drain", map[string]any{"reason": c.Reason,
		"patience_ms": c.Patience.Milliseconds(), "deadline_ms": c.Deadline.Milliseconds()})
	if err != nil {
		return err
	}
	for said := ""; c.Wait && d.State != "drained" && d.State != "stopped"; {
		if now := fmt.Sprint(d.State, d.Leases); now != said {
			said = now
			fmt.Fprintln(a.stderr, d.line(time.Now()))
		}
		select {
		case <-time.After(lookEvery):
		case <-a.ctx.Done():
			return nil // it goes on without a watcher
		}
		if d, err = askRole[duty](a.ctx, http.MethodGet, url, nil); err != nil {
			return err
		}
		if d.State == "ready" {
			return errCameBack
		}
	}
	return c.show(a, d)
}

type transcoderResume struct{ running }

// Run resumes.
func (c transcoderResume) Run(a *app) error {
	return c.ask(a, http.MethodPost, "/api/v1/duty/resume", nil)
}

type transcoderMaintenance struct {
	Add    maintenanceAdd    `cmd:"" help:"Announce maintenance: leases are moved before it begins, and it comes back by itself after it."`
	List   maintenanceList   `cmd:"" help:"Show what is announced."`
	Cancel maintenanceCancel `cmd:"" help:"Take an announcement back."`
}

type maintenanceAdd struct {
	running
	In     time.Duration `help:"How far ahead it begins." xor:"begin" placeholder:"DURATION"`
	From   time.Time     `help:"When it begins, as 2026-01-31T22:00:00Z." xor:"begin" placeholder:"TIME"`
	Length time.Duration `help:"How long it lasts." required:""`
	Reason string        `help:"Why: ${enum}." enum:"upgrade,maintenance,heat,user,price,fault" default:"maintenance"`
}

// Validate names the flag that cannot be.
func (c maintenanceAdd) Validate() error {
	switch {
	case c.Length <= 0:
		return fmt.Errorf("--length: %s, want more than nothing", c.Length)
	case c.In < 0:
		return fmt.Errorf("--in: %s is negative", c.In)
	}
	return nil
}

// Run announces.
func (c maintenanceAdd) Run(a *app) error {
	url, err := c.url("/api/v1/duty/maintenance")
	if err != nil {
		return err
	}
	begins := c.From
	if begins.IsZero() {
		begins = time.Now().Add(c.In)
	}
	p, err := askRole[planned](a.ctx, http.MethodPost, url, map[string]any{"begins": begins, "length_ms": c.Length.Milliseconds(), "reason": c.Reason})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.stdout, p)
	}
	_, err = fmt.Fprintf(a.stdout, "announced for %s to %s: %s\n", p.Begins.Format(time.RFC3339), p.Ends.Format(time.RFC3339), p.ID)
	return err
}

type maintenanceList struct{ running }

// Run lists.
func (c maintenanceList) Run(a *app) error { return c.ask(a, http.MethodGet, "/api/v1/duty", nil) }

type maintenanceCancel struct {
	running
	ID string `arg:"" help:"Of the window, as maintenance list shows it."`
}

// Run cancels.
func (c maintenanceCancel) Run(a *app) error {
	return c.ask(a, http.MethodDelete, "/api/v1/duty/maintenance/"+c.ID, nil)
}
