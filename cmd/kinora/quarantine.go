package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// replica is the orchestrator that a command speaks to: any of several on one database, on this machine.
type replica struct {
	Transcoder common.Address `arg:"" help:"Account of the transcoder."`
	At         string         `help:"Address of the orchestrator's --http, on this machine; any replica does." default:"127.0.0.1:8936" placeholder:"HOST:PORT"`
	JSON       bool           `help:"Print JSON."`
}

func (r replica) url(what string) string {
	return rooted(r.At) + "/api/v1/fleet/" + r.Transcoder.Hex() + "/" + what
}

type orchestratorQuarantine struct {
	replica
	For    time.Duration `help:"How long it gets no lease." required:""`
	Reason string        `help:"Why, in words; the fleet shows it." required:""`
}

// Validate names the flag that cannot be.
func (c orchestratorQuarantine) Validate() error {
	switch {
	case c.For < time.Second:
		return fmt.Errorf("--for: %s, want at least 1s", c.For)
	case strings.TrimSpace(c.Reason) == "":
		return fmt.Errorf("--reason: it is empty")
	}
	return nil
}

// Run quarantines.
func (c orchestratorQuarantine) Run(a *app) error {
	q, err := askRole[struct {
		Address common.Address `json:"address"`
		Reason  string         `json:"reason"`
		Since   time.Time      `json:"since"`
		Until   time.Time      `json:"until"`
	}](a.ctx, http.MethodPost, c.url("quarantine"), map[string]any{"for_ms": c.For.Milliseconds(), "reason": c.Reason})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.stdout, q)
	}
	_, err = fmt.Fprintf(a.stdout, "%s gets no lease until %s: %s\n", q.Address, q.Until.Format(time.RFC3339), q.Reason)
	return err
}

type orchestratorRelease struct{ replica }

// Run releases.
func (c orchestratorRelease) Run(a *app) error {
	_, err := askRole[map[string]any](a.ctx, http.MethodPost, c.url("release"), nil)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.stdout, map[string]any{"address": c.Transcoder, "released": true})
	}
	_, err = fmt.Fprintf(a.stdout, "%s may have leases again\n", c.Transcoder)
	return err
}
