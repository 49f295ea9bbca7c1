package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

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

// market are the settings without which no role can start, as far as it has them.
type market struct{ databaseURL, chainRPC, escrow, keystore, passwordFile *string }

// missing names every setting that is missing, all at once, so that a newcomer does not meet them one by one.
func (m market) missing(more ...string) error {
	var names []string
	for _, s := range []struct {
		flag  string
		value *string
	}{{"--database-url", m.databaseURL}, {"--chain-rpc", m.chainRPC}, {"--escrow", m.escrow}, {"--keystore", m.keystore},
		{"--password-file", m.passwordFile}} {
		if s.value != nil && *s.value == "" {
			names = append(names, s.flag)
		}
	}
	if names = append(names, more...); len(names) > 0 {
		variable := "KINORA_" + strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(names[0], "-"), "-", "_"))
		return fmt.Errorf("missing: %s; set each by its flag, its variable (such as %s) or the file of --config, which `kinora config example` prints",
			strings.Join(names, ", "), variable)
	}
	if _, err := parseAddress(*m.escrow); err != nil {
		return fmt.Errorf("--escrow: %w", err)
	}
	return nil
}

type broadcasterCommand struct {
	broadcaster.Config
	readyFile
}

// Validate names what is missing; what is wrong, the embedded Config names.
func (c *broadcasterCommand) Validate() error {
	var more []string
	if len(c.Orchestrators) == 0 && c.Registry == "" && c.OrchestratorList == "" {
		more = append(more, "--orchestrator")
	}
	return market{&c.DatabaseURL, &c.ChainRPC, &c.Escrow, &c.Keystore, &c.PasswordFile}.missing(more...)
}

// Run runs the role until a signal.
func (c *broadcasterCommand) Run(a *app) error {
	c.OnReady = func(r broadcaster.Ready) { c.told(a, r.HTTP, r.Address) }
	return broadcaster.Run(a.ctx, c.Config, a.log.With("role", "broadcaster"))
}

type orchestratorCommand struct {
	Run         orchestratorRun        `cmd:"" default:"withargs" help:"Sell transcoding, auction it, answer for the result."`
	Register    orchestratorRegister   `cmd:"" help:"Say in the registry on the chain where this orchestrator is, so that broadcasters find it."`
	Unregister  orchestratorUnregister `cmd:"" help:"Take it out of the registry."`
	JoinToken   joinTokenCommand       `cmd:"" help:"Tokens by which transcoders join the market."`
	Transcoders transcodersCommand     `cmd:"" help:"List who was admitted to the market, and who was revoked."`
	Admit       admitCommand           `cmd:"" help:"Admit a transcoder without a token, also one that was revoked."`
	Revoke      revokeCommand          `cmd:"" help:"Cut a transcoder off, and let it in no more but to be paid."`
	NATSKeys    natsKeysCommand        `cmd:"" name:"nats-keys" help:"Make the keys by which orchestrators answer for NATS servers of your own, and print what those need to know."`
	Quarantine  orchestratorQuarantine `cmd:"" help:"Keep leases from a transcoder for a while; those it holds are moved."`
	Release     orchestratorRelease    `cmd:"" help:"End a quarantine before its time."`
}

type orchestratorRun struct {
	orchestrator.Config
	readyFile
}

// Validate names what is missing; what is wrong, the embedded Config names.
func (c *orchestratorRun) Validate() error {
	return market{&c.DatabaseURL, &c.ChainRPC, &c.Escrow, &c.Keystore, &c.PasswordFile}.missing()
}

// Run runs the role until a signal.
func (c *orchestratorRun) Run(a *app) error {
	c.OnReady = func(r orchestrator.Ready) { c.told(a, r.HTTP, r.Address) }
	return orchestrator.Run(a.ctx, c.Config, a.log.With("role", "orchestrator"))
}

type transcoderCommand struct {
	Run         transcoderRun         `cmd:"" default:"withargs" help:"Bid for work, transcode it, be paid."`
	Tune        transcoderTune        `cmd:"" help:"Try every codec, find how many live streams this machine holds, and keep that for the transcoder."`
	Selftest    transcoderSelftest    `cmd:"" help:"Try what a transcoder needs of this machine, and every codec, by doing it."`
	Duty        transcoderDuty        `cmd:"" help:"Show whether it takes work, and how far it is with leaving."`
	Drain       transcoderDrain       `cmd:"" help:"Take no new leases and have those held moved to others, between two segments each; the process goes on."`
	Resume      transcoderResume      `cmd:"" help:"Take work again after a drain."`
	Maintenance transcoderMaintenance `cmd:"" help:"Announce, list and cancel maintenance, which costs no standing."`
	SandboxTest transcoderSandboxTest `cmd:"" help:"Try to break out of the jail around the programs that touch media, and say what stopped each attempt."`
}

type transcoderRun struct {
	transcoder.Config
	readyFile
}

// Validate names what is missing; what is wrong, the embedded Config names.
func (c *transcoderRun) Validate() error {
	return market{nil, &c.ChainRPC, &c.Escrow, &c.Keystore, &c.PasswordFile}.missing()
}

// Run runs the role until a signal.
func (c *transcoderRun) Run(a *app) error {
	c.OnReady = func(r transcoder.Ready) { c.told(a, r.HTTP, r.Address) }
	return transcoder.Run(a.ctx, c.Config, a.log.With("role", "transcoder"))
}
