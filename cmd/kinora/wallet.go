package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/protocol"
)

type walletCommand struct {
	New       walletNew       `cmd:"" help:"Make a key: an encrypted file in a directory."`
	Import    walletImport    `cmd:"" help:"Make an encrypted key file of a private key that exists, from a file or standard input."`
	Export    walletExport    `cmd:"" help:"Write a key into an encrypted file of its own, to be taken elsewhere."`
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
	Tickets   walletTickets   `cmd:"" help:"List an orchestrator's or a transcoder's winning tickets, and what became of each."`
	Redeem    walletRedeem    `cmd:"" help:"Take the winning tickets that can be redeemed to the chain now, once."`
	Flag      walletFlag      `cmd:"" help:"Show payers that signed two tickets of one nonce, as a role has seen and kept, to the chain: they can allocate no more."`
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

// money lets amounts be shown in money, too. What counts stays in wei.
type money struct {
	Fiat fiat `help:"Also show money: what one ether is worth, such as 3000USD." placeholder:"RATE"`
}

// sum writes wei exactly and, where a rate is known, what that is about in money.
func (m money) sum(w protocol.Wei) string { return human(w) + m.Fiat.worth(w) }

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
	var short *chain.NoGas
	if errors.As(err, &short) {
		return fmt.Errorf("%s: insufficient funds for what it may cost, %s; %s has %s on the chain, for gas and what it moves", short.Doing, human(short.Need), who, human(short.Have))
	}
	var coded *protocol.Error
	if !errors.As(err, &coded) {
		return err
	}
	if has, failed := client.Balance(ctx, who); failed == nil {
		coded.Detail += fmt.Sprintf("; %s has %s on the chain, for gas and what it moves", who, human(has))
	}
	return err
}

type walletBalance struct {
	node
	money
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
		text := fmt.Sprintf("account        %s\non the chain   %s", w.Address, w.sum(native))
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
		text += fmt.Sprintf("\nin the escrow  %s", w.sum(balance))
		all := []allocated{}
		for _, r := range w.Recipient {
			al, err := escrow.Allocation(ctx, w.Address, r)
			if err != nil {
				return err
			}
			all = append(all, allocated{r.Hex(), al.Amount, al.Thawing, al.ThawEnd})
			text += fmt.Sprintf("\nallocated      %s to %s", w.sum(al.Amount), r)
			if !al.Thawing.IsZero() {
				text += fmt.Sprintf(", of which %s %s", w.sum(al.Thawing), until(al.ThawEnd))
			}
		}
		object["escrow"], object["allocations"] = balance, all
		return w.answer(a, object, "%s", text)
	})
}

func until(thawEnd uint64) string {
	return "can be released from " + time.Unix(int64(thawEnd), 0).UTC().Format(time.RFC3339) + " on"
}
