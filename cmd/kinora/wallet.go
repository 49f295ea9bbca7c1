package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/protocol"
)

type walletCommand struct {
	New      walletNew      `cmd:"" help:"Make a key: an encrypted file in a directory."`
	Address  walletAddress  `cmd:"" help:"Print the address of a key."`
	Balance  walletBalance  `cmd:"" help:"Print what an account has on the chain, in the escrow, and allocated."`
	Deposit  walletDeposit  `cmd:"" help:"Move money from the account into the escrow."`
	Allocate walletAllocate `cmd:"" help:"Back tickets to one recipient with money of the escrow account."`
	Withdraw walletWithdraw `cmd:"" help:"Move money that is not allocated out of the escrow."`
}

type contractsCommand struct {
	Deploy contractsDeploy `cmd:"" help:"Deploy the ticket escrow and check what was deployed."`
}

// key names an account's key.
type key struct {
	Keystore     string `help:"Encrypted key file (kinora wallet new)." required:"" placeholder:"FILE"`
	PasswordFile string `help:"File with the key's password." required:"" placeholder:"FILE"`
}

// node names a chain.
type node struct {
	ChainRPC string        `name:"chain-rpc" help:"JSON-RPC address of the chain." required:"" placeholder:"URL"`
	Patience time.Duration `help:"How long to wait for the chain." default:"2m"`
	JSON     bool          `help:"Print JSON."`
}

// escrowed names a chain and its escrow.
type escrowed struct {
	node
	Escrow common.Address `help:"Address of the escrow (kinora contracts deploy)." required:"" placeholder:"ADDRESS"`
}

func (e escrowed) open(ctx context.Context) (*chain.Client, *chain.Escrow, error) {
	client, err := chain.Dial(ctx, e.ChainRPC)
	if err != nil {
		return nil, nil, err
	}
	escrow, err := chain.NewEscrow(ctx, client, e.Escrow)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return client, escrow, nil
}

// answer prints what a command did: an object for programs, a line for people.
func (n node) answer(a *app, object map[string]any, format string, args ...any) error {
	if n.JSON {
		return printJSON(a.stdout, object)
	}
	_, err := fmt.Fprintf(a.stdout, format+"\n", args...)
	return err
}

type walletNew struct {
	KeystoreDir  string `help:"Directory the key file is made in." required:"" placeholder:"DIR"`
	PasswordFile string `help:"File with the password; made with a random one when it does not exist." required:"" placeholder:"FILE"`
	JSON         bool   `help:"Print JSON."`
}

// Run makes a key.
func (w walletNew) Run(a *app) error {
	address, file, err := identity.Create(w.KeystoreDir, w.PasswordFile)
	if err != nil {
		return err
	}
	return node{JSON: w.JSON}.answer(a, map[string]any{"address": address, "keystore": file}, "%s\n%s", address, file)
}

type walletAddress struct {
	key
	JSON bool `help:"Print JSON."`
}

// Run prints the address.
func (w walletAddress) Run(a *app) error {
	signer, err := identity.Load(w.Keystore, w.PasswordFile)
	if err != nil {
		return err
	}
	return node{JSON: w.JSON}.answer(a, map[string]any{"address": signer.Address()}, "%s", signer.Address())
}

type walletBalance struct {
	escrowed
	Address   common.Address   `help:"Account to look at." required:"" placeholder:"ADDRESS"`
	Recipient []common.Address `help:"Also show what is allocated to these." placeholder:"ADDRESS"`
}

// Run prints the balances.
func (w walletBalance) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, w.Patience)
	defer cancel()
	client, escrow, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	native, err := client.Balance(ctx, w.Address)
	if err != nil {
		return err
	}
	balance, err := escrow.Balance(ctx, w.Address)
	if err != nil {
		return err
	}
	type allocated struct {
		Recipient common.Address `json:"recipient"`
		Amount    protocol.Wei   `json:"amount"`
		Thawing   protocol.Wei   `json:"thawing"`
		ThawEnd   uint64         `json:"thaw_end,omitempty"`
	}
	all := []allocated{}
	text := fmt.Sprintf("on the chain   %s\nin the escrow  %s", human(native), human(balance))
	for _, r := range w.Recipient {
		al, err := escrow.Allocation(ctx, w.Address, r)
		if err != nil {
			return err
		}
		all = append(all, allocated{r, al.Amount, al.Thawing, al.ThawEnd})
		text += fmt.Sprintf("\nallocated      %s to %s (thawing: %s)", human(al.Amount), r, human(al.Thawing))
	}
	return w.answer(a, map[string]any{"address": w.Address, "native": native, "escrow": balance, "allocations": all}, "%s", text)
}

// payment is a transaction about an amount.
type payment struct {
	key
	escrowed
	Amount amount `arg:"" help:"In wei, or with a unit: 1.5gwei, 0.25ether."`
}

func (p payment) run(a *app, did string, more map[string]any, do func(context.Context, *chain.Escrow, *chain.Account) (chain.Receipt, error)) error {
	if p.Amount.IsZero() {
		return fmt.Errorf("the amount is zero")
	}
	ctx, cancel := context.WithTimeout(a.ctx, p.Patience)
	defer cancel()
	signer, err := identity.Load(p.Keystore, p.PasswordFile)
	if err != nil {
		return err
	}
	client, escrow, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	receipt, err := do(ctx, escrow, chain.NewAccount(client, signer))
	if err != nil {
		return err
	}
	object := map[string]any{"address": signer.Address(), "amount": p.Amount.Wei, "tx": receipt.Tx, "block": receipt.Block, "gas_wei": receipt.Cost}
	for k, v := range more {
		object[k] = v
	}
	return p.answer(a, object, "%s %s in transaction %s (gas: %s)", did, human(p.Amount.Wei), receipt.Tx, human(receipt.Cost))
}

type walletDeposit struct{ payment }

// Run deposits.
func (w walletDeposit) Run(a *app) error {
	return w.run(a, "deposited", nil, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (chain.Receipt, error) {
		return e.Deposit(ctx, from, w.Amount.Wei)
	})
}

type walletAllocate struct {
	payment
	Recipient common.Address `help:"Who the tickets will be for." required:"" placeholder:"ADDRESS"`
}

// Run allocates.
func (w walletAllocate) Run(a *app) error {
	more := map[string]any{"recipient": w.Recipient}
	return w.run(a, "allocated", more, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (chain.Receipt, error) {
		return e.Allocate(ctx, from, w.Recipient, w.Amount.Wei)
	})
}

type walletWithdraw struct {
	payment
	To common.Address `help:"Where to; empty for the account itself." placeholder:"ADDRESS"`
}

// Run withdraws.
func (w walletWithdraw) Run(a *app) error {
	return w.run(a, "withdrew", nil, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (chain.Receipt, error) {
		to := w.To
		if to == (common.Address{}) {
			to = from.Address()
		}
		return e.Withdraw(ctx, from, to, w.Amount.Wei)
	})
}

type contractsDeploy struct {
	key
	node
	Thaw time.Duration `help:"How long an allocation thaws before it can be taken back: no ticket may live longer." default:"168h"`
}

// Run deploys, then opens what was deployed, which checks it.
func (c contractsDeploy) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, c.Patience)
	defer cancel()
	signer, err := identity.Load(c.Keystore, c.PasswordFile)
	if err != nil {
		return err
	}
	client, err := chain.Dial(ctx, c.ChainRPC)
	if err != nil {
		return err
	}
	defer client.Close()
	address, receipt, err := chain.NewAccount(client, signer).Deploy(ctx, c.Thaw)
	if err != nil {
		return err
	}
	escrow, err := chain.NewEscrow(ctx, client, address)
	if err != nil {
		return fmt.Errorf("the contract at %s does not answer as an escrow: %w", address, err)
	}
	object := map[string]any{"escrow": address, "chain_id": client.ChainID(), "thaw_seconds": int64(escrow.ThawPeriod().Seconds()), "tx": receipt.Tx}
	return c.answer(a, object, "escrow %s on chain %d, thaw %s", address, client.ChainID(), escrow.ThawPeriod())
}
