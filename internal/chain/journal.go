package chain

import (
	"context"
	"maps"

	"github.com/ethereum/go-ethereum/common"
)

// Journal is where processes that send for one account write down which TxNonces they took, before anything is sent.
type Journal interface {
	// Take calls prepare with what is written down of the account, by any process, while no other process is inside Take for
	// it, and writes down what prepare returns. Entries of transactions that keep records of their own, which are said to be
	// kept, have no Raw.
	Take(ctx context.Context, account common.Address, prepare func(taken []Prepared) (p Prepared, kept bool, err error)) error
	// Drop forgets an entry whose transaction the chain did not take.
	Drop(ctx context.Context, account common.Address, p Prepared) error
}

// next prepares a transaction with the next TxNonce and broadcasts it. What other processes wrote down and the chain may not
// have is sent again: the next one waits behind it. a.mu is held.
func (a *Account) next(ctx context.Context, doing string, ours bool, prepare func() (Prepared, error)) (p Prepared, err error) {
	if a.shared == nil {
		if p, err = prepare(); err != nil {
			return p, err
		}
		return p, a.broadcast(ctx, doing, p)
	}
	var others []Prepared
	err = a.shared.Take(ctx, a.Address(), func(taken []Prepared) (_ Prepared, kept bool, err error) {
		known := maps.Clone(a.nonces.open)
		for _, t := range taken {
			if _, ok := known[t.TxNonce]; !ok {
				a.nonces.took(t)
				others = append(others, t)
			}
		}
		p, err = prepare()
		return p, !ours, err
	})
	if err != nil {
		return Prepared{}, err
	}
	for _, t := range others {
		if _, open := a.nonces.open[t.TxNonce]; open && len(t.Raw) > 0 {
			_ = a.Broadcast(ctx, t.Raw) // else by whoever comes next
		}
	}
	if err = a.broadcast(ctx, doing, p); err != nil && ours {
		delete(a.nonces.open, p.TxNonce)
		_ = a.shared.Drop(context.WithoutCancel(ctx), a.Address(), p) // sent again by whoever comes next, if not
	}
	return p, err
}
