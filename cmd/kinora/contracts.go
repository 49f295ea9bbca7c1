package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
)

type contractsCommand struct {
	Deploy contractsDeploy `cmd:"" help:"Deploy the ticket escrow and check what was deployed."`
}

type contractsDeploy struct {
	key
	node
	Thaw time.Duration `help:"How long an allocation thaws before it can be taken back: no ticket may live longer." default:"168h"`
}

// maxThaw is the contract's own limit.
const maxThaw = 90 * 24 * time.Hour

// Validate names the setting that cannot be.
func (c contractsDeploy) Validate() error {
	if c.Thaw < time.Second || c.Thaw > maxThaw || c.Thaw%time.Second != 0 {
		return fmt.Errorf("--thaw: %s, want whole seconds, from 1s to %s", c.Thaw, maxThaw)
	}
	return nil
}

// Run deploys, then opens what was deployed, which checks it.
func (c contractsDeploy) Run(a *app) error {
	signer, err := identity.Load(c.Keystore, c.PasswordFile)
	if err != nil {
		return err
	}
	return c.dialled(a, func(ctx context.Context, client *chain.Client) error {
		address, receipt, err := chain.NewAccount(client, signer).Deploy(ctx, c.Thaw)
		if err != nil {
			return afford(ctx, client, signer.Address(), err)
		}
		escrow, err := chain.NewEscrow(ctx, client, address)
		if err != nil {
			return fmt.Errorf("the contract at %s does not answer as an escrow: %w", address, err)
		}
		object := map[string]any{"escrow": address.Hex(), "chain_id": client.ChainID(), "thaw_seconds": int64(escrow.ThawPeriod().Seconds()),
			"deployer": signer.Address().Hex(), "tx": receipt.Tx, "block": receipt.Block, "gas_wei": receipt.Cost}
		return c.answer(a, object, "escrow %s on chain %d, thaw %s", address, client.ChainID(), escrow.ThawPeriod())
	})
}
