package main

import "github.com/kinora/kinora/cmd/kinora/internal/up"

type upCommand struct{ up.Options }

// Run runs the market until its duration or a signal.
func (u upCommand) Run(a *app) error {
	return up.Run(a.ctx, u.Options, a.log, a.stdout, a.stderr)
}
