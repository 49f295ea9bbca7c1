package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/protocol"
)

// sender is the account of a transaction, and who signs for it.
type sender struct {
	Keystore     string         `help:"Encrypted key file of the account (kinora wallet new)." placeholder:"FILE"`
	PasswordFile string         `help:"File with the key's password." placeholder:"FILE"`
	Clef         string         `help:"External signer that keeps the key instead, such as clef: the URL of its JSON-RPC, or the path of its socket. It asks its owner." placeholder:"URL"`
	Address      common.Address `help:"The account; needed with --clef, and enough for a --dry-run." placeholder:"ADDRESS"`
	DryRun       bool           `help:"Only say what would be sent: to whom, with what value, gas and fee. Nothing is signed or sent."`
}

// missing names the settings that are, with those that the caller misses.
func (s sender) missing(names ...string) error {
	given := s.Address != common.Address{}
	suffix := ""
	switch {
	case s.Clef != "" && !given:
		names, suffix = append(names, "--address"), ", the account that --clef is to sign for"
	case s.Clef != "" || s.DryRun && given && s.Keystore == "":
	default:
		if s.Keystore == "" {
			names, suffix = append(names, "--keystore"), "; instead of a key file, --clef and --address name an external signer"
		}
		if s.PasswordFile == "" {
			names = append(names, "--password-file")
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("missing: %s%s", strings.Join(names, ", "), suffix)
	}
	return nil
}

// signer opens what signs. close may be called in any case.
func (s sender) signer(ctx context.Context) (_ protocol.Signer, close func(), err error) {
	close = func() {}
	if s.DryRun && (s.Clef != "" || s.Keystore == "") {
		return chain.Rehearsal(s.Address), close, nil
	}
	if s.Clef != "" {
		clef, err := chain.DialClef(ctx, s.Clef, s.Address)
		if err != nil {
			return nil, close, err
		}
		return clef, clef.Close, nil
	}
	key, err := identity.Load(s.Keystore, s.PasswordFile)
	switch {
	case err != nil:
		return nil, close, err
	case s.Address != common.Address{} && s.Address != key.Address():
		return nil, close, fmt.Errorf("--address: %s is not the account of --keystore, which is %s", s.Address, key.Address())
	case s.DryRun:
		return chain.Rehearsal(key.Address()), close, nil
	}
	return key, close, nil
}

// signed runs do with the account on its chain. Of a dry run it prints how far do came.
func (s sender) signed(a *app, n node, m money, do func(context.Context, *chain.Account) error) error {
	return n.dialled(a, func(ctx context.Context, client *chain.Client) error {
		signer, close, err := s.signer(ctx)
		defer close()
		if err != nil {
			return err
		}
		account := chain.NewAccount(client, signer)
		err = do(ctx, account)
		var rehearsed *chain.Rehearsed
		if errors.As(err, &rehearsed) {
			return rehearsal(ctx, a, n.output, m, account, rehearsed)
		}
		if err != nil {
			return afford(ctx, client, signer.Address(), err)
		}
		return nil
	})
}

// rehearsal prints what would be sent.
func rehearsal(ctx context.Context, a *app, o output, m money, from *chain.Account, r *chain.Rehearsed) error {
	fee, err := from.GasCost(ctx, r.Gas)
	if err != nil {
		return err
	}
	object := map[string]any{"dry_run": true, "address": from.Address().Hex(), "chain_id": from.Client().ChainID(), "to": nil, "value": r.Value,
		"gas": r.Gas, "gas_limit": r.GasLimit, "fee_wei": fee, "max_fee_wei": r.MaxFee, "data": hexutil.Encode(r.Data)}
	to := "a new contract"
	if (r.To != common.Address{}) {
		to = r.To.Hex()
		object["to"] = to
	}
	return o.answer(a, object, "nothing was sent; it would be, on chain %d\nfrom   %s\nto     %s\nvalue  %s\ngas    %d, at most %d\nfee    %s, at most %s",
		from.Client().ChainID(), from.Address(), to, m.sum(r.Value), r.Gas, r.GasLimit, m.sum(fee), m.sum(r.MaxFee))
}
