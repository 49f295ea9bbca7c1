package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/chain"
)

// Bank reads the accounts of all parties from the chain.
type Bank struct {
	Escrow *chain.Escrow
	Self   common.Address
	Market *market.Market
	Store  *store.Store
	Names  map[common.Address]string // what people call them; others are named by role and number
}

// Balances reads everything anew.
func (b *Bank) Balances(ctx context.Context) (Balances, error) {
	out := Balances{Escrow: b.Escrow.Address(), ChainID: b.Escrow.Client().ChainID(), Parties: []Party{}, Allocations: []Allocation{}}
	orchestrators, transcoders, err := b.Store.Parties(ctx)
	if err != nil {
		return out, err
	}
	for _, s := range b.Market.Standings() {
		if s.Address != (common.Address{}) && !slices.Contains(orchestrators, s.Address) {
			orchestrators = append(orchestrators, s.Address)
		}
	}
	named := make([]common.Address, 0, len(b.Names))
	for a := range b.Names {
		named = append(named, a)
	}
	slices.SortFunc(named, func(x, y common.Address) int { return cmp.Compare(b.Names[x], b.Names[y]) })
	for _, a := range named { // a party that has not worked yet still has a balance
		if a != b.Self && !slices.Contains(orchestrators, a) && !slices.Contains(transcoders, a) {
			transcoders = append(transcoders, a)
		}
	}
	add := func(role string, n int, a common.Address) error {
		p := Party{Name: cmp.Or(b.Names[a], role), Role: role, Address: a}
		if b.Names[a] == "" && n > 0 {
			p.Name = fmt.Sprintf("%s-%d", role, n)
		}
		if p.Balance, err = b.Escrow.Client().Balance(ctx, a); err != nil {
			return err
		}
		p.Escrow, err = b.Escrow.Balance(ctx, a)
		out.Parties = append(out.Parties, p)
		return err
	}
	allocation := func(payer, recipient common.Address) error {
		x, err := b.Escrow.Allocation(ctx, payer, recipient)
		if err == nil && !(x.Amount.IsZero() && x.Thawing.IsZero()) {
			out.Allocations = append(out.Allocations, Allocation{Payer: payer, Recipient: recipient, Amount: x.Amount, Thawing: x.Thawing})
		}
		return err
	}
	err = add("broadcaster", 0, b.Self)
	for i, o := range orchestrators {
		if err == nil {
			err = add("orchestrator", i+1, o)
		}
		if err == nil {
			err = allocation(b.Self, o)
		}
	}
	for i, t := range transcoders {
		if err == nil {
			err = add("transcoder", i+1, t)
		}
		for _, o := range orchestrators {
			if err == nil {
				err = allocation(o, t)
			}
		}
	}
	return out, err
}
