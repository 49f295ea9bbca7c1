package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster"
	"github.com/kinora/kinora/orchestrator"
	"github.com/kinora/kinora/transcoder"
)

// readyFile tells who started this process that it serves now, and where.
type readyFile struct {
	ReadyFile string `help:"File to write {\"http\",\"address\"} to once the role serves." hidden:""`
}

func (r readyFile) write(http string, address common.Address) error {
	if r.ReadyFile == "" {
		return nil
	}
	b, err := json.Marshal(map[string]string{"http": http, "address": address.Hex()})
	if err != nil {
		return err
	}
	part := r.ReadyFile + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	return os.Rename(part, r.ReadyFile)
}

// told makes a role's OnReady out of a readyFile.
func (r readyFile) told(a *app, http string, address common.Address) {
	if err := r.write(http, address); err != nil {
		a.log.Error("cannot say that this role is ready", "err", err)
	}
}

type broadcasterCommand struct {
	broadcaster.Config
	readyFile
}

// Run runs the role until a signal.
func (c *broadcasterCommand) Run(a *app) error {
	c.OnReady = func(r broadcaster.Ready) { c.told(a, r.HTTP, r.Address) }
	return broadcaster.Run(a.ctx, c.Config, a.log.With("role", "broadcaster"))
}

type orchestratorCommand struct {
	orchestrator.Config
	readyFile
}

// Run runs the role until a signal.
func (c *orchestratorCommand) Run(a *app) error {
	c.OnReady = func(r orchestrator.Ready) { c.told(a, r.HTTP, r.Address) }
	return orchestrator.Run(a.ctx, c.Config, a.log.With("role", "orchestrator"))
}

type transcoderCommand struct {
	Run transcoderRun `cmd:"" default:"withargs" help:"Bid for work, transcode it, be paid."`
}

type transcoderRun struct {
	transcoder.Config
	readyFile
}

// Run runs the role until a signal.
func (c *transcoderRun) Run(a *app) error {
	c.OnReady = func(r transcoder.Ready) { c.told(a, r.HTTP, r.Address) }
	return transcoder.Run(a.ctx, c.Config, a.log.With("role", "transcoder"))
}
