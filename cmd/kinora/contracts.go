package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/chain"
)

type contractsCommand struct {
	Deploy   contractsDeploy   `cmd:"" help:"Deploy the ticket escrow and check what was deployed."`
	Registry contractsRegistry `cmd:"" help:"Deploy a service registry, in which broadcasters find orchestrators."`
}

type contractsDeploy struct {
	sender
	node
	money
	Thaw time.Duration `help:"How long an allocation thaws before it can be taken back: no ticket may live longer." default:"168h"`
}

// maxThaw is the contract's own limit.
const maxThaw = 90 * 24 * time.Hour

// Validate names the setting that cannot be.
func (c contractsDeploy) Validate() error {
	if c.Thaw < time.Second || c.Thaw > maxThaw || c.Thaw%time.Second != 0 {
		return fmt.Errorf("--thaw: %s, want whole seconds, from 1s to %s", c.Thaw, maxThaw)
	}
	if c.ChainRPC == "" {
		return c.sender.missing("--chain-rpc")
	}
	return c.sender.missing()
}

// Run deploys, then opens what was deployed, which checks it.
func (c contractsDeploy) Run(a *app) error {
	return c.signed(a, c.node, c.money, func(ctx context.Context, from *chain.Account) error {
		client := from.Client()
		address, receipt, err := from.Deploy(ctx, c.Thaw)
		if err != nil {
			return err
		}
		escrow, err := chain.NewEscrow(ctx, client, address)
		if err != nil {
			return fmt.Errorf("the contract at %s does not answer as an escrow: %w", address, err)
		}
		object := map[string]any{"escrow": address.Hex(), "chain_id": client.ChainID(), "thaw_seconds": int64(escrow.ThawPeriod().Seconds()),
			"deployer": from.Address().Hex(), "tx": receipt.Tx, "block": receipt.Block, "gas_wei": receipt.Cost}
		return c.answer(a, object, "escrow %s on chain %d, thaw %s", address, client.ChainID(), escrow.ThawPeriod())
	})
}
