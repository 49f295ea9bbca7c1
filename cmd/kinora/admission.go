package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus/callout"
	"github.com/kinora/kinora/orchestrator"
)

// admissions is the record of who may join a market, in its orchestrators' database.
type admissions struct {
	DatabaseURL string `name:"database-url" help:"Postgres database of the orchestrator." placeholder:"URL"`
	output
}

// Validate names what is missing.
func (d admissions) Validate() error {
	if d.DatabaseURL == "" {
		return errors.New("missing: --database-url, the orchestrator's")
	}
	return nil
}

func (d admissions) open(a *app, use func(context.Context, *orchestrator.Admissions) error) error {
	record, err := orchestrator.OpenAdmissions(a.ctx, d.DatabaseURL)
	if err != nil {
		return err
	}
	defer record.Close()
	return use(a.ctx, record)
}

type joinTokenCommand struct {
	Create joinTokenCreate `cmd:"" help:"Make a token by which one transcoder joins the market, and print it, once."`
	Ls     joinTokenList   `cmd:"" help:"List tokens: when they were made and expire, and who used them."`
	Revoke joinTokenRevoke `cmd:"" help:"Make a token that nobody has used yet worthless."`
}

type joinTokenCreate struct {
	admissions
	For   time.Duration `help:"How long it may be used." default:"24h"`
	Label string        `help:"What you will know it by."`
}

// Validate names the flag that cannot be.
func (j joinTokenCreate) Validate() error {
	switch {
	case j.For < time.Minute || j.For > 366*24*time.Hour:
		return fmt.Errorf("--for: %s, want 1m to a year", j.For)
	case len(j.Label) > 100:
		return fmt.Errorf("--label: %d bytes, at most 100", len(j.Label))
	}
	return j.admissions.Validate()
}

// Run makes one. What is not the token goes to standard error, so that the output can be a file.
func (j joinTokenCreate) Run(a *app) error {
	return j.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		secret, t, err := record.CreateToken(ctx, j.Label, j.For)
		if err != nil {
			return err
		}
		if !j.JSON {
			fmt.Fprintf(a.stderr, "token %s: for one transcoder, once, until %s; it is not shown again\n", t.ID, t.Expires.UTC().Format(time.RFC3339))
		}
		return j.answer(a, map[string]any{"token": secret, "id": t.ID, "expires_at": t.Expires}, "%s", secret)
	})
}

type joinTokenList struct{ admissions }

// Run lists.
func (j joinTokenList) Run(a *app) error {
	return j.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		tokens, err := record.Tokens(ctx)
		if err != nil {
			return err
		}
		if j.JSON {
			return printJSON(a.stdout, append([]orchestrator.JoinToken{}, tokens...))
		}
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		for _, t := range tokens {
			state := "until " + t.Expires.UTC().Format(time.RFC3339)
			switch {
			case t.Used != nil:
				state = "used by " + t.UsedBy.Hex()
			case t.Revoked != nil:
				state = "revoked"
			case time.Now().After(t.Expires):
				state = "expired"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, t.Created.UTC().Format(time.RFC3339), state, t.Label)
		}
		return w.Flush()
	})
}

type joinTokenRevoke struct {
	admissions
	ID string `arg:"" help:"The token's ID, as ls shows it."`
}

// Run revokes a token.
func (j joinTokenRevoke) Run(a *app) error {
	return j.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		if err := record.RevokeToken(ctx, j.ID); err != nil {
			return err
		}
		return j.answer(a, map[string]any{"id": j.ID}, "token %s admits nobody any more", j.ID)
	})
}

type transcodersCommand struct{ admissions }

// Run lists who was admitted, and who was revoked.
func (c transcodersCommand) Run(a *app) error {
	return c.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		all, err := record.List(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(a.stdout, append([]orchestrator.Admission{}, all...))
		}
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		for _, m := range all {
			state := "admitted " + m.Admitted.UTC().Format(time.RFC3339)
			if m.Revoked != nil {
				state = "revoked " + m.Revoked.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", m.Transcoder, state, cmp.Or(m.Reason, m.Label))
		}
		return w.Flush()
	})
}

type admitCommand struct {
	admissions
	Transcoder common.Address `arg:"" help:"Account of the transcoder."`
}

// Run admits.
func (c admitCommand) Run(a *app) error {
	return c.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		if err := record.Admit(ctx, c.Transcoder); err != nil {
			return err
		}
		return c.answer(a, map[string]any{"transcoder": c.Transcoder.Hex()}, "%s may join without a token", c.Transcoder)
	})
}

type revokeCommand struct {
	admissions
	Transcoder common.Address `arg:"" help:"Account of the transcoder."`
	Reason     string         `help:"Why, for the record."`
}

// Run revokes a transcoder.
func (c revokeCommand) Run(a *app) error {
	return c.open(a, func(ctx context.Context, record *orchestrator.Admissions) error {
		if err := record.Revoke(ctx, c.Transcoder, c.Reason); err != nil {
			return err
		}
		return c.answer(a, map[string]any{"transcoder": c.Transcoder.Hex()}, "%s is cut off by every running orchestrator of this database within seconds, and comes in no more", c.Transcoder)
	})
}

// natsKeysCommand needs no orchestrator: it is for whoever sets NATS up.
type natsKeysCommand struct {
	File string `arg:"" help:"Where to write the keys; all orchestrators of the market use a copy. If it exists, its configuration is printed again." type:"path"`
}

// Run makes the keys, if need be, and prints what the servers need to know.
func (c natsKeysCommand) Run(a *app) error {
	keys, err := callout.LoadKeys(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		if keys, err = callout.CreateKeys(c.File); err == nil {
			fmt.Fprintf(a.stderr, "keys written to %s: keep them as secret as the orchestrator's own; what follows is for the NATS servers\n", c.File)
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(a.stdout, keys.ServerConfig())
	return err
}
