package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/protocol"
)

type walletCommand struct {
	New       walletNew       `cmd:"" help:"Make a key: an encrypted file in a directory."`
	Address   walletAddress   `cmd:"" help:"Print the address of a key."`
	Balance   walletBalance   `cmd:"" help:"Print what an account has on the chain, in the escrow, and allocated."`
	Deposit   walletDeposit   `cmd:"" help:"Move money from the account into the escrow."`
	Allocate  walletAllocate  `cmd:"" help:"Back tickets to one recipient with money of the account that is in the escrow."`
	Thaw      walletThaw      `cmd:"" help:"Announce how much of an allocation is to be taken back; it is still bound for the thaw period."`
	Release   walletRelease   `cmd:"" help:"Take back what has thawed of an allocation: it can be allocated anew, or withdrawn."`
	Authorise walletAuthorise `cmd:"" help:"Let a session key sign tickets for the account, so that the account's own key stays off streaming machines."`
	Revoke    walletRevoke    `cmd:"" help:"End a session key: it allocates nothing more, and what it signed expires within a thaw period."`
	Session   walletSession   `cmd:"" help:"Show what a session key may do."`
	Withdraw  walletWithdraw  `cmd:"" help:"Move money that is not allocated out of the escrow."`
}

// key names an account's key.
type key struct {
	Keystore     string `help:"Encrypted key file (kinora wallet new)." required:"" placeholder:"FILE"`
	PasswordFile string `help:"File with the key's password." required:"" placeholder:"FILE"`
}

// output is how a command answers.
type output struct {
	JSON bool `help:"Print JSON."`
}

// answer prints what a command did: an object for programs, a line for people.
func (o output) answer(a *app, object map[string]any, format string, args ...any) error {
	if o.JSON {
		return printJSON(a.stdout, object)
	}
	_, err := fmt.Fprintf(a.stdout, format+"\n", args...)
	return err
}

// node names a chain.
type node struct {
	ChainRPC string        `name:"chain-rpc" help:"JSON-RPC address of the chain." required:"" placeholder:"URL"`
	Patience time.Duration `help:"How long to wait for the chain." default:"2m"`
	output
}

// dialled runs do with a client of the chain, as long as patience lasts.
func (n node) dialled(a *app, do func(context.Context, *chain.Client) error) error {
	if n.Patience <= 0 {
		return fmt.Errorf("--patience: %s, want more than 0", n.Patience)
	}
	ctx, cancel := context.WithTimeout(a.ctx, n.Patience)
	defer cancel()
	client, err := chain.Dial(ctx, n.ChainRPC)
	if err == nil {
		defer client.Close()
		err = do(ctx, client)
	}
	late := errors.Is(err, context.DeadlineExceeded)
	if coded, ok := err.(*protocol.Error); ok {
		err = errors.New(coded.Detail) // the code is for programs
	}
	if late {
		err = fmt.Errorf("%w: the chain took longer than --patience %s; what was sent to it may still be mined", err, n.Patience)
	}
	return err
}

// afford adds to a transaction's failure, where the contract has not spoken, what the account could have paid with.
func afford(ctx context.Context, client *chain.Client, who common.Address, err error) error {
	var coded *protocol.Error
	if !errors.As(err, &coded) {
		return err
	}
	if has, failed := client.Balance(ctx, who); failed == nil {
		coded.Detail += fmt.Sprintf("; %s has %s on the chain, for gas and what it moves", who, human(has))
	}
	return err
}

type walletNew struct {
	KeystoreDir  string `help:"Directory the key file is made in." required:"" placeholder:"DIR"`
	PasswordFile string `help:"File with the password; made with a random one when it does not exist." required:"" placeholder:"FILE"`
	Light        bool   `help:"Encrypt lightly: the key opens in milliseconds with 4 MB of memory, instead of a second with 256 MB. For keys that guard little."`
	output
}

// Run makes a key.
func (w walletNew) Run(a *app) error {
	var options []identity.Option // none: hard to guess
	if w.Light {
		options = append(options, identity.LightScrypt())
	}
	address, file, err := identity.Create(w.KeystoreDir, w.PasswordFile, options...)
	if err != nil {
		return err
	}
	return w.answer(a, map[string]any{"address": address, "keystore": file}, "%s\n%s", address, file)
}

type walletAddress struct {
	key
	output
}

// Run prints the address.
func (w walletAddress) Run(a *app) error {
	signer, err := identity.Load(w.Keystore, w.PasswordFile)
	if err != nil {
		return err
	}
	return w.answer(a, map[string]any{"address": signer.Address().Hex()}, "%s", signer.Address())
}

type walletBalance struct {
	node
	Address      common.Address   `help:"Account to look at; by default the one of --keystore." placeholder:"ADDRESS"`
	Keystore     string           `help:"Encrypted key file of the account, instead of --address." placeholder:"FILE"`
	PasswordFile string           `help:"File with the key's password." placeholder:"FILE"`
	Escrow       common.Address   `help:"Address of the escrow (kinora contracts deploy); without it only what is on the chain is shown." placeholder:"ADDRESS"`
	Recipient    []common.Address `help:"Also show what is allocated to these; may be given several times." placeholder:"ADDRESS"`
}

// Validate names the setting that is missing.
func (w walletBalance) Validate() error {
	switch {
	case w.Address == common.Address{} && w.Keystore == "":
		return errors.New("missing: --address, or --keystore with --password-file")
	case w.Address == common.Address{} && w.PasswordFile == "":
		return errors.New("missing: --password-file of --keystore")
	case len(w.Recipient) > 0 && w.Escrow == common.Address{}:
		return errors.New("missing: --escrow, which holds what is allocated to --recipient")
	}
	return nil
}

type allocated struct {
	Recipient string       `json:"recipient"`
	Amount    protocol.Wei `json:"amount"`
	Thawing   protocol.Wei `json:"thawing"` // a part of Amount
	ThawEnd   uint64       `json:"thaw_end,omitempty"`
}

// Run prints the balances.
func (w walletBalance) Run(a *app) error {
	if (w.Address == common.Address{}) {
		signer, err := identity.Load(w.Keystore, w.PasswordFile)
		if err != nil {
			return err
		}
		w.Address = signer.Address()
	}
	return w.dialled(a, func(ctx context.Context, client *chain.Client) error {
		native, err := client.Balance(ctx, w.Address)
		if err != nil {
			return err
		}
		object := map[string]any{"address": w.Address.Hex(), "native": native}
		text := fmt.Sprintf("account        %s\non the chain   %s", w.Address, human(native))
		if (w.Escrow == common.Address{}) {
			return w.answer(a, object, "%s", text)
		}
		escrow, err := chain.NewEscrow(ctx, client, w.Escrow)
		if err != nil {
			return err
		}
		balance, err := escrow.Balance(ctx, w.Address)
		if err != nil {
			return err
		}
		text += fmt.Sprintf("\nin the escrow  %s", human(balance))
		all := []allocated{}
		for _, r := range w.Recipient {
			al, err := escrow.Allocation(ctx, w.Address, r)
			if err != nil {
				return err
			}
			all = append(all, allocated{r.Hex(), al.Amount, al.Thawing, al.ThawEnd})
			text += fmt.Sprintf("\nallocated      %s to %s", human(al.Amount), r)
			if !al.Thawing.IsZero() {
				text += fmt.Sprintf(", of which %s %s", human(al.Thawing), until(al.ThawEnd))
			}
		}
		object["escrow"], object["allocations"] = balance, all
		return w.answer(a, object, "%s", text)
	})
}

func until(thawEnd uint64) string {
	return "can be released from " + time.Unix(int64(thawEnd), 0).UTC().Format(time.RFC3339) + " on"
}

// transaction is a command that sends one to the escrow.
type transaction struct {
	key
	node
	Escrow common.Address `help:"Address of the escrow (kinora contracts deploy)." required:"" placeholder:"ADDRESS"`
}

// outcome is what a transaction did.
type outcome struct {
	receipt chain.Receipt
	said    string
	more    map[string]any
}

func (t transaction) send(a *app, do func(context.Context, *chain.Escrow, *chain.Account) (outcome, error)) error {
	signer, err := identity.Load(t.Keystore, t.PasswordFile)
	if err != nil {
		return err
	}
	return t.dialled(a, func(ctx context.Context, client *chain.Client) error {
		escrow, err := chain.NewEscrow(ctx, client, t.Escrow)
		if err != nil {
			return err
		}
		o, err := do(ctx, escrow, chain.NewAccount(client, signer))
		if err != nil {
			return afford(ctx, client, signer.Address(), err)
		}
		object := map[string]any{"address": signer.Address().Hex(), "tx": o.receipt.Tx, "block": o.receipt.Block, "gas_wei": o.receipt.Cost}
		maps.Copy(object, o.more)
		return t.answer(a, object, "%s (transaction %s, gas %s)", o.said, o.receipt.Tx, human(o.receipt.Cost))
	})
}

// sum is an amount that is moved.
type sum struct {
	Amount protocol.Wei `arg:"" help:"In wei, or with a unit: 1.5gwei, 0.25ether."`
}

// Validate refuses to move nothing, which an amount that was left out is too.
func (s sum) Validate() error {
	if s.Amount.IsZero() {
		return errors.New("<amount>: want more than 0, in wei or with a unit")
	}
	return nil
}

// counterpart is who an allocation is for.
type counterpart struct {
	Recipient common.Address `help:"Who the tickets are for." required:"" placeholder:"ADDRESS"`
}

type walletDeposit struct {
	transaction
	sum
}

// Run deposits.
func (w walletDeposit) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Deposit(ctx, from, w.Amount)
		return outcome{r, "deposited " + human(w.Amount), map[string]any{"amount": w.Amount}}, err
	})
}

type walletAllocate struct {
	transaction
	sum
	counterpart
}

// Run allocates.
func (w walletAllocate) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		if from.Address() == w.Recipient {
			return outcome{}, fmt.Errorf("--recipient: %s is the account itself; allocate to whom it will pay", w.Recipient)
		}
		r, err := e.Allocate(ctx, from, w.Recipient, w.Amount)
		more := map[string]any{"amount": w.Amount, "recipient": w.Recipient.Hex()}
		return outcome{r, fmt.Sprintf("allocated %s to %s", human(w.Amount), w.Recipient), more}, err
	})
}

type walletThaw struct {
	transaction
	Amount protocol.Wei `arg:"" help:"How much of the allocation is to thaw, in wei or with a unit; what is thawing is set to this, so 0 ends a thaw."`
	counterpart
}

// Run sets what is thawing.
func (w walletThaw) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Thaw(ctx, from, w.Recipient, w.Amount)
		if err != nil {
			return outcome{}, err
		}
		now, err := e.Allocation(ctx, from.Address(), w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		more := map[string]any{"amount": now.Amount, "thawing": now.Thawing, "thaw_end": now.ThawEnd, "recipient": w.Recipient.Hex()}
		said := fmt.Sprintf("nothing thaws of the %s allocated to %s", human(now.Amount), w.Recipient)
		if !now.Thawing.IsZero() {
			said = fmt.Sprintf("%s of the %s allocated to %s %s", human(now.Thawing), human(now.Amount), w.Recipient, until(now.ThawEnd))
		}
		return outcome{r, said, more}, nil
	})
}

type walletRelease struct {
	transaction
	counterpart
}

// Run takes back what has thawed.
func (w walletRelease) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Release(ctx, from, w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		now, err := e.Allocation(ctx, from.Address(), w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		more := map[string]any{"amount": now.Amount, "recipient": w.Recipient.Hex()}
		return outcome{r, fmt.Sprintf("released; %s stay allocated to %s", human(now.Amount), w.Recipient), more}, nil
	})
}

type walletWithdraw struct {
	transaction
	sum
	To common.Address `help:"Where to; by default the account itself." placeholder:"ADDRESS"`
}

// Run withdraws.
func (w walletWithdraw) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		to := w.To
		if to == (common.Address{}) {
			to = from.Address()
		}
		r, err := e.Withdraw(ctx, from, to, w.Amount)
		more := map[string]any{"amount": w.Amount, "to": to.Hex()}
		return outcome{r, fmt.Sprintf("withdrew %s to %s", human(w.Amount), to), more}, err
	})
}
